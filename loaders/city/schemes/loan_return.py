"""Loan money that returns: what was lent for trade comes back to the borrower by way of friends, or goes to its owner.

The borrower pays a seeming supplier; after some hops most of the sum is back on another account of the borrower or on
its owner's. Some of these loans are repaid, others fail.
"""

from __future__ import annotations

import numpy as np

from loaders.city.credit import NEVER, Loans
from loaders.city.draw import Ints
from loaders.city.firms import LENDER
from loaders.city.frame import column
from loaders.city.money import DAY, GOODS, PREPAID
from loaders.city.plot import Actors, Deeds, Plot, Range
from loaders.city.rhythm import seconds
from loaders.city.routes import Manner, chain
from loaders.city.town import Town


def act(town: Town, actors: Actors, rng: np.random.Generator) -> Deeds:
    """Borrow, send the money round, and take it back."""
    values, borrower = actors.values, int(actors.firms[0])
    fen = max(int(town.firms.sales[borrower] * rng.uniform(0.05, 0.25)) // 10_000_000, 1) * 10_000_000
    second = int(town.calendar.office(column(actors.start, 1))[0]) * DAY + int(seconds(rng, 1)[0])
    fails = actors.start + int(rng.integers(60, 300)) if rng.random() < 0.4 else NEVER
    lenders = town.firms.of(LENDER)
    lender = int(lenders[rng.integers(0, lenders.size)])
    term = int(rng.choice((90, 180, 365)))
    loan = Loans(*(column(value, 1) for value in (borrower, lender, borrower, fen, second, term, fails, actors.scheme)))
    sent = fen * values["percent"] // 100
    purpose = GOODS if rng.random() < 0.6 else PREPAID
    manner = Manner(values["fee_ppm"], values["splits"], values["hours"], purpose, actors.scheme, town.calendar)
    back = chain(rng, _path(town, actors, rng), sent, second + int(rng.integers(1_800, 3 * DAY)), manner)
    return Deeds(("borrower", *("go-between",) * (actors.firms.size - 1)), flows=back, loans=loan)


def _path(town: Town, actors: Actors, rng: np.random.Generator) -> Ints:
    """Return the accounts that the money passes; it ends with the borrower or with its owner."""
    borrower = int(actors.firms[0])
    owner = town.people.offset + int(town.people.owner[borrower])
    end = owner if rng.random() < 0.3 else int(town.second[borrower])
    return np.append(actors.firms, end)


PLOT = Plot(
    "loan_return",
    "loan money comes back to the borrower or its owner",
    Range(2, 6, "companies; so many transfers", usual=4),
    {
        "percent": Range(70, 100, "% of the loan that is sent round", usual=80, above=False),
        "fee_ppm": Range(0, 40_000, "largest ppm kept by each holder"),
        "splits": Range(1, 3, "most payments for one sum"),
        "hours": Range(2, 240, "longest wait of a sum, in hours", usual=180),
    },
    act,
    weight=2,
)
