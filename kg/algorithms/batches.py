"""Batches: what happens to so many of a group within so long a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kg.algorithms.kernel import Ints
from kg.errors import UsageError

#: More than there are days in any date, before and after 1970.
_SPAN = 2**33


def batched(group: Ints, day: Ints, *, within: int, least: Ints) -> NDArray[np.bool_]:
    """Tell which rows lie in a batch: a window of days in which their group has enough rows.

    Parameters
    ----------
    group : int64, shape (n_rows,)
        The group of each row, from 0 on.
    day : int64, shape (n_rows,)
    within
        Days between the first row of a window and its last, both in it; 0 is one day.
    least : int64, shape (n_rows,)
        How many rows a window of the row's group must hold; the same for all rows of a group.

    Raises
    ------
    UsageError
        If ``within`` is negative.

    Examples
    --------
    >>> batched(np.array([0, 0, 0, 0]), np.array([1, 40, 12, 31]), within=30, least=np.full(4, 3)).tolist()
    [True, True, True, True]
    >>> batched(np.array([0, 0, 0, 1]), np.array([1, 32, 12, 13]), within=30, least=np.full(4, 3)).tolist()
    [False, False, False, False]
    """
    if within < 0:
        raise UsageError(f"within is {within}; a window lasts 0 days or more")
    order = np.lexsort((day, group))
    key = group[order] * _SPAN + day[order]
    begin = np.arange(key.size)
    end = np.searchsorted(key, key + within, side="right")
    enough = end - begin >= least[order]
    # a window covers the rows from its begin up to its end: steps up and down, summed
    steps = np.zeros(key.size + 1, np.int64)
    np.add.at(steps, begin[enough], 1)
    np.add.at(steps, end[enough], -1)
    found = np.zeros(key.size, np.bool_)
    found[order] = np.cumsum(steps[:-1]) > 0
    return found
