"""Loan money followed forward: how much of a pay-out reaches which account, over how many hands.

What an account gets of a loan goes out again with its next payments, within a few days, until it is used up.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kg.algorithms.csr import group_rows
from kg.algorithms.kernel import Ints, kernel

#: A loan's money is followed through at most so many accounts: further on nobody can tell whose it is.
MOST_ACCOUNTS = 64


class Payments(NamedTuple):
    """Payments by payer and, of each, in the order of time.

    Attributes
    ----------
    payee, at, amount, row : int64, shape (n,)
        The receiving account; microseconds; fen; the row of the table that it stands in.
    start : int64, shape (n_accounts + 1,)
        Where each payer's payments begin.
    """

    payee: Ints
    at: Ints
    amount: Ints
    row: Ints
    start: Ints


class Bounds(NamedTuple):
    """Microseconds within which an account passes on what it got, most payments on the way, least ppm of the loan in a payment."""

    window: int
    most_hops: int
    least_ppm: int


class Reached(NamedTuple):
    """Where loan money came by: loan, account, fen, number of hands, row of the last payment and the account that made it."""

    loan: Ints
    account: Ints
    fen: Ints
    hops: Ints
    row: Ints
    sender: Ints


def payments(ends: tuple[Ints, Ints], at: Ints, amount: Ints, tie: Ints, n_accounts: int) -> Payments:
    """Sort payments by payer, time and ``tie``; ``ends`` are payers and payees.

    >>> found = payments((np.array([1, 0, 1]), np.array([0, 1, 2])), np.array([9, 5, 3]), np.array([1, 2, 3]), np.arange(3), 3)
    >>> found.start.tolist(), found.row.tolist()
    ([0, 1, 3, 3], [1, 2, 0])
    """
    payer, payee = ends
    order = np.lexsort((tie, at))
    rows = order[group_rows(payer[order], n_accounts).items]
    start = np.zeros(n_accounts + 1, np.int64)
    np.cumsum(np.bincount(payer, minlength=n_accounts), out=start[1:])
    return Payments(payee[rows], at[rows], amount[rows], rows, start)


@kernel
def follow(paid: Payments, account: Ints, at: Ints, fen: Ints, bounds: Bounds) -> Reached:
    """Follow each pay-out.

    Parameters
    ----------
    paid
        All payments.
    account, at, fen : int64, shape (n_loans,)
        Where each loan was paid out, when, and how much.
    bounds
        How long, how far and how small.

    Returns
    -------
    Reached
        A row for each loan and account that a payment of ``least_ppm`` of it reached, the loan's own account left out; ``fen`` is what came
        by of it, ``hops`` the fewest payments on the way, ``row`` the greatest payment into the account.

    Examples
    --------
    >>> chain = payments((np.array([0, 1]), np.array([1, 2])), np.array([10, 20]), np.array([90, 80]), np.arange(2), 3)
    >>> found = follow(chain, np.array([0]), np.array([5]), np.array([100]), Bounds(50, 3, 200_000))
    >>> found.account.tolist(), found.fen.tolist(), found.hops.tolist()
    ([1, 2], [90, 80], [1, 2])
    """
    out, count = np.empty((6, 64), np.int64), 0
    # of the accounts on the way: account, since when, fen to pass on, hands, fen that came by, row and size of the greatest, its sender
    way = np.empty((MOST_ACCOUNTS, 8), np.int64)
    for loan in range(len(account)):
        way[0] = np.array([account[loan], at[loan], fen[loan], 0, 0, -1, 0, -1])
        size = _spread(paid, way, fen[loan], bounds)
        if count + size > out.shape[1]:
            grown = np.empty((6, 2 * (count + size)), np.int64)
            grown[:, :count] = out[:, :count]
            out = grown
        for place in range(1, size):
            out[0, count], out[1, count], out[2, count] = loan, way[place, 0], way[place, 4]
            out[3, count], out[4, count], out[5, count] = way[place, 3], way[place, 5], way[place, 7]
            count += 1
    return Reached(out[0, :count], out[1, :count], out[2, :count], out[3, :count], out[4, :count], out[5, :count])


@kernel
def _spread(paid: Payments, way: Ints, fen: int, bounds: Bounds) -> int:
    """Fill the way of one loan, hand after hand; return how many accounts are on it."""
    size, place = 1, 0
    while place < size:
        here, since, left, hops = way[place, 0], way[place, 1], way[place, 2], way[place, 3]
        first, last = paid.start[here], paid.start[here + 1]
        first += np.searchsorted(paid.at[first:last], since)
        while first < last and hops < bounds.most_hops and left > 0 and paid.at[first] <= since + bounds.window:
            moved = min(left, paid.amount[first])
            if moved * 1_000_000 >= bounds.least_ppm * fen and paid.payee[first] != here:
                size = _arrive(paid, way, size, (place, first, moved))
            left -= moved
            first += 1
        place += 1
    return size


@kernel
def _arrive(paid: Payments, way: Ints, size: int, step: tuple[int, int, int]) -> int:
    """Add what a payment brings to the account that it reaches; return how many accounts are on the way then."""
    place, payment, moved = step
    found = 0
    while found < size and way[found, 0] != paid.payee[payment]:
        found += 1
    if found == MOST_ACCOUNTS or (found < size and found <= place):
        return size  # back to where the money came from, or too many hands
    if found == size:
        way[size] = np.array([paid.payee[payment], paid.at[payment], 0, way[place, 3] + 1, 0, -1, 0, -1])
        size += 1
    way[found, 1] = min(way[found, 1], paid.at[payment])
    way[found, 2] += moved
    way[found, 4] += moved
    if moved > way[found, 6]:
        way[found, 5], way[found, 6], way[found, 7] = paid.row[payment], moved, way[place, 0]
    return size
