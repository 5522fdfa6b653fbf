"""Seasonal traders: within weeks more than in the rest of the year, in from many and out to a few at once.

It looks as if an account was woken up to pass money through; the season's fruit is all there is to it.
"""

from __future__ import annotations

import numpy as np

from loaders.city.draw import around
from loaders.city.firms import CLEARING
from loaders.city.money import DAY, GOODS, Flows
from loaders.city.plot import Actors, Deeds, Plot, Range
from loaders.city.rhythm import seconds
from loaders.city.town import Town


def act(town: Town, actors: Actors, rng: np.random.Generator) -> Deeds:
    """Sell to customers elsewhere for some weeks, and pay the growers within a day or two."""
    trader, growers, values = int(actors.firms[0]), actors.firms[1:], actors.values
    count, banks = values["sales"], town.firms.of(CLEARING)
    day = town.calendar.office(actors.start + rng.integers(0, values["weeks"] * 7, count))
    fen = around(rng, town.firms.sales[trader] * 0.4 / count + 200_000, 0.6, count).astype(np.int64)
    first = day * DAY + seconds(rng, count)
    sold = Flows.honest(banks[rng.integers(0, banks.size, count)], np.repeat(trader, count), fen, first, GOODS)
    paid = fen * rng.integers(80, 97, count) // 100
    after = (day + rng.integers(1, 3, count)) * DAY + seconds(rng, count)
    bought = Flows.honest(np.repeat(trader, count), growers[rng.integers(0, growers.size, count)], paid, after, GOODS)
    return Deeds(("trader", *("grower",) * growers.size), flows=Flows.stacked([sold, bought]))


PLOT = Plot(
    "seasonal_burst",
    "a trader in the season: a burst of payments in and at once out again",
    Range(3, 9, "companies: the trader and the growers"),
    {"sales": Range(12, 60, "sales in the season"), "weeks": Range(2, 7, "weeks of the season")},
    act,
    weight=3,
    mixed=True,
)
