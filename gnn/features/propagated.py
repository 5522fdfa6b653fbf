"""What the neighbours by each relation come to, one and two steps away."""

from __future__ import annotations

import numpy as np

from gnn.encode import TaskGraph, adjacency
from gnn.feature import Block, Feature
from gnn.propagate import gather


def make(graph: TaskGraph) -> Block:
    """Gather the means of the told columns for each relation; units are those of the columns."""
    told = [graph.columns.index(name) for name in graph.told]
    names: list[str] = []
    values = [np.empty((len(graph.ids), 0))]
    for each in graph.relations:
        csr = adjacency((each,), graph.n_nodes)
        for hops in (1, 2):
            values.append(gather(csr, graph.values[:, told], hops).mean)
            names += [f"{each.name}.{hops}.mean.{name}" for name in graph.told]
    return Block(tuple(names), np.column_stack(values))


FEATURE = Feature("propagated", "means over neighbours by each relation, 1 and 2 steps away (units of the columns)", make)
