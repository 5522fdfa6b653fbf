"""Loans against papers, and papers that were pledged more than once."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from gnn.company.reading import YEAR, begin, none
from gnn.family import Column, Family
from kg.graph import Graph


def make(graph: Graph) -> ir.Table:
    """Return what was lent against papers within a year, by how many lenders, and how many papers were pledged again."""
    rows = graph.records("financings", "lender", "borrower")
    if rows is None:
        return none(graph, *(column.name for column in COLUMNS))
    rows = graph.engine.keep(rows.filter(rows["at"] >= begin(graph, YEAR)).select("lender", "borrower", "paper_number", "amount_fen"))
    size = graph.engine.keep(rows.group_by("paper_number").aggregate(size=rows.count()))
    sized = rows.join(size, "paper_number")
    sized = sized.filter(sized.borrower.startswith("company:"))
    return sized.group_by(id=sized.borrower).aggregate(
        financings=sized.count(),
        financed_fen=sized.amount_fen.sum().fill_null(0),
        lenders=sized.lender.nunique(),
        again=ibis.ifelse(sized["size"] > 1, 1, 0).sum(),
    )


COLUMNS = (
    Column("financings", "loans against papers within a year", "近一年票据类融资笔数", "loans"),
    Column("financed_fen", "money lent against papers within a year", "近一年票据类融资金额", "fen"),
    Column("lenders", "lenders against its papers", "票据类融资机构数", "parties"),
    Column("again", "its papers that bear the number of another one pledged", "重复质押的票据数", "papers", told=True),
)
FAMILY = Family("papers", "票据融资", "loans against papers", COLUMNS, make)
