"""How much of what comes to an account may have gone out again within a time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kg.algorithms.kernel import Ints, kernel
from kg.algorithms.temporal_paths import Flow


class Held(NamedTuple):
    """Of each account: fen that came in, fen that went out, and fen of those in that may have gone out again within the time."""

    came: Ints
    went: Ints
    passed: Ints


@kernel
def held(money: Flow, window: int) -> Held:
    """Return how much passes through each account.

    Each payment out takes what came in first of what came within ``window`` before it and is there still; what is paid beyond that is the
    account's own money. So as much passes as can. At equal times money comes before it goes.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from kg.algorithms.temporal_paths import flow
    >>> ways = [np.array(x) for x in ([0, 1, 1], [1, 2, 2], [5, 6, 20], [100, 60, 90])]
    >>> found = held(flow(*ways, row=np.arange(3), ids=pa.chunked_array([["a", "b", "c"]]), n_accounts=3), 10)
    >>> found.came.tolist(), found.went.tolist(), found.passed.tolist()
    ([0, 100, 150], [100, 150, 0], [0, 60, 0])
    """
    count = len(money.out.start) - 1
    came, went, passed = np.zeros(count, np.int64), np.zeros(count, np.int64), np.zeros(count, np.int64)
    for account in range(count):
        oldest, spent = money.into.start[account], 0
        end = money.into.start[account + 1]
        for k in range(oldest, end):
            came[account] += money.amount[money.into.items[k]]
        for k in range(money.out.start[account], money.out.start[account + 1]):
            out = money.out.items[k]
            went[account] += money.amount[out]
            left = money.amount[out]
            while left > 0 and oldest < end and money.at[money.into.items[oldest]] <= money.at[out]:
                first = money.into.items[oldest]
                taken = 0 if money.at[out] - money.at[first] > window else min(left, money.amount[first] - spent)
                passed[account] += taken
                left -= taken
                spent += taken
                if taken == 0 or spent == money.amount[first]:
                    oldest, spent = oldest + 1, 0
    return Held(came, went, passed)
