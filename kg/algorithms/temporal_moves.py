"""Transfers laid out for a search that goes forward from payers and back from payees, and what bounds it."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np

from kg.algorithms.csr import group_rows
from kg.algorithms.kernel import Ints

#: Later, and earlier, than any transfer; amounts have no more bounds than these either.
EVER, NEVER = np.int64(2**62), np.int64(-(2**62))


class Moves(NamedTuple):
    """Transfers grouped by payer, sorted by a key: a transfer's place is its number.

    Attributes
    ----------
    out, into : int64, shape (n_accounts + 1,)
        Where each account's transfers begin, those that it makes and those that it gets.
    payer, payee, at, until, amount, rank : int64, shape (n_transfers,)
        A transfer in parts is made between ``at`` and ``until``. ``rank`` is the place in the order of (time, id).
    key : int64, shape (n_transfers,)
        Time, or amount where all amounts of a cycle must be alike: by that a hub's transfers are told apart better.
    from_payer, from_at, from_until, from_amount, from_key : int64, shape (n_transfers,)
        The same transfers grouped by payee.
    """

    out: Ints
    into: Ints
    payer: Ints
    payee: Ints
    at: Ints
    until: Ints
    amount: Ints
    rank: Ints
    key: Ints
    from_payer: Ints
    from_at: Ints
    from_until: Ints
    from_amount: Ints
    from_key: Ints


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
    """``hops``: most transfers in a cycle. ``window, wait``: most microseconds, of all and from hop to hop.

    ``steps``: most steps from a root, ``all_steps`` from all. ``told``: most transfers of cycles that are told, of all roots.

    ``backward``: times and transfers are turned round, so that a root is the last of its cycle. ``by_amount``: what the key is.
    """

    hops: int
    window: int
    wait: int
    steps: int
    all_steps: int
    told: int
    backward: bool
    by_amount: bool


def moves(payer: Ints, payee: Ints, at: Ints, until: Ints, amount: Ints, *, by_amount: bool) -> Moves:
    """Index transfers that stand in the order of (time, id), between accounts numbered from 0 on.

    Examples
    --------
    >>> found = moves(*(np.array(x) for x in ([1, 0], [0, 1], [5, 6], [5, 6], [7, 8])), by_amount=False)
    >>> found.payer.tolist(), found.from_payer.tolist(), found.rank.tolist()
    ([0, 1], [1, 0], [1, 0])
    """
    key = amount if by_amount else at
    order = np.argsort(key, kind="stable")
    n_accounts = int(max(payer.max(initial=-1), payee.max(initial=-1))) + 1
    out, into = group_rows(payer[order], n_accounts), group_rows(payee[order], n_accounts)
    row, back = order[out.items], order[into.items]
    ahead, behind = (payer[row], payee[row], at[row], until[row], amount[row]), (payer[back], at[back], until[back], amount[back])
    return Moves(out.start, into.start, *ahead, row, key[row], *behind, key[back])


def least_of(amount: Ints, part: Fraction) -> Ints:
    """Return the least whole amounts that are at least so much of the amounts, without overflow.

    >>> least_of(np.array([10, 11, 2**62]), Fraction(4, 5)).tolist()
    [8, 9, 3689348814741910324]
    """
    whole, rest = amount // part.denominator, amount % part.denominator
    least: Ints = whole * part.numerator - (-rest * part.numerator) // part.denominator
    return least


def most_of(amount: Ints, part: Fraction) -> Ints:
    """Return the most of which the amounts are at least so much, up to `EVER`.

    >>> most_of(np.array([8, 9, 2**61]), Fraction(4, 5)).tolist()
    [10, 11, 2882303761517117440]
    """
    if not part:
        return np.full(amount.size, EVER)
    whole, rest = amount // part.numerator, amount % part.numerator
    fits = whole < EVER // part.denominator
    most: Ints = np.where(fits, np.where(fits, whole, 0) * part.denominator + rest * part.denominator // part.numerator, EVER)
    return np.minimum(most, EVER)
