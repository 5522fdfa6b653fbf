"""Who controls whom, by the votes of all that a party controls already: alone, with its relatives, or with those it acts in concert with.

With S the parties that x commands (x itself at first), y joins S when the votes held in y by all of S together pass the rule set's
threshold; this is repeated until nothing is added. Votes are whole ppm, so exactly one half is not more than one half.

References
----------
.. [1] Romei, Ruggieri, Turini, The layered structure of company share networks, 2015.
.. [2] Magnanimi, Bellomarini, Ceri, Martinenghi, Reactive company control in company knowledge graphs, 2023.
"""

from __future__ import annotations

from datetime import date
from typing import TypeAlias

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.sparse import csr_array

from kg.algorithms.control import Votes, controlled
from kg.algorithms.csr import Csr, values_at
from kg.algorithms.joint import partners
from kg.algorithms.kernel import Ints
from kg.algorithms.sharing import among
from kg.derivation import Derivation, id_of, json_list
from kg.derivations.listed_control import controlled_where_listed
from kg.graph import Graph
from kg.ownership.coalitions import Ties, coalitions, largest
from kg.ownership.holdings import Holdings, read_holdings
from kg.ownership.nominees import nominated
from kg.ownership.register import REQUIRES, Register, register
from kg.ruleset import WHOLE, RuleSet, Threshold

#: Coalition and company, and two columns about the votes of the one in the other.
Rows: TypeAlias = tuple[Ints, Ints, Ints, Ints]
#: Joins the ids of a coalition's members into its name: a full-width plus, which no id holds, as the loaders make a plain one of it.
JOINT = "\uff0b"


def find_control(
    holdings: pa.Table,
    rules: RuleSet,
    *,
    kin: pa.Table | None = None,
    concert: pa.Table | None = None,
    nominations: pa.Table | None = None,
    parties: pa.Table | None = None,
    as_of: date | None = None,
    taking_part: bool = False,
) -> pa.Table:
    """Find all pairs of a party and a company that it controls.

    Parameters
    ----------
    holdings
        See `kg.ownership.holdings.read_holdings`: ``holder, held, share_ppm``, optional ``votes_ppm``, ``share_low_ppm``,
        ``share_high_ppm``, ``valid_from``, ``valid_to``.
    rules
        The threshold, which ties of kinship count, and what becomes of own shares. Where it knows ``listed_control``, that applies to
        the listed companies that nobody controls for certain: who certainly commands so many votes, and more than anybody can whom
        it does not command and who does not command it, controls the company, and so do all who command the winner.
    kin
        ``a, b, kinship`` (what the second is to the first): relatives by a tie that the rules know hold together. Each holder is a
        coalition with those of its relatives who hold anything; kinship is followed over relatives who hold nothing.
    concert
        ``a, b``: parties who act in concert; all holders who are tied by agreements are a coalition, also over parties that hold
        nothing, each with its relatives where the rules count these.
    nominations
        ``nominator, nominee, held``: the nominee's votes in that company are the nominator's, or those of who is behind it in turn.
    parties, as_of
        See `kg.ownership.holdings.read_holdings`.
    taking_part
        Leave out of each coalition who has no votes in what none of its members controls alone: a brother who only owns a firm of his own
        is not one with the couple that has another. Who then is by himself is in no coalition.

    Returns
    -------
    Table
        ``controller, controlled, votes_ppm, certain``, in the order of controller and controlled: a row for every pair, not only the
        ultimate one, and none of a party with itself. ``votes_ppm`` are the votes in the company held by all that the controller
        commands at the end. Where shares are unknown ``certain`` is false for control that depends on them, and ``votes_ppm`` is the
        most that they can be. So it is where shares of a company sum above the whole and control would be lost if all that is too much
        were taken off the controller's side: by any other reading (all shares scaled down, the surplus taken off several) more is left
        to it. ``votes_ppm`` are as stated then. A coalition of several parties is named by its members, joined by ``JOINT`` (＋); it is
        a string also where ids are numbers.

    Raises
    ------
    UsageError
        If a row is wrong (see `kg.ownership.holdings.refuse_wrong`), or one of the other tables lacks a column or an id.

    Examples
    --------
    >>> from kg.rulesets import get
    >>> rows = {"holder": ["p", "a", "a", "b"], "held": ["a", "b", "c", "c"], "share_ppm": [510_000, 510_000, 300_000, 300_000]}
    >>> find_control(pa.table(rows), get("CN-COLAW-2023")).to_pylist()[-1]
    {'controller': 'p', 'controlled': 'c', 'votes_ppm': 600000, 'certain': True}
    """
    held = read_holdings(nominated(holdings, nominations, as_of), parties=parties, as_of=as_of, quantity="votes")
    alone = np.flatnonzero(np.bincount(held.holder, minlength=len(held.parties)))
    several = coalitions(held, rules, Ties.on(as_of, kin, concert, held.parties.ids.type))
    votes = votes_of(held, rules)
    found = _solved(held, rules, votes, seeds_of(alone, several))
    if taking_part and several:
        several = _parts(votes, alone, several, found)
        found = _solved(held, rules, votes, seeds_of(alone, several))
    return _table(held, (alone, several), found)


