"""Sums that return, held against every way there is and against the greatest flow."""

import networkx as nx
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.algorithms.csr import Csr
from kg.algorithms.returned_sums import Limits, Sought, returned_sums
from kg.algorithms.temporal_paths import flow

ACCOUNTS = 6
TRANSFERS = st.lists(
    st.tuples(st.integers(0, ACCOUNTS - 1), st.integers(0, ACCOUNTS - 1), st.integers(0, 8), st.integers(1, 6)), max_size=16
)
STARTS = st.lists(
    st.fixed_dictionaries(
        {
            "account": st.integers(0, ACCOUNTS - 1),
            "first_at": st.integers(0, 3),
            "gone_at": st.integers(2, 7),
            "last_at": st.integers(4, 8),
            "amount": st.integers(1, 12),
            "part": st.integers(1, 2),
            "least": st.integers(1, 4),
            "most": st.integers(4, 30),
            "home": st.sets(st.integers(0, ACCOUNTS - 1), min_size=1, max_size=2),
        }
    ),
    min_size=1,
    max_size=3,
)
COLUMNS = ("account", "first_at", "gone_at", "last_at", "amount", "part", "least", "most")


def search(transfers, starts, limits):
    """Return for each start the sum and {transfer: what it carried}."""
    columns = np.array(transfers, dtype=np.int64).reshape(-1, 4).T
    ids = pa.chunked_array([pa.array([f"t{i:02}" for i in range(len(transfers))], pa.string())])
    money = flow(*columns, row=np.arange(len(transfers)), ids=ids, n_accounts=ACCOUNTS)
    home = Csr(np.cumsum([0, *(len(s["home"]) for s in starts)]), np.array([a for s in starts for a in sorted(s["home"])], np.int64))
    values = (np.array([s[name] for s in starts], dtype=np.int64) for name in COLUMNS)
    found = returned_sums(money, Sought(*values, home), limits)
    carried = [{} for _ in starts]
    for s, transfer, size in zip(found.start, found.transfer, found.carried, strict=True):
        carried[s][int(money.row[transfer])] = int(size)
    return list(zip(found.total.tolist(), carried, strict=True))


def counted(transfers, start, limits):
    """Return the amounts of the transfers that count for a start, by their place."""
    kept = {}
    for i, (payer, payee, _, amount) in enumerate(transfers):
        pair = [t for t in transfers if t[:2] == (payer, payee) and t[3] >= start["part"]]
        inside = sum(t[3] for t in pair if start["first_at"] <= t[2] <= start["last_at"])
        early = [t for t in pair if start["first_at"] - limits.around <= t[2] < start["first_at"]]
        late = [t for t in pair if start["last_at"] < t[2] <= start["last_at"] + limits.around]
        trade = len(early) + len(late) > limits.most_others
        if payer != payee and amount >= start["part"] and start["least"] <= inside <= start["most"] and not trade:
            kept[i] = amount
    return kept


def every_way(transfers, start, left, max_hops):
    """Yield each way home over transfers that can carry something."""
    open_ways = [((), start["account"], start["first_at"])]
    while open_ways:
        way, here, since = open_ways.pop()
        for i in left:
            payer, payee, at, _ = transfers[i]
            until = start["last_at"] if way else start["gone_at"]
            if payer != here or not since <= at <= min(until, start["last_at"]) or not left[i] or len(way) == max_hops or i in way:
                continue
            if payee in start["home"] and payer not in start["home"]:
                yield (*way, i)
            else:
                open_ways.append(((*way, i), payee, at))


def by_hand(transfers, start, limits):
    left, rest, carried = counted(transfers, start, limits), start["amount"], {}
    while rest:
        ways = [
            ((transfers[way[-1]][2], len(way), [(transfers[i][2], i) for i in reversed(way)]), way)
            for way in every_way(transfers, start, left, limits.max_hops)
        ]
        if not ways:
            break
        way = min(ways)[1]
        size = min(rest, *(left[i] for i in way))
        rest -= size
        for i in way:
            left[i] -= size
            carried[i] = carried.get(i, 0) + size
    return start["amount"] - rest, carried


@settings(deadline=None, max_examples=300)
@given(TRANSFERS, STARTS, st.integers(1, 4), st.integers(0, 2), st.integers(0, 4))
def test_the_sums_are_those_of_taking_way_after_way_by_hand(transfers, starts, max_hops, most_others, around):
    transfers.sort(key=lambda t: t[2])  # a transfer's place is its order among equal times
    limits = Limits(max_hops, most_others, around)
    assert search(transfers, starts, limits) == [by_hand(transfers, start, limits) for start in starts]


def greatest_flow(transfers, start):
    """Return the most that could come home by any number of hops, over accounts that hold what they got."""
    graph = nx.DiGraph()
    graph.add_edge("out", (start["account"], start["first_at"]), capacity=start["amount"])
    for account in range(ACCOUNTS):
        for at in range(9):
            graph.add_edge((account, at), (account, at + 1))
    for i, (payer, payee, at, amount) in enumerate(transfers):
        if payer == payee or not start["first_at"] <= at <= start["last_at"]:
            continue
        home = payee in start["home"] and payer not in start["home"]
        graph.add_edge((payer, at), ("t", i), capacity=amount)
        graph.add_edge(("t", i), "home" if home else (payee, at))
    graph.add_node("home")
    return nx.maximum_flow_value(graph, "out", "home")


@settings(deadline=None, max_examples=100)
@given(TRANSFERS, STARTS)
def test_no_more_is_told_than_could_have_come_home(transfers, starts):
    wide = [{**start, "part": 1, "least": 1, "most": 1_000, "gone_at": 8} for start in starts]
    for start, (total, _) in zip(wide, search(transfers, wide, Limits(4, 1_000, 0)), strict=True):
        assert total <= greatest_flow(transfers, start)


ONE = {"account": 0, "first_at": 0, "gone_at": 8, "last_at": 8, "amount": 10, "part": 1, "least": 1, "most": 100, "home": {0}}


def test_along_one_chain_of_hands_the_sum_is_the_greatest_flow():
    chain = [(0, 1, 1, 4), (1, 2, 2, 3), (0, 1, 3, 6), (1, 2, 4, 6), (2, 0, 5, 20)]
    assert search(chain, [ONE], Limits(4, 0, 0))[0][0] == greatest_flow(chain, ONE) == 9


def test_nothing_is_carried_before_it_has_come():
    assert search([(1, 0, 1, 9), (0, 1, 2, 9)], [ONE], Limits(4, 0, 0)) == [(0, {})]


def test_no_transfer_carries_more_than_its_amount_for_two_hands():
    shared = [(0, 1, 1, 5), (0, 2, 1, 5), (1, 3, 2, 5), (2, 3, 2, 5), (3, 0, 3, 6)]
    assert search(shared, [ONE], Limits(4, 0, 0))[0][0] == 6


@pytest.mark.parametrize("place", ["before", "after"])
def test_accounts_that_trade_are_not_followed(place):
    trade = {"before": (1, 0, 0, 3), "after": (1, 0, 8, 3)}[place]
    start = {**ONE, "first_at": 2, "last_at": 6, "gone_at": 6}
    moved = [(0, 1, 3, 9), (1, 0, 4, 9)]
    assert search([*moved, trade], [start], Limits(4, 1, 2))[0][0] == 9
    assert search([*moved, trade], [start], Limits(4, 0, 2))[0][0] == 0
    assert search([*moved, trade], [start], Limits(4, 0, 1))[0][0] == 9  # further off than one looks
