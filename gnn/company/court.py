"""Court cases that were filed."""

from __future__ import annotations

import ibis.expr.types as ir

from gnn.company.reading import YEAR, day_before, days_since
from gnn.family import NOTHING, Column, Family
from kg.graph import Graph


def make(graph: Graph) -> ir.Table:
    """Return how many cases, against it and by it, and for how much; a case without a day of filing is left out."""
    rows = _filed(graph)
    return rows.group_by("id").aggregate(
        cases=rows.dst.nunique(),
        cases_year=rows.dst.nunique(where=rows.filed_on > day_before(graph, YEAR)),
        against=rows.dst.nunique(where=rows.against),
        against_fen=rows.amount_fen.sum(where=rows.against).fill_null(0),
        last_days=days_since(graph, rows.filed_on.max()),
    )


def filed_against(graph: Graph) -> ir.Table:
    """Return the cases filed against companies, as defendants or under enforcement: ``id`` (the company), ``dst``, ``filed_on``."""
    rows = _filed(graph)
    return rows.filter(rows.against).select("id", "dst", "filed_on")


def _filed(graph: Graph) -> ir.Table:
    filed = graph.nodes("CourtCase").select(dst="id", filed_on="filed_on", amount_fen="amount_fen")
    filed = filed.filter(filed.filed_on.notnull())
    rows = graph.edges("PARTY_TO").select("src", "dst", "role").join(filed, "dst")
    rows = rows.filter(rows.src.startswith("company:"))
    against = rows.role.lower().contains("defendant") | rows.role.contains("被告") | rows.role.contains("被执行")
    return rows.select("dst", "filed_on", "amount_fen", id="src", against=against.fill_null(False))


FAMILY = Family(
    "court",
    "涉诉",
    "court cases that were filed",
    (
        Column("cases", "court cases that it takes part in", "涉诉案件数", "cases", told=True),
        Column("cases_year", "court cases filed within a year", "近一年涉诉案件数", "cases"),
        Column("against", "court cases in which it is a defendant or under enforcement", "被诉或被执行案件数", "cases"),
        Column("against_fen", "sum in dispute in cases against it", "被诉标的金额", "fen"),
        Column("last_days", "time since the last case was filed", "最近立案距今", "days", NOTHING),
    ),
    make,
)
