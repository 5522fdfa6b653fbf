"""What every company pays and gets month by month: wages, tax, rent, power, settlements of platforms, trade with other banks' customers.

Knows how often and how much; hides from which of the institutions. Together with trade it makes what comes in and what
goes out about the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loaders.city import industries
from loaders.city.draw import Bools, Floats, Ints, around, chance, counted, rounded_fen, stream
from loaders.city.firms import CLEARING, LANDLORD, ORDINARY, PLATFORM, TAX, UTILITY, Firms
from loaders.city.frame import column
from loaders.city.money import DAY, DRAWN, GOODS, POWER, RENT, SALARY, SERVICE, SETTLED, TAXES, Flows
from loaders.city.rhythm import MARGIN, seconds
from loaders.city.town import Town

_WAGE = 640_000.0


@dataclass(frozen=True)
class _Bill:
    """A bill: its name, to which role and for what, every how many days, for how many (ppm), how much of the sales (ppm)."""

    name: str
    role: int
    purpose: int
    every: int
    ppm: int
    part_ppm: int


_BILLS = (_Bill("rent", LANDLORD, RENT, 90, 400_000, 20_000), _Bill("power", UTILITY, POWER, 30, 600_000, 12_000))


def flows(town: Town, bought: Floats) -> Flows:
    """Return the regular payments.

    Parameters
    ----------
    bought
        Fen a year that each company's customers within the city buy from it; the rest of its sales comes from outside.
    """
    rest = np.maximum(town.firms.sales - bought, 0.0)
    return Flows.stacked(
        [
            _wages(town),
            _taxes(town),
            *(_bills(town, bill) for bill in _BILLS),
            _platforms(town, rest),
            _outside(town, rest),
            _drawings(town),
        ]
    )


def _wages(town: Town) -> Flows:
    """Pay each member of the staff on its company's day of the month."""
    params, calendar, people = town.params, town.calendar, town.people
    rng, count = stream(params.seed, "wages"), people.employer.size
    wage = around(rng, _WAGE, 0.45, count)
    first = np.array([5, 10, 15, 20])
    parts = []
    for place, on in enumerate(first.tolist()):
        paid = np.flatnonzero(people.employer % first.size == place)
        for day in calendar.monthly(params.days, on).tolist():
            fen = (wage[paid] * (1.0 + 0.05 * rng.standard_normal(paid.size))).clip(100_000).astype(np.int64)
            # a run of wages goes out within minutes
            second = column(day * DAY + 9 * 3600, paid.size) + people.employer[paid] % 14_400 + rng.integers(0, 90, paid.size)
            payee = people.offset + people.first_staff + paid
            parts.append(Flows.honest(people.employer[paid], payee, fen, second, SALARY))
    return Flows.stacked(parts)


def _taxes(town: Town) -> Flows:
    """Pay tax by the fifteenth: large ones every month, small ones every quarter."""
    params, calendar, firms = town.params, town.calendar, town.firms
    rng, offices = stream(params.seed, "taxes"), firms.of(TAX)
    monthly = (firms.sales > 5_000_000_00) | (np.arange(len(firms)) % 5 == 0)
    parts = []
    for day in calendar.monthly(params.days, 15).tolist():
        quarter = calendar.month[day + MARGIN] % 3 == 0
        payer = np.flatnonzero((firms.role == ORDINARY) & (monthly | quarter) & chance(rng, len(firms), 900_000))
        fen = around(rng, firms.sales[payer] * np.where(monthly[payer], 1 / 12, 1 / 4) * 0.025, 0.5, payer.size).astype(np.int64) + 1_000
        second = (day - rng.integers(0, 8, payer.size)) * DAY + seconds(rng, payer.size)
        parts.append(Flows.honest(payer, offices[firms.region[payer] % offices.size], fen, second, TAXES))
    return Flows.stacked(parts)


