"""What a company invoiced and was invoiced."""

from __future__ import annotations

import ibis.expr.types as ir

from gnn.company.reading import day_before, invoices, none, part, partners
from gnn.family import NOTHING, Column, Family
from kg.graph import Graph


def make(graph: Graph) -> ir.Table:
    """Return sums, void ones, partners and how invoices compare with payments, of a year."""
    rows = invoices(graph)
    if rows is None:
        return none(graph, *(column.name for column in COLUMNS))
    sold, bought, valid = rows.sold, ~rows.sold, ~rows.void
    found = rows.group_by("id").aggregate(
        sold=sold.sum(),
        bought=bought.sum(),
        sold_fen=rows.net_fen.sum(where=sold & valid).fill_null(0),
        bought_fen=rows.net_fen.sum(where=bought & valid).fill_null(0),
        sold_90=part(rows.net_fen.sum(where=sold & valid & (rows.issued_on > day_before(graph, 90))), rows.net_fen.sum(where=sold & valid)),
        void=part(rows.void.sum(where=sold), sold.sum()),
        red=part((rows.net_fen < 0).sum(where=sold), sold.sum()),
        goods=rows.goods.nunique(where=sold),
    )
    found = graph.engine.keep(found)
    for more, suffix in ((_pairs(rows), "p"), (_money(graph), "m")):
        found = graph.engine.keep(found.left_join(graph.engine.keep(more), "id", rname="{name}_" + suffix))
    found = found.mutate(sold_for_paid=part(found.sold_fen, found.got_fen), bought_for_paid=part(found.bought_fen, found.paid_fen))
    return found.select("id", *(column.name for column in COLUMNS))


def _pairs(rows: ir.Table) -> ir.Table:
    pairs = rows.group_by("id", "other").aggregate(
        out=rows.net_fen.sum(where=rows.sold & ~rows.void).fill_null(0), into=rows.net_fen.sum(where=~rows.sold & ~rows.void).fill_null(0)
    )
    smaller = (pairs.out > 0) & (pairs["into"] > 0)
    return pairs.group_by("id").aggregate(
        buyers=(pairs.out > 0).sum(),
        sellers=(pairs["into"] > 0).sum(),
        main_buyer=part(pairs.out.max(), pairs.out.sum()),
        main_seller=part(pairs["into"].max(), pairs["into"].sum()),
        mutual=smaller.sum(),
    )


def _money(graph: Graph) -> ir.Table:
    rows = partners(graph)
    firms = rows.filter(rows.other.startswith("company:"))
    return firms.group_by("id").aggregate(got_fen=firms.got_fen.sum(), paid_fen=firms.paid_fen.sum())


COLUMNS = (
    Column("sold", "invoices that it wrote", "开票张数", "invoices"),
    Column("bought", "invoices that it got", "收票张数", "invoices"),
    Column("sold_fen", "net sum of the valid invoices that it wrote", "开票金额", "fen", told=True),
    Column("bought_fen", "net sum of the valid invoices that it got", "收票金额", "fen", told=True),
    Column("sold_90", "part of the invoiced sum that is of the last 90 days", "近90日开票占比", "part", NOTHING),
    Column("void", "part of its invoices that were made void", "作废发票占比", "part", NOTHING, told=True),
    Column("red", "part of its invoices that are red ones", "红字发票占比", "part", NOTHING),
    Column("goods", "goods codes on its invoices", "开票商品种类数", "codes"),
    Column("buyers", "companies that it invoiced", "购方数", "companies"),
    Column("sellers", "companies that invoiced it", "销方数", "companies"),
    Column("main_buyer", "part of the largest buyer", "最大购方占比", "part", NOTHING),
    Column("main_seller", "part of the largest seller", "最大销方占比", "part", NOTHING),
    Column("mutual", "companies that it sells to and buys of", "互为购销方数", "companies", told=True),
    Column("sold_for_paid", "what it invoiced for each yuan that companies paid it", "开票额与企业付款之比", "ratio", NOTHING, told=True),
    Column("bought_for_paid", "what it was invoiced for each yuan that it paid companies", "收票额与对企业付款之比", "ratio", NOTHING),
)
FAMILY = Family("invoices", "发票", "invoices of a year", COLUMNS, make)
