"""The company's place in the supply chain: how much of its trade is with those whom others sue.

A failing buyer pays late and a failing supplier does not deliver, and those behind them follow: what stands here was filed before the day.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from gnn.company.court import filed_against
from gnn.company.reading import YEAR, day_before, invoices, part, partners
from gnn.family import NOTHING, Column, Family
from kg.graph import Graph


def make(graph: Graph) -> ir.Table:
    """Return how much of a year's money and invoices is with companies against which a case was filed within a year."""
    troubled = graph.engine.keep(sued(graph))
    found = graph.engine.keep(_money(graph, troubled))
    more = _invoiced(graph, troubled)
    if more is None:
        return found.mutate(**{column.name: ibis.null("float64") for column in _OF_INVOICES})
    joined = found.outer_join(graph.engine.keep(more), "id", rname="{name}_i")
    return joined.mutate(id=joined.id.coalesce(joined.id_i)).drop("id_i")


def sued(graph: Graph) -> ir.Table:
    """Return ``other, sued`` (true) of the companies against which a case was filed within a year."""
    rows = filed_against(graph)
    recent = rows.filter(rows.filed_on > day_before(graph, YEAR))
    return recent.select(other="id").distinct().mutate(sued=ibis.literal(True))


def _money(graph: Graph, troubled: ir.Table) -> ir.Table:
    rows = partners(graph).filter(ibis._.other.startswith("company:"))
    rows = rows.left_join(troubled, "other", rname="{name}_s")
    theirs = rows.sued.fill_null(False)
    return rows.group_by("id").aggregate(
        sued_payers=(theirs & (rows.got > 0)).sum(),
        sued_payees=(theirs & (rows.paid > 0)).sum(),
        from_sued=part(rows.got_fen.sum(where=theirs).fill_null(0), rows.got_fen.sum()),
        to_sued=part(rows.paid_fen.sum(where=theirs).fill_null(0), rows.paid_fen.sum()),
    )


def _invoiced(graph: Graph, troubled: ir.Table) -> ir.Table | None:
    rows = invoices(graph)
    if rows is None:
        return None
    rows = rows.filter(~rows.void).left_join(troubled, "other", rname="{name}_s")
    theirs, bought = rows.sued.fill_null(False), ~rows.sold
    return rows.group_by("id").aggregate(
        sold_to_sued=part(rows.net_fen.sum(where=rows.sold & theirs).fill_null(0), rows.net_fen.sum(where=rows.sold)),
        bought_of_sued=part(rows.net_fen.sum(where=bought & theirs).fill_null(0), rows.net_fen.sum(where=bought)),
    )


_OF_INVOICES = (
    Column("sold_to_sued", "part of what it invoiced that went to companies that are sued", "开票给被诉企业占比", "part", NOTHING),
    Column("bought_of_sued", "part of what it was invoiced that came from companies that are sued", "自被诉企业收票占比", "part", NOTHING),
)
FAMILY = Family(
    "chain",
    "供应链",
    "trade with companies against which a case was filed within a year",
    (
        Column("sued_payers", "companies that paid it and are sued", "被诉的付款企业数", "companies"),
        Column("sued_payees", "companies that it paid and that are sued", "被诉的收款企业数", "companies"),
        Column("from_sued", "part of the receipts from companies that came from sued ones", "自被诉企业收款占比", "part", NOTHING),
        Column("to_sued", "part of the spending on companies that went to sued ones", "付给被诉企业占比", "part", NOTHING),
        *_OF_INVOICES,
    ),
    make,
)
