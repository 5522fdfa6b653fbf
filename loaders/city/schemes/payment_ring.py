"""A payment ring: money goes round a few companies as if for goods, so that all of them seem to trade.

Each holder keeps a fee, sums are split and wait on the way, and now and then the owner's own account stands between two
companies. The rounds differ in sum and follow one another after days or weeks.
"""

from __future__ import annotations

import numpy as np

from loaders.city.draw import Ints
from loaders.city.money import BETWEEN, DAY, GOODS, Flows
from loaders.city.plot import Actors, Deeds, Plot, Range
from loaders.city.routes import Manner, chain
from loaders.city.town import Town


def act(town: Town, actors: Actors, rng: np.random.Generator) -> Deeds:
    """Send money round, so often and in such a manner as was drawn."""
    values, rounds = actors.values, []
    sum_fen = int(np.median(town.firms.sales[actors.firms])) * values["size_ppm"] // 1_000_000 + 2_000_000
    second = actors.start * DAY + int(rng.integers(8, 18)) * 3600
    purpose = GOODS if rng.random() < 0.8 else BETWEEN
    manner = Manner(values["fee_ppm"], values["splits"], values["hours"], purpose, actors.scheme, town.calendar)
    for _ in range(values["rounds"]):
        fen = int(sum_fen * rng.uniform(0.6, 1.4))
        rounds.append(chain(rng, _path(town, actors, rng), fen, second, manner))
        second = int(rounds[-1].second[-1]) + int(rng.integers(1, values["pause_days"] + 1)) * DAY
    return Deeds(("leader", *("member",) * (actors.firms.size - 1)), flows=Flows.stacked(rounds))


def _path(town: Town, actors: Actors, rng: np.random.Generator) -> Ints:
    """Return the accounts of a round, the leader first and last; a company pays from either account, and mules stand between."""
    own = np.append(actors.firms, actors.firms[0])
    path = np.where(rng.random(own.size) < 0.3, town.second[own], own)
    if actors.values["mules"]:
        place = rng.choice(actors.firms.size - 1, min(actors.values["mules"], actors.firms.size - 1), replace=False) + 1
        path = np.insert(path, place, town.people.offset + town.people.owner[own[place]])
    return path


PLOT = Plot(
    "payment_ring",
    "money goes round a few companies and comes back less fees",
    Range(3, 9, "companies"),
    {
        "rounds": Range(1, 5, "times that money goes round", grows=True),
        "size_ppm": Range(8_000, 60_000, "ppm of a member's yearly sales in a round"),
        "fee_ppm": Range(0, 60_000, "largest ppm kept by each holder"),
        "splits": Range(1, 4, "most payments for one sum"),
        "hours": Range(3, 120, "longest wait of a sum, in hours"),
        "mules": Range(0, 2, "persons between companies"),
        "pause_days": Range(2, 25, "longest pause between rounds, in days"),
    },
    act,
    weight=3,
)
