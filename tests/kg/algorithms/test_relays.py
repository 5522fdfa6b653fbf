"""Relays, sums scattered and gathered, parts gathered and scattered: held against trying everything."""

from itertools import product

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.algorithms.gathering import Size, gathering
from kg.algorithms.relays import Passing, gathered, relays
from kg.algorithms.temporal_paths import flow

ACCOUNTS = 6
TRANSFERS = st.lists(
    st.tuples(st.integers(0, ACCOUNTS - 1), st.integers(0, ACCOUNTS - 1), st.integers(0, 9), st.integers(8, 10)), max_size=20
).map(lambda rows: sorted((row for row in rows if row[0] != row[1]), key=lambda row: row[2]))


def money(transfers):
    columns = np.array(transfers, dtype=np.int64).reshape(-1, 4).T
    ids = pa.chunked_array([pa.array([f"t{i:02}" for i in range(len(transfers))], pa.string())])
    return flow(*columns, row=np.arange(len(transfers)), ids=ids, n_accounts=ACCOUNTS)


def by_hand(transfers, passing):
    """Return the relays as pairs of places."""

    def fan(end, account, first, last):
        return sum(t[end] == account and first <= t[2] <= last for t in transfers)

    found = set()
    for (i, a), (j, b) in product(enumerate(transfers), repeat=2):
        window, share = passing.window, b[3] * 100
        if a[1] != b[0] or not a[2] <= b[2] <= a[2] + window:
            continue
        if not passing.least_percent * a[3] <= share <= passing.most_percent * a[3]:
            continue
        fans = (fan(0, a[0], a[2], a[2] + window), fan(0, a[1], a[2], a[2] + window), fan(1, b[1], b[2] - window, b[2]))
        if max(fans) <= passing.max_fan:
            found.add((i, j))
    return found


@settings(deadline=None, max_examples=200)
@given(TRANSFERS, st.integers(0, 6), st.integers(1, 5), st.sampled_from((80, 90, 100)))
def test_relays_are_those_found_by_trying_all_pairs(transfers, window, max_fan, least):
    passing = Passing(window, least, 110, max_fan)
    found = relays(money(transfers), passing)
    assert set(zip(found.came.tolist(), found.went.tolist(), strict=True)) == by_hand(transfers, passing)


@settings(deadline=None, max_examples=200)
@given(TRANSFERS, st.integers(0, 6), st.integers(2, 3))
def test_sums_gathered_again_are_those_found_by_trying_every_window(transfers, window, hands):
    passing = Passing(9, 80, 120, 99)
    found = relays(money(transfers), passing)
    through, _ = gathered(money(transfers), found, np.full(len(found.came), window), hands)
    expected = set()
    all_relays = by_hand(transfers, passing)
    for begin in range(10):
        for payer, payee in product(range(ACCOUNTS), repeat=2):
            inside = {
                (i, j)
                for i, j in all_relays
                if transfers[i][0] == payer and transfers[j][1] == payee and transfers[i][2] >= begin and transfers[j][2] <= begin + window
            }
            if len({transfers[i][1] for i, _ in inside}) >= hands:
                expected |= inside
    assert set(zip(through.came.tolist(), through.went.tolist(), strict=True)) == expected


def test_findings_are_numbered_by_payer_and_payee():
    two = [(0, 1, 1, 10), (0, 2, 1, 10), (3, 1, 2, 9), (3, 2, 2, 9), (1, 5, 3, 10), (2, 5, 3, 10), (1, 4, 4, 9), (2, 4, 4, 9)]
    flows = money(two)
    found = relays(flows, Passing(9, 95, 100, 99))
    through, finding = gathered(flows, found, np.full(len(found.came), 9), 2)
    pairs = {(int(flows.payer[i]), int(flows.payee[j]), int(k)) for i, j, k in zip(through.came, through.went, finding, strict=True)}
    assert pairs == {(0, 5, 0), (3, 4, 1)}


def parts_by_hand(transfers, size):
    """Return the parts in and the parts out, as sets of places."""
    came, went = set(), set()
    for account, (_, to, at, most) in product(range(ACCOUNTS), transfers):
        if to != account:
            continue

        def alike(t, percent, most=most):
            return percent * most <= t[3] * 100 <= most * 100

        for first in transfers:
            begin = first[2]
            if first[1] != account or not at - size.window <= begin <= at or not alike(first, size.in_percent):
                continue
            inside = [(i, t) for i, t in enumerate(transfers) if begin <= t[2] <= begin + size.window]
            if max(sum(t[end] == account for _, t in inside) for end in (0, 1)) > size.max_fan:
                continue
            ins = [(i, t) for i, t in inside if t[1] == account and alike(t, size.in_percent)]
            full = [t[2] for _, t in ins if len({u[0] for _, u in ins if u[2] <= t[2]}) >= size.parties]
            outs = [(i, t) for i, t in inside if t[0] == account and alike(t, size.out_percent) and full and t[2] >= min(full)]
            if len({t[1] for _, t in outs}) >= size.parties:
                went |= {i for i, _ in outs}
                came |= {i for i, t in ins if t[2] <= min(u[2] for _, u in outs)}
    return came, went


@settings(deadline=None, max_examples=200)
@given(TRANSFERS, st.integers(0, 9), st.integers(2, 3), st.integers(2, 9), st.sampled_from((80, 90, 100)))
def test_parts_gathered_and_scattered_are_those_found_by_trying_everything(transfers, window, parties, max_fan, percent):
    size = Size(window, parties, percent, 80, max_fan)
    came, went = (set(np.flatnonzero(side).tolist()) for side in gathering(money(transfers), size))
    assert (came, went) == parts_by_hand(transfers, size)
