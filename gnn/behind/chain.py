"""Payments and invoices behind a company's trade with those that are sued."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from gnn.behind.behind import Behind, stacked
from gnn.behind.moves import moves
from gnn.behind.trade import papers
from gnn.company.chain import sued
from kg.graph import Graph


def _told(graph: Graph, companies: ir.Table) -> ir.Table:
    troubled = graph.engine.keep(sued(graph).select("other"))
    paid = graph.engine.keep(moves(graph, companies).semi_join(troubled, "other"))
    sold = papers(graph, companies).semi_join(troubled, "other").filter(~ibis._.void)
    return stacked(
        paid.select("id", "row", weight="amount_fen", pays=~paid.out, paid=paid.out),
        sold.select("id", "row", weight=sold.net.abs(), sold=sold.sold, bought=~sold.sold),
    )


CHAIN = Behind(
    "chain",
    _told,
    high={
        **dict.fromkeys(("sued_payers", "from_sued"), "pays"),
        **dict.fromkeys(("sued_payees", "to_sued"), "paid"),
        "sold_to_sued": "sold",
        "bought_of_sued": "bought",
    },
)
