"""How far evidence reaches from one party to the other over whose companies are whose.

How many companies a house has is not told: of those whose register was withheld it says that they are asked about, of others nothing.
"""

from __future__ import annotations

from functools import partial

import ibis
import ibis.expr.types as ir

from gnn.family import Column, Family
from gnn.pairs.candidates import Find, pairs, to_houses
from gnn.pairs.houses import houses
from kg.graph import Graph

NAME = "reach"
_PPM = 1_000_000


def _make(find: Find, graph: Graph) -> ir.Table:
    rows, keep = pairs(graph, find), graph.engine.keep
    ties = to_houses(graph, find)
    for end, other in (("a", "b"), ("b", "a")):
        of = houses(graph).select(**{other: "party", "house": "house"})
        way = (
            rows.select("id", "a", "b")
            .inner_join(of, other)
            .inner_join(ties.select(**{end: "party", "house": "house", "reach": "reach"}), [end, "house"])
        )
        found = keep(way.group_by("id").aggregate(**{f"{end}_to_house": way.reach.max()}))
        rows = keep(rows.left_join(found, "id", rname="{name}_r").drop("id_r"))
    common = keep(_common(graph, rows.select("id", "a", "b"), ties))
    rows = rows.left_join(common, "id", rname="{name}_r")
    return rows.select(
        "id",
        a_to_house=rows.a_to_house / _PPM,
        b_to_house=rows.b_to_house / _PPM,
        over_third=rows.over_third / _PPM,
        thirds="thirds",
    )


def _common(graph: Graph, rows: ir.Table, ties: ir.Table) -> ir.Table:
    """Return how strongly both are tied to the same third house: ``id, over_third, thirds``."""
    mine = graph.engine.keep(rows.inner_join(ties.select(a="party", house="house", mine="reach"), "a"))
    both = mine.inner_join(ties.select(b="party", house="house", theirs="reach"), ["b", "house"])
    least = both.mutate(least=ibis.least(both.mine, both.theirs))
    return least.group_by("id").aggregate(over_third=least.least.max(), thirds=least.count())


COLUMNS = (
    Column(
        "a_to_house",
        "the strongest evidence between the first and any company of whoever has the second",
        "甲方与乙方同一控制人企业的最强关联",
        "1",
    ),
    Column(
        "b_to_house",
        "the strongest evidence between the second and any company of whoever has the first",
        "乙方与甲方同一控制人企业的最强关联",
        "1",
    ),
    Column("over_third", "how strongly both are tied to the companies of one third person", "共同关联第三方的强度", "1"),
    Column("thirds", "to how many others' companies both are tied", "共同关联第三方数", "persons"),
)


def family(find: Find) -> Family:
    """Return the family over who finds the evidence."""
    return Family(NAME, "关联传导", "evidence between one party and the companies around the other", COLUMNS, partial(_make, find))
