"""Who belongs together besides by equity: the evidence of links between parties, kind by kind, and who may be behind a company.

Strong evidence: the same person controls both in the register, confirmed relatives, a device shared in online banking, loan money that
ends with the other, guarantees in a circle, half of the trade with one other. Medium: the same representative, two officers in common, a
contact in common, drawings of a person outside the register, sums to and fro, who stands for the other's debt, main supplier and customer
in common. Weak: an address, an agent, names of officers, registration one after the other, similar names.

A shared attribute's evidence is its kind's base times 1 / log(1 + d), d being the number of houses that share it [1]_: the rarer, the
more it says. A house is all that the register gives to one person, and parties of one house share by right. Above a cap for each type no
pair is made at all; `find_hubs` lists what was left out. A pair's score is

    S = 1 - prod over families f of (1 - max of its strengths in f),

since kinds of one family have one cause in common, and families are taken to err independently of one another; a family in which all is
weak counts only beside another one. Nothing is ever a component over links: a link is of two.

References
----------
.. [1] Adamic & Adar, Friends and neighbors on the Web, 2003.
.. [2] Pearl, Probabilistic reasoning in intelligent systems, 1988 (noisy-or).
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.algorithms.kernel import Ints
from kg.derivations.linked.attributes import by_attributes
from kg.derivations.linked.candidates import candidates
from kg.derivations.linked.evidence import Evidence, Names, World
from kg.derivations.linked.found import gathered, table_of
from kg.derivations.linked.guarantees import by_guarantees
from kg.derivations.linked.hubs import hub_table
from kg.derivations.linked.kinds import KINDS, Kind, LinkParams
from kg.derivations.linked.loans import by_loans
from kg.derivations.linked.money import by_money
from kg.derivations.linked.ranking import Roads, kind_numbers, scored, told_kinds
from kg.derivations.linked.trade import by_trade
from kg.errors import UsageError
from kg.tables import refuse_nulls

_LINKS = ("a", "b", "kind", "strength", "evidence")
#: Longer paths of evidence lead from everybody to everybody.
_MOST_HOPS = 6

__all__ = ["KINDS", "Evidence", "Kind", "LinkParams", "find_hidden_controllers", "find_hubs", "find_links", "paths_between", "rank_links"]


def find_links(graph: Evidence, params: LinkParams | None = None) -> pa.Table:
    """Find the evidence of links between parties.

    Parameters
    ----------
    graph
        The tables, see `Evidence`; every one may be missing, and then its kinds are. Without ``control`` each party is a house of its own.
    params
        Caps and bounds; the defaults if None.

    Returns
    -------
    Table
        ``a, b, kind, strength, evidence``, in this order, a row for each pair and kind. ``a`` comes before ``b`` by id. ``strength`` is an
        integer, ppm of certainty. ``evidence`` lists up to 8 ids of nodes and relationships, as text: what is shared, then the rows that
        say so, those of the greatest amounts first. Parties tied in the register (holder, representative, officer, one house) make
        pairs only of the kinds that tell this tie, ``same_controller`` and ``relatives``.

    Raises
    ------
    UsageError
        If a column is missing, an end is null, or an amount is negative; the sentence names table and row, counted from 0.

    Examples
    --------
    >>> signed = pa.table({"src": ["device:d", "device:d"], "dst": ["acc1", "acc2"]})
    >>> owns = pa.table({"src": ["company:x", "company:y"], "dst": ["acc1", "acc2"]})
    >>> find_links(Evidence(signed_in=signed, owns_account=owns)).to_pylist()
    [{'a': 'company:x', 'b': 'company:y', 'kind': 'shared_device', 'strength': 637167, 'evidence': ['device:d']}]
    """
    world, bounds = World.of(graph), params or LinkParams()
    found = (look(world, bounds) for look in (by_attributes, by_money, by_loans, by_guarantees, by_trade))
    return table_of([each for some in found for each in some], world.names)


def find_hubs(graph: Evidence, params: LinkParams | None = None) -> pa.Table:
    """List the nodes that made no pair since too many share them, and those that the bank named as hubs: to be looked through by people.

    Parameters
    ----------
    graph, params
        See `find_links`.

    Returns
    -------
    Table
        ``node, type, degree, reason``, in this order. ``type`` is that of the cap (``device``, ``contact``, ``address``, ``controller``,
        ``representative``, ``officer``, ``counterparty``), ``known`` for a party named as a hub; ``degree`` counts houses, for
        counterparties parties, and is null for a party.

    Raises
    ------
    UsageError
        See `find_links`.

    Examples
    --------
    >>> at = pa.table({"src": ["company:x", "company:y", "company:z"], "dst": ["address:s"] * 3})
    >>> find_hubs(Evidence(located_at=at), LinkParams(caps={"address": 2})).to_pylist()
    [{'node': 'address:s', 'type': 'address', 'degree': 3, 'reason': 'shared by more than 2 houses'}]
    """
    return hub_table(World.of(graph), params or LinkParams())


def rank_links(links: pa.Table, params: LinkParams | None = None) -> pa.Table:
    """Put the evidence of each pair together in one score.

    Parameters
    ----------
    links
        What `find_links` found.
    params
        From which score on a link is strong or medium.

    Returns
    -------
    Table
        ``a, b, score, level, families, disclosed, kinds, evidence``, the highest score first, then by ``a`` and ``b``. ``score`` is in
        ppm, see above. ``level`` is ``strong`` where the score is that high and evidence of a strong kind is in it, ``medium`` or
        ``weak``. ``disclosed``: the register tells of the tie. Pairs of which there is only weak evidence of one family are left out.

    Raises
    ------
    UsageError
        If a column is missing, or a row is none that `find_links` makes.

    Examples
    --------
    >>> rows = {"a": ["x"] * 2, "b": ["y"] * 2, "kind": ["shared_device", "round_trip"], "strength": [600_000, 300_000]}
    >>> ranked = rank_links(pa.table({**rows, "evidence": [["d"], ["p"]]}))
    >>> ranked.select(["score", "level", "families"]).to_pylist()
    [{'score': 720000, 'level': 'medium', 'families': 2}]
    """
    ranked = _ranked(links, params or LinkParams())
    return ranked.filter(pc.greater(ranked["score"], 0)).sort_by([("score", "descending"), ("a", "ascending"), ("b", "ascending")])


def _ranked(links: pa.Table, params: LinkParams) -> pa.Table:
    """Return all pairs with their scores, in the order of their ids."""
    missing = [name for name in _LINKS if name not in links.column_names]
    if missing:
        raise UsageError(f"links lack the column {missing[0]}; give what find_links returns")
    refuse_nulls("links", links, ("a", "b"))
    kind, strength = kind_numbers(links), links["strength"].to_numpy().astype(np.int64)
    names, (a, b) = Names.of([links["a"], links["b"]])
    n = max(len(names.ids), 1)
    found = scored(a * n + b, kind, strength)
    size = found.key.size
    return pa.table(
        {
            "a": names.ids.take(pa.array(found.key // n)),
            "b": names.ids.take(pa.array(found.key % n)),
            "score": pa.array(found.score),
            "level": _levels(found.score, found.strong, params),
            "families": pa.array(found.families),
            "disclosed": pa.array(found.disclosed),
            "kinds": told_kinds(found.pair, kind, strength, size),
            "evidence": gathered(links["evidence"], np.arange(kind.size), (found.pair, kind, strength), size),
        }
    )


def _levels(score: Ints, strong: np.ndarray[tuple[int], np.dtype[np.bool_]], params: LinkParams) -> pa.Array:
    place = np.select([(score >= params.strong_ppm) & strong, score >= params.medium_ppm], [2, 1], 0)
    return pa.array(["weak", "medium", "strong"]).take(pa.array(place))


def paths_between(links: pa.Table, a: str | int, b: str | int, *, hops: int = 3, limit: int = 20) -> pa.Table:
    """Return the paths of evidence between two parties, the strongest first.

    A path's strength is the product of its steps' scores. Steps are pairs with a score, see `rank_links`; between the two themselves
    evidence is told even where it is too weak for one.

    Parameters
    ----------
    links
        What `find_links` found.
    a, b
        Ids of two parties.
    hops
        The most steps, up to 6.
    limit
        The most paths.

    Returns
    -------
    Table
        ``path, strength, step, src, dst, kinds, score, evidence``: a row for each step, paths and steps counted from 1. Nobody stands
        twice on a path. Empty where nothing leads from one to the other.

    Raises
    ------
    UsageError
        If both ids are the same, or a bound is out of range.

    Examples
    --------
    >>> rows = {"a": ["x", "y"], "b": ["y", "z"], "kind": ["shared_device"] * 2, "strength": [600_000, 500_000]}
    >>> found = paths_between(pa.table({**rows, "evidence": [["d"], ["e"]]}), "z", "x")
    >>> found["src"].to_pylist(), found["dst"].to_pylist(), found["strength"].to_pylist()
    (['z', 'y'], ['y', 'x'], [300000, 300000])
    """
    if a == b:
        raise UsageError("a path of evidence leads from one party to another; give two different ids")
    if not 1 <= hops <= _MOST_HOPS or limit < 1:
        raise UsageError(f"hops must be between 1 and {_MOST_HOPS} and limit 1 or more, found {hops} and {limit}")
    ranked = _ranked(links, LinkParams())
    roads = Roads.of(ranked)
    begin, end = (int(roads.names.numbers(pa.chunked_array([pa.array([party])]))[0]) for party in (a, b))
    found = list(roads.strongest(begin, end, hops, limit)) if begin >= 0 and end >= 0 else []
    step = [
        (number, strength, place, way[place - 1], way[place], rows[place - 1])
        for number, (strength, way, rows) in enumerate(found, 1)
        for place in range(1, len(way))
    ]
    path, strength, place, src, dst, row = (np.array([each[i] for each in step], np.int64) for i in range(6))
    steps = {"path": path, "strength": strength, "step": place, "src": roads.names.ids.take(pa.array(src))}
    steps |= {"dst": roads.names.ids.take(pa.array(dst))}
    return pa.table({**steps, **{name: ranked[name].take(pa.array(row)) for name in ("kinds", "score", "evidence")}})


def find_hidden_controllers(graph: Evidence, links: pa.Table, params: LinkParams | None = None) -> pa.Table:
    """Find persons who may be behind companies whose registers do not name them, nor those of the companies above.

    A company's candidates are the persons of whom evidence of access, money or credit leads to it, by themselves or over another company
    that they control in the register (0.85 of the strength) or, where nobody controls it, represent (0.6). What two companies share that
    have a party of their registers in common is that party's and leads nowhere. Scores are those of `rank_links`.

    Parameters
    ----------
    graph, params
        See `find_links`.
    links
        What `find_links` found in it.

    Returns
    -------
    Table
        ``company, person, place, score, families, relative, alarm, kinds, evidence``, in the order of company and place (1 is the highest
        score). ``relative``: kin, over one person at most, of somebody in the register, who is known to the family rules and so raises no
        alarm. ``alarm``: the score reaches ``params.alarm_ppm``. A person named by a row is a question to an officer, not an answer.

    Raises
    ------
    UsageError
        See `find_links` and `rank_links`.

    Examples
    --------
    >>> given = pa.table({"src": ["person:p"], "dst": ["company:c"], "id": ["g1"]})
    >>> graph = Evidence(guarantees=given, represents=pa.table({"src": ["person:straw"], "dst": ["company:c"]}))
    >>> find_hidden_controllers(graph, find_links(graph)).select(["company", "person", "score", "evidence"]).to_pylist()
    [{'company': 'company:c', 'person': 'person:p', 'score': 600000, 'evidence': ['g1']}]
    """
    return candidates(World.of(graph), links, params or LinkParams())
