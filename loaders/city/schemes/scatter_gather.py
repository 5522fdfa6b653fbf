"""Layering: a sum is scattered over many hands in small parts and gathered again on one account, wave after wave.

Companies and the owners of some of them are the hands; what each gets lies below what anybody would look at.
"""

from __future__ import annotations

import numpy as np

from loaders.city.draw import Ints, spread
from loaders.city.frame import column
from loaders.city.money import BETWEEN, DAY, SERVICE, Flows
from loaders.city.plot import Actors, Deeds, Plot, Range
from loaders.city.routes import in_hours
from loaders.city.town import Town


def act(town: Town, actors: Actors, rng: np.random.Generator) -> Deeds:
    """Scatter and gather."""
    hands = actors.firms[2:]
    owners = town.people.offset + town.people.owner[hands]
    accounts = np.append(hands, owners[rng.random(hands.size) < actors.values["persons_percent"] / 100])
    waves, second = [], actors.start * DAY + 9 * 3600
    for _ in range(actors.values["waves"]):
        waves.append(_wave(town, actors, rng, accounts, second))
        second += int(rng.integers(2, actors.values["pause_days"] + 1)) * DAY
    return Deeds(("source", "sink", *("hand",) * hands.size), flows=Flows.stacked(waves))


def _wave(town: Town, actors: Actors, rng: np.random.Generator, hands: Ints, second: int) -> Flows:
    """Send each hand a part, and let it send most of it on."""
    size, values, ends = hands.size, actors.values, actors.firms[:2].tolist()
    fen = spread(column(values["part_yuan"] * 100 * size, 1), column(size, 1), rng)
    out = in_hours(town.calendar, rng, second + rng.integers(0, 2 * DAY, size), second)
    on = in_hours(town.calendar, rng, out + rng.integers(3_600, values["hours"] * 3_600, size), out)
    purpose = SERVICE if rng.random() < 0.5 else BETWEEN
    scattered = Flows(column(ends[0], size), hands, fen, out, column(purpose, size), column(actors.scheme, size))
    kept = fen * rng.integers(0, values["fee_ppm"] + 1, size) // 1_000_000
    gathered = Flows(hands, column(ends[1], size), fen - kept, on, column(purpose, size), column(actors.scheme, size))
    return Flows.stacked([scattered, gathered])


PLOT = Plot(
    "scatter_gather",
    "a sum is scattered over many hands and gathered again",
    Range(5, 12, "companies: source, sink and hands"),
    {
        "waves": Range(1, 4, "times", grows=True),
        "part_yuan": Range(8_000, 180_000, "yuan that a hand gets, about"),
        "fee_ppm": Range(0, 30_000, "largest ppm that stays with a hand"),
        "persons_percent": Range(0, 80, "% of the hands whose owner's own account is another hand"),
        "hours": Range(4, 150, "longest wait of a part, in hours"),
        "pause_days": Range(3, 25, "longest pause between waves, in days"),
    },
    act,
)
