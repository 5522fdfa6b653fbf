"""Elementary circles, held against networkx."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.algorithms.simple_cycles import circles
from kg.errors import UsageError

EDGES = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=24)


def found_in(edges, n_nodes=7, max_length=6, max_circles=100_000):
    ends = np.array(edges, dtype=np.int64).reshape(-1, 2)
    return circles(ends[:, 0], ends[:, 1], n_nodes, max_length=max_length, max_circles=max_circles)


def told(found):
    return [tuple(n for n in row if n >= 0) for row in found.nodes.tolist()]


@settings(deadline=None)
@given(EDGES, st.integers(2, 7))
def test_every_circle_up_to_the_length_is_told_once(edges, max_length):
    expected = {
        tuple(c[c.index(min(c)) :] + c[: c.index(min(c))])
        for c in nx.simple_cycles(nx.DiGraph(edges), length_bound=max_length)
        if len(c) > 1
    }
    mine = told(found_in(edges, max_length=max_length))
    assert len(mine) == len(set(mine))
    assert set(mine) == expected


@settings(deadline=None)
@given(EDGES, st.integers(1, 5), st.randoms())
def test_a_component_with_too_many_circles_is_named_and_the_others_are_told(edges, limit, random):
    everything = found_in(edges)
    count = {}
    for circle in told(everything):
        root = int(everything.component[circle[0]])
        count[root] = count.get(root, 0) + 1
    shuffled = random.sample(edges, len(edges))
    some = found_in(shuffled, max_circles=limit)
    assert set(np.flatnonzero(some.crowded)) == {root for root, n in count.items() if n > limit}
    assert told(some) == [c for c in told(everything) if count[int(everything.component[c[0]])] <= limit]


def test_room_grows_with_the_circles():
    edges = [(a, b) for block in range(40) for a, b in ((2 * block, 2 * block + 1), (2 * block + 1, 2 * block))]
    assert told(found_in(edges, n_nodes=80)) == [(2 * b, 2 * b + 1) for b in range(40)]


@pytest.mark.parametrize(("length", "limit"), [(1, 10), (6, 0)])
def test_limits_out_of_range_are_refused(length, limit):
    with pytest.raises(UsageError, match="max_length >= 2 and max_circles >= 1"):
        found_in([(0, 1)], max_length=length, max_circles=limit)
