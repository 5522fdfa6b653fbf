"""A circle of guarantees that serves one of its members: all borrow within weeks, each stands for the next, the money goes to the leader.

Most of what each borrows goes on to the leader within days; some months later the loans begin to fail, one after the
other. Trade associations have circles too (see ``lookalikes``), but there the money stays with the borrower.
"""

from __future__ import annotations

import numpy as np

from loaders.city.credit import NEVER, Guarantees, Loans
from loaders.city.draw import Ints, spread
from loaders.city.firms import LENDER
from loaders.city.frame import column
from loaders.city.money import BETWEEN, DAY, GOODS, Flows
from loaders.city.plot import Actors, Deeds, Plot, Range
from loaders.city.rhythm import seconds
from loaders.city.routes import in_hours
from loaders.city.town import Town


def act(town: Town, actors: Actors, rng: np.random.Generator) -> Deeds:
    """Borrow one after the other, guarantee one another, and send the money to the leader."""
    firms, values = actors.firms, actors.values
    size, lenders = firms.size, town.firms.of(LENDER)
    within = min(values["within_days"], (town.params.days - actors.start) // 2)
    day = actors.start + np.sort(rng.integers(0, within + 1, size))
    day = np.minimum(town.calendar.office(day), town.params.days - 1)
    fen = np.maximum((town.firms.sales[firms] * rng.uniform(0.08, 0.3, size)).astype(np.int64) // 10_000_000, 1) * 10_000_000
    fails = np.where(rng.random(size) < values["fail_percent"] / 100, day + rng.integers(40, 250, size), NEVER)
    lender = lenders[rng.integers(0, lenders.size, size)]
    second = day * DAY + seconds(rng, size)
    loans = Loans(firms, lender, firms, fen, second, np.array([90, 180, 365])[rng.integers(0, 3, size)], fails, column(actors.scheme, size))
    given = Guarantees(firms, np.roll(firms, -1), np.roll(fen, -1), np.roll(day, -1), column(actors.scheme, size))
    roles = ("leader", *("member",) * (size - 1))
    return Deeds(roles, flows=_to_leader(town, actors, rng, (fen, second)), loans=loans, guarantees=given)


def _to_leader(town: Town, actors: Actors, rng: np.random.Generator, lent: tuple[Ints, Ints]) -> Flows:
    """Send a part of each member's loan to the leader, in a few payments."""
    (fen, second), share = lent, actors.values["to_leader_percent"]
    parts = rng.integers(1, 4, actors.firms.size - 1)
    amount = spread(fen[1:] * share // 100, parts, rng)
    payer = np.repeat(actors.firms[1:], parts)
    begin = np.repeat(second[1:], parts)
    at = in_hours(town.calendar, rng, begin + rng.integers(3_600, 9 * DAY, amount.size), begin)
    purpose = np.where(rng.random(amount.size) < 0.7, GOODS, BETWEEN)
    return Flows(payer, column(int(actors.firms[0]), amount.size), amount, at, purpose, column(actors.scheme, amount.size))


PLOT = Plot(
    "guarantee_circle",
    "companies guarantee one another in a circle and pass what they borrow to one of them",
    Range(3, 9, "companies", usual=6),
    {
        "within_days": Range(5, 60, "days within which they borrow"),
        "to_leader_percent": Range(40, 90, "% of each loan that goes to the leader"),
        "fail_percent": Range(20, 90, "% of the loans that fail"),
    },
    act,
    weight=2,
)
