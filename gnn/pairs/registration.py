"""What registration says of two companies, besides whose they are."""

from __future__ import annotations

from functools import partial

import ibis.expr.types as ir

from gnn.family import NOTHING, Column, Family
from gnn.pairs.candidates import Find, pairs
from kg.graph import Graph


def _make(find: Find, graph: Graph) -> ir.Table:
    rows = graph.nodes("Company").select("id", "founded_on", "region", "industry")
    rows = graph.engine.keep(rows)
    both = pairs(graph, find)
    for end in ("a", "b"):
        both = both.inner_join(rows.rename(lambda name, end=end: end if name == "id" else f"{name}_{end}"), end)
    return both.select(
        "id",
        founded_apart=both.founded_on_a.delta(both.founded_on_b, unit="day").abs(),
        same_region=(both.region_a == both.region_b).cast("int64"),
        same_industry=(both.industry_a == both.industry_b).cast("int64"),
    )


COLUMNS = (
    Column("founded_apart", "days between the days on which the two were founded", "成立日期相隔", "days", NOTHING),
    Column("same_region", "1 where both are registered in one region", "注册地区相同", "1", NOTHING),
    Column("same_industry", "1 where both are of one industry", "行业相同", "1", NOTHING),
)


def family(find: Find) -> Family:
    """Return the family over who finds the pairs."""
    return Family("registration", "登记信息", "what registration says of two companies", COLUMNS, partial(_make, find))
