"""Transfers laid out for a search that goes forward from payers and back from payees, and what bounds it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kg.algorithms.csr import group_rows
from kg.algorithms.kernel import Ints

#: Later, and earlier, than any transfer; amounts have no more bounds than these either.
EVER, NEVER = np.int64(2**62), np.int64(-(2**62))


class Moves(NamedTuple):
    """Transfers grouped by payer, in the order of time: a transfer's place is its number.

    Attributes
    ----------
    out, into : int64, shape (n_accounts + 1,)
        Where each account's transfers begin, those that it makes and those that it gets.
    payer, payee, at, amount, rank : int64, shape (n_transfers,)
        ``rank`` is the place in the order of (time, id).
    from_payer, from_at, from_amount : int64, shape (n_transfers,)
        The same transfers grouped by payee, in the order of time.
    """

    out: Ints
    into: Ints
    payer: Ints
    payee: Ints
    at: Ints
    amount: Ints
    rank: Ints
    from_payer: Ints
    from_at: Ints
    from_amount: Ints


class Bounds(NamedTuple):
    """For each transfer the least and the most that others may be worth; int64, shape (n_transfers,).

    ``band``: any other of the cycle. ``hop``: the next. ``end``: the one that closes a cycle whose root this is. ``every``: any of a
    cycle whose root this is, as far as it is known beforehand.
    """

    band_low: Ints
    band_high: Ints
    hop_low: Ints
    hop_high: Ints
    end_low: Ints
    end_high: Ints
    every_low: Ints
    every_high: Ints


class Limits(NamedTuple):
    """``hops``: most transfers in a cycle. ``window``: most microseconds. ``steps``: most steps from a root, ``all_steps`` from all.

    ``backward``: times and transfers are turned round, so that a root is the last of its cycle.
    """

    hops: int
    window: int
    steps: int
    all_steps: int
    backward: bool


def moves(payer: Ints, payee: Ints, at: Ints, amount: Ints, n_accounts: int) -> tuple[Moves, Ints]:
    """Index transfers that stand in the order of (time, id); return with them the row of each transfer.

    Examples
    --------
    >>> found, row = moves(*(np.array(x) for x in ([1, 0], [0, 1], [5, 6], [7, 8])), n_accounts=2)
    >>> found.payer.tolist(), found.from_payer.tolist(), row.tolist()
    ([0, 1], [1, 0], [1, 0])
    """
    out, into = group_rows(payer, n_accounts), group_rows(payee, n_accounts)
    row, back = out.items, into.items
    return Moves(out.start, into.start, payer[row], payee[row], at[row], amount[row], row, payer[back], at[back], amount[back]), row
