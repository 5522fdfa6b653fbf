"""Who shares an attribute with whom: pairs under a cap, weighted by how many share; joins and sums by sorted keys.

Hides that a hub costs nothing: who shares is counted before any pair is made.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg.algorithms.csr import Csr, group_rows
from kg.algorithms.kernel import Ints, kernel
from kg.errors import UsageError

Floats = NDArray[np.float64]


class Shares(NamedTuple):
    """Pairs of parties that share an attribute, and the attributes that too many share.

    Attributes
    ----------
    a, b : int64, shape (n_pairs,)
        ``a < b``.
    attribute, degree : int64, shape (n_pairs,)
        What they share, and how many houses share it.
    hub, hub_degree : int64, shape (n_hubs,)
        Attributes above the cap, of which no pair was made.
    """

    a: Ints
    b: Ints
    attribute: Ints
    degree: Ints
    hub: Ints
    hub_degree: Ints


def distinct(values: Ints) -> Ints:
    """Return the distinct values in their order; by sorting, which beats numpy's hashing on millions of them.

    >>> distinct(np.array([3, 1, 3])).tolist()
    [1, 3]
    """
    values = np.sort(values)
    new = np.ones(values.size, np.bool_)
    new[1:] = values[1:] != values[:-1]
    found: Ints = values[new]
    return found


def unique_pairs(one: Ints, other: Ints) -> tuple[Ints, Ints]:
    """Return the distinct pairs of two columns, in their order.

    >>> [column.tolist() for column in unique_pairs(np.array([2, 1, 2]), np.array([0, 5, 0]))]
    [[1, 2], [5, 0]]
    """
    width = int(other.max()) + 1 if other.size else 1
    key = distinct(one * width + other)
    return key // width, key % width


def joined(left: Ints, right: Ints) -> tuple[Ints, Ints]:
    """Return the rows of two columns that hold the same value, each with each.

    >>> [rows.tolist() for rows in joined(np.array([7, 8]), np.array([8, 7, 8]))]
    [[0, 1, 1], [1, 0, 2]]
    """
    order = np.argsort(right, kind="stable")
    values = right[order]
    begin, end = np.searchsorted(values, left), np.searchsorted(values, left, side="right")
    count = end - begin
    row = np.repeat(np.arange(left.size), count)
    within = np.arange(row.size) - np.repeat(np.cumsum(count) - count, count)
    return row, order[begin[row] + within]


def among(keys: Ints, known: Ints) -> NDArray[np.bool_]:
    """Tell which keys stand in a sorted column.

    >>> among(np.array([1, 4]), np.array([2, 4])).tolist()
    [False, True]
    """
    if not known.size:
        return np.zeros(keys.size, np.bool_)
    place = np.minimum(np.searchsorted(known, keys), known.size - 1)
    found: NDArray[np.bool_] = known[place] == keys
    return found


def weight(degree: Ints | Floats) -> Floats:
    """Return 1 / log(1 + degree), at most 1: what it says that two share what so many share.

    >>> weight(np.array([1, 2, 20])).round(3).tolist()
    [1.0, 0.91, 0.328]
    """
    found: Floats = np.minimum(1.0 / np.log1p(np.maximum(degree, 1)), 1.0)
    return found


def shared(attribute: Ints, party: Ints, house: Ints, *, cap: int) -> Shares:
    """Pair the parties of different houses that share an attribute.

    Parameters
    ----------
    attribute, party : int64, shape (n_rows,)
        Which party has what; rows may repeat.
    house : int64, shape (n_parties,)
        Parties of one house share by right: no pair is made of them, and together they count once.
    cap
        The most houses that may share an attribute, at least 2; above it no pair is made at all.

    Raises
    ------
    UsageError
        If the cap is below 2.

    References
    ----------
    .. [1] Adamic & Adar, Friends and neighbors on the Web, 2003 (the weight).

    Examples
    --------
    >>> found = shared(np.array([9, 9, 9, 5, 5]), np.array([0, 1, 2, 0, 3]), np.arange(4), cap=2)
    >>> found.a.tolist(), found.b.tolist(), found.hub.tolist(), found.hub_degree.tolist()
    ([0], [3], [9], [3])
    """
    if cap < 2:
        raise UsageError(f"a cap of {cap} lets nobody share; give 2 or more")
    attribute, party = unique_pairs(attribute, party)
    of, _ = unique_pairs(attribute, house[party])
    known, degree = np.unique(of, return_counts=True)
    hub = degree > cap
    place = np.searchsorted(known, attribute)
    kept = (degree[place] > 1) & ~hub[place]
    groups = group_rows(place[kept], known.size)
    a, b, what = _pairs(groups, party[kept], house)
    return Shares(np.minimum(a, b), np.maximum(a, b), known[what], degree[what].astype(np.int64), known[hub], degree[hub].astype(np.int64))


@kernel
def _pairs(groups: Csr, party: Ints, house: Ints) -> tuple[Ints, Ints, Ints]:
    """Return each pair of a group's parties of different houses, and the group."""
    count = 0
    for turn in range(2):
        if turn == 1:
            a, b, what = np.empty(count, np.int64), np.empty(count, np.int64), np.empty(count, np.int64)
            count = 0
        for group in range(len(groups.start) - 1):
            for i in range(groups.start[group], groups.start[group + 1]):
                for j in range(i + 1, groups.start[group + 1]):
                    one, other = party[groups.items[i]], party[groups.items[j]]
                    if house[one] != house[other]:
                        if turn == 1:
                            a[count], b[count], what[count] = one, other, group
                        count += 1
    return a, b, what


class Sums(NamedTuple):
    """Sums of rows by pair, in the order of (src, dst).

    Attributes
    ----------
    src, dst, total, rows, least, most : int64, shape (n_pairs,)
        ``least`` and ``most`` of one row's amount.
    """

    src: Ints
    dst: Ints
    total: Ints
    rows: Ints
    least: Ints
    most: Ints

    def take(self, kept: NDArray[np.bool_] | Ints) -> Sums:
        """Return some of the pairs."""
        return Sums(*(column[kept] for column in self))


def pair_sums(src: Ints, dst: Ints, amount: Ints, n: int) -> Sums:
    """Sum rows by their two ends; rows from a party to itself are left out.

    >>> found = pair_sums(np.array([1, 0, 1, 2]), np.array([0, 1, 0, 2]), np.array([5, 7, 1, 9]), 3)
    >>> found.src.tolist(), found.total.tolist(), found.rows.tolist(), found.least.tolist()
    ([0, 1], [7, 6], [1, 2], [7, 1])
    """
    kept = src != dst
    key = (src * n + dst)[kept]
    order = np.argsort(key, kind="stable")
    key, amount = key[order], amount[kept][order]
    first = np.flatnonzero(np.diff(key, prepend=-1))
    if not first.size:
        return Sums(*(np.empty(0, np.int64) for _ in range(6)))
    rows = np.diff(np.append(first, key.size))
    reduced = (np.add.reduceat(amount, first), rows, np.minimum.reduceat(amount, first), np.maximum.reduceat(amount, first))
    return Sums(key[first] // n, key[first] % n, *reduced)
