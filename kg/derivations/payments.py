"""PAID: what one party's accounts paid to another's, by month."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from kg.dates import local_date, month_start
from kg.derivation import Derivation, Parts, id_of
from kg.engine import union
from kg.graph import Graph
from kg.history import Since


def paid(transfers: ir.Table, owners: ir.Table) -> ir.Table:
    """Sum transfers by owner of the paying and of the receiving account, month and currency.

    Parameters
    ----------
    transfers
        ``src``, ``dst`` (accounts), ``amount_fen`` (integer fen), ``currency``, ``month`` (its first day).
    owners
        ``src`` (party), ``dst`` (account). A transfer of a joint account counts for each of its owners.

    Returns
    -------
    ir.Table
        ``id, src, dst, month, amount_fen, currency, count``; payments between accounts of one owner are left out.
    """
    payer = owners.select(_from="dst", payer="src")
    payee = owners.select(_to="dst", payee="src")
    joined = transfers.inner_join(payer, transfers.src == payer._from)
    joined = joined.inner_join(payee, joined.dst == payee._to)
    # told so that it is no condition of a join: by payer <> payee DuckDB would first join all owners with all owners
    between = joined.filter(ibis.ifelse(joined.payer == joined.payee, 0, 1) == 1).mutate(currency=joined.currency.fill_null("CNY"))
    sums = between.group_by(["payer", "payee", "month", "currency"]).aggregate(amount_fen=between.amount_fen.sum(), count=between.count())
    key = id_of(sums.payer, sums.payee, sums.month.cast("string"), sums.currency)
    return sums.select(
        id=key, src=sums.payer, dst=sums.payee, month=sums.month, amount_fen=sums.amount_fen, currency=sums.currency, count=sums["count"]
    )


def _run(graph: Graph) -> ir.Table:
    return paid(_by_month(graph, graph.edges("TRANSFERRED_TO")), _owners(graph))


def _owners(graph: Graph) -> ir.Table:
    """Return who owns which account, kept: of an expression that stands in a query twice DuckDB knows no size, and joins it with itself."""
    return graph.engine.keep(graph.edges("OWNS_ACCOUNT").select("src", "dst"))


def _by_month(graph: Graph, transfers: ir.Table) -> ir.Table:
    return transfers.mutate(month=month_start(local_date(transfers.at, graph.zone)))


def _touched(graph: Graph, since: Since) -> ir.Table:
    """Return the months of transfers that are new or gone, or whose accounts have other owners now."""
    transfers = graph.edges("TRANSFERRED_TO")
    accounts = graph.engine.keep(graph.changed("OWNS_ACCOUNT", since).select(account="dst").distinct())
    tables = [graph.changed("TRANSFERRED_TO", since)]
    if graph.engine.count(accounts):
        tables += [transfers.semi_join(accounts, transfers[end] == accounts.account) for end in ("src", "dst")]
    return union([_by_month(graph, table).select("month") for table in tables]).distinct()


def _of_months(graph: Graph, months: ir.Table) -> ir.Table:
    return paid(_by_month(graph, graph.edges("TRANSFERRED_TO")).semi_join(months, "month"), _owners(graph))


DERIVATION = Derivation(
    "payments",
    ("TRANSFERRED_TO", "OWNS_ACCOUNT"),
    "PAID",
    _run,
    parts=Parts("month", touched=_touched, run=_of_months),
    named=("src", "dst", "month", "currency"),
)
