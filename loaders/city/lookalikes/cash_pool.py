"""A group's cash pool: every evening the subsidiaries' money is swept to the parent, every morning they get back what they need.

Daily circles of two, in large sums, between companies of one group; no crime.
"""

from __future__ import annotations

import numpy as np

from loaders.city.draw import around, counted
from loaders.city.frame import column
from loaders.city.money import DAY, POOLED, Flows
from loaders.city.plot import Actors, Deeds, Parents, Plot, Range
from loaders.city.town import Town


def act(town: Town, actors: Actors, rng: np.random.Generator) -> Deeds:
    """Sweep up in the evening, hand out in the morning, on working days."""
    parent, below = int(actors.firms[0]), actors.firms[1:]
    numbers = np.arange(actors.start, town.params.days - 1)
    numbers = numbers[(town.calendar.office(numbers) == numbers) & ((numbers - actors.start) % actors.values["every_days"] == 0)]
    group, turn = counted(column(numbers.size, below.size))
    who, day = below[group], numbers[turn]
    fen = around(rng, town.firms.sales[who] / 365 * actors.values["every_days"] * 0.6 + 100_000, 0.6, who.size).astype(np.int64)
    evening = day * DAY + 17 * 3600 + rng.integers(0, 3_000, who.size)
    up = Flows.honest(who, column(parent, who.size), fen, evening, POOLED)
    part = fen * rng.integers(700, 1_000, who.size) // 1_000 + 1
    down = Flows.honest(column(parent, who.size), who, part, (day + 1) * DAY + 8 * 3600 + rng.integers(0, 3_000, who.size), POOLED)
    held = Parents(below, column(parent, below.size))
    return Deeds(("treasury", *("subsidiary",) * below.size), flows=Flows.stacked([up, down]), parents=held)


PLOT = Plot(
    "cash_pool",
    "a group sweeps its subsidiaries' money to the parent and back",
    Range(4, 9, "companies, the parent among them"),
    {"every_days": Range(1, 5, "days between sweeps")},
    act,
)
