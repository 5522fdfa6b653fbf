"""The common table of contributions: what each column adds to each company's score, from which all reasons are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gnn.encode import Floats
from gnn.registry import Registered
from gnn.snapshot import Named, Snapshot
from kg.algorithms.kernel import Ints


@dataclass(frozen=True)
class Contributions:
    """What columns add to log-odds (TreeSHAP of trees, integrated gradients of a network, see `gnn.weights.Weights.contributions`).

    Attributes
    ----------
    places : int64, shape (n,)
        Places of the companies in their snapshot.
    values, adds : float64, shape (n, n_columns)
    typical : float64, shape (n_columns,)
        The middle of all companies' values, nan where nobody has one.
    base
        What all scores begin with.
    """

    places: Ints
    columns: tuple[Named, ...]
    values: Floats
    adds: Floats
    typical: Floats
    base: float

    @classmethod
    def of(cls, model: Registered, seen: Snapshot, places: Ints) -> Contributions:
        """Return the contributions to the scores of some companies of a snapshot."""
        values = model.values(seen)
        found = model.weights.contributions(values[places])
        columns = model.columns(seen.columns)
        return cls(places, columns, values[places], found[:, :-1], middles(values), float(found[0, -1]) if len(places) else 0.0)

    def families(self) -> tuple[tuple[str, ...], Floats]:
        """Return the families of columns, and what each adds: float64, shape (n, n_families)."""
        names = [column.family for column in self.columns]
        known = tuple(dict.fromkeys(names))
        return known, summed(self.adds, names, known)


def summed(adds: Floats, names: Sequence[str], known: Sequence[str]) -> Floats:
    """Return the sums of columns of one name.

    >>> summed(np.array([[1.0, 2.0, 4.0]]), ["a", "b", "a"], ["a", "b"]).tolist()
    [[5.0, 2.0]]
    """
    member = np.array(names)[:, None] == np.array(known)[None, :]
    return np.asarray(adds @ member)


def middles(values: Floats) -> Floats:
    """Return the median of the known values of each column, nan where none is known.

    >>> middles(np.array([[1.0, np.nan], [3.0, np.nan], [5.0, np.nan]])).tolist()
    [3.0, nan]
    """
    some = ~np.isnan(values).all(axis=0)
    found = np.full(values.shape[1], np.nan)
    found[some] = np.nanmedian(values[:, some], axis=0)
    return found
