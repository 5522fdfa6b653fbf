"""Which transfers can lie in a cycle at all, judged by what comes into an account and what goes out of it.

In a cycle each transfer has a part: it is the first, one on the way, or the last. One on the way has another before it and one after it
that fit in time and amount; the last fits to the first. What fits to nothing is left out, and so on with the rest until little changes
(arc consistency [1]_). It is judged on 12 bytes for each side of a transfer, coarser than it is: so nothing is left out that fits.

References
----------
.. [1] Mackworth, Consistency in networks of relations, Artificial Intelligence 8(1), 1977.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg.algorithms.kernel import Ints, kernel

Bytes = NDArray[np.uint8]
Bools = NDArray[np.bool_]
Int32s = NDArray[np.int32]
#: What is known of a transfer: it may begin a cycle, be preceded, be followed, end a cycle.
_FIRST, _BEFORE, _AFTER, _LAST = 1, 2, 4, 8
_ANY = _FIRST | _BEFORE | _AFTER | _LAST
#: Rounds end where fewer than one in so many are left out, or after so many.
_FEW, _ROUNDS = 16, 12
#: Where an account has more transfers than so many on either side, these fit to something without being tried.
_TRIED = 48
#: What an amount may be off by as a float of 32 bits, and a little more.
_OFF = 1e-6


class Asked(NamedTuple):
    """What is asked of two transfers of which the money of one goes on as the other.

    ``wait``: most microseconds from one to the next, ``window`` from the first of a cycle to the last. ``low, high``: least and most of
    the second amount, as a part of the first. ``end_low, end_high``: of the amount that begins a cycle, as a part of the one that ends it.
    """

    wait: int
    window: int
    low: float
    high: float
    end_low: float
    end_high: float


class Rows(NamedTuple):
    """Transfers as they are given, before anything is left out.

    Attributes
    ----------
    payer, payee : int32, shape (n_transfers,)
    at, amount : int64, shape (n_transfers,)
    left_out : bool, shape (n_accounts,)
        Accounts whose transfers do not count.
    since
        Nor do earlier ones; nor those to oneself, nor those of 0 or less.
    """

    payer: Int32s
    payee: Int32s
    at: Ints
    amount: Ints
    left_out: Bools
    since: int


class _Coarse(NamedTuple):
    """Transfers as they are judged: moments of some milliseconds, amounts as the bits of a float, which sort as the floats do."""

    payer: Int32s
    payee: Int32s
    moment: Int32s
    worth: Int32s
    known: Bytes

    def take(self, kept: Ints) -> _Coarse:
        """Return some transfers."""
        return _Coarse(self.payer[kept], self.payee[kept], self.moment[kept], self.worth[kept], self.known[kept])


class _Lists(NamedTuple):
    """``rows[start[k] : end[k]]`` are the transfers of an account: moment, worth and number of each."""

    start: Int32s
    end: Int32s
    rows: Int32s


class _Sides(NamedTuple):
    """What comes into accounts and what goes out of them, what is known of each transfer, and where it is written what is found."""

    into: _Lists
    out: _Lists
    known: Bytes
    found: Bytes
    asked: Asked


def possible(rows: Rows, asked: Asked) -> Ints:
    """Return the transfers that may lie in a cycle, in the order in which they are given.

    Examples
    --------
    >>> three = [np.array(ids, np.int32) for ids in ([0, 1, 1], [1, 0, 2])] + [np.array([5, 6, 7]), np.array([9, 9, 9])]
    >>> possible(Rows(*three, np.zeros(3, np.bool_), since=0), Asked(10, 10, 0.8, 1.25, 0.8, 1.25)).tolist()
    [0, 1]
    """
    row = usable(rows)
    if not row.size:
        return row
    first = int(rows.at[row].min()) if row.size < rows.at.size else int(rows.at.min())
    shift = max((int(rows.at.max()) - first).bit_length() - 30, 0)
    coarse = _coarse(rows, row, first, shift)
    wait, window = (min((most >> shift) + 1, 2**31 - 1) for most in (asked.wait, asked.window))
    asked = asked._replace(wait=wait, window=window)
    for _ in range(_ROUNDS):
        kept = _judged(coarse, _n_accounts(coarse), asked)
        few = kept.size * _FEW > row.size * (_FEW - 1)
        row, coarse = row[kept], _renumbered(coarse.take(kept))
        if few or not row.size:
            break
    return row


def _n_accounts(coarse: _Coarse) -> int:
    return int(max(coarse.payer.max(), coarse.payee.max())) + 1


def _judged(coarse: _Coarse, n_accounts: int, asked: Asked) -> Ints:
    """Return the transfers that still may lie in a cycle, and write down what is known of them."""
    out, into = _by_account(coarse, n_accounts)
    found = np.zeros(coarse.known.size, np.uint8)
    _judge(_Sides(into, out, coarse.known, found, asked))
    coarse.known[:] &= found
    known = coarse.known
    on_way = ((known & _BEFORE) > 0) & ((known & (_AFTER | _LAST)) > 0)
    return np.flatnonzero(on_way | ((known & (_FIRST | _AFTER)) == (_FIRST | _AFTER)))


def _renumbered(coarse: _Coarse) -> _Coarse:
    """Number the accounts anew, so that those without transfers take no time."""
    if not coarse.payer.size:
        return coarse
    there = np.zeros(_n_accounts(coarse), np.bool_)
    there[coarse.payer] = there[coarse.payee] = True
    number = np.cumsum(there, dtype=np.int32) - np.int32(1)
    return coarse._replace(payer=number[coarse.payer], payee=number[coarse.payee])


@kernel
def usable(rows: Rows) -> Ints:
    """Return the transfers that count and whose payer is paid, and whose payee pays."""
    n_accounts = len(rows.left_out)
    made, got = np.zeros(n_accounts, np.bool_), np.zeros(n_accounts, np.bool_)
    for r in range(len(rows.payer)):
        made[rows.payer[r]] = True
        got[rows.payee[r]] = True
    for k in range(n_accounts):
        made[k] = made[k] and got[k] and not rows.left_out[k]
    kept, count = np.empty(len(rows.payer), np.int64), 0
    for r in range(len(rows.payer)):
        payer, payee = rows.payer[r], rows.payee[r]
        kept[count] = r
        count += made[payer] and made[payee] and payer != payee and rows.amount[r] > 0 and rows.at[r] >= rows.since
    return kept[:count]


@kernel
def _coarse(rows: Rows, row: Ints, first: int, shift: int) -> _Coarse:
    size = len(row)
    ends, told = np.empty((2, size), np.int32), np.empty((2, size), np.int32)
    for place in range(size):
        r = row[place]
        ends[0, place], ends[1, place] = rows.payer[r], rows.payee[r]
        told[0, place] = (rows.at[r] - first) >> shift
        told[1, place] = np.float32(rows.amount[r]).view(np.int32)
    return _Coarse(ends[0], ends[1], told[0], told[1], np.full(size, np.uint8(_ANY)))


@kernel
def _by_account(coarse: _Coarse, n_accounts: int) -> tuple[_Lists, _Lists]:
    """Group transfers by payer and by payee."""
    out, into = np.zeros(n_accounts + 1, np.int32), np.zeros(n_accounts + 1, np.int32)
    for r in range(len(coarse.payer)):
        out[coarse.payer[r] + 1] += 1
        into[coarse.payee[r] + 1] += 1
    for k in range(n_accounts):
        out[k + 1] += out[k]
        into[k + 1] += into[k]
    end_out, end_into = out[:-1].copy(), into[:-1].copy()
    made, got = np.empty((len(coarse.payer), 3), np.int32), np.empty((len(coarse.payer), 3), np.int32)
    for r in range(len(coarse.payer)):
        payer, payee = coarse.payer[r], coarse.payee[r]
        place, back = end_out[payer], end_into[payee]
        end_out[payer], end_into[payee] = place + 1, back + 1
        made[place, 0], made[place, 1], made[place, 2] = coarse.moment[r], coarse.worth[r], r
        got[back, 0], got[back, 1], got[back, 2] = coarse.moment[r], coarse.worth[r], r
    return _Lists(out, end_out, made), _Lists(into, end_into, got)


@kernel
def _bits(amount: float) -> int:
    """Return the bits of an amount as a float of 32 bits; more than any amount is one that is none."""
    return int(np.float32(min(amount, 1e30)).view(np.int32))


@kernel
def _judge(sides: _Sides) -> None:
    """Try what comes into each account with what goes out of it."""
    into, out, found = sides.into, sides.out, sides.found
    for k in range(len(out.end)):
        i0, i1, o0, o1 = into.start[k], into.end[k], out.start[k], out.end[k]
        if min(i1 - i0, o1 - o0) > _TRIED:
            for i in range(i0, i1):
                found[into.rows[i, 2]] |= _AFTER | _LAST
            for o in range(o0, o1):
                found[out.rows[o, 2]] |= _FIRST | _BEFORE
        elif o0 < o1:
            for i in range(i0, i1):
                _try(sides, i, o0, o1)


@kernel
def _try(sides: _Sides, i: int, begin: int, end: int) -> None:
    """Try a transfer with all that go out of where it comes in."""
    into, out, known, found, asked = sides.into.rows, sides.out.rows, sides.known, sides.found, sides.asked
    moment, e, mine = into[i, 0], into[i, 2], np.uint8(0)
    worth = float(np.int32(into[i, 1]).view(np.float32))
    low, high = _bits(worth * asked.low), _bits(worth * asked.high)
    end_low, end_high = _bits(worth * asked.end_low), _bits(worth * asked.end_high)
    least, most = min(low, end_low), max(high, end_high)
    for o in range(begin, end):
        other = out[o, 1]
        if least <= other <= most:
            later, f = out[o, 0] - moment, out[o, 2]
            if 0 <= later <= asked.wait and low <= other <= high and known[f] & (_AFTER | _LAST):
                mine |= np.uint8(_AFTER)
                found[f] |= _BEFORE
            if -asked.window <= later <= 0 and end_low <= other <= end_high and known[e] & _BEFORE and known[f] & _AFTER:
                mine |= np.uint8(_LAST)
                found[f] |= _FIRST
    found[e] |= mine


def asked_of(wait: int, window: int, band: float, hop: float, total: float, *, gain: float | None = None) -> Asked:
    """Return what is asked of two transfers, with room for what is coarse.

    Parameters
    ----------
    band, hop, total
        Least parts, 0 where nothing is asked for: of the smallest of the largest, of an amount of the one before, of the last of the first.
    gain
        Most part of an amount that the next may be.

    Examples
    --------
    >>> [round(x, 3) for x in asked_of(7, 7, 0.8, 0.0, 0.5)[2:]]
    [0.8, 1.25, 0.8, 1.25]
    """
    last, never = max(band, total), 1e30
    high, end_high = (1 / part if part else never for part in (band, last))
    high = min(high, gain or never)
    return Asked(wait, window, max(band, hop) * (1 - _OFF), high * (1 + _OFF), band * (1 - _OFF), end_high * (1 + _OFF))
