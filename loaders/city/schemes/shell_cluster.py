"""A cluster of shell companies: registered in a batch, run by the same hands, through which one company sends its money.

The shells share an address, a phone or a device (not always all of these); money fans out from the company behind them
and most of it comes together again on its owner's account or on its own.
"""

from __future__ import annotations

import numpy as np

from loaders.city.draw import Ints, spread
from loaders.city.frame import column
from loaders.city.money import DAY, GOODS, SERVICE, Flows
from loaders.city.plot import ADDRESS, DEVICE, PHONE, Actors, Deeds, Plot, Range, Shared
from loaders.city.routes import in_hours
from loaders.city.town import Town


def act(town: Town, actors: Actors, rng: np.random.Generator) -> Deeds:
    """Share what shells share, and pass money through them wave by wave."""
    shells, behind, values = actors.firms[1:], int(actors.firms[0]), actors.values
    owner = town.people.offset + int(town.people.owner[behind])
    waves, second = [], actors.start * DAY + 10 * 3600
    for wave in range(values["waves"]):
        # each shell is used at least once
        chosen = rng.permutation(shells)[: max(2, int(shells.size * rng.uniform(0.4, 1.0)))] if wave else shells
        total = int(town.firms.sales[behind] * values["size_ppm"] // 1_000_000 * rng.uniform(0.7, 1.3)) + chosen.size * 300_000
        waves.append(_wave(town, actors, rng, chosen, (owner if rng.random() < 0.5 else behind, total, second)))
        second += int(rng.integers(3, values["pause_days"] + 1)) * DAY
    return Deeds(("behind", *("shell",) * shells.size), flows=Flows.stacked(waves), shared=_shared(actors, rng))


def _wave(town: Town, actors: Actors, rng: np.random.Generator, shells: Ints, sent: tuple[int, int, int]) -> Flows:
    """Send a sum out to the shells at a second and, after a while, back together."""
    (end, total, second), size = sent, shells.size
    fen = spread(column(total, 1), column(size, 1), rng)
    out = in_hours(town.calendar, rng, second + rng.integers(0, 2 * DAY, size), second)
    kept = fen * rng.integers(0, actors.values["fee_ppm"] + 1, size) // 1_000_000
    back = in_hours(town.calendar, rng, out + rng.integers(3_600, actors.values["hours"] * 3_600, size), out)
    to = Flows(column(int(actors.firms[0]), size), shells, fen, out, column(SERVICE, size), column(actors.scheme, size))
    again = Flows(shells, column(end, size), fen - kept, back, column(GOODS, size), column(actors.scheme, size))
    return Flows.stacked([to, again])


def _shared(actors: Actors, rng: np.random.Generator) -> Shared:
    """Share each of address, phone and device with some chance, most of the shells in it."""
    parts = []
    for what, ppm in ((ADDRESS, 250_000), (PHONE, 500_000), (DEVICE, 600_000)):
        if rng.integers(0, 1_000_000) < ppm:
            of = actors.firms[1:][rng.random(actors.firms.size - 1) < 0.8]
            parts.append(Shared(column(what, of.size), of, column(actors.number, of.size)))
    return Shared.stacked(parts)


PLOT = Plot(
    "shell_cluster",
    "companies registered in a batch through which another sends its money",
    Range(4, 16, "companies, the one behind them among them"),
    {
        "waves": Range(1, 4, "times that money goes through", grows=True),
        "size_ppm": Range(10_000, 80_000, "ppm of the yearly sales of the company behind"),
        "fee_ppm": Range(0, 50_000, "largest ppm that stays with a shell"),
        "hours": Range(5, 200, "longest wait, in hours"),
        "pause_days": Range(4, 30, "longest pause between waves, in days"),
    },
    act,
    batch=40,
)
