"""The order of a task's graph follows from its contents alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnn.encode import Relation, TaskGraph, adjacency, canonical, fingerprints
from kg.errors import KgfraudError

from .world import shuffled, small_graph


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=10)
def test_shuffled_rows_and_renamed_ids_come_to_the_same_arrays(seed):
    graph = canonical(small_graph())
    again = canonical(shuffled(small_graph(), seed))
    assert (graph.label == again.label).all()
    assert (graph.split == again.split).all()
    assert np.array_equal(graph.values, again.values, equal_nan=True)
    for one, other in zip(graph.relations, again.relations, strict=True):
        assert one.name == other.name
        for part in ("source", "target", "weight"):
            assert (getattr(one, part) == getattr(other, part)).all()


def test_ids_follow_their_rows():
    graph = small_graph()
    value = dict(zip(graph.ids.tolist(), graph.values[:, 2].tolist(), strict=True))
    moved = canonical(graph)
    assert np.array_equal([value[each] for each in moved.ids.tolist()], moved.values[:, 2], equal_nan=True)


def path(weight=1.0):
    return TaskGraph(
        np.arange(3),
        np.full(3, "train"),
        np.zeros(3, np.int8),
        ("a",),
        np.zeros((3, 1)),
        ("a",),
        (Relation("knows", np.array([0, 1]), np.array([1, 2]), np.full(2, weight)),),
        3,
    )


def test_nodes_alike_in_figures_are_told_apart_by_where_they_stand():
    assert len(set(fingerprints(path()).tolist())) == 3


def test_weights_and_directions_count():
    assert set(fingerprints(path()).tolist()).isdisjoint(fingerprints(path(weight=2.0)).tolist())
    first, _, last = fingerprints(path()).tolist()
    assert first != last


def test_an_edge_to_a_node_that_is_not_there_is_refused():
    graph = path()
    wrong = Relation("knows", np.array([0]), np.array([9]), np.ones(1))
    with pytest.raises(KgfraudError, match="knows leads to node 9, but there are 3 nodes"):
        canonical(TaskGraph(graph.ids, graph.split, graph.label, graph.columns, graph.values, graph.told, (wrong,), 3))


@pytest.mark.parametrize("seed", range(5))
def test_adjacency_is_the_symmetric_matrix_without_a_diagonal(seed):
    dice = np.random.default_rng(seed)
    relations = tuple(Relation(name, *dice.integers(0, 12, (2, 30)), np.ones(30)) for name in "xy")
    dense = np.zeros((12, 12), bool)
    for each in relations:
        dense[each.source, each.target] = dense[each.target, each.source] = True
    np.fill_diagonal(dense, False)
    csr = adjacency(relations, 12)
    assert [csr.items[a:b].tolist() for a, b in zip(csr.start, csr.start[1:], strict=False)] == [
        np.flatnonzero(row).tolist() for row in dense
    ]
