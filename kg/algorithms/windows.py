"""Rows of one party within a time: those in a window with enough different others, after a long silence, or one after the other."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kg.algorithms.kernel import Ints, kernel


def crowded(party: Ints, other: Ints, at: Ints, *, window: int, least: int | Ints) -> Ints:
    """Mark the rows that lie in a window in which their party has rows with at least so many different others.

    Parameters
    ----------
    party, other, at : int64, shape (n,)
        Numbers from 0 up; microseconds, or any other measure of time.
    window
        The longest time between the first and the last row, included.
    least
        One number for all, or one for each row, the same for all rows of a party.

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
    enough = np.broadcast_to(np.asarray(least, np.int64), len(party))[order]
    found[order] = _crowded((party[order], other[order], at[order]), window, enough, np.zeros(size, np.int64))
    return found


@kernel
def _crowded(rows: tuple[Ints, Ints, Ints], window: int, least: Ints, count: Ints) -> Ints:
    party, other, at = rows
    found, begin, different, marked = np.zeros(len(party), np.int64), 0, 0, 0
    for row in range(len(party)):
        while begin < row and (party[begin] != party[row] or at[row] - at[begin] > window):
            count[other[begin]] -= 1
            different -= count[other[begin]] == 0
            begin += 1
        different += count[other[row]] == 0
        count[other[row]] += 1
        if different >= least[row]:
            for k in range(max(begin, marked), row + 1):
                found[k] = 1
            marked = row + 1
    return found


@kernel
def apart(party: Ints, first: Ints, last: Ints) -> Ints:
    """Mark spans of each party of which none begins before another has ended: as many as there can be.

    Parameters
    ----------
    party, first, last : int64, shape (n,)
        In the order of party and end.

    Returns
    -------
    int64, shape (n,)
        1 for each span that is chosen; those that end first are chosen first, which leaves most room for others.

    Examples
    --------
    >>> apart(np.zeros(4, np.int64), np.array([0, 1, 3, 6]), np.array([2, 4, 5, 7])).tolist()
    [1, 0, 1, 1]
    """
    chosen = np.zeros(len(party), np.int64)
    ended = np.int64(0)
    for row in range(len(party)):
        if row == 0 or party[row] != party[row - 1] or first[row] > ended:
            chosen[row] = 1
            ended = last[row]
    return chosen


class Gap(NamedTuple):
    """A silence of at least so long, and the time after it in which at least so many rows sum up to at least so much."""

    silence: int
    after: int
    rows: int
    total: int


@kernel
def after_gaps(party: Ints, at: Ints, amount: Ints, gap: Gap) -> Ints:
    """Mark the rows of parties that were silent and then were not.

    Parameters
    ----------
    party, at, amount : int64, shape (n,)
        In the order of party and time.

    Returns
    -------
    int64, shape (n,)
        1 for each row that begins a time after a silence, or lies in it, where there is enough.

    Examples
    --------
    >>> after_gaps(np.zeros(4, np.int64), np.array([0, 10, 11, 30]), np.array([5, 5, 5, 5]), Gap(9, 3, 2, 10)).tolist()
    [0, 1, 1, 0]
    """
    found = np.zeros(len(party), np.int64)
    for first in range(1, len(party)):
        if party[first] != party[first - 1] or at[first] - at[first - 1] < gap.silence:
            continue
        end, total = first, 0
        while end < len(party) and party[end] == party[first] and at[end] - at[first] <= gap.after:
            total += amount[end]
            end += 1
        if end - first >= gap.rows and total >= gap.total:
            found[first:end] = 1
    return found
