"""Invoices behind what a company sold and bought."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from gnn.behind.behind import Behind, called
from gnn.company.reading import YEAR, day_before
from kg.engine import union
from kg.graph import Graph


def papers(graph: Graph, companies: ir.Table) -> ir.Table:
    """Return a year's invoices of some companies: ``id, other, sold, row, net, issued_on, void``."""
    rows = graph.records("invoices", "seller", "buyer")
    if rows is None:
        nothing = graph.edges("BORROWED").limit(0).select(id="src", other="dst", row="id", net="amount_fen")
        return nothing.mutate(sold=ibis.literal(True), void=ibis.literal(False), issued_on=ibis.null("date"))
    rows = rows.filter(rows.issued_on > day_before(graph, YEAR), rows.seller != rows.buyer)
    net = rows.net_fen.coalesce(rows.gross_fen - rows.tax_fen.fill_null(0)).fill_null(0)
    rows = rows.mutate(net=net, void=rows.status.fill_null("valid") == "void", row=called(rows))
    sides = []
    for own, far, sold in (("seller", "buyer", True), ("buyer", "seller", False)):
        mine = rows.semi_join(companies, [(own, "id")])
        sides.append(mine.select("row", "net", "void", "issued_on", id=own, other=far, sold=ibis.literal(sold)))
    return graph.engine.keep(union(sides))


def _told(graph: Graph, companies: ir.Table) -> ir.Table:
    rows = papers(graph, companies)
    rows = rows.mutate(buys=(~rows.sold).max().over(group_by=["id", "other"]), sells=rows.sold.max().over(group_by=["id", "other"]))
    late = rows.issued_on > day_before(graph, 90)
    return rows.select(
        "id",
        "row",
        weight=rows.net.abs(),
        sells_=rows.sold,
        buys_=~rows.sold,
        late=rows.sold & late,
        earlier=rows.sold & ~late,
        voided=rows.sold & rows.void,
        red=rows.sold & (rows.net < 0),
        mutual=rows.buys & rows.sells,
    )


TRADE = Behind(
    "invoices",
    _told,
    high={
        **dict.fromkeys(("sold", "sold_fen", "goods", "buyers", "main_buyer", "sold_for_paid"), "sells_"),
        **dict.fromkeys(("bought", "bought_fen", "sellers", "main_seller", "bought_for_paid"), "buys_"),
        "sold_90": "late",
        "void": "voided",
        "red": "red",
        "mutual": "mutual",
    },
    low={"sold_90": "earlier", "void": "sells_", "red": "sells_", "main_buyer": "sells_", "main_seller": "buys_"},
)
