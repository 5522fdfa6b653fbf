"""Companies unlike all that a model learnt from: their scores say nothing, and they get no probability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gnn.encode import Bools, Floats
from kg.algorithms.kernel import Ints

#: The part of later rows that may lie as far outside as whoever gets no probability.
_STRANGE = 0.005
#: Ends of a column's usual range, as parts of the rows learnt from.
_LOW, _HIGH = 0.001, 0.999


@dataclass(frozen=True)
class Range:
    """Where the rows lie that a model learnt from.

    Attributes
    ----------
    columns : int64, shape (k,)
        The columns that the model reads at all.
    low, high : float64, shape (k,)
        Ends of the usual range of each; nan where all rows lacked it.
    limit
        How many columns may lie outside at once.
    """

    columns: Ints
    low: Floats
    high: Floats
    limit: int

    @classmethod
    def of(cls, values: Floats, columns: Ints, later: Floats) -> Range:
        """Return the range of the rows that a model learnt from.

        Parameters
        ----------
        values : float64, shape (n, n_columns)
        columns : int64, shape (k,)
            The columns that the model reads.
        later : float64, shape (m, n_columns)
            Rows of later days, by which it is told how far rows lie outside for no other reason than that time went on.
        """
        low, high = (np.full(len(columns), np.nan) for _ in range(2))
        some = ~np.isnan(values[:, columns]).all(axis=0)
        low[some], high[some] = np.nanquantile(values[:, columns[some]], [_LOW, _HIGH], axis=0)
        found = cls(columns, low, high, len(columns))
        usual = np.quantile(found.beyond(later).sum(axis=1), 1 - _STRANGE, method="higher") if len(later) else len(columns)
        return cls(columns, low, high, int(usual))

    def beyond(self, values: Floats) -> Bools:
        """Return which of the columns lie outside their usual range, shape (n, k); a missing value lies nowhere."""
        mine = values[:, self.columns]
        found: Bools = (mine < self.low) | (mine > self.high) | (~np.isnan(mine) & np.isnan(self.low))
        return found

    def outside(self, values: Floats) -> Bools:
        """Return which rows lie outside in more columns than hardly any later row did, shape (n,)."""
        found: Bools = self.beyond(values).sum(axis=1) > self.limit
        return found

    def told(self) -> dict[str, Any]:
        """Return the range as plain values; a bound that is not there is None."""
        ends = {name: [None if np.isnan(each) else float(each) for each in getattr(self, name)] for name in ("low", "high")}
        return {"columns": self.columns.tolist(), **ends, "limit": self.limit}

    @classmethod
    def read(cls, told: dict[str, Any]) -> Range:
        """Return the range of plain values.

        >>> one = Range(np.array([1]), np.array([0.0]), np.array([np.nan]), 2)
        >>> Range.read(one.told()).told() == one.told()
        True
        """
        low, high = (np.array([np.nan if each is None else each for each in told[name]], float) for name in ("low", "high"))
        return cls(np.array(told["columns"], np.int64), low, high, int(told["limit"]))
