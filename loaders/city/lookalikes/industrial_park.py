"""An industrial park or incubator: very many companies at one address, which grows with the city.

Some parks give all their tenants one address, some a room each; tenants pay rent and power to the park's company, a part of them states
its phone, and neighbours trade with one another.
"""

from __future__ import annotations

import numpy as np

from loaders.city.draw import Ints, around, counted
from loaders.city.firms import UTILITY
from loaders.city.frame import column
from loaders.city.money import DAY, GOODS, POWER, RENT, Flows
from loaders.city.plot import ADDRESS, PHONE, ROOM, Actors, Deeds, Plot, Range, Shared
from loaders.city.rhythm import seconds
from loaders.city.town import Town


def act(town: Town, actors: Actors, rng: np.random.Generator) -> Deeds:
    """Pay rent by the quarter and power by the month, and buy from neighbours."""
    size = actors.firms.size
    house = column(ROOM if actors.values["rooms"] else ADDRESS, size)
    phone = actors.firms[rng.random(size) < actors.values["phone_percent"] / 100]
    group = column(actors.number, size)
    shared = Shared.stacked(
        [Shared(house, actors.firms, group), Shared(column(PHONE, phone.size), phone, group[: phone.size])],
    )
    rent, power = _bills(town, actors, rng, (90, RENT, 0.012)), _bills(town, actors, rng, (30, POWER, 0.006))
    flows = Flows.stacked([rent, power, _passed_on(town, power), _traded(town, actors, rng)])
    return Deeds(("park", *("tenant",) * (size - 1)), flows=flows, shared=shared)


def _bills(town: Town, actors: Actors, rng: np.random.Generator, bill: tuple[int, int, float]) -> Flows:
    """Pay the park every so many days for something that costs a part of the sales."""
    every, purpose, part = bill
    tenants, days = actors.firms[1:], town.params.days
    first = rng.integers(0, every, tenants.size)
    group, turn = counted(np.maximum((days - first + every - 1) // every, 0))
    who = tenants[group]
    fen = around(rng, np.minimum(town.firms.sales[who], 10**10) * (part * every / 365) + 20_000, 0.4, who.size).astype(np.int64)
    second = town.calendar.office(first[group] + turn * every) * DAY + seconds(rng, who.size)
    return Flows.honest(who, column(int(actors.firms[0]), who.size), fen, second, purpose)


def _passed_on(town: Town, power: Flows) -> Flows:
    """Pay the utility for the power of all, on the first working day of each span of thirty."""
    month, place = np.unique(power.second // (30 * DAY), return_inverse=True)
    total = column(0, month.size)
    np.add.at(total, place, power.fen)
    bodies = town.firms.of(UTILITY)
    park = column(int(power.payee[0]) if len(power) else 0, month.size)
    second = town.calendar.office((month.astype(np.int64) + 1) * 30) * DAY + 36_000
    return Flows.honest(park, bodies[park % bodies.size], total * 97 // 100, second, POWER)


def _traded(town: Town, actors: Actors, rng: np.random.Generator) -> Flows:
    """Buy from neighbours a few doors away."""
    tenants, days = actors.firms[1:], town.params.days
    rate = actors.values["purchases_a_year"] * max(days - actors.start, 0) / 365
    group, _ = counted(rng.poisson(rate, tenants.size))
    seller: Ints = tenants[(group + rng.integers(1, 9, group.size)) % tenants.size]
    smaller = np.minimum(town.firms.sales[tenants[group]], town.firms.sales[seller])
    fen = around(rng, smaller * 0.008 + 200_000, 0.7, group.size).astype(np.int64)
    day = town.calendar.office(rng.integers(actors.start, days, group.size))
    return Flows.honest(tenants[group], seller, fen, day * DAY + seconds(rng, group.size), GOODS)


PLOT = Plot(
    "industrial_park",
    "an industrial park: very many companies at one address, or in the rooms of one",
    Range(8, 5_000, "companies, the park's own among them"),
    {
        "rooms": Range(0, 1, "1 where each tenant has a room of its own, 0 where all have one address"),
        "phone_percent": Range(0, 40, "% of them that state the park's phone"),
        "purchases_a_year": Range(1, 6, "purchases of a tenant from neighbours in a year"),
    },
    act,
    scale=(30, 80),
    one_place=True,
    mixed=True,
)
