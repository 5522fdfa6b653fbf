"""Money sent along a chain of accounts, as schemes and honest groups do it.

Knows fees kept on the way, splitting into several payments, and waiting; hides how the amounts are kept whole: what a
holder sends on is never more than what it got.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loaders.city.draw import Ints, spread
from loaders.city.frame import column
from loaders.city.money import DAY, Flows
from loaders.city.rhythm import Calendar, seconds

#: Sums that fall on a holiday and go out on it all the same, of a thousand.
_ON_HOLIDAYS = 150


@dataclass(frozen=True)
class Manner:
    """How money goes on: ppm that each holder keeps at most, most payments for a sum, longest wait in hours, purpose, scheme, days."""

    fee_ppm: int
    splits: int
    hours: int
    purpose: int
    scheme: int
    calendar: Calendar


def in_hours(calendar: Calendar, rng: np.random.Generator, at: Ints, after: int | Ints) -> Ints:
    """Return times at hours when people pay, later than ``after``: of the same days, or of the next working day."""
    day = np.where(rng.integers(0, 1_000, at.size) < _ON_HOLIDAYS, at // DAY, calendar.office(at // DAY))
    found: Ints = np.maximum(day * DAY + seconds(rng, at.size), after + rng.integers(60, 3_600, at.size))
    return found


def chain(rng: np.random.Generator, path: Ints, fen: int, second: int, manner: Manner) -> Flows:
    """Return the payments of a sum from the first account of a path to its last.

    Examples
    --------
    >>> from datetime import date
    >>> from loaders.city.draw import stream
    >>> manner = Manner(100_000, 1, 5, 0, 1, Calendar.of(date(2024, 1, 1), 30))
    >>> sent = chain(stream(1, "x"), np.array([4, 5, 6]), 1000, 0, manner)
    >>> sent.payer.tolist(), sent.payee.tolist(), bool((np.diff(sent.fen) <= 0).all() and (np.diff(sent.second) > 0).all())
    ([4, 5], [5, 6], True)
    """
    hops, steps, last = [], path.size - 1, second
    for step in range(steps):
        parts = column(int(rng.integers(1, manner.splits + 1)), 1)
        amounts = spread(column(fen, 1), parts, rng)
        at = np.sort(in_hours(manner.calendar, rng, last + rng.integers(600, max(manner.hours * 3600, 601), amounts.size), last))
        ends = column(int(path[step]), amounts.size), column(int(path[step + 1]), amounts.size)
        hops.append(Flows(*ends, amounts, at, column(manner.purpose, amounts.size), column(manner.scheme, amounts.size)))
        fen, last = fen - fen * int(rng.integers(0, manner.fee_ppm + 1)) // 1_000_000, int(at[-1])
    return Flows.stacked(hops)
