"""The companies: where they are, what they do, how large and how old; and the institutions among them.

Knows the heavy tails of size and the survival of age; hides how they are drawn. Institutions (lenders, tax offices,
utilities, platforms, landlords, other banks' clearing, state bodies) stand behind the ordinary companies.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loaders.city import industries, regions
from loaders.city.draw import Floats, Ints, around, chance, heavy, stream, weighted
from loaders.city.frame import Frame, column
from loaders.city.params import Params

ORDINARY, LENDER, TAX, UTILITY, PLATFORM, LANDLORD, CLEARING, STATE = range(8)
#: Institutions by role: fewest, and one more for each so many companies.
_INSTITUTIONS = (
    (LENDER, 6, 200_000),
    (TAX, 3, 40_000),
    (UTILITY, 6, 20_000),
    (PLATFORM, 3, 300_000),
    (LANDLORD, 6, 300),
    (CLEARING, 3, 500_000),
    (STATE, 3, 50_000),
)
_CAPITALS = np.array([3, 10, 30, 50, 100, 200, 300, 500, 1_000, 2_000, 5_000, 10_000])
_YEAR = 365
#: Fen a year that one sells with a staff of one, and how it grows with the staff: slower, since trade makes the large ones larger.
_SALES, _BY_STAFF = 5e7, 0.9
#: Oldest age in days: private companies were registered from 1984 on.
_OLDEST = 14_000
#: The day on which a company that stays is closed.
NEVER = 10**6
#: Companies that will be closed one day and are too small to be kept up, median age at which they are, and those that the registry revokes.
_MORTAL_PPM, _LARGE, _END_AGE, _REVOKED_PPM = 110_000, 80, 950, 280_000


@dataclass(frozen=True)
class Firms(Frame):
    """Companies and institutions, a row each.

    Attributes
    ----------
    region, industry
        Places in the tables of regions and of industries.
    role
        ``ORDINARY`` or what institution it is.
    founded
        Day of registration by number.
    employees
        People at work.
    sales
        Fen a year.
    capital, paid_in
        Fen subscribed, and fen paid in.
    closed
        Day from which on it is struck off the register and trades no more, ``NEVER`` where it is not.
    revoked
        1 where the registry takes its licence away, 0 where it is deregistered at its own wish.
    """

    region: Ints
    industry: Ints
    role: Ints
    founded: Ints
    employees: Ints
    sales: Ints
    capital: Ints
    paid_in: Ints
    closed: Ints
    revoked: Ints

    def of(self, role: int) -> Ints:
        """Return the numbers of all of a role."""
        return np.flatnonzero(self.role == role)

    def standing(self, day: int) -> Ints:
        """Return what the register says of each on a day: 0 in business, 1 deregistered, 2 revoked."""
        return np.where(self.closed > day, 0, 1 + self.revoked)

    def last_day(self, *parties: Ints) -> Ints:
        """Return the first day on which not all of these parties are there any more; people stay."""
        ends = [np.where(party < len(self), self.closed[np.minimum(party, len(self) - 1)], NEVER) for party in parties]
        found: Ints = np.minimum.reduce(ends)
        return found


def drawn(params: Params) -> Firms:
    """Return the companies of a city."""
    rng, count = stream(params.seed, "firms"), params.companies
    employees = np.rint(heavy(rng, count, 1.06, 1.0, 50_000.0)).astype(np.int64)
    industry = weighted(rng, industries.WEIGHT, count)
    sales = around(rng, employees**_BY_STAFF * _SALES, 0.8, count).astype(np.int64)
    capital = _capital(rng, sales)
    paid_in = (capital * _paid_share(rng, count)).astype(np.int64) // 100 * 100
    region = weighted(rng, regions.WEIGHT, count)
    founded = _founded(rng, params, employees)
    closed, revoked = _closed(params, founded, employees)
    ordinary = Firms(region, industry, column(ORDINARY, count), founded, employees, sales, capital, paid_in, closed, revoked)
    return Firms.stacked([ordinary, _institutions(params)])


def _founded(rng: np.random.Generator, params: Params, employees: Ints) -> Ints:
    """Draw days of registration: hazards fall with age, large ones are older, and some are yet to come within the period."""
    age = heavy(rng, employees.size, 1.4, 900.0) - 900.0
    old = rng.exponential(2_300.0, employees.size) * (1.0 + 0.12 * np.log(employees))
    age = np.where(rng.random(employees.size) < 0.3, age, old)
    young = chance(rng, employees.size, min(90_000 * params.days // _YEAR, 300_000)) & (employees < 40)
    coming = rng.integers(0, max(params.days - 28, 1), employees.size)
    return np.where(young, coming, -np.minimum(age, _OLDEST).astype(np.int64) - 1)


def _closed(params: Params, founded: Ints, employees: Ints) -> tuple[Ints, Ints]:
    """Draw who is closed, and when: mostly small ones in their first years, some that are old."""
    rng, count = stream(params.seed, "survival"), founded.size
    mortal = chance(rng, count, _MORTAL_PPM) & (employees < _LARGE)
    age = 60 + np.minimum(around(rng, _END_AGE, 0.9, count), _OLDEST).astype(np.int64)
    return np.where(mortal, founded + age, NEVER), chance(rng, count, _REVOKED_PPM).astype(np.int64)


def _capital(rng: np.random.Generator, sales: Ints) -> Ints:
    """Draw subscribed capital in round sums, loosely tied to sales."""
    wish = around(rng, np.maximum(sales, 1) * 0.35, 1.3, sales.size) / 1e6
    return _CAPITALS[np.clip(np.searchsorted(_CAPITALS, wish), 0, _CAPITALS.size - 1)] * 1_000_000


def _paid_share(rng: np.random.Generator, count: int) -> Floats:
    """Draw the part of the capital that was paid in: nothing, a part, all."""
    return np.array([0.0, 0.1, 0.2, 0.3, 0.5, 1.0])[weighted(rng, (30, 10, 10, 8, 12, 30), count)]


def _institutions(params: Params) -> Firms:
    rng = stream(params.seed, "institutions")
    role = np.concatenate([column(role, least + params.companies // each) for role, least, each in _INSTITUTIONS])
    count = role.size
    region = weighted(rng, regions.WEIGHT, count)
    industry = column(industries.PLACE["L72"], count)
    capital = column(100_000_000_000, count)
    founded = -rng.integers(4_000, 9_000, count)
    return Firms(
        region, industry, role, founded, column(500, count), column(0, count), capital, capital, column(NEVER, count), column(0, count)
    )
