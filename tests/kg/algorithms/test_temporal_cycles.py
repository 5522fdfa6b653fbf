"""Cycles in the order of time, by the kernels alone, held against all that networkx finds in any order."""

import itertools

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.algorithms.cycle_pruning import Rows, asked_of, possible
from kg.algorithms.temporal_cycles import search
from kg.algorithms.temporal_moves import EVER, Bounds, Limits, moves

EDGES = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 6), st.sampled_from([8, 10, 12])), max_size=12)
WINDOW = 4


def in_time(ways):
    """Of the ways round one cycle those that do not go back in time and end within the window."""
    return [way for way in ways if all(a[2] <= b[2] for a, b in itertools.pairwise(way)) and way[-1][2] - way[0][2] <= WINDOW]


def by_networkx(edges, hops):
    """Sets of edges (by number) that make a cycle in time whose smallest amount is four fifths of its largest or more."""
    graph = nx.DiGraph([edge[:2] for edge in edges if edge[0] != edge[1]])
    found = set()
    for nodes in nx.simple_cycles(graph, length_bound=hops):
        sides = zip(nodes, [*nodes[1:], nodes[0]], strict=True)
        parallel = [[n for n, edge in enumerate(edges) if edge[:2] == side] for side in sides]
        for numbers in itertools.product(*parallel):
            way = [edges[n] for n in numbers]
            amounts = [edge[3] for edge in way]
            turned = [way[i:] + way[:i] for i in range(len(way))]
            if 5 * min(amounts) >= 4 * max(amounts) and in_time(turned):
                found.add(frozenset(numbers))
    return found


def columns(edges):
    return [np.array([edge[i] for edge in edges], np.int64) for i in range(4)]


def by_kernels(edges, hops, *, by_amount, backward=False):
    """The same by `search`, the edges in the order of time."""
    payer, payee, at, amount = columns(edges)
    if backward:
        payer, payee, at, amount = payee[::-1].copy(), payer[::-1].copy(), -at[::-1], amount[::-1].copy()
    money = moves(payer, payee, at, at, amount, by_amount=by_amount)
    low, high = -(-money.amount * 4 // 5), money.amount * 5 // 4
    nothing, all_ = np.zeros(len(edges), np.int64), np.full(len(edges), EVER)
    bounds = Bounds(low, high, nothing, all_, nothing, all_, low, high)
    limits = Limits(hops, WINDOW, WINDOW, 10_000, 10**6, 10**6, backward, by_amount)
    told, stopped = search(money, bounds, np.flatnonzero(money.payer != money.payee), limits)
    assert not stopped.any()
    number = len(edges) - 1 - money.rank if backward else money.rank
    found, place = [], 0
    while place < told.size:
        found.append(frozenset(number[told[place + 1 : place + 1 + told[place]]].tolist()))
        place += 1 + int(told[place])
    return found


@settings(deadline=None, max_examples=60)
@given(EDGES, st.integers(2, 5), st.booleans(), st.booleans())
def test_every_cycle_in_time_is_found_once_from_either_end(edges, hops, by_amount, backward):
    edges = sorted((edge for edge in edges if edge[0] != edge[1]), key=lambda edge: edge[2])
    found = by_kernels(edges, hops, by_amount=by_amount, backward=backward)
    assert len(found) == len(set(found))
    assert set(found) == by_networkx(edges, hops)


@settings(deadline=None, max_examples=60)
@given(EDGES)
def test_what_lies_in_a_cycle_is_never_left_out_beforehand(edges):
    payer, payee, at, amount = columns(edges)
    rows = Rows(payer.astype(np.int32), payee.astype(np.int32), at, amount, np.zeros(5, np.bool_), since=0)
    kept = possible(rows, asked_of(WINDOW, WINDOW, 0.8, 0.0, 0.0)).tolist()
    assert set().union(*by_networkx(edges, 5)) <= set(kept)
    assert kept == sorted(kept)


@pytest.mark.parametrize("gap", [0, 5])
def test_what_leads_nowhere_is_left_out(gap):
    # a chain that comes back too late, and one that comes back in time
    edges = [(0, 1, 0, 10), (1, 2, 1, 10), (2, 0, WINDOW + gap, 10), (2, 3, 1, 10)]
    payer, payee, at, amount = columns(edges)
    rows = Rows(payer.astype(np.int32), payee.astype(np.int32), at, amount, np.zeros(4, np.bool_), since=0)
    assert possible(rows, asked_of(WINDOW, WINDOW, 0.8, 0.0, 0.0)).tolist() == ([0, 1, 2] if gap == 0 else [])


def test_an_account_with_very_many_transfers_on_both_sides_loses_none_of_them():
    many = [(1 + n % 50, 0, n, 10) for n in range(100)] + [(0, 1 + n % 50, n + 1, 10) for n in range(100)]
    payer, payee, at, amount = columns(many)
    rows = Rows(payer.astype(np.int32), payee.astype(np.int32), at, amount, np.zeros(51, np.bool_), since=0)
    assert set(possible(rows, asked_of(200, 200, 0.8, 0.0, 0.0)).tolist()) >= set(range(99)) | set(range(100, 199))
