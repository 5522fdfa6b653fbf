"""E-commerce shops with one accountant, who signs in for all of them from one device.

Platforms settle with them every few days, and the money is gone again within a day or two: high turnover over thin balances.
"""

from __future__ import annotations

import numpy as np

from loaders.city.draw import Ints, around, counted
from loaders.city.firms import CLEARING, PLATFORM
from loaders.city.frame import column
from loaders.city.money import DAY, GOODS, SERVICE, SETTLED, Flows
from loaders.city.plot import DEVICE, PHONE, Actors, Deeds, Plot, Range, Shared
from loaders.city.rhythm import seconds
from loaders.city.town import Town


def act(town: Town, actors: Actors, rng: np.random.Generator) -> Deeds:
    """Settle, pay the goods at once, pay the accountant every month."""
    shops, days, every = actors.firms[1:], town.params.days, actors.values["every_days"]
    group, turn = counted(column(max((days - actors.start) // every, 1), shops.size))
    who = shops[group]
    day = np.minimum(actors.start + turn * every + rng.integers(0, every, who.size), days - 1)
    fen = around(rng, np.minimum(town.firms.sales[who], 10**10) * (every / 365 * 0.4) + 100_000, 0.5, who.size).astype(np.int64)
    platforms = town.firms.of(PLATFORM)
    settled = Flows.honest(platforms[who % platforms.size], who, fen, day * DAY + 10 * 3600 + rng.integers(0, 9_000, who.size), SETTLED)
    paid = fen * rng.integers(880, 999, who.size) // 1_000
    after = (day + rng.integers(0, 3, who.size)) * DAY + 14 * 3600 + rng.integers(0, 25_000, who.size)
    goods = Flows.honest(who, _suppliers(town, rng, who), paid, after, GOODS)
    flows = Flows.stacked([_funded(town, rng, settled), settled, goods, _fees(town, actors, rng)])
    return Deeds(("accountant", *("shop",) * shops.size), flows=flows, shared=_shared(actors, rng))


def _suppliers(town: Town, rng: np.random.Generator, shop: Ints) -> Ints:
    """Draw who sells to each shop: mostly companies that bank elsewhere, else one of three of the city."""
    banks = town.firms.of(CLEARING)
    here = (shop * 7_919 + rng.integers(0, 3, shop.size) * 104_729) % town.params.companies
    return np.where(rng.random(shop.size) < 0.7, banks[shop % banks.size], here)


def _funded(town: Town, rng: np.random.Generator, settled: Flows) -> Flows:
    """Bring in what consumers of other banks paid to the platforms, in the morning of each day."""
    key, place = np.unique(settled.payer.astype(np.int64) * 10_000 + settled.second // DAY, return_inverse=True)
    total = column(0, key.size)
    np.add.at(total, place, settled.fen)
    banks = town.firms.of(CLEARING)
    second = key % 10_000 * DAY + 8 * 3600 + rng.integers(0, 3_600, key.size)
    return Flows.honest(banks[rng.integers(0, banks.size, key.size)], key // 10_000, total, second, SETTLED)


def _fees(town: Town, actors: Actors, rng: np.random.Generator) -> Flows:
    """Pay the accountant by the end of each month."""
    shops = actors.firms[1:]
    days = town.calendar.monthly(town.params.days, 26)
    days = days[days >= actors.start]
    group, turn = counted(column(days.size, shops.size))
    fen = rng.integers(2, 12, shops.size)[group] * 10_000
    return Flows.honest(shops[group], column(int(actors.firms[0]), group.size), fen, days[turn] * DAY + seconds(rng, group.size), SERVICE)


def _shared(actors: Actors, rng: np.random.Generator) -> Shared:
    """Let the accountant sign in for nearly all, and answer the phone for some."""
    size = actors.firms.size
    parts = []
    for what, percent in ((DEVICE, 92), (PHONE, actors.values["phone_percent"])):
        of = actors.firms[rng.random(size) < percent / 100]
        parts.append(Shared(column(what, of.size), of, column(actors.number, of.size)))
    return Shared.stacked(parts)


PLOT = Plot(
    "shop_accountant",
    "e-commerce shops for which one accountant signs in",
    Range(4, 40, "companies, the accountant among them"),
    {"every_days": Range(2, 10, "days between settlements"), "phone_percent": Range(0, 40, "% of them that state the accountant's phone")},
    act,
    weight=3,
    industry="F52",
    mixed=True,
)
