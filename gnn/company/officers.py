"""Who manages a company, and what else these persons manage."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from gnn.company.reading import days_since
from gnn.family import NOTHING, Column, Family
from kg.engine import union
from kg.graph import Graph


def make(graph: Graph) -> ir.Table:
    """Return officers, the offices that they hold elsewhere, and how new they are."""
    signs, serves = (graph.edges(name).select("src", "dst", "valid_from") for name in ("REPRESENTS", "OFFICER_OF"))
    every = graph.engine.keep(union([signs.mutate(signs=ibis.literal(True)), serves.mutate(signs=ibis.literal(False))]))
    busy = graph.engine.keep(every.group_by("src").aggregate(companies=every.dst.nunique()))
    rows = every.join(busy, "src")
    held = graph.edges("HOLDS_SHARES").select("src", "dst").distinct()
    owning = every.semi_join(held, ["src", "dst"]).group_by(id=ibis._.dst).aggregate(owning=ibis._.src.nunique())
    found = rows.group_by(id=rows.dst).aggregate(
        officers=rows.src.nunique(),
        offices_of_signer=rows.companies.max(where=rows.signs),
        offices_most=rows.companies.max(),
        newest_days=days_since(graph, rows.valid_from.max()),
    )
    return graph.engine.keep(found).left_join(owning, "id", rname="{name}_o").select("id", *(column.name for column in COLUMNS))


COLUMNS = (
    Column("officers", "persons who hold an office in it", "高管人数", "persons"),
    Column("offices_of_signer", "companies in which its legal representative has an office", "法定代表人任职家数", "companies", told=True),
    Column("offices_most", "companies in which its busiest officer has an office", "高管最多任职家数", "companies"),
    Column("newest_days", "time since an officer came", "最近高管变更距今", "days", NOTHING),
    Column("owning", "officers who hold shares in it", "持股高管数", "persons"),
)
FAMILY = Family("officers", "高管任职", "who manages the company and what else they manage", COLUMNS, make)
