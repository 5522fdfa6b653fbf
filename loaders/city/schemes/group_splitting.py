"""A group splits its borrowing: members of one hidden group borrow at one lender, each below the limit for one borrower.

Together they pass the limit for a group, which is one and a half times that; nobody counts them as one. The money comes
together at one member or at who controls them all.
"""

from __future__ import annotations

import numpy as np

from loaders.city import control
from loaders.city.credit import NEVER, Loans
from loaders.city.draw import Ints, spread
from loaders.city.firms import LENDER
from loaders.city.frame import column
from loaders.city.money import BETWEEN, DAY, GOODS, PREPAID, Flows
from loaders.city.plot import Actors, Deeds, Plot, Range
from loaders.city.rhythm import seconds
from loaders.city.routes import in_hours
from loaders.city.town import Town

_STEP = 1_000_000


def act(town: Town, actors: Actors, rng: np.random.Generator) -> Deeds:
    """Borrow member by member, and bring the money together."""
    firms = actors.firms
    loans = _loans(town, actors, rng)
    nested = firms[firms.size - min(actors.values["nested"], firms.size - 2) - 1 :]  # the last ones, each held by the one before it
    hidden = firms[1 : firms.size - nested.size + 1]
    return Deeds(
        ("hub", *("member",) * (firms.size - 1)),
        flows=_together(town, actors, rng, loans),
        loans=loans,
        shared=control.traces(actors, rng),
        parents=control.layered([nested[::-1]]),
        fronts=control.fronts(town, actors, rng, firms[:1], hidden),
    )


def limit(town: Town, firms: Ints) -> int:
    """Return the limit for one borrower, in fen: what suits a usual member; that of a group is one and a half times as much."""
    return (int(np.median(town.firms.sales[firms])) // 5 + 30_000_000) // _STEP * _STEP


def _loans(town: Town, actors: Actors, rng: np.random.Generator) -> Loans:
    """Return a loan of each member at one lender, each below the limit, all of them within the days drawn."""
    firms, lenders = actors.firms, town.firms.of(LENDER)
    size = firms.size
    # even the least of three sums up to more than one and a half times the limit
    fen = (limit(town, firms) * rng.uniform(0.55, 0.95, size)).astype(np.int64) // _STEP * _STEP
    within = min(actors.values["within_days"], max((town.params.days - actors.start) * 2 // 3, 1))
    offset = rng.integers(0, within + 1, size)
    offset[rng.permutation(size)[:2]] = (0, within)
    day = np.minimum(town.calendar.office(actors.start + offset), town.params.days - 1)
    fails = np.where(rng.random(size) < actors.values["fail_percent"] / 100, day + rng.integers(60, 300, size), NEVER)
    lender = column(int(lenders[rng.integers(0, lenders.size)]), size)
    second = day * DAY + seconds(rng, size)
    return Loans(firms, lender, firms, fen, second, np.array([180, 365])[rng.integers(0, 2, size)], fails, column(actors.scheme, size))


def _together(town: Town, actors: Actors, rng: np.random.Generator, loans: Loans) -> Flows:
    """Send most of each loan to the hub or to who is behind it, in a few payments."""
    hub, person = int(actors.firms[0]), control.boss(town, actors)
    to_person = rng.random() < 0.35
    of = loans if to_person else loans.take(loans.borrower != hub)
    parts = rng.integers(1, 4, len(of))
    fen = spread(of.fen * actors.values["percent"] // 100, parts, rng)
    payer, begin = np.repeat(of.borrower, parts), np.repeat(of.second, parts)
    at = in_hours(town.calendar, rng, begin + rng.integers(1_800, actors.values["hours"] * 3_600, fen.size), begin)
    purpose = np.array([GOODS, PREPAID, BETWEEN])[rng.integers(0, 3, fen.size)]
    return Flows(payer, column(person if to_person else hub, fen.size), fen, at, purpose, column(actors.scheme, fen.size))


PLOT = Plot(
    "group_splitting",
    "members of a hidden group borrow below the limit each, above it together",
    Range(3, 8, "companies that borrow"),
    {
        "within_days": Range(10, 120, "days within which they borrow", usual=30),
        "percent": Range(50, 100, "% of each loan that comes together"),
        "nested": Range(0, 2, "members that are held by another member"),
        "fail_percent": Range(10, 70, "% of the loans that fail"),
        "hours": Range(4, 240, "longest wait of a sum, in hours"),
    },
    act,
    settles=True,
)
