"""Pairs of parties that anything ties together beside the register: whom `linked_party` is asked about.

Knows what a pair is called, which way round it stands and how far back is looked; hides who finds the evidence: that is handed in, as
models know no derivation. Evidence of a year is what a night looks at; who hid together two years ago still does, so earlier years are
looked at too. Two who are tied to companies of one house are candidates likewise; whoever is tied to one company of a house is tied to all
of it, which is not told pair by pair (`gnn.pairs.houses.Ties`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeAlias

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from gnn.pairs.houses import houses
from gnn.pairs.lumps import KIND, lumps
from gnn.past import Past
from kg.engine import union
from kg.graph import Graph

#: A graph in; ``a, b, kind, strength, score`` out: the evidence of links in it, a row for each pair and kind.
Find: TypeAlias = Callable[[Graph], pa.Table]
#: Between the two ids of a pair.
AND = "＋"
#: Years that are looked at.
YEARS = 3
#: What ties less than this (ppm) leads to nobody else; of those tied to a house the strongest so many lead on.
_LEAST, _MOST = 100_000, 12
_FOUND = ("a", "b", "kind", "strength", "score")
#: Kinds by which the register itself puts two under one roof.
_OPEN = ("same_controller", "relatives", "same_representative")


def evidence(graph: Graph, find: Find) -> ir.Table:
    """Return the evidence of pairs of which the register does not tell.

    Returns
    -------
    ir.Table
        ``id, a, b, kind, strength, score, year``; ``a`` is a company and comes before ``b``, which may be a person. ``year`` counts back
        from 0, the one up to the day. Pairs of persons are left out, and so are pairs that the register ties.
    """

    def made() -> ir.Table:
        rows = union([_of_year(then, find, year) for year, then in enumerate(years(graph))])
        rows = graph.engine.keep(rows)
        open_ = rows.filter(rows.kind.isin(_OPEN), rows.year == 0).select("a", "b")
        tied = graph.engine.keep(union([open_, _tied(graph)]).distinct())
        hidden = rows.filter(~rows.kind.isin(_OPEN)).anti_join(tied, ["a", "b"])
        return graph.engine.keep(hidden.mutate(id=named(hidden.a, hidden.b)))

    return graph.once("gnn.pairs.evidence", made)


def years(graph: Graph) -> list[Graph]:
    """Return the graph, and as it was at the end of the years before that are looked at."""

    def made() -> list[Graph]:
        if not isinstance(graph, Past):
            return [graph]
        return [graph, *(graph.earlier(graph.as_of - timedelta(days=365 * year)) for year in range(1, YEARS))]

    return graph.once("gnn.pairs.years", made)


def _of_year(graph: Graph, find: Find, year: int) -> ir.Table:
    """Return what is found in the year up to the day of a graph, which is the one so many years back."""
    found = graph.engine.arrow(find(graph).select(list(_FOUND)))
    paid = lumps(graph)
    paid = paid.mutate(kind=ibis.literal(KIND), score=paid.strength // 2)
    rows = graph.engine.keep(union([found, paid.select(list(_FOUND))]))
    rows = rows.mutate(a=ibis.least(rows.a, rows.b), b=ibis.greatest(rows.a, rows.b), year=ibis.literal(year))
    return graph.engine.keep(rows.filter(rows.a.startswith("company:")))


def pairs(graph: Graph, find: Find) -> ir.Table:
    """Return ``id, a, b`` of the pairs, each once: those between whom anything was found, and those whom it ties to one house."""

    def made() -> ir.Table:
        direct = evidence(graph, find).select("a", "b")
        led = graph.engine.keep(_over_houses(graph, find).anti_join(_tied(graph), ["a", "b"]))
        every = graph.engine.keep(union([direct, led]).distinct())
        return graph.engine.keep(every.mutate(id=named(every.a, every.b)))

    return graph.once("gnn.pairs", made)


def to_houses(graph: Graph, find: Find) -> ir.Table:
    """Return the strongest evidence between a party and the members of another house: ``party, house, reach`` (ppm)."""

    def made() -> ir.Table:
        rows = evidence(graph, find).select("a", "b", "score").distinct()
        sides = union([rows.select("score", party=one, other=other) for one, other in (("a", "b"), ("b", "a"))])
        of = sides.inner_join(houses(graph).select(other="party", house="house"), "other")
        own = houses(graph).select("party", own="house")
        of = graph.engine.keep(of.left_join(own, "party", rname="{name}_r"))
        of = of.filter(of.own.isnull() | (of.own != of.house))
        return graph.engine.keep(of.group_by("party", "house").aggregate(reach=of.score.max()))

    return graph.once("gnn.pairs.to_houses", made)


def _led(graph: Graph, find: Find) -> ir.Table:
    """Return the ties to houses that lead on: none that is weak, and of each house the strongest."""

    def made() -> ir.Table:
        strong = graph.engine.keep(to_houses(graph, find).filter(ibis._.reach >= _LEAST))
        order = ibis.window(group_by=strong.house, order_by=[ibis.desc(strong.reach), strong.party])
        return graph.engine.keep(strong.mutate(place=ibis.row_number().over(order)).filter(ibis._.place < _MOST).drop("place"))

    return graph.once("gnn.pairs.led", made)


def _over_houses(graph: Graph, find: Find) -> ir.Table:
    """Return ``a, b``: two who are tied to one house."""
    led = _led(graph, find)
    rows = led.inner_join(led.select("house", other="party"), "house")
    return _sorted(rows.filter(rows.party < rows.other), "party", "other")


def _sorted(rows: ir.Table, one: str, other: str) -> ir.Table:
    found = rows.select(a=ibis.least(rows[one], rows[other]), b=ibis.greatest(rows[one], rows[other]))
    return found.filter(found.a.startswith("company:"), found.a != found.b).distinct()


def _tied(graph: Graph) -> ir.Table:
    """Return ``a, b`` of the pairs that the register ties: of one house, or the one in the register of the other."""

    def made() -> ir.Table:
        near = union([graph.edges(name).select(company="dst", party="src") for name in ("HOLDS_SHARES", "REPRESENTS", "OFFICER_OF")])
        near = graph.engine.keep(near.distinct())
        of = houses(graph)
        one = of.inner_join(of.select("house", other="party"), "house")
        parts = [_sorted(near, "company", "party"), _sorted(one, "party", "other")]
        return graph.engine.keep(union(parts).distinct())

    return graph.once("gnn.pairs.tied", made)


def named(a: ir.StringValue, b: ir.StringValue) -> ir.StringValue:
    """Return the id of a pair, of which ``a`` comes first."""
    return a + AND + b


def ends(rows: ir.Table) -> ir.Table:
    """Return ``id, a, b`` of pairs by their ids."""
    parts = rows.id.split(AND)
    return rows.select("id", a=parts[0], b=parts[1])
