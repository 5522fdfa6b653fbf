"""Barter between neighbours: a few companies sell to one another, so that payments run in circles of three and four for months.

Each payment is for goods; sums do not match, and nobody keeps a fee.
"""

from __future__ import annotations

import numpy as np

from loaders.city.draw import around
from loaders.city.money import DAY, GOODS, Flows
from loaders.city.plot import Actors, Deeds, Plot, Range
from loaders.city.rhythm import seconds
from loaders.city.town import Town


def act(town: Town, actors: Actors, rng: np.random.Generator) -> Deeds:
    """Buy from the next neighbour, and now and then from the one after it."""
    firms, days, every = actors.firms, town.params.days, actors.values["every_days"]
    count = max(firms.size * (days - actors.start) // every, firms.size)
    place = rng.integers(0, firms.size, count)
    step = np.where(rng.random(count) < 0.8, 1, 2)
    payer, payee = firms[place], firms[(place + step) % firms.size]
    smaller = np.minimum(town.firms.sales[payer], town.firms.sales[payee])
    fen = around(rng, smaller * (0.15 * every / 365) + 300_000, 0.6, count).astype(np.int64)
    at = town.calendar.office(rng.integers(actors.start, days, count)) * DAY + seconds(rng, count)
    return Deeds(("neighbour",) * firms.size, flows=Flows.honest(payer, payee, fen, at, GOODS))


PLOT = Plot(
    "barter",
    "neighbours buy from one another in a circle",
    Range(3, 8, "companies"),
    {"every_days": Range(8, 40, "days between a company's purchases")},
    act,
    weight=3,
    mixed=True,
)