def _solved(held: Holdings, rules: RuleSet, votes: Votes, seeds: Csr) -> Rows:
    """Return coalition, company, votes and whether it is certain of all that is controlled."""
    bounds = _in_doubt(held, votes)
    if rules.listed_control is None or not held.parties.listed.any():
        return controlled(votes, seeds, bounds)
    whole = votes.most if rules.treasury == "rescaled" else np.full(votes.most.size, WHOLE)
    return controlled_where_listed(votes, seeds, bounds, _least(rules.listed_control, whole), held.parties.listed)


def _in_doubt(held: Holdings, votes: Votes) -> bool:
    """Tell whether anything may be possible that is not certain."""
    return bool((held.high > held.low).any() or votes.surplus.any())


def _parts(votes: Votes, alone: Ints, several: list[Ints], found: Rows) -> list[Ints]:
    """Return coalitions of those alone who take part in what they control together."""
    coalition, company, _, sure = found
    one = coalition < alone.size
    mine = one & (sure == 1)
    holder = np.repeat(np.arange(len(votes.start) - 1), np.diff(votes.start))
    together = coalition[~one] - alone.size, company[~one]
    single, seats = (alone[coalition[mine]], company[mine]), (holder, votes.held)
    return largest(partners(seeds_of(np.empty(0, np.int64), several), together, single, seats, len(votes.start) - 1))


def votes_of(held: Holdings, rules: RuleSet) -> Votes:
    """Return the votes behind holdings: own shares have none, and are no part of the whole where the rules say so."""
    count = len(held.parties)
    own = held.holder == held.held
    treasury = np.bincount(held.held[own], held.low[own], count).astype(np.int64)
    rows = np.flatnonzero(~own)
    most = WHOLE - treasury
    bar = _least(rules.control, most if rules.treasury == "rescaled" else np.full(count, WHOLE))
    start = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(held.holder[rows], minlength=count), out=start[1:])
    known = np.bincount(held.held[rows], held.low[rows], count).astype(np.int64)
    return Votes(start, held.held[rows], held.low[rows], held.high[rows], bar, most, known, held.surplus())


def _least(threshold: Threshold, whole: Ints) -> Ints:
    """Return the least whole ppm that pass a threshold of so many."""
    product = threshold.ppm * whole
    bar: Ints = product // WHOLE + 1 if threshold.strict else -(-product // WHOLE)
    return np.maximum(bar, 1)


def commanded(held: Holdings, rules: RuleSet, alone: Ints, several: list[Ints]) -> tuple[Rows, Rows]:
    """Return whom parties and coalitions certainly control, and how many votes they command in every company, those by control among them.

    Returns
    -------
    control, votes
        Each ``coalition, company, low, high``: the coalition by its place among ``alone`` and then ``several``; votes in ppm, the least
        ones by whom it certainly controls, without what is stated of the company beyond the whole, the most by whom it may control too.
    """
    votes, seeds = votes_of(held, rules), seeds_of(alone, several)
    coalition, company, _, certain = controlled(votes, seeds, _in_doubt(held, votes))
    shape = (len(seeds.start) - 1, len(held.parties))
    maybe = _members(seeds, coalition, company, shape)
    surely = _members(seeds, coalition[certain == 1], company[certain == 1], shape)
    least, most = (csr_array((ppm, votes.held, votes.start), shape=(shape[1], shape[1])) for ppm in (votes.low, votes.high))
    greatest = (maybe @ most).tocoo()
    coalition, company = greatest.row.astype(np.int64), greatest.col.astype(np.int64)
    low, known = (values_at(csr_array(members @ least), coalition, company) for members in (surely, maybe))
    high = np.maximum(np.minimum(greatest.data, votes.most[company] - (votes.known[company] - known)), known)
    every = (coalition, company, np.maximum(low - votes.surplus[company], 0), high)
    in_control, mine = values_at(surely, coalition, company) > 0, np.zeros(coalition.size, np.bool_)
    mine[in_control] = ~_own(seeds, coalition[in_control], company[in_control])
    return _chosen(every, mine), _chosen(every, ~in_control | mine)


def _members(seeds: Csr, coalition: Ints, company: Ints, shape: tuple[int, int]) -> csr_array:
    """Return whom each coalition commands, its own members among them."""
    own = np.repeat(np.arange(shape[0]), np.diff(seeds.start))
    rows, columns = np.concatenate([own, coalition]), np.concatenate([seeds.items, company])
    return csr_array((np.ones(rows.size, np.int64), (rows, columns)), shape=shape)


