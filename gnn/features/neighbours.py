"""What the neighbours over all relations together come to: means and greatest values, one and two steps away."""

from __future__ import annotations

import numpy as np

from gnn.encode import TaskGraph, adjacency
from gnn.feature import Block, Feature
from gnn.propagate import gather


def make(graph: TaskGraph) -> Block:
    """Gather the told columns over neighbours one and two steps away; units are those of the columns."""
    told = [graph.columns.index(name) for name in graph.told]
    csr = adjacency(graph.relations, graph.n_nodes)
    names: list[str] = []
    values = []
    for hops in (1, 2):
        found = gather(csr, graph.values[:, told], hops)
        values += [found.mean, found.largest]
        names += [f"around.{hops}.{kind}.{name}" for kind in ("mean", "largest") for name in graph.told]
    return Block(tuple(names), np.column_stack(values))


FEATURE = Feature(
    "neighbours", "means and greatest values over neighbours by any relation, 1 and 2 steps away (units of the columns)", make
)
