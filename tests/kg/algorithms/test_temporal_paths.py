"""Money followed in the order of time, held against every way there is."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.algorithms.csr import Csr
from kg.algorithms.temporal_paths import Starts, find_returns, flow
from kg.errors import UsageError

ACCOUNTS = 6
TRANSFERS = st.lists(
    st.tuples(st.integers(0, ACCOUNTS - 1), st.integers(0, ACCOUNTS - 1), st.integers(0, 6), st.integers(7, 10)), max_size=18
)
PARTIES = st.dictionaries(st.sampled_from("xyz"), st.sets(st.integers(0, ACCOUNTS - 1), min_size=1, max_size=2), max_size=2)


def ragged(lists):
    return Csr(np.cumsum([0, *map(len, lists)]), np.array([i for one in lists for i in one], dtype=np.int64))


def search(transfers, starts, max_hops):
    """Return {(start, party): transfers' ids}; a start is (account, first, last, least, {party: accounts})."""
    columns = np.array(transfers, dtype=np.int64).reshape(-1, 4).T
    ids = [f"t{i:02}" for i in range(len(transfers))]
    # the ids stand in another table, in another order
    row = np.arange(len(ids))[::-1].copy()
    money = flow(*columns, row=row, ids=pa.chunked_array([pa.array(ids[::-1], pa.string())]), n_accounts=ACCOUNTS)
    pairs = [(s, party) for s, start in enumerate(starts) for party in sorted(start[4])]
    numbers = [[i for i, (s, _) in enumerate(pairs) if s == n] for n in range(len(starts))]
    limits = np.array([start[:4] for start in starts], dtype=np.int64).reshape(-1, 4).T
    found = find_returns(money, Starts(*limits, ragged(numbers), ragged([sorted(starts[s][4][p]) for s, p in pairs])), max_hops=max_hops)
    return {pairs[p]: tuple(ids[::-1][money.row[t]] for t in way if t >= 0) for p, way in zip(found.pair, found.path, strict=True)}


def every_way(transfers, start, max_hops):
    """Yield each way from a start as a tuple of transfer numbers."""
    account, first, last, least, _ = start
    open_ways = [((), account, first)]
    while open_ways:
        way, here, since = open_ways.pop()
        for i, (payer, payee, at, amount) in enumerate(transfers):
            if payer == here != payee and since <= at <= last and amount >= least and len(way) < max_hops:
                yield (*way, i)
                open_ways.append(((*way, i), payee, at))


def expected(transfers, starts, max_hops):
    best = {}
    for s, start in enumerate(starts):
        own = set().union(*start[4].values())
        for way in every_way(transfers, start, max_hops):
            passed = {start[0], *(transfers[i][1] for i in way[:-1])}
            key = (transfers[way[-1]][2], len(way), [(transfers[i][2], i) for i in reversed(way)])
            for party, accounts in start[4].items():
                is_return = transfers[way[-1]][1] in accounts and (start[0] not in accounts or passed - own)
                if is_return and ((s, party) not in best or key < best[s, party][0]):
                    best[s, party] = (key, tuple(f"t{i:02}" for i in way))
    return {pair: way for pair, (_, way) in best.items()}


STARTS = st.lists(st.tuples(st.integers(0, ACCOUNTS - 1), st.integers(0, 3), st.integers(3, 6), st.integers(7, 9), PARTIES), max_size=3)


@settings(max_examples=400, deadline=None)
@given(TRANSFERS, STARTS, st.integers(1, 5))
def test_the_best_of_all_ways_is_found(transfers, starts, max_hops):
    assert search(transfers, starts, max_hops) == expected(transfers, starts, max_hops)


def test_equal_times_count_in_any_order_of_ids():
    ways = search([(1, 0, 5, 9), (0, 1, 5, 9)], [(0, 5, 9, 9, {"x": {0}})], 4)
    assert ways == {(0, "x"): ("t01", "t00")}


def test_money_that_stays_with_the_circle_has_not_returned():
    start = (0, 0, 9, 1, {"x": {0, 1}})
    assert search([(0, 1, 1, 9), (1, 0, 2, 9)], [start], 4) == {}


def test_an_account_may_be_passed_twice_where_that_took_the_money_outside():
    start = (0, 0, 9, 1, {"x": {0}, "y": {1}})
    transfers = [(0, 1, 1, 9), (1, 2, 2, 9), (2, 1, 3, 9), (1, 0, 4, 9)]
    assert search(transfers, [start], 4) == {(0, "y"): ("t00",), (0, "x"): ("t00", "t01", "t02", "t03")}


def test_no_transfers_give_no_returns():
    assert search([], [(0, 0, 9, 1, {"x": {0}})], 4) == {}


def test_a_way_without_a_hop_is_refused():
    with pytest.raises(UsageError, match="at least 1 hop, found max_hops = 0"):
        search([], [], 0)
