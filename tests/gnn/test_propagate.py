"""What stands around nodes, held against dense matrices and networkx."""

from __future__ import annotations

import networkx
import numpy as np
import pytest

from gnn.encode import Relation, adjacency
from gnn.features.degrees import make
from gnn.propagate import gather

from .world import small_graph


def world(seed, count=14, scored=10):
    dice = np.random.default_rng(seed)
    edges = Relation("knows", *dice.integers(0, count, (2, 25)), np.ones(25))
    values = dice.normal(size=(scored, 3))
    values[dice.random(values.shape) < 0.2] = np.nan
    csr = adjacency((edges,), count)
    dense = np.zeros((count, count), int)
    dense[np.repeat(np.arange(count), np.diff(csr.start)), csr.items] = 1
    return csr, values, dense


def by_hand(walks, values):
    n, width = values.shape
    mean, largest = np.full((n, width), np.nan), np.full((n, width), np.nan)
    for node in range(n):
        for column in range(width):
            seen = [values[other, column] for other in range(n) for _ in range(walks[node, other]) if not np.isnan(values[other, column])]
            if seen:
                mean[node, column], largest[node, column] = np.mean(seen), max(seen)
    return mean, largest


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("hops", [1, 2])
def test_gathered_values_are_those_of_all_walks_of_the_adjacency_matrix(seed, hops):
    csr, values, dense = world(seed)
    walks = np.linalg.matrix_power(dense, hops)
    np.fill_diagonal(walks, 0)
    found = gather(csr, values, hops)
    mean, largest = by_hand(walks, values)
    np.testing.assert_allclose(found.mean, mean)
    np.testing.assert_array_equal(found.largest, largest)
    assert found.walks.tolist() == walks.sum(axis=1)[: len(values)].tolist()


def test_nobody_walks_through_a_hub():
    star = adjacency((Relation("knows", np.zeros(5, np.int64), np.arange(1, 6), np.ones(5)),), 6)
    values = np.arange(6.0)[:, None]
    assert gather(star, values, 2).mean[1, 0] == pytest.approx((2 + 3 + 4 + 5) / 4)
    assert np.isnan(gather(star, values, 2, hub=4).mean[1, 0])


def test_degrees_are_those_of_networkx():
    graph = small_graph()
    block = make(graph)
    column = dict(zip(block.names, block.values.T, strict=True))
    known = networkx.Graph()
    known.add_nodes_from(range(graph.n_nodes))
    for each in graph.relations:
        known.add_edges_from((a, b) for a, b in zip(each.source.tolist(), each.target.tolist(), strict=True) if a != b)
    n = len(graph.ids)
    assert column["neighbours"].tolist() == [known.degree[node] for node in range(n)]
    size = {node: len(part) for part in networkx.connected_components(known) for node in part}
    assert column["component"].tolist() == [size[node] for node in range(n)]
    sells = graph.relations[1]
    assert column["sells.in"].tolist() == [int((sells.target == node).sum()) for node in range(n)]
    holds = graph.relations[0]
    some = int(holds.source[0])
    assert column["holds.out.weight"][some] == pytest.approx(holds.weight[holds.source == some].mean())
