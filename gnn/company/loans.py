"""What a company borrowed, what became of the money, and who stands for whom."""

from __future__ import annotations

from datetime import timedelta

import ibis
import ibis.expr.types as ir

from gnn.company.reading import YEAR, begin, days_since, part, payments, sole_owners
from gnn.family import NOTHING, Column, Family
from kg import dates
from kg.graph import Graph

_AFTER = 10


def make(graph: Graph) -> ir.Table:
    """Return loans of a year, how fast their money went on, repayments and guarantees."""
    found = graph.engine.keep(_borrowed(graph))
    for more, suffix in ((_spent(graph), "s"), (_given(graph), "g"), (_received(graph), "r")):
        joined = found.outer_join(more, "id", rname="{name}_" + suffix)
        found = graph.engine.keep(joined.mutate(id=joined.id.coalesce(joined[f"id_{suffix}"])).drop(f"id_{suffix}"))
    return found.filter(found.id.startswith("company:")).select("id", *(column.name for column in COLUMNS))


def _borrowed(graph: Graph) -> ir.Table:
    rows = graph.edges("BORROWED").select("src", "dst", "amount_fen", "at")
    rows = rows.filter(rows["at"] >= begin(graph, YEAR))
    repaid = graph.edges("REPAID")
    back = repaid.group_by(dst=repaid.dst).aggregate(repaid_fen=repaid.amount_fen.sum())
    rows = rows.left_join(back, "dst", rname="{name}_b")
    return rows.group_by(id=rows.src).aggregate(
        loans=rows.dst.nunique(),
        borrowed_fen=rows.amount_fen.sum().fill_null(0),
        loans_90=rows.dst.nunique(where=rows["at"] >= begin(graph, 90)),
        loan_days=days_since(graph, dates.local_date(rows["at"].max(), graph.zone)),
        repaid=part(rows.repaid_fen.sum().fill_null(0), rows.amount_fen.sum()),
    )


def _spent(graph: Graph) -> ir.Table:
    """Return how much of the money paid out went on within ten days, and to how few."""
    out = graph.edges("PAID_OUT_TO").select(account="dst", lent_fen="amount_fen", lent_at="at")
    out = out.filter(out.lent_at >= begin(graph, YEAR)).join(sole_owners(graph), "account")
    out = graph.engine.keep(out.select("lent_fen", "lent_at", id="owner"))
    lent = out.group_by("id").aggregate(lent_fen=out.lent_fen.sum())
    rows = payments(graph).filter(ibis._.out).select("id", "other", "amount_fen", "at").join(out.select("id", "lent_at"), "id")
    soon = rows.filter(rows["at"] >= rows.lent_at, rows["at"] < rows.lent_at + ibis.interval(days=_AFTER))
    sums = soon.group_by("id", "other").aggregate(fen=soon.amount_fen.sum())
    whole = graph.engine.keep(sums.group_by("id").aggregate(sent=sums.fen.sum(), most=sums.fen.max()))
    rows = graph.engine.keep(lent).left_join(whole, "id", rname="{name}_w")
    return rows.select("id", spent_soon=part(rows.sent.fill_null(0), rows.lent_fen), spent_on_one=part(rows.most, rows.lent_fen))


def _given(graph: Graph) -> ir.Table:
    rows = graph.edges("GUARANTEES")
    recent = rows.valid_from > ibis.literal(graph.as_of - timedelta(days=YEAR))
    return rows.group_by(id=rows.src).aggregate(
        given=rows.count(), given_fen=rows.amount_fen.sum().fill_null(0), given_year=recent.fill_null(False).sum()
    )


def _received(graph: Graph) -> ir.Table:
    """Return the guarantees for a company and for its loans."""
    rows = graph.edges("GUARANTEES").select("src", "dst", "amount_fen")
    borrowed = graph.edges("BORROWED").select(borrower="src", dst="dst")
    rows = graph.engine.keep(rows.left_join(borrowed, "dst", rname="{name}_b"))
    rows = rows.mutate(id=rows.borrower.fill_null(rows.dst))
    mine = graph.edges("GUARANTEES").select(id="src", src="dst").distinct()
    back = rows.semi_join(mine, ["id", "src"]).group_by("id").aggregate(mutual=ibis._.src.nunique())
    found = rows.group_by("id").aggregate(received=rows.src.nunique(), received_fen=rows.amount_fen.sum().fill_null(0))
    return graph.engine.keep(found).left_join(back, "id", rname="{name}_m").select("id", "received", "received_fen", "mutual")


COLUMNS = (
    Column("loans", "loans within a year", "近一年贷款笔数", "loans", told=True),
    Column("borrowed_fen", "money borrowed within a year", "近一年贷款金额", "fen", told=True),
    Column("loans_90", "loans within 90 days", "近90日贷款笔数", "loans"),
    Column("loan_days", "time since the last loan", "最近贷款距今", "days", NOTHING),
    Column("repaid", "part of a year's loans that was repaid", "已还占比", "part", NOTHING),
    Column("spent_soon", "loan money that went on within ten days, by what was lent", "放款后十日内转出占比", "part", NOTHING, told=True),
    Column("spent_on_one", "loan money that went to one party within ten days", "放款后十日内转给同一方占比", "part", NOTHING),
    Column("given", "guarantees that it gave", "对外担保笔数", "guarantees", told=True),
    Column("given_fen", "sum of the guarantees that it gave", "对外担保金额", "fen"),
    Column("given_year", "guarantees that it gave within a year", "近一年对外担保笔数", "guarantees"),
    Column("received", "parties that guarantee for it", "为其担保的主体数", "parties"),
    Column("received_fen", "sum of the guarantees for it", "获得担保金额", "fen"),
    Column("mutual", "parties that it and that guarantee for one another", "互保主体数", "parties"),
)
FAMILY = Family("loans", "贷款与担保", "loans, what became of their money, guarantees", COLUMNS, make)
