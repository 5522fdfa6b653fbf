"""Strong components, held against networkx."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.algorithms.components import strong_components
from kg.errors import KgfraudError

EDGES = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=25)


@settings(deadline=None)
@given(EDGES)
def test_nodes_that_reach_one_another_have_the_same_smallest_node(edges):
    graph = nx.DiGraph(edges)
    graph.add_nodes_from(range(8))
    expected = {node: min(c) for c in nx.strongly_connected_components(graph) for node in c}
    ends = np.array(edges, dtype=np.int64).reshape(-1, 2)
    assert strong_components(ends[:, 0], ends[:, 1], 8).tolist() == [expected[n] for n in range(8)]


def test_many_parallel_edges_still_tie_their_ends():
    source, target = np.repeat([0, 1], 256), np.repeat([1, 0], 256)
    assert strong_components(source, target, 2).tolist() == [0, 0]


def test_no_node_gives_no_component():
    none = np.empty(0, dtype=np.int64)
    assert strong_components(none, none, 0).tolist() == []


def test_edges_without_both_ends_are_refused():
    with pytest.raises(KgfraudError, match="found 2 and 1"):
        strong_components(np.array([0, 1]), np.array([1]), 2)
    with pytest.raises(KgfraudError, match=r"must lie in \[0, 2\), found -1 to 0"):
        strong_components(np.array([0, 1]), np.array([-1, 0]), 2)
