"""INVOICED: what a seller invoiced to a buyer, by month and goods code."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from kg.dates import month_start
from kg.derivation import Derivation, id_of, nothing
from kg.graph import Graph


def invoiced(invoices: ir.Table) -> ir.Table:
    """Sum invoices by seller, buyer, month and goods code.

    Parameters
    ----------
    invoices
        ``seller``, ``buyer`` (companies), ``issued_on``, ``goods`` (null = none stated), ``net_fen``, ``tax_fen``
        (integer fen, negative on credit notes) and ``status`` (``valid``, ``void`` or null, which is valid).

    Returns
    -------
    ir.Table
        ``id, src, dst, month, goods, net_fen, tax_fen, count, void_count``. Void invoices count, but add no money.
    """
    void = (invoices.status.fill_null("valid") == "void") | invoices.void_on.notnull()
    zero = ibis.literal(0).cast("int64")
    rows = invoices.mutate(
        month=month_start(invoices.issued_on),
        goods=invoices.goods.fill_null(""),
        _void=void.cast("int64"),
        _net=ibis.ifelse(void, zero, invoices.net_fen.fill_null(0)),
        _tax=ibis.ifelse(void, zero, invoices.tax_fen.fill_null(0)),
    )
    sums = rows.group_by(["seller", "buyer", "month", "goods"]).aggregate(
        net_fen=rows._net.sum(),
        tax_fen=rows._tax.sum(),
        count=rows.count(),
        void_count=rows._void.sum(),
    )
    key = id_of(sums.seller, sums.buyer, sums.month.cast("string"), sums.goods)
    return sums.select(
        id=key,
        src=sums.seller,
        dst=sums.buyer,
        month=sums.month,
        goods=sums.goods.nullif(""),
        net_fen=sums.net_fen,
        tax_fen=sums.tax_fen,
        count=sums["count"],
        void_count=sums.void_count,
    )


def _run(graph: Graph) -> ir.Table:
    invoices = graph.records("invoices", "seller", "buyer")
    return nothing(graph, "INVOICED") if invoices is None else invoiced(invoices)


DERIVATION = Derivation("invoices", ("records/invoices",), "INVOICED", _run, named=("src", "dst", "month", "goods"))
