"""Papers of trade between two companies of a plot, and the payments that go with them.

Knows how a bill is put together; hides whether there ever were goods.
"""

from __future__ import annotations

import numpy as np

from loaders.city.draw import Bools, Ints
from loaders.city.frame import column
from loaders.city.money import DAY, GOODS, Flows, from_any, possible
from loaders.city.plot import Actors, Deeds
from loaders.city.rhythm import seconds
from loaders.city.supply import Contracts, Invoices, net_of, taxed
from loaders.city.town import Town

#: The largest part of a plot's payments for goods that is covered by invoices, at the usual camouflage; the part is drawn for each plot.
_COVERED = 0.9


def billed(parties: tuple[Ints, Ints], goods: Ints, day: Ints, net: Ints, scheme: int) -> Invoices:
    """Return valid invoices of sellers to buyers."""
    none = column(0, day.size)
    return Invoices(*parties, goods, day, net, taxed(net, goods), none, day, column(scheme, day.size))


def signed(parties: tuple[Ints, Ints], goods: Ints, day: Ints, fen: Ints, scheme: int) -> Contracts:
    """Return contracts of sellers with buyers, for a year."""
    return Contracts(*parties, goods, fen, day, day + 365, column(scheme, day.size))


def settled(town: Town, rng: np.random.Generator, bills: Invoices, paid: Bools, credit: int) -> Flows:
    """Pay those of the bills after up to so many days, the first of them within a few."""
    rows = bills.take(paid)
    wait = rng.integers(0, credit + 1, len(rows))
    wait[:1] = np.minimum(wait[:1], 3)
    day = town.calendar.office(rows.day + wait)
    day[:1] = np.minimum(day[:1], town.params.days - 1)
    second = day * DAY + seconds(rng, len(rows))
    accounts = from_any(rng, rows.buyer, town.second), from_any(rng, rows.seller, town.second)
    return Flows(*accounts, rows.net + rows.tax, second, column(GOODS, len(rows)), rows.scheme)


def spread_days(town: Town, rng: np.random.Generator, begin: int, end: int, count: int) -> Ints:
    """Draw working days between two days, in order, the first of them at the beginning, none after the period."""
    day = np.sort(rng.integers(begin, max(end, begin + 1), count))
    day[:1] = begin
    return np.minimum(town.calendar.office(day), town.params.days - 1)


def covered(town: Town, actors: Actors, rng: np.random.Generator, deeds: Deeds) -> Invoices:
    """Return invoices for a part of the payments for goods of a plot that makes out none itself: same parties, same sum."""
    flows, held, count = deeds.flows, town.accounts.owner, town.params.companies
    most = _COVERED * min(town.params.camouflage / 50, 1.1) if actors.scheme else _COVERED
    chosen = rng.random(len(flows)) < rng.uniform(0.0, most)
    buyer, seller = held[flows.payer], held[flows.payee]
    chosen &= (flows.purpose == GOODS) & (buyer < count) & (seller < count) & (buyer != seller)
    chosen &= possible(flows, town.accounts, town.params.days)
    buyer, seller, second, gross = buyer[chosen], seller[chosen], flows.second[chosen], flows.fen[chosen].astype(np.int64)
    ready = np.maximum(np.maximum(town.firms.founded[buyer], town.firms.founded[seller]) + 1, 0)
    day = np.maximum(second // DAY - rng.integers(0, 40, second.size), np.minimum(ready, second // DAY))
    goods = town.firms.industry[seller]
    net, none = net_of(gross, goods), column(0, day.size)
    return Invoices(seller, buyer, goods, day, net, gross - net, none, day, column(actors.scheme, day.size))
