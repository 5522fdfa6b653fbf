"""Rings of money that a company is a member of, as the night of the day would tell them."""

from __future__ import annotations

import ibis.expr.types as ir

from gnn.company.known import among
from gnn.company.reading import days_since
from gnn.family import NOTHING, Column, Family
from kg import dates
from kg.graph import Graph


def make(graph: Graph) -> ir.Table:
    """Return how many rings a company is in, how large and how old they are, and how many of their other members are known cases."""
    rings = graph.nodes("Ring").select(dst="id", members="members", support="support", last_at="last_at")
    rows = graph.engine.keep(graph.edges("IN_RING").select("src", "dst", "amount_fen").join(rings, "dst"))
    rows = rows.mutate(last=dates.local_date(rows.last_at, graph.zone))
    found = rows.group_by(id=rows.src).aggregate(
        rings=rows.dst.nunique(),
        largest=rows.members.max(),
        support=rows.support.max(),
        received_fen=rows.amount_fen.sum().fill_null(0),
        last_days=days_since(graph, rows["last"].max()),
    )
    both = rows.select(id="src", dst="dst").join(rows.select(other="src", dst="dst"), "dst")
    found = graph.engine.keep(found).left_join(among(graph, both, "known"), "id", rname="{name}_k")
    return found.filter(found.id.startswith("company:")).select("id", *(column.name for column in COLUMNS))


COLUMNS = (
    Column("rings", "rings of money that it is a member of", "所在资金环数", "rings"),
    Column("largest", "members of the largest ring that it is in", "最大资金环成员数", "parties"),
    Column("support", "cycles of the ring with most of them", "资金环循环次数", "cycles"),
    Column("received_fen", "money that it got by transfers of rings", "经资金环流入金额", "fen"),
    Column("last_days", "time since the last transfer of its newest ring", "最近资金环交易距今", "days", NOTHING),
    Column("known", "other members of its rings that were known cases by the day", "同环已确认欺诈主体数", "parties"),
)
FAMILY = Family("rings", "资金环", "rings of money that the company is in", COLUMNS, make)
