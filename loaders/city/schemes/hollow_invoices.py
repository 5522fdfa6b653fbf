"""Invoices without goods: a seller makes out bills for what it never bought, many within weeks, and then is silent.

Lenders finance some of them, and a part of these is made void afterwards. A few bills are paid, and most of that money
goes back to the buyer. The seller is the youngest of those who take part, so mostly young but not always.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from loaders.city import deals, industries
from loaders.city.draw import Ints, spread
from loaders.city.financing import INVOICE, Financings
from loaders.city.firms import LENDER
from loaders.city.frame import column
from loaders.city.money import BETWEEN, DAY, SERVICE, Flows
from loaders.city.plot import Actors, Deeds, Plot, Range, Silences
from loaders.city.routes import Manner, chain
from loaders.city.supply import Invoices
from loaders.city.town import Town

#: Part of a company's sales that stands for what it usually invoices where it has no customers in the city.
_UNSEEN = 0.08


def act(town: Town, actors: Actors, rng: np.random.Generator) -> Deeds:
    """Make out bills, have some financed and made void, send money round, and fall silent."""
    values, place = actors.values, int(np.argmax(town.firms.founded[actors.firms]))
    seller, buyers = int(actors.firms[place]), np.delete(actors.firms, place)
    bills = _bills(town, actors, rng, seller, buyers)
    lent, bills = _financed(town, actors, rng, bills)
    paid = (rng.random(len(bills)) < values["paid_percent"] / 100) & (bills.void == 0)
    paid[0] |= not paid.any()
    flows = deals.settled(town, rng, bills, paid, 12)
    roles = tuple("seller" if firm == seller else "buyer" for firm in actors.firms.tolist())
    quiet = int(bills.day.max()) + 1
    return Deeds(
        roles,
        flows=Flows.stacked([flows, *_back(town, actors, rng, flows)]),
        invoices=bills,
        financings=lent,
        silences=Silences(column(seller, 1), column(quiet, 1), column(quiet + values["silent_days"], 1)),
    )


def _bills(town: Town, actors: Actors, rng: np.random.Generator, seller: int, buyers: Ints) -> Invoices:
    """Return the bills: together so many times what the seller usually invoices in that time."""
    values, count = actors.values, actors.values["bills"]
    yearly = max(int(town.revenue[seller]) * 365 // town.params.days, int(town.firms.sales[seller] * _UNSEEN), 10_000_000)
    usual = yearly * values["burst_days"] // 365
    net = spread(column(usual * values["times"], 1), column(count, 1), rng)
    day = deals.spread_days(town, rng, actors.start, actors.start + values["burst_days"], count)
    goods = column(_foreign(rng, int(town.firms.industry[seller])), count)
    to = np.concatenate([np.arange(buyers.size), rng.integers(0, buyers.size, count - buyers.size)])  # each gets one at least
    return deals.billed((column(seller, count), buyers[to]), goods, day, net, actors.scheme)


def _foreign(rng: np.random.Generator, industry: int) -> int:
    """Return an industry whose goods are made of nothing that companies of this one buy."""
    common = industries.BUYS @ industries.BUYS[industry]
    common[industry] = 1.0
    none = np.flatnonzero(common <= np.sort(common)[2])
    return int(none[rng.integers(0, none.size)])


def _financed(town: Town, actors: Actors, rng: np.random.Generator, bills: Invoices) -> tuple[Financings, Invoices]:
    """Return the financings of some bills, and the bills of which a part of these is void some days later."""
    values, lenders = actors.values, town.firms.of(LENDER)
    of = np.flatnonzero(rng.random(len(bills)) < values["financed_percent"] / 100)
    day = bills.day[of] + rng.integers(0, 12, of.size)
    fen = (bills.net + bills.tax)[of] * rng.integers(12, 19, of.size) // 20 + 1
    second = day * DAY + 36_000 + rng.integers(0, 20_000, of.size)
    fails = (rng.random(of.size) < 0.6).astype(np.int64)
    kind, number = column(INVOICE, of.size), column(actors.scheme, of.size)
    who = lenders[rng.integers(0, lenders.size, of.size)]
    lent = Financings(who, bills.seller[of], kind, of, column(0, of.size), fen, second, fails, number)
    taken = rng.random(of.size) < values["void_percent"] / 100
    void, void_day = bills.void.copy(), bills.void_day.copy()
    void[of[taken]] = 1
    void_day[of[taken]] = day[taken] + rng.integers(1, 25, int(taken.sum()))
    return lent, replace(bills, void=void, void_day=void_day)


def _back(town: Town, actors: Actors, rng: np.random.Generator, paid: Flows) -> list[Flows]:
    """Send most of what was paid back to the buyer, now and then to the buyer's owner."""
    values, held, rounds = actors.values, town.accounts.owner, []
    for payer, payee, fen, second in zip(held[paid.payer], paid.payee, paid.fen, paid.second, strict=True):
        end = town.people.offset + int(town.people.owner[payer]) if rng.random() < 0.25 else int(town.second[payer])
        purpose = BETWEEN if rng.random() < 0.5 else SERVICE
        manner = Manner(0, 2, values["hours"], purpose, actors.scheme, town.calendar)
        if rng.random() < 0.8:
            rounds.append(chain(rng, np.array([payee, end]), int(fen) * values["back_percent"] // 100, int(second), manner))
    return rounds


PLOT = Plot(
    "hollow_invoices",
    "a seller makes out bills for goods that it never had, then falls silent",
    Range(2, 5, "companies: the seller and its buyers"),
    {
        "times": Range(2, 12, "times what it usually invoices in that time", usual=6, above=False),
        "burst_days": Range(10, 35, "days of the burst"),
        "silent_days": Range(20, 120, "days of silence after it", usual=60, above=False),
        "bills": Range(6, 40, "invoices"),
        "financed_percent": Range(10, 60, "% of the bills that are financed"),
        "void_percent": Range(20, 90, "% of the financed ones that are made void afterwards"),
        "paid_percent": Range(10, 60, "% of the bills that are paid"),
        "back_percent": Range(60, 98, "% of what is paid that goes back"),
        "hours": Range(4, 200, "longest wait of a sum, in hours"),
    },
    act,
)
