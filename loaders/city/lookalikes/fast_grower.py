"""A young company whose sales multiply within months: new partners, loans and payments come in bursts.

It looks like one that sells invoices without goods, or that was bought to pass money through; it found its market.
"""

from __future__ import annotations

import numpy as np

from loaders.city.credit import NEVER, Loans
from loaders.city.draw import Ints, around, counted
from loaders.city.firms import CLEARING, LENDER
from loaders.city.frame import column
from loaders.city.money import DAY, GOODS, PREPAID, Flows
from loaders.city.plot import Actors, Deeds, Plot, Range
from loaders.city.rhythm import seconds
from loaders.city.town import Town

#: Sales in the first month, and the most of any.
_FIRST, _MOST = 6, 150


def act(town: Town, actors: Actors, rng: np.random.Generator) -> Deeds:
    """Sell more every month to more and more customers, buy for it, borrow for the stock."""
    grower, values = int(actors.firms[0]), actors.values
    counts = np.minimum(_FIRST * (values["growth_percent"] / 100) ** np.arange(values["months"]), _MOST).astype(np.int64)
    month, _ = counted(counts)
    fen = around(rng, town.firms.sales[grower] / 12 / _FIRST * 0.5 + 300_000, 0.7, month.size).astype(np.int64)
    day = town.calendar.office(actors.start + month * 30 + rng.integers(0, 30, month.size))
    customer = _partners(town, actors, rng, month)
    who = column(grower, month.size)
    sold = Flows.honest(customer, who, fen, day * DAY + seconds(rng, month.size), GOODS)
    before = town.calendar.office(np.maximum(day - rng.integers(0, 12, month.size), actors.start))
    bought = Flows.honest(
        who,
        _partners(town, actors, rng, month),
        fen * rng.integers(55, 92, fen.size) // 100,
        before * DAY + seconds(rng, fen.size),
        PREPAID,
    )
    parts = ("grower", *("partner",) * (actors.firms.size - 1))
    return Deeds(parts, flows=Flows.stacked([sold, bought]), loans=_borrowed(town, actors, rng, grower))


def _partners(town: Town, actors: Actors, rng: np.random.Generator, month: Ints) -> Ints:
    """Draw a partner for each: every month there are more of them, and half bank elsewhere."""
    near, banks = actors.firms[1:], town.firms.of(CLEARING)
    known = np.minimum(1 + (month + 1) * near.size // actors.values["months"], near.size)
    place = (rng.random(month.size) * known).astype(np.int64)
    return np.where(rng.random(month.size) < 0.5, near[place], banks[rng.integers(0, banks.size, month.size)])


def _borrowed(town: Town, actors: Actors, rng: np.random.Generator, grower: int) -> Loans:
    """Borrow several times within the months, from whom it may be."""
    count, lenders = actors.values["loans"], town.firms.of(LENDER)
    day = np.sort(np.minimum(actors.start + rng.integers(0, actors.values["months"] * 30, count), town.params.days - 1))
    size = town.firms.sales[grower] * rng.uniform(0.05, 0.25, count)
    fen = np.maximum(size.astype(np.int64) // 10_000_000, 1) * 10_000_000
    fails = np.where(rng.random(count) < 0.06, day + 130, NEVER)
    who, lender = column(grower, count), lenders[rng.integers(0, lenders.size, count)]
    return Loans(who, lender, who, fen, day * DAY + seconds(rng, count), column(180, count), fails, column(0, count))


PLOT = Plot(
    "fast_grower",
    "a young company whose sales multiply within months",
    Range(4, 12, "companies: the one that grows and its partners"),
    {
        "months": Range(2, 6, "months of growth"),
        "growth_percent": Range(140, 300, "% of the month before in sales"),
        "loans": Range(1, 4, "loans for its stock"),
    },
    act,
    weight=3,
    young=500,
)
