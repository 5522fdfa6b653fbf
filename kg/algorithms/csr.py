"""Adjacency as two arrays (compressed sparse rows): where a node's rows begin, and which rows they are."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from kg.algorithms.kernel import Ints, kernel
from kg.errors import KgfraudError


class Csr(NamedTuple):
    """``items[start[k]:start[k + 1]]`` belong to key ``k``; a named tuple, since compiled code takes those.

    Attributes
    ----------
    start : int64, shape (n_keys + 1,)
    items : int64, shape (n_items,)
    """

    start: Ints
    items: Ints


def group_rows(keys: Ints, n_keys: int) -> Csr:
    """Group row numbers by key in one counting pass; the order of rows inside a key stays.

    The items are the numbers of the rows.

    Parameters
    ----------
    keys : int64, shape (n_rows,)
        Each in ``[0, n_keys)``.

    Raises
    ------
    KgfraudError
        If a key is outside that range.

    Examples
    --------
    >>> csr = group_rows(np.array([1, 0, 1]), 3)
    >>> csr.start.tolist(), csr.items.tolist()
    ([0, 1, 3, 3], [1, 0, 2])
    """
    if len(keys) and (keys.min() < 0 or keys.max() >= n_keys):
        raise KgfraudError(f"keys to be grouped must lie in [0, {n_keys}), found {keys.min()} to {keys.max()}; intern the ids first")
    start = np.zeros(n_keys + 1, dtype=np.int64)
    np.cumsum(np.bincount(keys, minlength=n_keys), out=start[1:])
    return Csr(start, _place(keys, start))


def items_of(csr: Csr, keys: Ints) -> tuple[Ints, Ints]:
    """Return the items of some keys, one key after another, each with the place of its key among these.

    Examples
    --------
    >>> place, item = items_of(Csr(np.array([0, 2, 2, 3]), np.array([5, 6, 7])), np.array([2, 0, 2]))
    >>> place.tolist(), item.tolist()
    ([0, 1, 1, 2], [7, 5, 6, 7])
    """
    begin, times = csr.start[keys], csr.start[keys + 1] - csr.start[keys]
    row = np.repeat(begin - np.cumsum(times) + times, times) + np.arange(int(times.sum()))
    return np.repeat(np.arange(keys.size), times), csr.items[row]


@kernel
def _place(keys: Ints, start: Ints) -> Ints:
    free = start[:-1].copy()
    rows = np.empty(len(keys), dtype=np.int64)
    for row in range(len(keys)):
        key = keys[row]
        rows[free[key]] = row
        free[key] += 1
    return rows


def values_at(matrix: csr_array, rows: Ints, columns: Ints) -> NDArray[Any]:
    """Return the entries of a sparse matrix at some places.

    >>> values_at(csr_array(np.eye(2)), np.array([0, 1]), np.array([0, 0])).tolist()
    [1.0, 0.0]
    >>> values_at(csr_array((2, 2)), np.array([], np.int64), np.array([], np.int64)).tolist()
    []
    """
    # asked for nothing, scipy gives a sparse array back
    found: NDArray[Any] = np.asarray(matrix[rows, columns]).ravel() if rows.size else np.empty(0, matrix.dtype)
    return found
