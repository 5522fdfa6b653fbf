"""How many edges of each kind a row has, what they weigh, and how far its surroundings reach."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from gnn.encode import Relation, TaskGraph, adjacency
from gnn.feature import Block, Feature
from gnn.propagate import gather


def make(graph: TaskGraph) -> Block:
    """Count edges by relation and direction, neighbours, walks of two steps, and the nodes of the connected component."""
    names: list[str] = []
    columns: list[np.ndarray[tuple[int], np.dtype[np.float64]]] = []
    n = len(graph.ids)
    for each in graph.relations:
        for way, ends in (("out", each.source), ("in", each.target)):
            names += [f"{each.name}.{way}", f"{each.name}.{way}.weight"]
            columns += [np.bincount(ends, minlength=graph.n_nodes)[:n].astype(float), _mean_weight(each, ends, graph.n_nodes)[:n]]
    csr = adjacency(graph.relations, graph.n_nodes)
    degree = np.diff(csr.start).astype(float)
    matrix = csr_array((np.ones(len(csr.items)), csr.items, csr.start), shape=(graph.n_nodes, graph.n_nodes))
    _, part = connected_components(matrix, directed=False)
    near = gather(csr, degree[:, None])
    columns += [degree[:n], gather(csr, graph.values[:, :1], hops=2).walks.astype(float), np.bincount(part)[part][:n].astype(float)]
    columns += [near.mean[:n, 0], near.largest[:n, 0]]
    names += ["neighbours", "walks.2", "component", "neighbours.degree.mean", "neighbours.degree.largest"]
    return Block(tuple(names), np.column_stack(columns))


def _mean_weight(
    relation: Relation, ends: np.ndarray[tuple[int], np.dtype[np.int64]], n_nodes: int
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    count = np.bincount(ends, minlength=n_nodes)
    total = np.bincount(ends, weights=relation.weight, minlength=n_nodes)
    mean: np.ndarray[tuple[int], np.dtype[np.float64]] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return mean


FEATURE = Feature("degrees", "edges by relation and direction, their mean weight, neighbours, component (counts)", make)
