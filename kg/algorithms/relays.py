"""Money relayed: what came to an account and soon went on, nearly whole; and sums scattered over several such hands and gathered again."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kg.algorithms.kernel import Ints, kernel
from kg.algorithms.temporal_paths import Flow, first_since


class Relays(NamedTuple):
    """Pairs of transfers, as numbers: one that came to an account, and one by which it went on."""

    came: Ints
    went: Ints


class Passing(NamedTuple):
    """How money is passed on: within how many microseconds; least and most % of what came; most payments of an end or hand in that time."""

    window: int
    least_percent: int
    most_percent: int
    max_fan: int


@kernel
def relays(money: Flow, passing: Passing) -> Relays:
    """Return each transfer and each that may have passed its money on.

    Such a one starts from the payee of the first, at its time or later by at most ``window``, with ``least_percent`` to ``most_percent`` of
    its amount. Nothing is told of payers, hands and payees that make or get more than ``max_fan`` payments within the time: who pays out in
    the ``window`` after the first transfer, who is paid in the ``window`` before the second.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from kg.algorithms.temporal_paths import flow
    >>> ways = [np.array(x) for x in ([0, 1, 1], [1, 2, 3], [5, 6, 7], [100, 90, 70])]
    >>> money = flow(*ways, row=np.arange(3), ids=pa.chunked_array([["a", "b", "c"]]), n_accounts=4)
    >>> found = relays(money, Passing(10, 80, 100, 50))
    >>> found.came.tolist(), found.went.tolist()
    ([0], [1])
    """
    out, count = np.empty((2, 64), np.int64), 0
    for came in range(len(money.at)):
        hand, until = money.payee[came], money.at[came] + passing.window
        begin = first_since(money.out, hand, money.at, money.at[came])
        end = first_since(money.out, hand, money.at, until + 1)
        if (
            end == begin
            or end - begin > passing.max_fan
            or _fan(money.out, money, money.payer[came], money.at[came], until) > passing.max_fan
        ):
            continue
        for k in range(begin, end):
            went = money.out.items[k]
            share = money.amount[went] * 100
            passed = passing.least_percent * money.amount[came] <= share <= passing.most_percent * money.amount[came]
            if not passed or money.payee[went] == hand:
                continue
            if _fan(money.into, money, money.payee[went], money.at[went] - passing.window, money.at[went]) > passing.max_fan:
                continue
            if count == out.shape[1]:
                grown = np.empty((2, 2 * count), np.int64)
                grown[:, :count] = out
                out = grown
            out[0, count], out[1, count] = came, went
            count += 1
    return Relays(out[0, :count].copy(), out[1, :count].copy())


@kernel
def _fan(index, money: Flow, account: int, first: int, last: int) -> int:  # type: ignore[no-untyped-def]
    """Return how many payments of an account's index lie between two moments, both included."""
    many: int = first_since(index, account, money.at, last + 1) - first_since(index, account, money.at, first)
    return many


def gathered(money: Flow, found: Relays, window: Ints, hands: int) -> tuple[Relays, Ints]:
    """Return the relays by which enough hands brought money from one payer to one payee in time, and the number of each finding.

    The transfers of at least ``hands`` hands lie within one ``window``. Findings are numbered by payer and payee; the relays of one stand
    together, in the order of the second transfer's time.

    Parameters
    ----------
    window : int64, shape (n_relays,)
        Microseconds for each relay, the same for all of one payer and payee.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from kg.algorithms.temporal_paths import flow
    >>> ways = [np.array(x) for x in ([0, 0, 1, 2], [1, 2, 3, 3], [5, 6, 7, 8], [9, 9, 9, 9])]
    >>> money = flow(*ways, row=np.arange(4), ids=pa.chunked_array([["a", "b", "c", "d"]]), n_accounts=4)
    >>> through, finding = gathered(money, relays(money, Passing(10, 80, 100, 50)), np.full(2, 10), 2)
    >>> through.went.tolist(), finding.tolist()
    ([2, 3], [0, 0])
    """
    key = money.payer[found.came] * np.int64(len(money.out.start) - 1) + money.payee[found.went]
    order = np.lexsort((found.came, found.went, key))
    key, came, went, window = key[order], found.came[order], found.went[order], window[order]
    kept = np.flatnonzero(_together(money, key, Relays(came, went), window, hands))
    return Relays(came[kept], went[kept]), np.unique(key[kept], return_inverse=True)[1].astype(np.int64)


@kernel
def _together(money: Flow, key: Ints, found: Relays, window: Ints, hands: int) -> Ints:
    """Mark the relays, in the order of key and time, that lie in a window with enough hands."""
    kept, seen = np.zeros(len(key), np.int64), np.full(len(money.out.start), -1, np.int64)
    begin = 0
    while begin < len(key):
        end = begin
        while end < len(key) and key[end] == key[begin]:
            end += 1
        for last in range(begin + hands - 1, end):
            until = money.at[found.went[last]]
            since = until - window[begin]
            if last + 1 < end and money.at[found.went[last + 1]] == until:
                continue  # the next one closes the same window
            count = 0
            for i in range(last, begin - 1, -1):
                if money.at[found.went[i]] < since:
                    break
                hand = money.payee[found.came[i]]
                if money.at[found.came[i]] >= since and seen[hand] != last:
                    seen[hand] = last
                    count += 1
            if count < hands:
                continue
            for i in range(last, begin - 1, -1):
                if money.at[found.went[i]] < since:
                    break
                if money.at[found.came[i]] >= since:
                    kept[i] = 1
        begin = end
    return kept
