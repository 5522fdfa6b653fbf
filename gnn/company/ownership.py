"""Who holds a company, and what it holds."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from gnn.company.reading import days_since, part
from gnn.family import NOTHING, Column, Family
from kg.graph import Graph

_HALF = 500_000


def make(graph: Graph) -> ir.Table:
    """Return holders, how much is known of their shares, depth, and how recent the holdings are."""
    held = graph.edges("HOLDS_SHARES").select("src", "dst", "share_ppm", "valid_from")
    sides = held.group_by(id=held.dst).aggregate(
        holders=held.src.nunique(),
        companies_holding=held.src.nunique(where=held.src.startswith("company:")),
        largest_ppm=held.share_ppm.max(),
        known_ppm=held.share_ppm.sum().fill_null(0),
        unknown=part(held.share_ppm.isnull().sum(), held.count()),
        newest_days=days_since(graph, held.valid_from.max()),
    )
    sides = graph.engine.keep(sides)
    holding = graph.engine.keep(
        held.group_by(id=held.src).aggregate(holds=held.dst.nunique(), holds_most=(held.share_ppm >= _HALF).sum().fill_null(0))
    )
    # who stands behind the largest holders, and how many companies these hold
    reach = held.join(holding.select(src="id", of_holder="holds"), "src").group_by(id=ibis._.dst).aggregate(busiest=ibis._.of_holder.max())
    second = held.select(src="src", dst="dst").join(sides.select(src="id", above="holders"), "src")
    depth = second.group_by(id=second.dst).aggregate(holders_above=second.above.sum())
    whole = sides.outer_join(holding, "id", rname="{name}_h")
    whole = graph.engine.keep(whole.mutate(id=whole.id.coalesce(whole.id_h)).drop("id_h"))
    whole = graph.engine.keep(whole.left_join(reach, "id", rname="{name}_r"))
    whole = whole.left_join(depth, "id", rname="{name}_d")
    return whole.filter(whole.id.startswith("company:")).select("id", *(column.name for column in COLUMNS))


COLUMNS = (
    Column("holders", "parties that hold shares in it", "股东数", "parties", told=True),
    Column("companies_holding", "companies that hold shares in it", "法人股东数", "companies"),
    Column("largest_ppm", "largest share that one party holds", "最大股东持股", "ppm", NOTHING),
    Column("known_ppm", "sum of the shares that are known", "已知持股合计", "ppm", NOTHING),
    Column("unknown", "part of its holdings whose share is not known", "持股比例未知的占比", "part", NOTHING),
    Column("newest_days", "time since a holder came in", "最近股东变更距今", "days", NOTHING),
    Column("holds", "companies that it holds shares in", "对外投资家数", "companies", told=True),
    Column("holds_most", "companies of which it holds half or more", "控股家数", "companies"),
    Column("busiest", "companies that its busiest holder holds shares in", "股东最多投资家数", "companies", NOTHING, told=True),
    Column("holders_above", "holders of its holders", "上层股东数", "parties"),
)
FAMILY = Family("ownership", "股权与控制", "who holds the company and what it holds", COLUMNS, make)