def _bills(town: Town, bill: _Bill) -> Flows:
    """Pay a bill every so many days, never on the same day for all."""
    params, firms = town.params, town.firms
    rng, bodies = stream(params.seed, bill.name), firms.of(bill.role)
    payer = np.flatnonzero((firms.role == ORDINARY) & chance(rng, len(firms), bill.ppm))
    first = rng.integers(0, bill.every, payer.size)
    group, turn = counted(np.maximum((params.days - first + bill.every - 1) // bill.every, 0))
    who = payer[group]
    usual = np.minimum(firms.sales[who], 10**12) * (bill.part_ppm * bill.every / 365e6)
    fen = rounded_fen(around(rng, usual, 0.35, who.size) + 8_000, rng)
    second = town.calendar.office(first[group] + turn * bill.every) * DAY + seconds(rng, who.size)
    return Flows.honest(who, bodies[who % bodies.size], fen, second, bill.purpose)


def _drawn_days(rng: np.random.Generator, town: Town, who: Ints, yearly: int) -> tuple[Ints, Ints]:
    """Draw for each company so many events a year; return the place in ``who`` and the second of each."""
    days = town.params.days
    low = np.clip(town.firms.founded[who] + 20, 0, days)
    group, _ = counted(rng.poisson(yearly * (days - low) / 365.0))
    day = town.calendar.drawn(rng, low[group], column(days, group.size))
    return group, day * DAY + seconds(rng, group.size)


def _platforms(town: Town, rest: Floats) -> Flows:
    """Settle what consumers paid to shops through platforms, and fund the platforms from the consumers' banks every day."""
    params, firms = town.params, town.firms
    rng, bodies, banks = stream(params.seed, "platforms"), firms.of(PLATFORM), firms.of(CLEARING)
    shops = np.flatnonzero((firms.role == ORDINARY) & _sells_to_consumers(firms))
    group, second = _drawn_days(rng, town, shops, 40)
    who = shops[group]
    fen = around(rng, rest[who] / 40.0 + 10_000, 0.7, who.size).astype(np.int64)
    settled = Flows.honest(bodies[who % bodies.size], who, fen, second, SETTLED)
    day = settled.second // DAY
    total = np.zeros((params.days, bodies.size), np.int64)
    np.add.at(total, (day, who % bodies.size), fen)
    days, body = np.nonzero(total)
    funded = Flows.honest(banks[body % banks.size], bodies[body], total[days, body], days * DAY + 60 + body, SETTLED)
    return Flows.stacked([settled, funded])


def _sells_to_consumers(firms: Firms) -> Bools:
    found: Bools = industries.CONSUMERS[firms.industry] >= 0.2
    return found


def _outside(town: Town, rest: Floats) -> Flows:
    """Trade with customers and suppliers who bank elsewhere, through the clearing accounts of their banks."""
    firms = town.firms
    rng, banks = stream(town.params.seed, "outside"), firms.of(CLEARING)
    sellers = np.flatnonzero((firms.role == ORDINARY) & ~_sells_to_consumers(firms))
    group, second = _drawn_days(rng, town, sellers, 19)
    who = sellers[group]
    came = rounded_fen(around(rng, rest[who] / 19.0 + 20_000, 0.8, who.size), rng)
    got = Flows.honest(banks[who % banks.size], who, came, second, GOODS)
    ordinary = firms.of(ORDINARY)
    group, second = _drawn_days(rng, town, ordinary, 8)
    who = ordinary[group]
    went = rounded_fen(around(rng, firms.sales[who] * 0.12 / 8.0 + 10_000, 0.8, who.size), rng)
    return Flows.stacked([got, Flows.honest(who, banks[(who + 1) % banks.size], went, second, SERVICE)])


def _drawings(town: Town) -> Flows:
    """Take money out for the owner a few times a year, or bring some in."""
    firms, people = town.firms, town.people
    rng, ordinary = stream(town.params.seed, "drawings"), firms.of(ORDINARY)
    group, second = _drawn_days(rng, town, ordinary, 3)
    who = ordinary[group]
    person = people.offset + people.owner[who]
    fen = rounded_fen(around(rng, np.minimum(firms.sales[who], 5 * 10**9) * 0.02 + 50_000, 0.7, who.size), rng, 0.8)
    back = chance(rng, who.size, 200_000)
    return Flows.honest(np.where(back, person, who), np.where(back, who, person), fen, second, DRAWN)
