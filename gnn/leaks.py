"""Checks for leaks: columns that copy the label, that name the company, or that know what happened afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gnn.encode import Floats
from gnn.family import Family
from gnn.metrics import Labels, auc
from gnn.past import Archive
from gnn.snapshot import Named, Snapshot
from gnn.task import Units
from kg.algorithms.interning import Interner

#: A single column that ranks as well as this, in training and afterwards, is no finding but the answer.
_COPY = 0.99
#: A column with so large a part of different values that never change names who it is of.
_NAMES = 0.995


@dataclass(frozen=True)
class Leak:
    """A column that must not be there, and what gives it away."""

    column: str
    said: str


def copies(values: Floats, label: Labels, later: Floats, later_label: Labels, columns: Sequence[Named]) -> list[Leak]:
    """Find columns that tell the label by themselves, in training rows and in later ones."""
    found = []
    for place, column in enumerate(columns):
        worth = min(_alone(values[:, place], label), _alone(later[:, place], later_label))
        if worth >= _COPY:
            found.append(Leak(column.name, f"copies the label: alone it ranks with an AUC of {worth:.3f} in training and afterwards"))
    return found


def _alone(column: Floats, label: Labels) -> float:
    """Return the AUC of a column either way round, a missing value being the lowest or the highest."""
    known = column[~np.isnan(column)]
    if not known.size or (known.size == column.size and known.min() == known.max()):
        return 0.5
    ends = (known.min() - 1, known.max() + 1)
    found = [auc(label, np.where(np.isnan(column), end, column)) for end in ends]
    return max(max(worth, 1 - worth) for worth in found)


def identities(early: Snapshot, late: Snapshot) -> list[Leak]:
    """Find columns that say of each company the same on two days, and of each another thing: they name it, and are learnt by heart."""
    place = Interner(early.ids).codes(late.ids)
    both = np.flatnonzero(place >= 0)
    if len(both) < 2:
        return []
    before, after = early.values[place[both]], late.values[both]
    found = []
    for number, column in enumerate(late.columns[: late.n_own]):
        one = before[:, number]
        if np.array_equal(one, after[:, number], equal_nan=True) and len(np.unique(one)) >= _NAMES * len(one):
            found.append(Leak(column.name, "names the company: it never changes and hardly two companies have the same"))
    return found


def futures(archive: Archive, of: Snapshot, units: Units, families: Sequence[Family]) -> list[Leak]:
    """Find columns that come to something else where all that happened after the day of a snapshot is taken away."""
    honest = units.look(archive.ending(of.day), of.day, families, "train")
    place = Interner(honest.ids).codes(of.ids)
    same = np.where(place >= 0, place, 0)
    if not len(honest.ids):
        return [Leak("all columns", f"the {units.many} themselves are known only from what happened afterwards")]
    near = honest.values[same]
    differs = ~np.isclose(of.values, near, rtol=1e-6, equal_nan=True) | (place < 0)[:, None]
    rows = differs.sum(axis=0)
    return [
        Leak(column.name, f"knows the future: without what happened after {of.day} it is another for {int(count)} {units.many}")
        for column, count in zip(of.columns, rows, strict=True)
        if count
    ]
