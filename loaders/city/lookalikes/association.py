"""A trade association: members have long stood for one another's loans, in a circle or more, and repay.

The guarantees make circles as those of a scheme do; the money is spent in the members' own trade.
"""

from __future__ import annotations

import numpy as np

from loaders.city.credit import NEVER, Guarantees, Loans
from loaders.city.draw import spread
from loaders.city.firms import LENDER
from loaders.city.frame import column
from loaders.city.money import DAY, PREPAID, Flows
from loaders.city.plot import Actors, Deeds, Plot, Range
from loaders.city.rhythm import seconds
from loaders.city.routes import in_hours
from loaders.city.town import Town


def act(town: Town, actors: Actors, rng: np.random.Generator) -> Deeds:
    """Borrow at one lender over the months, guarantee the next member, pay suppliers elsewhere with the money."""
    firms, days = actors.firms, town.params.days
    size, lenders = firms.size, town.firms.of(LENDER)
    founded = town.firms.founded[firms]
    both = np.maximum(founded, np.roll(founded, 1))  # nobody stands for another before it is there itself
    low = np.maximum(both + 30, actors.start - actors.values["over_days"])
    day = np.clip(low + (rng.random(size) * actors.values["over_days"]).astype(np.int64), -150, days - 1)
    fen = np.maximum((town.firms.sales[firms] * rng.uniform(0.06, 0.25, size)).astype(np.int64) // 10_000_000, 1) * 10_000_000
    fails = np.where(rng.random(size) < 0.05, day + 150, NEVER)
    lender = column(int(lenders[rng.integers(0, lenders.size)]), size)
    second = day * DAY + seconds(rng, size)
    loans = Loans(firms, lender, firms, fen, second, np.array([180, 365])[rng.integers(0, 2, size)], fails, column(0, size))
    given = Guarantees(firms, np.roll(firms, -1), np.roll(fen, -1), np.roll(day, -1), column(0, size))
    return Deeds(("member",) * size, flows=_used(town, actors, rng, loans), loans=loans, guarantees=given)


def _used(town: Town, actors: Actors, rng: np.random.Generator, loans: Loans) -> Flows:
    """Pay other companies for goods with the money, some of it among the members, who trade with one another."""
    parts = rng.integers(1, 4, len(loans))
    amount = spread(loans.fen * rng.integers(60, 100, len(loans)) // 100, parts, rng)
    payer = np.repeat(loans.borrower, parts)
    outside = rng.integers(0, town.params.companies, amount.size)
    payee = np.where(rng.random(amount.size) < 0.35, rng.choice(actors.firms, amount.size), outside)
    begin = np.repeat(loans.second, parts)
    at = in_hours(town.calendar, rng, begin + rng.integers(3_600, 20 * DAY, amount.size), begin)
    return Flows.honest(payer, payee, amount, at, PREPAID)


PLOT = Plot(
    "association",
    "members of a trade association guarantee one another's loans",
    Range(4, 10, "companies", usual=6),
    {"over_days": Range(40, 200, "days over which they borrow")},
    act,
    weight=4,
    mixed=True,
)
