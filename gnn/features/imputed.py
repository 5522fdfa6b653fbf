"""Values that stand for missing ones: a table whose gaps were filled with one number gets its gaps back."""

from __future__ import annotations

import numpy as np

from gnn.encode import Floats

#: A number that more than this fraction of the rows share, in a column of many numbers, is a filled gap.
SHARED = 0.05
_MANY = 10


def gaps(values: Floats) -> Floats:
    """Return the columns with nan for the number that too many rows share, and behind them how many gaps each row has.

    Returns
    -------
    float64, shape (n, n_columns + 1)

    Examples
    --------
    >>> column = np.r_[np.arange(15.0), np.full(5, 7.25)][:, None]
    >>> int(np.isnan(gaps(column)[:, 0]).sum()), float(gaps(column)[-1, 1])
    (5, 1.0)
    """
    found = values.astype(float)
    for column in found.T:
        number, count = np.unique(column, return_counts=True)
        if len(number) > _MANY and count.max() > SHARED * len(column):
            column[column == number[count.argmax()]] = np.nan
    return np.column_stack([found, np.isnan(found).sum(axis=1)])
