"""Groups of connected clients: who is under one control, and who depends on them so much that it falls with them.

A group is its head with all that can be reached from it: those whom a member controls and those who depend on a member. It is directional,
never a connected component: who depends on two groups is in both, and these do not come together.

References
----------
.. [1] 商业银行大额风险暴露管理办法, 2018; 商业银行集团客户授信业务风险管理指引, 2010, art. 3.
.. [2] Basel Committee, Supervisory framework for measuring and controlling large exposures, 2014, par. 19 to 28 and 61 to 64.
.. [3] 12 CFR 32.5, combination rules.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.algorithms.csr import Csr, group_rows, items_of
from kg.algorithms.groups import Bools, Earlier, overlaps, reached, same_as_before, sources
from kg.algorithms.kernel import Ints
from kg.algorithms.sharing import among
from kg.derivations.connections import CONTROLS, DEPENDS, JOINED, TESTS, Links, Nodes, Stated, read_links
from kg.derivations.control import JOINT
from kg.errors import UsageError
from kg.ruleset import WHOLE, RuleSet
from kg.tables import first_row, refuse_ids, refuse_nulls

ROLES = ("head", "controlled", "dependent")
_HEAD, _CONTROLLED, _DEPENDENT = range(3)


@dataclass(frozen=True)
class _Found:
    """Groups by number, a row for each member: its role, the row of ``links`` by which it belongs, -1 for a head without any.

    ``seed`` tells from whom the group begins.
    """

    group: Ints
    party: Ints
    role: Ints
    via: Ints
    links: Links
    seed: Bools


def find_groups(
    control: pa.Table,
    dependence: pa.Table | None,
    rules: RuleSet,
    *,
    previous: pa.Table | None = None,
    rebuttals: pa.Table | None = None,
    parties: pa.Table | None = None,
    as_of: date | None = None,
) -> pa.Table:
    """Find the groups of connected clients.

    Control comes first: each controller whom nobody outside its own circle of mutual control controls, with all that it certainly
    controls. Then who depends on a member joins with all that it controls itself, and so on. A dependence between two parties of no
    group makes one, headed by the one depended upon. A group all of whose members are in another is told once, as the larger one.

    Parameters
    ----------
    control
        ``controller, controlled, votes_ppm, certain`` as `kg.derivations.control.find_control` returns it. The members of a coalition
        belong to its group; where one of them controls the others the group is that one's. What is not certain makes no group.
    dependence
        ``dependent, on, test, ppm``, optional ``valid_from, valid_to``. ``test`` is ``receipts`` or ``spending``, whose ``ppm`` (that
        part of the dependent's comes from, or goes to, the other) is held against ``rules.dependence``; or ``guarantee``, ``output``,
        ``repayment_source``, ``contagion``, ``funder``: stated judgements. A party's dependence on itself says nothing.
    rules
        Without ``dependence`` it counts for nothing. With ``needs_control`` control alone makes no group: those belong together who are
        under common control and depend on one another, or (by ``repayment_source``) are repaid by one. With ``state_exempt`` a state body
        connects nobody, neither by control nor by dependence.
    previous
        An earlier result under the same rule set, from which groups keep their ids.
    rebuttals
        ``a, b``: pairs between which nothing is followed, in force on the day. Who is controlled over such a pair is
        reached only where control leads there by another way; what two firms control only together counts as direct. A rebutted
        pair of a coalition's member and a company ends the coalition's control of it, the pair of its only two members the
        coalition.
    parties, as_of
        See `kg.ownership.holdings.read_holdings`; only state bodies count.

    Returns
    -------
    Table
        ``group_id, party, role, because``, in the order of group, role and party. ``role`` is ``head``, ``controlled`` (by a member) or
        ``dependent``; a circle of mutual control has no head, and all members of a coalition are heads. ``because`` names the
        foremost reason, control before dependence, a head's before another's, then the greatest:
        ``controls``, ``controls as <coalition>``, ``depended upon``, ``controlled by <id> with <n> ppm``,
        ``depends on <id>: <test> <n> ppm`` or ``depends on <id>: <test>``. ``group_id`` is ``group:<rule set>:<digest of the heads>``, or
        that of the earlier group with which most members are shared: at least half of those who are in either.

    Raises
    ------
    UsageError
        If a row is wrong; the sentence names the table and the row, counted from 0.

    Examples
    --------
    >>> from kg.rulesets import get
    >>> control = pa.table({"controller": ["p"], "controlled": ["c"], "votes_ppm": [510_000], "certain": [True]})
    >>> dependence = pa.table({"dependent": ["s"], "on": ["c"], "test": ["receipts"], "ppm": [620_000]})
    >>> for row in find_groups(control, dependence, get("CN-LE-2018")).to_pylist():
    ...     print(row["party"], row["role"], row["because"], sep=", ")
    p, head, controls
    c, controlled, controlled by p with 510000 ppm
    s, dependent, depends on c: receipts 620000 ppm
    """
    _refuse_previous(previous, rules, control)
    controls, depends, nodes = read_links(Stated(control, dependence, rebuttals, parties), rules, as_of)
    links = depends.where(_in_common(controls, depends, nodes)) if rules.needs_control else controls + depends
    found = _grouped(links, nodes)
    return _table(found, nodes, _ids(found, nodes, rules, previous))


def _refuse_previous(previous: pa.Table | None, rules: RuleSet, control: pa.Table) -> None:
    if previous is not None:
        refuse_nulls("previous", previous, ("group_id", "party"))
        refuse_ids("previous", previous, ("party",), control["controlled"].type if len(control) else None)
        own = pc.starts_with(previous["group_id"].cast(pa.string()), f"group:{rules.id}:")
        if (row := first_row(pc.invert(own))) is not None:
            said = previous["group_id"][row].as_py()
            raise UsageError(f"previous row {row}: {said} is no group under {rules.id}; give the earlier groups of the same rule set")


def _in_common(controls: Links, depends: Links, nodes: Nodes) -> Bools:
    """Tell which dependences count where control alone does not: those under common control, and a common source of repayment."""
    groups = _grouped(controls, nodes)
    width = len(nodes)
    row, met = items_of(group_rows(groups.party, width), depends.target)
    shared = among(groups.group[met] * width + depends.source[row], np.sort(groups.group * width + groups.party))
    counts: Bools = depends.sort == DEPENDS + TESTS.index("repayment_source")
    counts[row[shared]] = True
    return counts


def _grouped(links: Links, nodes: Nodes) -> _Found:
    """Return the groups that links make, none within another."""
    count, width = len(nodes.parties), len(nodes)
    order = np.argsort(links.source, kind="stable")
    links = Links(links.source[order], links.target[order], links.ppm[order], links.sort[order])
    start = np.searchsorted(links.source, np.arange(width + 1))
    foremost = _order(links, width)
    rank = np.empty(foremost.size, np.int64)
    rank[foremost] = np.arange(foremost.size)
    seeds = sources(links.source, links.target, width)
    group, party, least = reached(Csr(start, links.target), rank, seeds)
    via = np.where(least >= 0, foremost[least] if foremost.size else -1, -1)
    seed = among(group * width + party, np.sort(np.repeat(np.arange(len(seeds.start) - 1), np.diff(seeds.start)) * width + seeds.items))
    role = _roles(links, party, via, seed, width)
    kept = (party < count) & ~_within_others(group, party, seeds, count)[group]
    number = np.cumsum(np.diff(group[kept], prepend=-1) != 0) - 1
    return _Found(number, party[kept], role[kept], via[kept], links, seed[kept])


def _order(links: Links, width: int) -> Ints:
    """Return the links by how much they say: coalitions, control (that by heads first), dependence; each from the greatest down."""
    controlled = np.zeros(width, np.bool_)
    controlled[links.target[links.sort == CONTROLS]] = True
    what = np.minimum(links.sort, DEPENDS) * 2 + controlled[links.source]
    what[links.sort >= DEPENDS] = 2 * DEPENDS
    # ppm of a company above the whole are told as they are, and rank with the whole
    key = (what * (2 * WHOLE) + WHOLE - np.minimum(links.ppm, WHOLE)) * (DEPENDS + len(TESTS)) + links.sort
    return np.argsort(key, kind="stable").astype(np.int64)


def _roles(links: Links, party: Ints, via: Ints, seed: Bools, width: int) -> Ints:
    """Return the role of each member: who is reached by control is controlled; a head among those from whom the group begins is not."""
    if not links.source.size:
        return np.empty(0, np.int64)
    in_control, controlled = np.zeros(width, np.bool_), np.zeros(width, np.bool_)
    in_control[links.source[links.sort == CONTROLS]] = True
    controlled[links.target[links.sort == CONTROLS]] = True
    sort = links.sort[via]
    head = (via < 0) | (sort == JOINED) | (seed & in_control[party] & ~controlled[party])
    return np.select([head, sort == CONTROLS], [_HEAD, _CONTROLLED], _DEPENDENT)


def _within_others(group: Ints, party: Ints, seeds: Csr, count: int) -> Bools:
    """Tell which groups of a coalition have all their members in another group; others begin with somebody who is in none."""
    within = np.zeros(len(seeds.start) - 1, np.bool_)
    real = party < count
    group, party = group[real], party[real]
    of_coalition = (seeds.items[seeds.start[:-1]] >= count)[group]
    if of_coalition.any():
        size = np.bincount(group, minlength=within.size)
        left, right, common = overlaps((group[of_coalition], party[of_coalition]), (group, party), count)
        larger = (common == size[left]) & ((size[right] > size[left]) | ((size[right] == size[left]) & (right < left)))
        within[left[larger]] = True
    return within


def _ids(found: _Found, nodes: Nodes, rules: RuleSet, previous: pa.Table | None) -> pa.Array:
    """Return the id of each group: that of the earlier group with which it shares most, or one that follows from its heads."""
    keys = _keys(found, nodes)
    own = _digests(keys, rules)
    if previous is None or not previous.num_rows or not len(own):
        return _distinct(own, keys, rules, pa.array([], pa.string()))
    old = previous["group_id"].cast(pa.string()).combine_chunks().dictionary_encode()
    party = nodes.parties.numbers(previous["party"])
    size = np.bincount(old.indices.to_numpy(), minlength=len(old.dictionary))
    before = Earlier(old.indices.to_numpy().astype(np.int64)[party >= 0], party[party >= 0], size)
    same = pc.fill_null(pc.index_in(own, value_set=old.dictionary), -1).to_numpy()
    place = same_as_before((found.group, found.party), before, same, len(nodes))
    kept = old.dictionary.take(pa.array(place, mask=place < 0))
    return _distinct(pc.coalesce(kept, own), keys, rules, kept)


def _keys(found: _Found, nodes: Nodes) -> pa.Array:
    """Return for each group the ids of its heads, of a circle those of all from whom it begins."""
    head = found.role == _HEAD
    headed = np.zeros(int(found.group.max(initial=-1)) + 1, np.bool_)
    headed[found.group[head]] = True
    named = np.flatnonzero(head | (found.seed & ~headed[found.group]))
    named = named[np.lexsort((found.party[named], found.group[named]))]
    start = np.searchsorted(found.group[named], np.arange(headed.size + 1))
    ids = nodes.parties.names(found.party[named]).cast(pa.string())
    return pc.binary_join(pa.ListArray.from_arrays(pa.array(start, pa.int32()), ids), JOINT)


def _digests(keys: pa.Array, rules: RuleSet) -> pa.Array:
    """Return ids made of a digest; one for each group, which is the loop there is."""
    return pa.array([f"group:{rules.id}:{hashlib.sha256(key.encode()).hexdigest()[:32]}" for key in keys.to_pylist()], pa.string())


def _distinct(ids: pa.Array, keys: pa.Array, rules: RuleSet, kept: pa.Array) -> pa.Array:
    """Return the ids with others for those that a group has which kept its id when its head changed."""
    again = keys
    fresh = pc.is_null(kept) if len(kept) else pa.array(np.ones(len(ids), np.bool_))
    while len(kept) and pc.any(clash := pc.and_(fresh, pc.is_in(ids, value_set=kept.drop_null()))).as_py():
        again = pc.binary_join_element_wise(again, "again", JOINT)
        ids = pc.if_else(clash, _digests(again, rules), ids)
    return ids


def _table(found: _Found, nodes: Nodes, ids: pa.Array) -> pa.Table:
    by_id = pc.array_sort_indices(ids).to_numpy()
    place = np.empty(by_id.size, np.int64)
    place[by_id] = np.arange(by_id.size)
    order = np.lexsort((found.party, found.role, place[found.group]))
    group, party, role, via = (column[order] for column in (found.group, found.party, found.role, found.via))
    return pa.table(
        {
            "group_id": ids.take(pa.array(group)),
            "party": nodes.parties.names(party),
            "role": pa.array(ROLES).take(pa.array(role)),
            "because": _reasons(found.links, nodes, party, role, via),
        }
    )


def _reasons(links: Links, nodes: Nodes, party: Ints, role: Ints, via: Ints) -> pa.Array:
    """Return the foremost reason of each member in words."""
    if not party.size:
        return pa.array([], pa.string())
    in_control = np.zeros(len(nodes), np.bool_)
    in_control[links.source[links.sort == CONTROLS]] = True
    by, sort, ppm = nodes.names().take(pa.array(links.source[via])), links.sort[via], pa.array(links.ppm[via])
    measure = pc.if_else(pc.greater_equal(ppm, 0), pc.binary_join_element_wise(" ", ppm.cast(pa.string()), " ppm", ""), "")
    test = pa.array(TESTS).take(pa.array(np.maximum(sort - DEPENDS, 0)))
    told_as = {
        "as": pc.binary_join_element_wise("controls as ", by, ""),
        "by": pc.binary_join_element_wise("controlled by ", by, " with", measure, ""),
        "on": pc.binary_join_element_wise("depends on ", by, ": ", test, measure, ""),
    }
    head = role == _HEAD
    joined = head & (via >= 0) & (sort == JOINED)
    cases = (joined, head & in_control[party], head, role == _CONTROLLED)
    names = [pa.array(case) for case in cases]
    return pc.case_when(
        pc.make_struct(*names, field_names=list("abcd")), told_as["as"], "controls", "depended upon", told_as["by"], told_as["on"]
    )
