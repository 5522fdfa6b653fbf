"""Money and papers between the two parties within the years that are looked at, both ways."""

from __future__ import annotations

from functools import partial

import ibis
import ibis.expr.types as ir

from gnn.company.reading import invoices, part, partners
from gnn.family import NOTHING, Column, Family
from gnn.pairs.candidates import Find, pairs, years
from kg.engine import union
from kg.graph import Graph

#: What is a part of one year's money: the year in which it was the greatest counts.
_PARTS = ("of_paid", "of_got", "of_others", "to_others")


def _make(find: Find, graph: Graph) -> ir.Table:
    rows = pairs(graph, find)
    every = graph.engine.keep(union([_of_year(then, rows) for then in years(graph)]))
    sums = every.group_by("id").aggregate(
        **{name: every[name].sum() for name in ("paid_fen", "got_fen", "payments")},
        **{name: every[name].max() for name in _PARTS},
    )
    sums = graph.engine.keep(sums)
    found = sums.mutate(both_ways=part(ibis.least(sums.paid_fen, sums.got_fen), ibis.greatest(sums.paid_fen, sums.got_fen)))
    return _with_papers(graph, rows, graph.engine.keep(found)).select("id", *(column.name for column in COLUMNS))


def _of_year(graph: Graph, rows: ir.Table) -> ir.Table:
    """Return what passed between pairs in the year up to the day of a graph."""
    dealt = partners(graph)
    sums = graph.engine.keep(dealt.group_by(a="id").aggregate(all_paid=dealt.paid_fen.sum(), all_got=dealt.got_fen.sum()))
    between = rows.inner_join(dealt.select(a="id", b="other", **{name: name for name in _MONEY}), ["a", "b"]).inner_join(sums, "a")
    others = graph.engine.keep(sums.select(b="a", other_paid="all_paid", other_got="all_got"))
    between = graph.engine.keep(between.left_join(others, "b", rname="{name}_r"))
    return between.select(
        "id",
        "paid_fen",
        "got_fen",
        payments=between.paid + between.got,
        of_paid=part(between.paid_fen, between.all_paid),
        of_got=part(between.got_fen, between.all_got),
        of_others=part(between.paid_fen, between.other_got),
        to_others=part(between.got_fen, between.other_paid),
    )


_MONEY = ("paid_fen", "got_fen", "paid", "got")


def _with_papers(graph: Graph, pairs_: ir.Table, money: ir.Table) -> ir.Table:
    """Add how many invoices lie between the two: money without papers is no trade."""
    rows = pairs_.left_join(money, "id").drop("id_right")
    papers = [each for each in (invoices(then) for then in years(graph)) if each is not None]
    if not papers:
        return rows.mutate(invoices=ibis.literal(0), invoiced_fen=ibis.literal(0))
    valid = union([each.filter(~each.void).select(a="id", b="other", net_fen="net_fen") for each in papers])
    counted = graph.engine.keep(valid.group_by("a", "b").aggregate(invoices=valid.count(), invoiced_fen=valid.net_fen.sum()))
    return rows.left_join(counted, ["a", "b"], rname="{name}_r")


COLUMNS = (
    Column("paid_fen", "paid by the first to the second", "付给对方金额", "fen"),
    Column("got_fen", "paid by the second to the first", "收到对方金额", "fen"),
    Column("payments", "payments between the two", "往来笔数", "payments"),
    Column("both_ways", "the smaller of the sums to and fro, of the larger", "往返金额比", "1", NOTHING),
    Column("of_paid", "part of what the first pays at all", "占其付款比", "1"),
    Column("of_got", "part of what the first gets at all", "占其收款比", "1"),
    Column("of_others", "part of what the second gets at all", "占对方收款比", "1", NOTHING),
    Column("to_others", "part of what the second pays at all", "占对方付款比", "1", NOTHING),
    Column("invoices", "valid invoices between the two", "双方发票数", "invoices"),
    Column("invoiced_fen", "net sum of the invoices between the two", "双方开票金额", "fen"),
)


def family(find: Find) -> Family:
    """Return the family over who finds the pairs."""
    return Family("money", "资金与票据", "money and papers between two parties", COLUMNS, partial(_make, find))
