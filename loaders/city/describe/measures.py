"""What is counted in a city's files: rows, partners, amounts, sizes, delays, rhythm.

Knows what each figure means; hides how it is asked of the tables. Only companies that are the bank's own customers count
as companies here, and only payments between two of them make partners.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
from numpy.typing import NDArray

from loaders.city.describe.landing import Landing, number_of, ordinary

Ints = NDArray[np.int64]
#: Invoices of so many sellers are looked for among the payments.
_SELLERS = 20_000
_LONGEST = 120


@dataclass(frozen=True)
class Trade:
    """Who traded with how many: partners of each company that has any (``out``: those it paid), and fen sold by invoice of each seller."""

    out: Ints
    into: Ints
    sold: Ints


@dataclass(frozen=True)
class Rhythm:
    """Payments and fen of each day of the period that has any, and payments by hour."""

    day: NDArray[np.datetime64]
    payments: Ints
    fen: Ints
    hours: Ints


def parties(landing: Landing) -> ir.Table:
    """Return the owner of each account by number: companies from 0 up, persons from -1 down."""
    held = landing.table("accounts", "account", "owner", "owner_kind")
    number = number_of(held.owner)
    party = ibis.ifelse(held.owner_kind == "company", number, -1 - number)
    return held.select(account=held.account, party=party).filter(ibis._.party.notnull()).distinct(on="account", keep="first")


def payments(landing: Landing) -> ir.Table:
    """Return payments by the numbers of payer and payee, with their fen, day and hour; those of unknown accounts are left out."""
    held = landing.engine.keep(parties(landing))
    moved = landing.table("transfers", "payer", "payee", "amount_fen", "at")
    payer, payee = held.view(), held.view()
    found = moved.join(payer, moved.payer == payer.account).select(payer=payer.party, other=moved.payee, fen=moved.amount_fen, at=moved.at)
    found = found.join(payee, found.other == payee.account)
    return found.select("payer", "fen", payee=payee.party, day=ibis._.at.date(), hour=ibis._.at.hour())


def between(landing: Landing, paid: ir.Table) -> ir.Table:
    """Return the payments between two companies that are customers."""
    firms = ordinary(landing)
    ours = paid.semi_join(firms.select(payer="company"), "payer").semi_join(firms.select(payee="company"), "payee")
    return landing.engine.keep(ours.filter(ibis._.payer != ibis._.payee))


def trade(landing: Landing, ours: ir.Table) -> Trade:
    """Return partners and sales of companies."""
    pairs = landing.engine.keep(ours.select("payer", "payee").distinct())
    sold = _issued(landing).group_by("seller").agg(fen=ibis._.gross_fen.sum())
    return Trade(
        _column(landing, pairs.group_by("payer").agg(n=ibis._.count()), "n"),
        _column(landing, pairs.group_by("payee").agg(n=ibis._.count()), "n"),
        _column(landing, sold, "fen"),
    )


def capital(landing: Landing) -> Ints:
    """Return the fen that each company subscribed."""
    return _column(landing, ordinary(landing), "capital_fen")


def amounts(landing: Landing, paid: ir.Table) -> tuple[Ints, Ints]:
    """Return amounts in fen with two leading digits, and how many payments have each; smaller digits are cut off."""
    text = paid.fen.cast("string")
    cut = paid.select(head=text.substr(0, 2).cast("int64"), rest=(text.length() - 2).cast("int64")).filter(ibis._.rest >= 0)
    found = landing.engine.table(cut.group_by("head", "rest").agg(n=ibis._.count()))
    head, rest, often = (found[name].to_numpy().astype(np.int64) for name in ("head", "rest", "n"))
    order = np.argsort(head * 10**rest)
    return (head * 10**rest)[order], often[order]


def rhythm(landing: Landing) -> Rhythm:
    """Return when payments are made."""
    moved = landing.table("transfers", "payer", "payee", "amount_fen", "at")
    days = moved.group_by(day=moved["at"].date()).agg(n=ibis._.count(), fen=ibis._.amount_fen.sum().cast("int64"))
    found = landing.engine.table(days.order_by("day"))
    hours = landing.engine.table(moved.group_by(hour=moved["at"].hour().cast("int64")).agg(n=ibis._.count()))
    by_hour = np.zeros(24, np.int64)
    by_hour[hours["hour"].to_numpy()] = hours["n"].to_numpy()
    return Rhythm(found["day"].to_numpy().astype("datetime64[D]"), _of(found, "n"), _of(found, "fen"), by_hour)


def delays(landing: Landing, ours: ir.Table, companies: int) -> tuple[Ints, int]:
    """Return the days from invoices to the first payment of just their amount, and how many invoices were looked for.

    Only what was paid one by one and whole is found: bundles and parts are not; of a large city some sellers' invoices are looked for.
    """
    sample = max(companies // _SELLERS, 1)
    issued = _issued(landing).filter(ibis._.gross_fen > 0, ibis._.status == "valid", ibis._.seller % sample == 0)
    issued = landing.engine.keep(issued)
    paid = ours.filter(ours.payee % sample == 0).select("payer", "payee", "fen", "day")
    both = issued.join(paid, [issued.buyer == paid.payer, issued.seller == paid.payee, issued.gross_fen == paid.fen])
    both = both.mutate(wait=(both.day.epoch_seconds() - both.issued_on.epoch_seconds()) // 86_400)
    both = both.filter(both.wait >= 0, both.wait <= _LONGEST)
    found = both.group_by("number").agg(wait=ibis._.wait.min())
    return _column(landing, found, "wait"), landing.engine.count(issued)


def _issued(landing: Landing) -> ir.Table:
    rows = landing.table("invoices", "number", "seller", "buyer", "gross_fen", "issued_on", "status")
    found = rows.mutate(seller=number_of(rows.seller), buyer=number_of(rows.buyer))
    return found.filter(found.buyer.notnull())


def _column(landing: Landing, table: ir.Table, name: str) -> Ints:
    return np.sort(_of(landing.engine.table(table.select(name)), name))


def _of(table: object, name: str) -> Ints:
    found: Ints = table[name].to_numpy().astype(np.int64)  # type: ignore[index]
    return found
