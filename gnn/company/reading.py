"""What several families read: payments between parties, and days before the day of a graph."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

from kg import dates, history
from kg.engine import union
from kg.graph import Graph

#: How far back features look.
YEAR = 365


def begin(graph: Graph, days: int) -> ir.TimestampScalar:
    """Return the moment (UTC) at which the last ``days`` days up to the day of a graph began."""
    first = graph.as_of - timedelta(days=days - 1)
    at = datetime.combine(first, time(), ZoneInfo(graph.zone))
    return ibis.literal((at - (at.utcoffset() or timedelta())).replace(tzinfo=None)).cast("timestamp(6)")


def day_before(graph: Graph, days: int) -> ir.DateScalar:
    """Return the day that lies so many days before that of a graph."""
    return ibis.literal(graph.as_of - timedelta(days=days))


def days_since(graph: Graph, day: ir.DateValue) -> ir.IntegerValue:
    """Return the days from a day to that of a graph."""
    return ibis.literal(graph.as_of).delta(day, unit="day")


def sole_owners(graph: Graph) -> ir.Table:
    """Return ``account, owner`` of the accounts that one party owns alone."""
    owned = graph.edges("OWNS_ACCOUNT")
    one = owned.group_by(account=owned.dst).aggregate(owner=ibis._.src.min(), last=ibis._.src.max())
    return one.filter(one.owner == one.last).select("account", "owner")


def payments(graph: Graph) -> ir.Table:
    """Return the payments of a year between parties, each from both its ends.

    Returns
    -------
    ir.Table
        ``id`` (the party), ``other`` (a party, or an account of which nobody is known as the only owner), ``out``, ``amount_fen``, ``at``
        and ``day``; transfers within one party are left out, and other currencies than yuan.
    """

    def made() -> ir.Table:
        rows = graph.edges("TRANSFERRED_TO")
        rows = rows.filter(rows["at"] >= begin(graph, YEAR), rows.amount_fen > 0, rows.currency.fill_null("CNY") == "CNY")
        rows = rows.select(payer_account="src", payee_account="dst", amount_fen="amount_fen", at="at")
        owners = graph.engine.keep(sole_owners(graph))
        for end in ("payer", "payee"):
            of = owners.select(**{f"{end}_account": "account", end: "owner"})
            rows = graph.engine.keep(rows.left_join(of, f"{end}_account", rname="{name}_right"))
            rows = rows.mutate(**{end: rows[end].fill_null(rows[f"{end}_account"])})
        rows = rows.filter(rows.payer != rows.payee).mutate(day=dates.local_date(rows["at"], graph.zone))
        both = [
            rows.select(id=one, other=other, out=ibis.literal(out), amount_fen="amount_fen", at="at", day="day")
            for one, other, out in (("payer", "payee", True), ("payee", "payer", False))
        ]
        sides = union(both)
        return graph.engine.keep(sides.filter(sides.id.startswith("company:")))

    return graph.once("gnn.payments", made)


def partners(graph: Graph) -> ir.Table:
    """Return with whom a company deals in money in a year: ``id, other, paid_fen, got_fen, paid, got, first_day``."""

    def made() -> ir.Table:
        rows = payments(graph)
        return graph.engine.keep(
            rows.group_by("id", "other").aggregate(
                paid_fen=rows.amount_fen.sum(where=rows.out).fill_null(0),
                got_fen=rows.amount_fen.sum(where=~rows.out).fill_null(0),
                paid=rows.out.sum().fill_null(0),
                got=(~rows.out).sum().fill_null(0),
                first_day=rows.day.min(),
            )
        )

    return graph.once("gnn.partners", made)


def invoices(graph: Graph) -> ir.Table | None:
    """Return the invoices of a year from both their ends: ``id, other, sold, net_fen, void, goods, issued_on``; None without any."""
    rows = graph.records("invoices", "seller", "buyer")
    if rows is None:
        return None

    def made() -> ir.Table:
        known = rows.filter(rows.issued_on > day_before(graph, YEAR), rows.seller != rows.buyer)
        net = known.net_fen.coalesce(known.gross_fen - known.tax_fen.fill_null(0)).fill_null(0)
        known = known.mutate(net=net, void=known.status.fill_null("valid") == "void")
        both = [
            known.select(id=one, other=other, sold=ibis.literal(sold), net_fen="net", void="void", goods="goods", issued_on="issued_on")
            for one, other, sold in (("seller", "buyer", True), ("buyer", "seller", False))
        ]
        return graph.engine.keep(union(both))

    return graph.once("gnn.invoices", made)


def part(of: ir.NumericValue, whole: ir.NumericValue) -> ir.FloatingValue:
    """Return the part that one number is of another, null where that is 0."""
    return of.cast("float64") / whole.nullif(0).cast("float64")


def none(graph: Graph, *columns: str) -> ir.Table:
    """Return no companies with some columns, for a family of which no source states anything."""
    return graph.engine.arrow(ibis.schema({"id": "string", **dict.fromkeys(columns, "float64")}).to_pyarrow().empty_table())


def until(graph: Graph) -> ir.TimestampScalar:
    """Return the moment (UTC) at which the day of a graph ends."""
    return history.day_end(graph.as_of, graph.zone)
