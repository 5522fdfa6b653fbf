"""SUPPLIES: who supplies whom, how much of each one's trade that is, since when and how regularly.

Three sources tell of trade: invoices, payments and contracts. The amount of a pair comes from the first of them that shows any: an
invoice states goods and a price without tax, a payment may be for anything and bears the tax, a contract only promises. Of payments
what went back is taken off, so that a loan repaid and money moved to and fro within a house are no supply; what is paid to or by a known
hub says nothing, and what two pay one another of whom neither is a client is not looked at. Sales to consumers and purchases of them are in
none of the sources: all shares are of the trade with companies. The night counts whole months: one under way would change the shares
of all trade every night, and nobody's dependence.
"""

from __future__ import annotations

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from kg.dates import month_start
from kg.derivation import Derivation, id_of, ppm_of
from kg.engine import union
from kg.graph import Graph
from kg.ownership.register import clients

#: The sources of trade, the one that is believed first before the others.
MEASURES = ("invoices", "payments", "contracts")
_COLUMNS = {"supplier": "string", "buyer": "string", "month": "date", "fen": "int64"}


def supplies(invoiced: ir.Table, paid: ir.Table, contracts: ir.Table, as_of: date) -> ir.Table:
    """Find who supplies whom.

    Parameters
    ----------
    invoiced
        ``src`` (seller), ``dst`` (buyer), ``month`` (its first day), ``net_fen``.
    paid
        ``src`` (payer), ``dst`` (payee), ``month``, ``amount_fen``: payments between companies, in one currency.
    contracts
        ``seller, buyer, signed_on, amount_fen``.
    as_of
        The business date: amounts, shares and months are of its month and the eleven before.

    Returns
    -------
    ir.Table
        ``id, src`` (supplier), ``dst`` (buyer), ``amount_fen, measure, sales_ppm, purchases_ppm, months, since, said_by``: a row for each
        pair with an amount above 0. Shares are rounded down; nobody supplies itself.
    """
    rows = union(
        [
            _trade("invoices", invoiced.select(supplier="src", buyer="dst", month="month", fen="net_fen")),
            _trade("payments", paid.select(supplier="dst", buyer="src", month="month", fen="amount_fen")),
            # what a payer got back
            _trade("payments", paid.select(supplier="src", buyer="dst", month="month", fen=-paid.amount_fen), back=True),
            _trade(
                "contracts", contracts.select(supplier="seller", buyer="buyer", month=month_start(contracts.signed_on), fen="amount_fen")
            ),
        ]
    )
    known = rows.filter(rows.month.notnull() & rows.fen.notnull() & (rows.month <= ibis.literal(as_of)) & (rows.supplier != rows.buyer))
    return _shared(_pairs(known, date(as_of.year - 1, as_of.month, 1)))


def _trade(said: str, rows: ir.Table, *, back: bool = False) -> ir.Table:
    return rows.cast(_COLUMNS).mutate(said=ibis.literal(said), back=ibis.literal(back))


def _pairs(rows: ir.Table, before: date) -> ir.Table:
    """Sum up trade by pair: of each source the amount and the months later than ``before``."""
    recent = rows.month > ibis.literal(before)
    summed = {}
    for name in MEASURES:
        of = recent & (rows.said == name)
        summed[f"fen_{name}"] = rows.fen.sum(where=of).fill_null(0).cast("int64")
        summed[f"months_{name}"] = rows.month.nunique(where=of & ~rows.back & (rows.fen != 0)).cast("int64")
        summed[f"told_{name}"] = (of & ~rows.back).any().fill_null(False)
    return rows.group_by("supplier", "buyer").aggregate(since=rows.month.min(where=~rows.back), **summed)


def _shared(pairs: ir.Table) -> ir.Table:
    """Choose the measure of each pair, and tell what part of each one's trade it is."""
    shows = [((pairs[f"fen_{name}"] > 0) & pairs[f"told_{name}"], name) for name in MEASURES]
    told = ibis.array([ibis.ifelse(pairs[f"told_{name}"], name, ibis.null("string")) for name in sorted(MEASURES)])
    chosen = pairs.select(
        "supplier",
        "buyer",
        "since",
        measure=ibis.cases(*((fits, ibis.literal(name)) for fits, name in shows), else_=ibis.null("string")),
        amount_fen=ibis.cases(*((fits, pairs[f"fen_{name}"]) for fits, name in shows), else_=ibis.null("int64")),
        months=ibis.cases(*((fits, pairs[f"months_{name}"]) for fits, name in shows), else_=ibis.null("int64")),
        said_by=told.filter(lambda name: name.notnull()).join(", "),
    )
    trade = chosen.filter(chosen.measure.notnull())
    sold = trade.group_by("supplier").aggregate(sold=trade.amount_fen.sum())
    bought = trade.group_by("buyer").aggregate(bought=trade.amount_fen.sum())
    joined = trade.inner_join(sold, "supplier").inner_join(bought, "buyer")
    return joined.select(
        id=id_of(joined.supplier, joined.buyer),
        src="supplier",
        dst="buyer",
        amount_fen="amount_fen",
        measure="measure",
        sales_ppm=ppm_of(joined.amount_fen, joined.sold),
        purchases_ppm=ppm_of(joined.amount_fen, joined.bought),
        months="months",
        since="since",
        said_by="said_by",
    )


def _run(graph: Graph) -> ir.Table:
    contracts = graph.records("contracts", "seller", "buyer")
    if contracts is None:
        empty = ibis.schema({"seller": "string", "buyer": "string", "signed_on": "date", "amount_fen": "int64"})
        contracts = graph.engine.arrow(empty.to_pyarrow().empty_table())
    return supplies(graph.edges("INVOICED"), _between(graph), contracts, graph.as_of.replace(day=1) - timedelta(days=1))


def _between(graph: Graph) -> ir.Table:
    """Return what companies paid one another, a client on one side at least and no hub on either."""
    paid, known = graph.edges("PAID"), clients(graph)
    if not graph.engine.count(known):
        return paid.limit(0)
    paid = paid.filter(paid.src.startswith("company:") & paid.dst.startswith("company:") & (paid.currency == "CNY"))
    payers, payees = known.select(src="id"), known.select(dst="id")
    between = union([paid.semi_join(payers, "src"), paid.anti_join(payers, "src").semi_join(payees, "dst")])
    hubs = graph.records("hubs", "party")
    if hubs is None:
        return between
    return between.anti_join(hubs.select(src="party"), "src").anti_join(hubs.select(dst="party"), "dst")


REQUIRES = ("INVOICED", "PAID", "Company", "BORROWED", "GUARANTEES", "records/contracts", "records/hubs")
DERIVATION = Derivation("supplies", REQUIRES, "SUPPLIES", _run, by_month=True)
