"""Loans, transfers of their money, repayments and guarantees behind what a company borrowed and stands for; financings of papers."""

from __future__ import annotations

from datetime import timedelta

import ibis
import ibis.expr.types as ir

from gnn.behind.behind import Behind, called, stacked
from gnn.behind.moves import moves
from gnn.company.reading import YEAR, begin, sole_owners
from kg.graph import Graph

_AFTER = 10


def _told(graph: Graph, companies: ir.Table) -> ir.Table:
    return stacked(_borrowed(graph, companies), _repaid(graph, companies), _spent(graph, companies), *_guarantees(graph, companies))


def _borrowed(graph: Graph, companies: ir.Table) -> ir.Table:
    rows = graph.edges("BORROWED")
    rows = rows.filter(rows["at"] >= begin(graph, YEAR)).semi_join(companies, [("src", "id")])
    late = rows["at"] >= begin(graph, 90)
    return rows.select(id="src", row="id", weight="amount_fen", loan=ibis.literal(True), late_loan=late)


def _repaid(graph: Graph, companies: ir.Table) -> ir.Table:
    lent = graph.edges("BORROWED")
    lent = graph.engine.keep(
        lent.filter(lent["at"] >= begin(graph, YEAR)).semi_join(companies, [("src", "id")]).select("dst", borrower="src")
    )
    rows = graph.edges("REPAID").select("dst", "amount_fen", row="id").join(lent, "dst")
    return rows.select("row", id="borrower", weight="amount_fen", back=ibis.literal(True))


def _spent(graph: Graph, companies: ir.Table) -> ir.Table:
    """Return the transfers by which loan money went on within ten days."""
    out = graph.edges("PAID_OUT_TO").select(account="dst", lent_at="at")
    out = out.filter(out.lent_at >= begin(graph, YEAR)).join(sole_owners(graph), "account")
    out = graph.engine.keep(out.select("lent_at", id="owner").semi_join(companies, "id"))
    rows = moves(graph, companies)
    rows = rows.filter(rows.out).join(out, "id")
    soon = rows.filter(rows["at"] >= rows.lent_at, rows["at"] < rows.lent_at + ibis.interval(days=_AFTER))
    return soon.select("id", "row", weight="amount_fen", spent=ibis.literal(True)).distinct()


def _guarantees(graph: Graph, companies: ir.Table) -> tuple[ir.Table, ir.Table]:
    rows = graph.edges("GUARANTEES").select("src", "dst", "amount_fen", "valid_from", row="id")
    late = (rows.valid_from > ibis.literal(graph.as_of - timedelta(days=YEAR))).fill_null(False)
    given = rows.mutate(late=late).semi_join(companies, [("src", "id")])
    lent = graph.edges("BORROWED").select(borrower="src", dst="dst")
    got = graph.engine.keep(rows.left_join(lent, "dst", rname="{name}_b"))
    got = got.mutate(id=got.borrower.fill_null(got.dst)).semi_join(companies, "id")
    return (
        given.select("row", id="src", weight="amount_fen", given=ibis.literal(True), given_late=given.late),
        got.select("id", "row", weight="amount_fen", received=ibis.literal(True)),
    )


CREDIT = Behind(
    "loans",
    _told,
    high={
        "loans": "loan",
        "borrowed_fen": "loan",
        "loans_90": "late_loan",
        "repaid": "back",
        "spent_soon": "spent",
        "spent_on_one": "spent",
        "given": "given",
        "given_fen": "given",
        "given_year": "given_late",
        "received": "received",
        "received_fen": "received",
        "mutual": "received",
    },
    low={"loan_days": "late_loan", "repaid": "loan", "spent_soon": "loan", "spent_on_one": "loan"},
)


def _financed(graph: Graph, companies: ir.Table) -> ir.Table:
    rows = graph.records("financings", "lender", "borrower")
    if rows is None:
        return graph.edges("BORROWED").limit(0).select(id="src", row="id", weight="amount_fen", every=ibis.literal(True))
    rows = rows.filter(rows["at"] >= begin(graph, YEAR))
    mine = rows.semi_join(companies, [("borrower", "id")])
    return mine.select(id="borrower", row=called(mine), weight=mine.amount_fen, every=ibis.literal(True))


FINANCED = Behind("papers", _financed, high=dict.fromkeys(("financings", "financed_fen", "lenders", "again"), "every"))
