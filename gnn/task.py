"""The contract of tasks: what is to be foreseen, and how far ahead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import ibis.expr.types as ir

from kg.graph import Graph


@dataclass(frozen=True)
class Task:
    """Something that scores foresee of companies.

    Attributes
    ----------
    horizon
        Days within which it comes, counted from the day of the snapshot.
    step
        Days between two snapshots.
    capacity
        How many companies people can look into at a time.
    events
        Today's graph in, ``id`` and ``known_on`` out: whom it befell, and the day from which on the bank knew. None where no source
        states any.
    """

    name: str
    about: str
    zh: str
    horizon: int
    step: int
    capacity: int
    events: Callable[[Graph], ir.Table | None]
