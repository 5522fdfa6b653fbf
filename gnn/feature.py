"""The contract of features, and the tables that models read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gnn.encode import Floats, TaskGraph


@dataclass(frozen=True)
class Block:
    """Some columns for the scored rows.

    Attributes
    ----------
    names : one for each column
    values : float64, shape (n, n_columns)
        nan where missing.
    """

    names: tuple[str, ...]
    values: Floats


@dataclass(frozen=True)
class Feature:
    """A family of features of the graph around a row.

    Attributes
    ----------
    about
        What the columns mean, with their unit.
    """

    name: str
    about: str
    make: Callable[[TaskGraph], Block]


@dataclass(frozen=True)
class Inputs:
    """What a model may read of a task.

    Attributes
    ----------
    own : float64, shape (n, n_own)
        Attributes of the row itself.
    around : float64, shape (n, n_own + n_around)
        The same, and what the graph around it comes to.
    """

    graph: TaskGraph
    own: Floats
    around: Floats
    columns: tuple[str, ...]


def prepare(graph: TaskGraph, features: tuple[Feature, ...]) -> Inputs:
    """Make the tables of a graph; columns that say the same of every row are left out."""
    blocks = [feature.make(graph) for feature in features] if graph.relations else []
    values = np.column_stack([graph.values, *(block.values for block in blocks)])
    names = (*graph.columns, *(name for block in blocks for name in block.names))
    kept = [place for place, column in enumerate(values.T) if place < len(graph.columns) or _differs(column)]
    return Inputs(graph, graph.values, values[:, kept], tuple(names[place] for place in kept))


def _differs(column: Floats) -> bool:
    known = column[~np.isnan(column)]
    return bool(known.size and (known.size < column.size or known.min() < known.max()))
