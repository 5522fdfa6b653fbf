"""Many of a kind within a time: rows of one party that lie in a window with enough different others."""

from __future__ import annotations

import numpy as np

from kg.algorithms.kernel import Ints, kernel


def crowded(party: Ints, other: Ints, at: Ints, *, window: int, least: int) -> Ints:
    """Mark the rows that lie in a window in which their party has rows with at least so many different others.

    Parameters
    ----------
    party, other, at : int64, shape (n,)
        Numbers from 0 up; microseconds, or any other measure of time.
    window
        The longest time between the first and the last row, included.

    Returns
    -------
    int64, shape (n,)
        1 for each such row.

    Examples
    --------
    >>> crowded(np.array([0, 0, 0, 1]), np.array([5, 6, 5, 5]), np.array([1, 3, 9, 3]), window=2, least=2).tolist()
    [1, 1, 0, 0]
    """
    order = np.lexsort((at, party))
    found = np.empty(len(party), np.int64)
    size = int(other.max(initial=-1)) + 1
    found[order] = _crowded((party[order], other[order], at[order]), window, least, np.zeros(size, np.int64))
    return found


@kernel
def _crowded(rows: tuple[Ints, Ints, Ints], window: int, least: int, count: Ints) -> Ints:
    party, other, at = rows
    found, begin, different, marked = np.zeros(len(party), np.int64), 0, 0, 0
    for row in range(len(party)):
        while begin < row and (party[begin] != party[row] or at[row] - at[begin] > window):
            count[other[begin]] -= 1
            different -= count[other[begin]] == 0
            begin += 1
        different += count[other[row]] == 0
        count[other[row]] += 1
        if different >= least:
            for k in range(max(begin, marked), row + 1):
                found[k] = 1
            marked = row + 1
    return found
