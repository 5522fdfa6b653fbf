"""What stands around each node: means and extremes over neighbours, by compiled loops over CSR arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gnn.encode import Floats
from kg.algorithms.csr import Csr
from kg.algorithms.kernel import Ints, kernel


class Gathered(NamedTuple):
    """What the neighbours of each scored node come to, column by column.

    Attributes
    ----------
    mean, largest : float64, shape (n, n_columns)
        Over the neighbours that have a value; nan where none has.
    walks : int64, shape (n,)
        That ended at a node with attributes or without.
    """

    mean: Floats
    largest: Floats
    walks: Ints


def gather(csr: Csr, values: Floats, hops: int = 1, hub: int = 1000) -> Gathered:
    """Gather attributes over the walks of one or two steps that begin at each node and do not come back to it.

    Parameters
    ----------
    csr : over n_nodes
    values : float64, shape (n, n_columns)
        Of the first ``n`` nodes; the others have none.
    hops : 1 or 2
    hub : int
        A node with more neighbours is not walked through: what half the country shares tells nothing.

    Examples
    --------
    >>> path = Csr(np.array([0, 1, 3, 4]), np.array([1, 0, 2, 1]))
    >>> gather(path, np.array([[1.0], [2.0], [5.0]])).mean.ravel().tolist()
    [2.0, 3.0, 2.0]
    >>> gather(path, np.array([[1.0], [2.0], [5.0]]), hops=2).mean.ravel().tolist()
    [5.0, nan, 1.0]
    """
    values = np.ascontiguousarray(values, dtype=np.float64)
    total, known, largest, count = _gather(csr.start, csr.items, values, hops, hub)
    with np.errstate(invalid="ignore"):
        mean = total / np.where(known > 0, known, np.nan)
    return Gathered(mean, np.where(known > 0, largest, np.nan), count)


@kernel
def _gather(start: Ints, items: Ints, values: Floats, hops: int, hub: int) -> tuple[Floats, Ints, Floats, Ints]:
    n, width = values.shape
    total, largest = np.zeros((n, width)), np.full((n, width), -np.inf)
    known, count = np.zeros((n, width), np.int64), np.zeros(n, np.int64)
    for node in range(n):
        for step in range(start[node], start[node + 1]):
            near = items[step]
            if hops == 1:
                count[node] += 1
                if near < n:
                    _take(values[near], total[node], known[node], largest[node])
            elif start[near + 1] - start[near] <= hub:
                for further in range(start[near], start[near + 1]):
                    far = items[further]
                    if far != node:
                        count[node] += 1
                        if far < n:
                            _take(values[far], total[node], known[node], largest[node])
    return total, known, largest, count


@kernel
def _take(row: Floats, total: Floats, known: Ints, largest: Floats) -> None:
    for column in range(len(row)):
        value = row[column]
        if not np.isnan(value):
            total[column] += value
            known[column] += 1
            largest[column] = max(largest[column], value)
