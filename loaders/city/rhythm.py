"""When things happen: working days, month ends, festivals, office hours.

Knows the public holidays and how business thins out around them; hides that a day is drawn by its weight between two
bounds, for whole columns at once. Days are numbered from the first of the period; those before it are negative.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from loaders.city.draw import Floats, Ints, weighted

#: Days known before and after the period, so that what was ordered earlier can be paid in it.
MARGIN = 200
#: First days of the lunar year.
_SPRING = (
    *((2023, 1, 22), (2024, 2, 10), (2025, 1, 29), (2026, 2, 17), (2027, 2, 6), (2028, 1, 26), (2029, 2, 13), (2030, 2, 3)),
    *((2031, 1, 23), (2032, 2, 11), (2033, 1, 31), (2034, 2, 19)),
)
#: Month and day on which a holiday begins, and how long it lasts.
_HOLIDAYS = ((1, 1, 1), (5, 1, 3), (10, 1, 7))
#: Weights of the hours of a day.
_HOURS = (1, 0.5, 0.3, 0.2, 0.2, 0.5, 1, 3, 12, 30, 36, 28, 14, 24, 34, 36, 30, 20, 9, 7, 6, 5, 4, 2)


@dataclass(frozen=True)
class Calendar:
    """The days around a period, by number.

    Attributes
    ----------
    first
        The day of number 0.
    weights
        How much business a day sees, from ``-MARGIN`` on.
    working
        The next working day at or after each day, from ``-MARGIN`` on.
    earlier
        The last working day at or before each day, from ``-MARGIN`` on.
    month
        The number of each day's month, counted from 1970.
    in_month
        The day of the month, counted from 1.
    """

    first: date
    weights: Floats
    working: Ints
    earlier: Ints
    month: Ints
    in_month: Ints

    @classmethod
    def of(cls, first: date, days: int) -> Calendar:
        """Return the calendar of a period."""
        day = np.datetime64(first, "D") + np.arange(-MARGIN, days + MARGIN)
        month = day.astype("datetime64[M]")
        in_month = (day - month).astype(np.int64) + 1
        weekend = (day.astype(np.int64) + 3) % 7 >= 5
        closed = weekend | _on_holiday(day, in_month, month)
        weights = np.where(closed, 0.12, 1.0) * (1.0 + 0.6 * (in_month >= 25) + 0.25 * (in_month <= 3))
        weights *= _around_spring(day)
        numbers = np.arange(-MARGIN, days + MARGIN)
        after = np.where(closed, days + MARGIN - 1, numbers)
        before = np.maximum.accumulate(np.where(closed, -MARGIN, numbers))
        return cls(first, weights, np.minimum.accumulate(after[::-1])[::-1], before, month.astype(np.int64), in_month)

    def lax(self, rng: np.random.Generator, percent: int) -> Calendar:
        """Return the calendar of somebody who heeds only so many of the holidays and weekends: on the others it works."""
        numbers = np.arange(self.working.size) - MARGIN
        works = rng.integers(0, 100, numbers.size) >= percent
        return replace(self, working=np.where(works, numbers, self.working))

    def drawn(self, rng: np.random.Generator, low: Ints, high: Ints) -> Ints:
        """Draw a day between ``low`` and ``high``, the latter left out, busy days more often; ``low`` where there is none between."""
        edges = np.concatenate([[0.0], np.cumsum(self.weights)])
        begin, end = edges[low + MARGIN], edges[np.maximum(high, low) + MARGIN]
        found = np.searchsorted(edges, begin + rng.random(low.size) * (end - begin), side="right") - 1 - MARGIN
        day: Ints = np.clip(found, low, np.maximum(high - 1, low))
        return day

    def office(self, day: Ints) -> Ints:
        """Return the next working day at or after each day."""
        return self.working[np.clip(day + MARGIN, 0, self.working.size - 1)]

    def either(self, rng: np.random.Generator, day: Ints) -> Ints:
        """Return a working day for each: itself, the last one before it for one half of the others, the next one for the other half."""
        place = np.clip(day + MARGIN, 0, self.working.size - 1)
        return np.where(rng.random(day.size) < 0.5, self.earlier[place], self.working[place])

    def monthly(self, days: int, on: int) -> Ints:
        """Return the working days at or after the day ``on`` of each month within a period of so many days."""
        marked = np.flatnonzero(self.in_month[MARGIN : MARGIN + days] == on)
        found = self.office(marked)
        return found[found < days]

    def pay_day(self, day: Ints, on: int = 25) -> Ints:
        """Return the next day ``on`` of a month, at or after each day."""
        back = self.in_month[np.clip(day + MARGIN, 0, self.in_month.size - 1)]
        return self.office(day + np.where(back <= on, on - back, on + 30 - back))


def _on_holiday(day: np.ndarray, in_month: Ints, month: np.ndarray) -> np.ndarray:
    of_year = month.astype(np.int64) % 12 + 1
    found = np.zeros(day.size, np.bool_)
    for begin_month, begin_day, length in _HOLIDAYS:
        found |= (of_year == begin_month) & (in_month >= begin_day) & (in_month < begin_day + length)
    for year, begin_month, begin_day in _SPRING:
        since = (day - np.datetime64(date(year, begin_month, begin_day), "D")).astype(np.int64)
        found |= (since >= -1) & (since <= 6)
    return found


def _around_spring(day: np.ndarray) -> Floats:
    """Return how business swells in the two weeks before the lunar year and is slow to come back in the two after."""
    factor = np.ones(day.size)
    for year, month, number in _SPRING:
        since = (day - np.datetime64(date(year, month, number), "D")).astype(np.int64)
        factor[(since >= -18) & (since < -3)] = 1.35
        factor[(since >= 7) & (since <= 14)] = 0.55
    return factor


def seconds(rng: np.random.Generator, count: int) -> Ints:
    """Draw the second of the day of so many events, most of them in office hours."""
    return weighted(rng, _HOURS, count) * 3600 + rng.integers(0, 3600, count)
