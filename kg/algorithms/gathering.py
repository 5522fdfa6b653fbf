"""Parts of one size gathered on an account and then scattered from it, in the order of time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kg.algorithms.csr import Csr
from kg.algorithms.kernel import Ints, kernel
from kg.algorithms.temporal_paths import Flow, first_since


class Size(NamedTuple):
    """Microseconds for all of it; parties on each side; least % of the largest part that came in and that went out; most payments."""

    window: int
    parties: int
    in_percent: int
    out_percent: int
    max_fan: int


def gathering(money: Flow, size: Size) -> tuple[Ints, Ints]:
    """Mark the transfers by which accounts gathered parts of one size and then scattered them.

    For an account and a transfer to it, the *largest part* A, and a moment not later than it: the parts in are transfers to the account
    from that moment on, of ``in_percent`` of A up to A; the parts out are transfers from it of ``out_percent`` of A up to A, at or after
    the moment by which ``parties`` different payers have paid, up to ``window`` after the beginning. Where at least ``parties`` different
    payees got parts out, these are marked, and the parts in up to the first of them. Moments at which a ``window`` begins with more than
    ``max_fan`` payments to the account, or from it, are left out.

    Returns
    -------
    tuple of int64 arrays, shape (n_transfers,)
        1 for each transfer that is a part in, of the account that it went to; 1 for each that is a part out, of the account that it left.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from kg.algorithms.temporal_paths import flow
    >>> ways = [np.array(x) for x in ([1, 2, 0, 0], [0, 0, 3, 4], [5, 6, 6, 8], [100, 99, 90, 90])]
    >>> money = flow(*ways, row=np.arange(4), ids=pa.chunked_array([["a", "b", "c", "d"]]), n_accounts=5)
    >>> [side.tolist() for side in gathering(money, Size(10, 2, 90, 80, 50))]
    [[1, 1, 0, 0], [0, 0, 1, 1]]
    """
    came, went = np.zeros(len(money.at), np.int64), np.zeros(len(money.at), np.int64)
    seen = np.full((2, len(money.out.start) - 1), -1, np.int64)
    _mark(money, size, came, went, seen)
    return came, went


@kernel
def _mark(money: Flow, size: Size, came: Ints, went: Ints, seen: Ints) -> None:
    stamp = 0
    for largest in range(len(money.at)):
        account, most = money.payee[largest], money.amount[largest]
        low = first_since(money.into, account, money.at, money.at[largest] - size.window)
        for k in range(low, money.into.start[account + 1]):
            begin = money.at[money.into.items[k]]
            if begin > money.at[largest]:
                break
            if money.amount[money.into.items[k]] * 100 < size.in_percent * most or money.amount[money.into.items[k]] > most:
                continue
            stamp += 1
            _one(money, size, (account, most, begin, stamp), (came, went, seen))


@kernel
def _one(money: Flow, size: Size, what: tuple[int, int, int, int], marks: tuple[Ints, Ints, Ints]) -> None:
    """Mark what is gathered on an account from a moment on, in parts of at most an amount."""
    account, most, begin, stamp = what
    came, went, seen = marks
    until = begin + size.window
    ins, ins_end = _span(money, money.into, account, begin, until)
    if ins_end - ins > size.max_fan:
        return
    full = _filled(money, (money.into, money.payer), (ins, ins_end), (size.in_percent * most, most * 100, size.parties, stamp), seen[0])
    if full < 0:
        return
    outs, outs_end = _span(money, money.out, account, money.at[full], until)
    first, every = _span(money, money.out, account, begin, until)
    least = size.out_percent * most
    if (
        every - first > size.max_fan
        or _filled(money, (money.out, money.payee), (outs, outs_end), (least, most * 100, size.parties, stamp), seen[1]) < 0
    ):
        return
    gone = until
    for k in range(outs, outs_end):
        transfer = money.out.items[k]
        if least <= money.amount[transfer] * 100 <= most * 100:
            went[transfer] = 1
            gone = min(gone, money.at[transfer])
    for k in range(ins, ins_end):
        transfer = money.into.items[k]
        if money.at[transfer] <= gone and size.in_percent * most <= money.amount[transfer] * 100 <= most * 100:
            came[transfer] = 1


@kernel
def _span(money: Flow, index: Csr, account: int, first: int, last: int) -> tuple[int, int]:
    """Return the places of an account's transfers between two moments, both included."""
    return first_since(index, account, money.at, first), first_since(index, account, money.at, last + 1)


@kernel
def _filled(money: Flow, side: tuple[Csr, Ints], places: tuple[int, int], size: tuple[int, int, int, int], seen: Ints) -> int:
    """Return the transfer by which enough different parties stand on the other side of transfers of a size, or -1."""
    (index, other), (least, most, parties, stamp), count = side, size, 0
    for k in range(places[0], places[1]):
        transfer = index.items[k]
        if not least <= money.amount[transfer] * 100 <= most or seen[other[transfer]] == stamp:
            continue
        seen[other[transfer]] = stamp
        count += 1
        if count == parties:
            found: int = transfer
            return found
    return -1
