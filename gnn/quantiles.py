"""Columns as quantiles of what was trained on: heavy tails and units disappear."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
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
        found = np.full(values.shape, np.nan)
        for place, known in enumerate(self.known):
            column = values[:, place]
            if len(known):
                middle = (np.searchsorted(known, column, "left") + np.searchsorted(known, column, "right")) / (2 * len(known))
                found[:, place] = np.where(np.isnan(column), np.nan, middle)
        return found

    def filled(self, values: Floats) -> Floats:
        """Return the ranks with missing values below all others, for trees that know no missing value."""
        return np.nan_to_num(self.ranks(values), nan=MISSING)

    def normal(self, values: Floats) -> Floats:
        """Return the ranks as normal scores; beside each column that lacked values in training stands one that says where one is missing.

        Missing values become 0, the middle. The columns are the same for whatever rows are given.
        """
        ranks = self.ranks(values)
        lacking = np.isnan(ranks)
        edge = 0.5 / max(2, max((len(known) for known in self.known), default=2))
        scores = np.nan_to_num(ndtri(np.clip(ranks, edge, 1 - edge)))
        return np.column_stack([scores, lacking[:, self.lacks].astype(float)])
