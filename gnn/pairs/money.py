"""Money and papers between the two parties within a year, both ways."""

from __future__ import annotations

from functools import partial

import ibis
import ibis.expr.types as ir

from gnn.company.reading import days_since, invoices, part, partners
from gnn.family import NOTHING, Column, Family
from gnn.pairs.candidates import Find, pairs
from kg.graph import Graph


def _make(find: Find, graph: Graph) -> ir.Table:
    rows, dealt = pairs(graph, find), partners(graph)
    sums = graph.engine.keep(dealt.group_by(a="id").aggregate(all_paid=dealt.paid_fen.sum(), all_got=dealt.got_fen.sum()))
    between = rows.inner_join(dealt.select(a="id", b="other", **{name: name for name in _MONEY}), ["a", "b"]).inner_join(sums, "a")
    others = graph.engine.keep(sums.select(b="a", other_paid="all_paid", other_got="all_got"))
    between = graph.engine.keep(between.left_join(others, "b", rname="{name}_r"))
    found = between.select(
        "id",
        "paid_fen",
        "got_fen",
        payments=between.paid + between.got,
        both_ways=part(ibis.least(between.paid_fen, between.got_fen), ibis.greatest(between.paid_fen, between.got_fen)),
        of_paid=part(between.paid_fen, between.all_paid),
        of_got=part(between.got_fen, between.all_got),
        of_others=part(between.paid_fen, between.other_got),
        to_others=part(between.got_fen, between.other_paid),
        known_days=days_since(graph, between.first_day),
    )
    return _with_papers(graph, rows, found)


_MONEY = ("paid_fen", "got_fen", "paid", "got", "first_day")


def _with_papers(graph: Graph, pairs_: ir.Table, money: ir.Table) -> ir.Table:
    """Add how many invoices lie between the two: money without papers is no trade."""
    papers = invoices(graph)
    rows = pairs_.left_join(money, "id").drop("id_right")
    if papers is None:
        return rows.mutate(invoices=ibis.literal(0)).drop("a", "b")
    counted = graph.engine.keep(papers.filter(~papers.void).group_by(a="id", b="other").aggregate(invoices=ibis._.count()))
    joined = rows.left_join(counted, ["a", "b"], rname="{name}_r")
    return joined.select("id", *(name for name in money.columns if name != "id"), "invoices")


COLUMNS = (
    Column("paid_fen", "paid by the first to the second", "付给对方金额", "fen"),
    Column("got_fen", "paid by the second to the first", "收到对方金额", "fen"),
    Column("payments", "payments between the two", "往来笔数", "payments"),
    Column("both_ways", "the smaller of the sums to and fro, of the larger", "往返金额比", "1", NOTHING),
    Column("of_paid", "part of what the first pays at all", "占其付款比", "1"),
    Column("of_got", "part of what the first gets at all", "占其收款比", "1"),
    Column("of_others", "part of what the second gets at all", "占对方收款比", "1", NOTHING),
    Column("to_others", "part of what the second pays at all", "占对方付款比", "1", NOTHING),
    Column("known_days", "days since the first payment between the two within a year", "首次往来天数", "days", NOTHING),
    Column("invoices", "valid invoices between the two", "双方发票数", "invoices"),
)


def family(find: Find) -> Family:
    """Return the family over who finds the pairs."""
    return Family("money", "资金与票据", "money and papers between two parties", COLUMNS, partial(_make, find))
