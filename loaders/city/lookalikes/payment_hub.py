"""A hub: a service company that collects for its customers, keeps a fee and pays out to them day after day, back and forth.

Money runs in circles of two between it and each merchant (refunds, fees, settlements) as in a ring, and no crime is in it.
"""

from __future__ import annotations

import numpy as np

from loaders.city.draw import Ints, around, counted
from loaders.city.firms import CLEARING
from loaders.city.frame import column
from loaders.city.money import DAY, FEE, GOODS, SETTLED, Flows
from loaders.city.plot import Actors, Deeds, Plot, Range
from loaders.city.rhythm import seconds
from loaders.city.town import Town


def act(town: Town, actors: Actors, rng: np.random.Generator) -> Deeds:
    """Collect, settle, take fees."""
    hub, merchants, days = int(actors.firms[0]), actors.firms[1:], town.params.days
    every = actors.values["every_days"]
    turns = max((days - actors.start) // every, 1)
    group, turn = counted(column(turns, merchants.size))
    day = np.minimum(town.calendar.office(actors.start + turn * every), days - 1)
    fen = around(rng, town.firms.sales[merchants][group] * (every / 365 * 0.12) + 50_000, 0.5, group.size).astype(np.int64)
    who = merchants[group]
    settled = Flows.honest(column(hub, who.size), who, fen, day * DAY + 14 * 3600 + rng.integers(0, 1_800, who.size), SETTLED)
    fee = Flows.honest(who, column(hub, who.size), fen * actors.values["fee_ppm"] // 1_000_000 + 100, settled.second + 3_600, FEE)
    back = settled.take(rng.random(who.size) < 0.08)
    refunds = Flows.honest(back.payee, back.payer, back.fen * 2 // 5 + 1, back.second + rng.integers(DAY, 9 * DAY, len(back)), GOODS)
    return Deeds(
        ("hub", *("merchant",) * merchants.size), flows=Flows.stacked([_collected(town, hub, day, fen, rng), settled, fee, refunds])
    )


def _collected(town: Town, hub: int, day: Ints, fen: Ints, rng: np.random.Generator) -> Flows:
    """Bring in what consumers of other banks paid, in the morning of each day of settlement."""
    days, place = np.unique(day, return_inverse=True)
    total = column(0, days.size)
    np.add.at(total, place, fen)
    banks = town.firms.of(CLEARING)
    payer = banks[rng.integers(0, banks.size, days.size)]
    return Flows.honest(payer, column(hub, days.size), total, days * DAY + seconds(rng, days.size) // 3, SETTLED)


PLOT = Plot(
    "payment_hub",
    "a company collects for merchants and settles with them, back and forth",
    Range(8, 30, "companies, the hub among them"),
    {"every_days": Range(1, 7, "days between settlements"), "fee_ppm": Range(2_000, 12_000, "ppm of a settlement taken as fee")},
    act,
    mixed=True,
)
