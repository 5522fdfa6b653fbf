"""What money did: how much, with whom, in what rhythm, and what only passed through."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from gnn.company.reading import YEAR, day_before, days_since, part, partners, payments
from gnn.family import NOTHING, Column, Family
from kg.derivation import ppm_of
from kg.graph import Graph
from kg.ruleset import WHOLE

_ROUND, _NEW = 1_000_000, 90


def make(graph: Graph) -> ir.Table:
    """Return sums, partners, rhythm and pass-through of a year's payments."""
    found = graph.engine.keep(_sums(graph))
    for part_, suffix in ((_days(graph), "d"), (_partners(graph), "p")):
        found = graph.engine.keep(found.left_join(part_, "id", rname="{name}_" + suffix))
    return found.select("id", *(column.name for column in COLUMNS))


def _sums(graph: Graph) -> ir.Table:
    rows = payments(graph)
    last_30, last_90 = rows.day > day_before(graph, 30), rows.day > day_before(graph, 90)

    def fen(where: ir.BooleanValue) -> ir.IntegerValue:
        return rows.amount_fen.sum(where=where).fill_null(0)

    got, paid = fen(~rows.out), fen(rows.out)
    return rows.group_by("id").aggregate(
        in_fen=got,
        out_fen=paid,
        in_count=(~rows.out).sum(),
        out_count=rows.out.sum(),
        in_30=part(fen(~rows.out & last_30), got),
        out_30=part(fen(rows.out & last_30), paid),
        in_90=part(fen(~rows.out & last_90), got),
        out_90=part(fen(rows.out & last_90), paid),
        balance=part(paid, got),
        largest_in=rows.amount_fen.max(where=~rows.out),
        largest_out=rows.amount_fen.max(where=rows.out),
        round_sums=part((rows.amount_fen % _ROUND == 0).sum(), rows.count()),
        to_persons=part(fen(rows.out & rows.other.startswith("person:")), paid),
        from_persons=part(fen(~rows.out & rows.other.startswith("person:")), got),
        quiet_days=days_since(graph, rows.day.max()),
    )


def _days(graph: Graph) -> ir.Table:
    rows = payments(graph)
    days = rows.group_by("id", "day").aggregate(
        got=rows.amount_fen.sum(where=~rows.out).fill_null(0), paid=rows.amount_fen.sum(where=rows.out).fill_null(0), count=rows.count()
    )
    days = days.mutate(through=ibis.least(days.got, days.paid))
    return days.group_by("id").aggregate(
        active=part(days.count(), ibis.least(ibis.literal(YEAR), days_since(graph, days.day.min()) + 1)),
        same_day=part(days.through.sum(), days.got.sum()),
        busiest_day=part(days["count"].max(), days["count"].sum()),
        weekend=part(days["count"].sum(where=days.day.day_of_week.index() >= 5).fill_null(0), days["count"].sum()),
    )


def _partners(graph: Graph) -> ir.Table:
    rows = partners(graph)
    # whole ppm, since sums of floats depend on the order of rows
    rows = rows.mutate(got_all=rows.got_fen.sum().over(group_by="id"), paid_all=rows.paid_fen.sum().over(group_by="id"))
    rows = rows.mutate(
        got_ppm=ppm_of(rows.got_fen, ibis.greatest(rows.got_all, 1)), paid_ppm=ppm_of(rows.paid_fen, ibis.greatest(rows.paid_all, 1))
    )
    both = ibis.least(rows.paid_fen, rows.got_fen)
    return rows.group_by("id").aggregate(
        payers=(rows.got > 0).sum(),
        payees=(rows.paid > 0).sum(),
        in_concentration=part((rows.got_ppm * rows.got_ppm).sum(), ibis.ifelse(rows.got_all.max() > 0, WHOLE * WHOLE, 0)),
        out_concentration=part((rows.paid_ppm * rows.paid_ppm).sum(), ibis.ifelse(rows.paid_all.max() > 0, WHOLE * WHOLE, 0)),
        both_ways=part(both.sum(), ibis.greatest(rows.got_fen.sum(), rows.paid_fen.sum())),
        once=part(((rows.paid + rows.got) == 1).sum(), rows.count()),
        new_partners=part((rows.first_day > day_before(graph, _NEW)).sum(), rows.count()),
    )


COLUMNS = (
    Column("in_fen", "money that came in within a year", "近一年流入金额", "fen", told=True),
    Column("out_fen", "money that went out within a year", "近一年流出金额", "fen", told=True),
    Column("in_count", "payments that came in within a year", "近一年流入笔数", "payments"),
    Column("out_count", "payments that went out within a year", "近一年流出笔数", "payments"),
    Column("in_30", "part of a year's receipts that came in the last 30 days", "近30日流入占比", "part", NOTHING, told=True),
    Column("out_30", "part of a year's spending that went in the last 30 days", "近30日流出占比", "part", NOTHING),
    Column("in_90", "part of a year's receipts that came in the last 90 days", "近90日流入占比", "part", NOTHING),
    Column("out_90", "part of a year's spending that went in the last 90 days", "近90日流出占比", "part", NOTHING),
    Column("balance", "money that went out for each yuan that came in", "流出与流入之比", "ratio", NOTHING, told=True),
    Column("largest_in", "largest payment that came in", "最大单笔流入", "fen", NOTHING),
    Column("largest_out", "largest payment that went out", "最大单笔流出", "fen", NOTHING),
    Column("round_sums", "part of the payments that are of whole 10,000 yuan", "整万元交易占比", "part", NOTHING, told=True),
    Column("to_persons", "part of its spending that went to persons", "对私流出占比", "part", NOTHING, told=True),
    Column("from_persons", "part of its receipts that came from persons", "对私流入占比", "part", NOTHING),
    Column("quiet_days", "time since its last payment", "最近一笔交易距今", "days", NOTHING),
    Column("active", "part of the days on which it paid or was paid", "有交易天数占比", "part", NOTHING),
    Column("same_day", "part of the receipts that may have gone out on the day", "当日进出占比", "part", NOTHING, told=True),
    Column("busiest_day", "part of the payments that fell on its busiest day", "单日最多交易占比", "part", NOTHING),
    Column("weekend", "part of the payments at weekends", "周末交易占比", "part", NOTHING),
    Column("payers", "parties that paid it", "付款方数", "parties", told=True),
    Column("payees", "parties that it paid", "收款方数", "parties", told=True),
    Column("in_concentration", "concentration of the receipts on few payers (Herfindahl)", "流入集中度", "index", NOTHING),
    Column("out_concentration", "concentration of the spending on few payees (Herfindahl)", "流出集中度", "index", NOTHING),
    Column("both_ways", "part of the money that goes back to whom it came from", "对手双向往来占比", "part", NOTHING, told=True),
    Column("once", "part of the partners with a single payment", "仅一笔往来的对手占比", "part", NOTHING),
    Column("new_partners", "part of the partners that are new within 90 days", "近90日新增对手占比", "part", NOTHING),
)
FAMILY = Family("payments", "资金往来", "what money did within a year", COLUMNS, make)
