"""Borrowing from many lenders within days, before any of them hears of the others; the money goes to the owner or to a friend.

Most of these loans fail, some after a payment or two.
"""

from __future__ import annotations

import numpy as np

from loaders.city.credit import NEVER, Loans
from loaders.city.firms import LENDER
from loaders.city.frame import column
from loaders.city.money import BETWEEN, DAY, GOODS, Flows
from loaders.city.plot import Actors, Deeds, Plot, Range
from loaders.city.rhythm import seconds
from loaders.city.routes import Manner, chain
from loaders.city.town import Town


def act(town: Town, actors: Actors, rng: np.random.Generator) -> Deeds:
    """Borrow here and there, and take the money away."""
    values, borrower = actors.values, int(actors.firms[0])
    loans = _borrowed(town, actors, rng)
    friend, owner = int(actors.firms[1]), town.people.offset + int(town.people.owner[borrower])
    ends = np.where(rng.random(len(loans)) < rng.uniform(0.3, 1.0), friend, owner)
    ends[0] = friend
    manner = Manner(0, 3, values["hours"], GOODS if rng.random() < 0.6 else BETWEEN, actors.scheme, town.calendar)
    sums = zip(ends, loans.fen.tolist(), loans.second.tolist(), strict=True)
    taken = [chain(rng, np.array([borrower, end]), fen * 9 // 10, at, manner) for end, fen, at in sums]
    return Deeds(("borrower", "friend"), flows=Flows.stacked(taken), loans=loans)


def _borrowed(town: Town, actors: Actors, rng: np.random.Generator) -> Loans:
    """Return a loan from each of some lenders, all within days."""
    borrower = int(actors.firms[0])
    lenders = rng.permutation(town.firms.of(LENDER))[: actors.values["lenders"]]
    size = lenders.size
    fen = np.maximum((town.firms.sales[borrower] * rng.uniform(0.04, 0.15, size)).astype(np.int64) // 10_000_000, 1) * 10_000_000
    day = np.minimum(town.calendar.office(actors.start + rng.integers(0, actors.values["within_days"] + 1, size)), town.params.days - 1)
    second = day * DAY + seconds(rng, size)
    fails = np.where(rng.random(size) < 0.7, day + rng.integers(35, 150, size), NEVER)
    who, term = column(borrower, size), np.array([180, 365])[rng.integers(0, 2, size)]
    return Loans(who, lenders, who, fen, second, term, fails, column(actors.scheme, size))


PLOT = Plot(
    "many_lenders",
    "a company borrows from several lenders within days and takes the money away",
    Range(2, 2, "companies: the borrower and a friend"),
    {
        "lenders": Range(2, 6, "lenders", usual=3, above=False),
        "within_days": Range(2, 12, "days within which it borrows"),
        "hours": Range(3, 120, "longest wait of a sum, in hours"),
    },
    act,
)
