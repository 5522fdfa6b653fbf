"""Folds of cross-validation: each has its part of both classes, and rows that are alike stay together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gnn.encode import Floats
from kg.algorithms.kernel import Ints
from kg.errors import GateError


def alike(values: Floats) -> Ints:
    """Return a group number for each row; rows with the same values share one.

    >>> alike(np.array([[1.0, np.nan], [2.0, 0.0], [1.0, np.nan]])).tolist()
    [0, 1, 0]
    """
    _, group = np.unique(np.nan_to_num(values, nan=-np.pi), axis=0, return_inverse=True)
    found: Ints = group.ravel().astype(np.int64)
    return found


def folds(label: NDArray[np.int8], group: Ints, count: int, dice: np.random.Generator) -> Ints:
    """Deal rows into folds, class by class and whole groups at a time.

    Parameters
    ----------
    label : int8, shape (n,)
        0 or 1.
    group : int64, shape (n,)
        Rows of one group lie in one fold (two companies with the same figures, the members of one ring).

    Returns
    -------
    int64, shape (n,)
        In ``[0, count)``.

    Raises
    ------
    GateError
        If a class has fewer groups than there are folds.

    Examples
    --------
    >>> folds(np.array([0, 1, 0, 1], np.int8), np.arange(4), 2, np.random.default_rng(1)).tolist()
    [0, 0, 1, 1]
    """
    names, first = np.unique(group, return_index=True)
    # a group with any guilty member is dealt with the guilty
    guilty = np.zeros(len(names), bool)
    place = np.searchsorted(names, group)
    np.logical_or.at(guilty, place, label == 1)
    fold = np.empty(len(names), np.int64)
    for kind in (False, True):
        rows = np.flatnonzero(guilty == kind)
        if len(rows) < count:
            raise GateError(f"{len(rows)} rows of label {int(kind)} cannot be dealt into {count} folds; give more labelled rows")
        rows = rows[np.argsort(first[rows])]
        fold[dice.permutation(rows)] = np.arange(len(rows)) % count
    dealt: Ints = fold[place]
    return dealt
