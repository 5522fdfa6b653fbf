"""The contract of tasks: what is to be foreseen of which units, and how far ahead."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import ibis.expr.types as ir

from gnn.family import Family
from gnn.metrics import Labels
from gnn.past import Archive
from gnn.snapshot import Snapshot
from kg.graph import Graph

#: From when on the bank knew of whom it befell.
Known = Mapping[str, date]


@dataclass(frozen=True)
class Units:
    """What a row of a task is, how rows are made of a day, and what came of them.

    Attributes
    ----------
    one, many
        What a unit is called.
    outcome
        What is said of those whom it befell.
    ahead
        Whether what is asked lies ahead of the day; else it is so on the day already, and nobody has said so.
    look
        Archive, day, families and a period (``train``, ``valid``, ``test``; None where nothing is to be learnt) in, the units of that day
        with their features out. Nothing that happened after the day is read, and nothing of what the period asks about.
    labels
        A snapshot that ``look`` made, whom it befell, and the horizon in days in; 1, 0, or -1 for units that are left out.
    """

    one: str
    many: str
    outcome: str
    ahead: bool
    look: Callable[[Archive, date, Sequence[Family], str | None], Snapshot]
    labels: Callable[[Snapshot, Known, int], Labels]


@dataclass(frozen=True)
class Task:
    """Something that scores tell of units.

    Attributes
    ----------
    horizon
        Days within which it comes, counted from the day of the snapshot.
    step
        Days between two snapshots.
    capacity
        How many units people can look into at a time.
    events
        Today's graph in, ``id`` and ``known_on`` out: whom it befell, and the day from which on the bank knew; ``happened_on`` besides
        where it is told when it was done. None where no source states any.
    first
        Families of columns that trees ask before all others, see `gnn.trees.Trees.staged`.
    """

    name: str
    about: str
    zh: str
    horizon: int
    step: int
    capacity: int
    events: Callable[[Graph], ir.Table | None]
    units: Units
    first: tuple[str, ...] = ()