def _own(seeds: Csr, coalition: Ints, company: Ints) -> NDArray[np.bool_]:
    """Tell which of these companies are members of the coalition themselves."""
    sizes = np.diff(seeds.start)
    keys = np.sort(np.repeat(np.arange(sizes.size), sizes) * (seeds.items.max(initial=0) + 1) + seeds.items)
    inside = company <= seeds.items.max(initial=0)
    found: NDArray[np.bool_] = inside & among(coalition * (seeds.items.max(initial=0) + 1) + company, keys)
    return found


def _chosen(rows: Rows, kept: NDArray[np.bool_]) -> Rows:
    coalition, company, low, high = rows
    return coalition[kept], company[kept], low[kept], high[kept]


def seeds_of(alone: Ints, several: list[Ints]) -> Csr:
    """Return the members of each party alone, and then of each coalition."""
    sizes = np.concatenate([np.ones(alone.size, np.int64), np.array([each.size for each in several], np.int64)])
    return Csr(np.concatenate([[0], np.cumsum(sizes)]), np.concatenate([alone, *several]))


def _table(held: Holdings, seeds: tuple[Ints, list[Ints]], found: tuple[Ints, Ints, Ints, Ints]) -> pa.Table:
    (alone, several), (coalition, company, ppm, certain) = seeds, found
    names = held.parties.names(alone)
    if several:
        joint = [JOINT.join(map(str, held.parties.names(each).to_pylist())) for each in several]
        names = pa.concat_arrays([names.cast(pa.string()), pa.array(joint, pa.string())])
    # parties come in the order of their ids, coalitions after them
    order = np.lexsort((company, coalition))
    return pa.table(
        {
            "controller": names.take(pa.array(coalition[order])),
            "controlled": held.parties.names(company[order]),
            "votes_ppm": pa.array(ppm[order]),
            "certain": pa.array(certain[order] == 1),
        }
    )


# -- in the night -------------------------------------------------------------------------------------------------


def register_control(register: Register, rules: RuleSet) -> pa.Table:
    """Return who controls whom in a register under a rule set, as `find_control` tells it: together, those who take part."""
    return find_control(
        register.holdings,
        rules,
        kin=register.kin,
        concert=register.concert,
        nominations=register.nominations,
        parties=register.parties,
        taking_part=True,
    )


def control_now(graph: Graph) -> pa.Table:
    """Return who controls whom in a graph, under its rule set, as `find_control` tells it."""
    return graph.once("control", lambda: register_control(register(graph), graph.chosen.groups))


def _run(graph: Graph) -> ir.Table:
    """Return ``CONTROLS``: of those who control together each member has a row, none where one does it alone."""
    rules, of = graph.chosen.groups, register(graph)
    found = graph.engine.keep(graph.engine.arrow(control_now(graph)))
    joint = found.controller.contains(JOINT)
    members = found.mutate(src=found.controller.split(JOINT).unnest(), jointly=ibis.ifelse(joint, found.controller, ibis.null("string")))
    alone = found.filter(~joint).select(src="controller", controlled="controlled")
    needless = members.filter(members.jointly.notnull()).semi_join(alone, ["src", "controlled"]).select("jointly", "controlled").distinct()
    told = members.anti_join(needless, ["jointly", "controlled"])
    told = told.left_join(_evidence(graph, of, found), ["controller", "controlled"])
    return told.select(
        id=id_of(told.src, told.controlled, told.jointly.fill_null(""), ibis.literal(rules.id)),
        src="src",
        dst="controlled",
        votes_ppm="votes_ppm",
        certain="certain",
        jointly="jointly",
        rules=ibis.literal(rules.id),
        rules_version=ibis.literal(rules.version),
        evidence="evidence",
    )


def _evidence(graph: Graph, of: Register, found: ir.Table) -> ir.Table:
    """Return the holdings that give a controller its votes in a company: ``controller, controlled, evidence``."""
    seats = found.select("controller", holder="controlled")
    own = found.select("controller").distinct()
    seats = ibis.union(seats, own.select("controller", holder=own.controller.split(JOINT).unnest())).distinct()
    holdings = graph.engine.arrow(nominated(of.holdings, of.nominations).select(["id", "holder", "held"]))
    held = seats.inner_join(holdings, "holder").filter(ibis._.holder != ibis._.held)
    pairs = held.inner_join(found.select("controller", "controlled"), [held.controller == found.controller, held.held == found.controlled])
    return pairs.group_by("controller", "controlled").aggregate(evidence=json_list(pairs.id.collect(order_by=pairs.id)))


DERIVATION = Derivation("control", REQUIRES, "CONTROLS", _run)
