"""What new transfers lead to, held against all cycles that networkx finds in any order."""

import itertools

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.algorithms.cycle_pruning import asked_of
from kg.algorithms.cycle_reach import Sums, reaching

WINDOW, NEW = 40, 50
#: Accounts far from one another and negative ones too; amounts of one fen and beyond what a float holds exactly.
NAMES = np.array([0, 1, -7, 2**40, 2**62])
EDGES = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(8, 58), st.sampled_from([8, 9, 10, 12, 13])), min_size=4, max_size=14
)


def cycles(edges, hops, part):
    """Edges (by number) of the cycles in time whose last is new and whose smallest amount is so much of the largest."""
    graph = nx.DiGraph([edge[:2] for edge in edges if edge[0] != edge[1]])
    for nodes in nx.simple_cycles(graph, length_bound=hops):
        sides = zip(nodes, [*nodes[1:], nodes[0]], strict=True)
        for numbers in itertools.product(*([n for n, edge in enumerate(edges) if edge[:2] == side] for side in sides)):
            amounts, times = [edges[n][3] for n in numbers], [edges[n][2] for n in numbers]
            turned = [times[i:] + times[:i] for i in range(len(times))]
            in_time = any(all(a <= b for a, b in itertools.pairwise(way)) for way in turned) and max(times) - min(times) <= WINDOW
            if in_time and max(times) >= NEW and min(amounts) >= part * max(amounts):
                yield set(numbers)


def reached(edges, hops, part, scale=1):
    """What may lie in such cycles, among old transfers of others so that few are new."""
    payer, payee, at, amount = (np.array([edge[i] for edge in edges], np.int64) for i in range(4))
    others = 4 * len(edges)
    ends = np.append(NAMES[payer], np.arange(others) * 3 + 5), np.append(NAMES[payee], np.arange(others) * 3 + 6)
    sums = Sums(*ends, np.append(at, np.full(others, 20)), np.append(amount * scale, np.full(others, 10 * scale)))
    found = reaching(sums, NEW, WINDOW, hops, asked_of(WINDOW, WINDOW, part, 0.0, 0.0))
    assert found is not None
    assert found.tolist() == sorted(found.tolist())
    return set(found.tolist())


@settings(deadline=None, max_examples=60)
@given(EDGES, st.integers(2, 5), st.sampled_from([0.8, 0.5, 1.0]), st.sampled_from([1, 7, 2**52 + 1]))
def test_what_lies_in_a_cycle_that_ends_with_a_new_transfer_is_reached(edges, hops, part, scale):
    found = reached(edges, hops, part, scale)
    assert set().union(*cycles(edges, hops, part)) <= found


@pytest.mark.parametrize("size", range(2, 11))
def test_cycles_of_all_sizes_are_reached_whole_and_longer_ones_are_not(size):
    ring = [(k, (k + 1) % size, 10 + 4 * k if k < size - 1 else NEW, 10) for k in range(size)]
    payer, payee, at, amount = (
        np.array([edge[i] for edge in ring] + [[50 + i] * 40, [60 + i] * 40, [20] * 40, [10] * 40][i]) for i in range(4)
    )
    for hops in range(3, 11):
        found = reaching(Sums(payer, payee, at, amount), NEW, WINDOW, hops, asked_of(WINDOW, WINDOW, 0.8, 0.0, 0.0))
        assert found.tolist() == (list(range(size)) if hops >= size else [])


@pytest.mark.parametrize("change", [(0, 2, 9), (0, 3, 7), (2, 3, 20), (1, 2, 45), (3, 2, NEW - 1), (1, 1, 4)])
def test_what_is_too_early_too_late_too_small_too_large_or_leads_elsewhere_is_left_out(change):
    """One of four transfers is before the window, of another amount, in the wrong order, old or to another account."""
    ring = [[0, 1, 10, 10], [1, 2, 20, 10], [2, 3, 30, 10], [3, 0, NEW, 10]]
    assert reached(ring, 6, 0.8) == {0, 1, 2, 3}
    place, column, value = change
    ring[place][column] = value
    assert reached(ring, 6, 0.8) == set()


def test_where_much_is_new_nothing_is_left_out_beforehand():
    many = np.arange(8)
    sums = Sums(many, many + 1, np.where(many < 3, NEW, 20), np.full(8, 10))
    assert reaching(sums, NEW, WINDOW, 6, asked_of(WINDOW, WINDOW, 0.8, 0.0, 0.0)) is None


def test_accounts_that_share_a_bit_are_kept_rather_than_lost():
    # so many accounts that the bits of a table are not enough for all of them
    rng = np.random.default_rng(5)
    count, old = 24_000, 20_000
    payer, payee = rng.integers(0, 2_000, count), rng.integers(0, 2_000, count)
    at = np.append(rng.integers(10, NEW, old), np.full(count - old, NEW))
    found = reaching(Sums(payer, payee, at, np.full(count, 10)), NEW, WINDOW, 3, asked_of(WINDOW, WINDOW, 0.8, 0.0, 0.0))
    two = {(a, b): n for n, (a, b) in enumerate(zip(payer[:old].tolist(), payee[:old].tolist(), strict=True)) if a != b}
    pairs = {(two[b, a], n) for n, (a, b) in enumerate(zip(payer[old:].tolist(), payee[old:].tolist(), strict=True), old) if (b, a) in two}
    assert len(pairs) > 10
    assert {n for pair in pairs for n in pair} <= set(found.tolist())
