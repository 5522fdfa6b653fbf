"""The contract of a family of features of companies: some columns, and the table step that makes them of a graph as of its day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import ibis.expr.types as ir

from kg.graph import Graph

NOTHING = float("nan")


@dataclass(frozen=True)
class Column:
    """One feature.

    Attributes
    ----------
    about, zh
        What it means, in English and in Chinese: both are read by people to whom a score is explained.
    none
        What a company has that the table step does not name: 0 of what is counted, nan where there is nothing to speak of.
    told
        Whether neighbours hear of it.
    """

    name: str
    about: str
    zh: str
    unit: str
    none: float = 0.0
    told: bool = False


@dataclass(frozen=True)
class Family:
    """A family of features.

    Attributes
    ----------
    make
        A graph in, ``id`` of companies and the columns out, each company once at most. It reads nothing that happened after the day of
        the graph, and no label: of other companies that they are cases only where it was known by that day.
    """

    name: str
    zh: str
    about: str
    columns: tuple[Column, ...]
    make: Callable[[Graph], ir.Table]
