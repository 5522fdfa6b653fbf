"""Columns as quantiles of what was trained on: heavy tails and units disappear."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from gnn.encode import Bools, Floats
from kg.algorithms.kernel import Ints

#: Where a missing value stands: below all that is known.
MISSING = -0.2


@dataclass(frozen=True)
class Quantiles:
    """The sorted values of each column in the rows that were trained on, without the missing ones.

    Attributes
    ----------
    lacks : bool, shape (n_columns,)
        Which columns lacked some of these rows' values, and not all.
    """

    known: tuple[Floats, ...]
    lacks: Bools

    @classmethod
    def of(cls, values: Floats, rows: Ints) -> Quantiles:
        """Read the columns in some rows."""
        learnt = values[rows]
        missing = np.isnan(learnt)
        some: Bools = np.any(missing, axis=0) & ~np.all(missing, axis=0)
        return cls(tuple(np.sort(column[~np.isnan(column)]) for column in learnt.T), some)

    def ranks(self, values: Floats) -> Floats:
        """Return where each value stands among those trained on, in [0, 1], ties in their middle; nan stays.

        >>> Quantiles.of(np.array([[1.0], [2.0], [2.0], [9.0]]), np.arange(4)).ranks(np.array([[2.0], [0.0], [np.nan]])).ravel().tolist()
        [0.5, 0.0, nan]
        """
        found = np.empty(values.shape)
        for place in range(len(self.known)):
            found[:, place] = self._ranked(place, values[:, place])
        return found

    def filled(self, values: Floats) -> Floats:
        """Return the ranks with missing values below all others, for trees that know no missing value."""
        return np.nan_to_num(self.ranks(values), nan=MISSING)

    def normal(self, values: Floats) -> NDArray[np.float32]:
        """Return the ranks as normal scores; beside each column that lacked values in training stands one that says where one is missing.

        Missing values become 0, the middle. The columns are the same for whatever rows are given, and are made one by one: a million rows
        of some hundred columns are wanted once, and not several times.
        """
        width, marks = len(self.known), np.flatnonzero(self.lacks)
        found = np.empty((len(values), width + len(marks)), np.float32)
        edge = 0.5 / max(2, max((len(known) for known in self.known), default=2))
        for place in range(width):
            ranks = self._ranked(place, values[:, place])
            found[:, place] = np.nan_to_num(ndtri(np.clip(ranks, edge, 1 - edge)))
            if self.lacks[place]:
                found[:, width + np.searchsorted(marks, place)] = np.isnan(ranks)
        return found

    def _ranked(self, place: int, column: Floats) -> Floats:
        known = self.known[place]
        if not len(known):
            return np.full(len(column), np.nan)
        middle = (np.searchsorted(known, column, "left") + np.searchsorted(known, column, "right")) / (2 * len(known))
        return np.where(np.isnan(column), np.nan, middle)
