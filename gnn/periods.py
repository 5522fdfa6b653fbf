"""Days on which companies are looked at: train before validation before test, each further away than what is foreseen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from gnn.metrics import Labels
from kg.algorithms.interning import Interner
from kg.errors import GateError

#: History that the first snapshot wants, and the most snapshots of validation.
_HISTORY, _VALID = 60, 2


@dataclass(frozen=True)
class Periods:
    """Days of snapshots; the labels of each period are known before the next one begins."""

    train: tuple[date, ...]
    valid: tuple[date, ...]
    test: date


def periods(first: date, last: date, horizon: int, step: int) -> Periods:
    """Place snapshots between the first day of which something is known and the last one.

    Parameters
    ----------
    horizon, step
        Days that a label looks ahead, and days between snapshots.

    Raises
    ------
    GateError
        If the days do not suffice.

    Examples
    --------
    >>> found = periods(date(2024, 1, 1), date(2025, 12, 31), 180, 60)
    >>> found.test, max(found.valid), max(found.train)
    (datetime.date(2025, 7, 4), datetime.date(2025, 1, 5), datetime.date(2024, 5, 10))
    """
    earliest = first + timedelta(days=_HISTORY)
    ahead = timedelta(days=horizon)
    test = last - ahead
    valid = tuple(
        day for day in (test - ahead - timedelta(days=step * n) for n in range(_VALID)) if day - ahead >= earliest + timedelta(days=step)
    )
    valid = valid or (test - ahead,)
    newest = min(valid) - ahead
    if newest < earliest:
        needs = _HISTORY + 3 * horizon
        raise GateError(
            f"the lake tells of {(last - first).days} days, and a horizon of {horizon} days needs {needs}: three horizons one after the "
            f"other (train, validation, test) and {_HISTORY} days before; wait, or train with a shorter --horizon"
        )
    count = (newest - earliest).days // step + 1
    train = tuple(newest - timedelta(days=step * n) for n in reversed(range(count)))
    return Periods(train, tuple(sorted(valid)), test)


def labels(ids: pa.Array, known: Mapping[str, date], day: date, horizon: int) -> Labels:
    """Return 1 for who became known within the horizon after a day, 0 for who did not, -1 for who was known already.

    >>> labels(pa.array(["a", "b", "c"]), {"a": date(2024, 3, 1), "b": date(2024, 1, 1)}, date(2024, 1, 1), 90).tolist()
    [1, -1, 0]
    """
    found = np.zeros(len(ids), np.int8)
    codes = Interner(ids).codes(pa.array(list(known), pa.string())) if len(ids) and known else np.empty(0, np.int64)
    for code, when in zip(codes, known.values(), strict=False):
        if code >= 0 and when <= day + timedelta(days=horizon):
            found[code] = 1 if when > day else -1
    return found
