"""Which transfers can lie in a cycle that ends with a new one: found from the new ones, from both of their ends.

A cycle begins where its last transfer comes in and leads to where that went out, and its amounts are alike. So from the new transfers
those are found that may be the first of a cycle, those that may follow these, and so on; back from the new ones likewise; half way they
meet. Each step is a semi-join [1]_ by account, amount and time. It looks at bits in the place of accounts [2]_, and at grades of amounts
and slices of time: too much is kept, and nothing that fits is left out. Transfers are sorted by grade and slice beforehand, so that few
bits are looked at at once.

References
----------
.. [1] Bernstein & Chiu, Using semi-joins to solve relational queries, Journal of the ACM 28(1), 1981.
.. [2] Bloom, Space/time trade-offs in hash coding with allowable errors, Communications of the ACM 13(7), 1970.
.. [3] Knuth, The Art of Computer Programming 3, section 6.4: the golden ratio spreads numbers that follow one another evenly.
"""

from __future__ import annotations

from math import log2
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg.algorithms.cycle_pruning import Asked, Int32s
from kg.algorithms.kernel import Ints, kernel

Marks = NDArray[np.uint32]
Bits = NDArray[np.uint64]
#: A float of 32 bits has so many for its fraction; the exponent of 1 is this, and amounts are less than 2 to the power of so many.
_FRACTION, _ONE, _DOUBLINGS = 23, 127, 63
#: What fits to an amount lies in about so many grades; amounts double within 1 grade to 2 to the power of so many.
_WITHIN, _FINEST = 5, 5
#: A cycle's time falls into up to so many slices; there are 2 to the power of so many.
_SLICES, _SLICE_BITS = 8, 3
#: There are so many bits for each transfer, but at most 2 to the power of so many, which stay near the core.
_BITS, _MOST_BITS = 64, 22
#: Where more than one transfer in so many is new nothing is gained.
_FEW = 4
#: What an amount may be off by as a float of 32 bits, and a little more.
_OFF = 1e-6


class Sums(NamedTuple):
    """Transfers as they are given: from which number to which, microseconds, fen.

    Attributes
    ----------
    payer, payee, at, amount : int64, shape (n_transfers,)
    """

    payer: Ints
    payee: Ints
    at: Ints
    amount: Ints


class _Scale(NamedTuple):
    """How transfers are sorted: what is ``since`` is new, what is before ``first`` does not count; bits that grades and slices leave."""

    since: int
    first: int
    grade: int
    slice: int


class _Part(NamedTuple):
    """Some transfers, those of a grade and a slice of time from ``start`` to ``end``: marks of the accounts, rows as they are given."""

    payer: Marks
    payee: Marks
    row: Int32s
    start: Ints
    end: Ints


class _Side(NamedTuple):
    """A part seen from one of its accounts."""

    marks: Marks
    start: Ints
    end: Ints


class _Fit(NamedTuple):
    """Which transfers fit to others: by their payer to the other's payee (``onward``) or the other way round; ``later`` ones or earlier.

    One of grade g fits to others of the grades ``low[g]`` to ``high[g]``.
    """

    onward: bool
    later: bool
    low: Ints
    high: Ints


class _Found(NamedTuple):
    """What is one, two and so on steps ``ahead`` of new transfers and ``behind`` them; ``middle`` is next to the last of both."""

    ahead: list[_Part]
    middle: list[_Part]
    behind: list[_Part]
    new: _Part


class _Fits(NamedTuple):
    """Which transfers may come next ``after`` others, or next ``before``; be the ``first`` of a cycle to its last, or the ``last``."""

    after: _Fit
    before: _Fit
    first: _Fit
    last: _Fit


def reaching(sums: Sums, since: int, window: int, hops: int, asked: Asked) -> Ints | None:
    """Return the transfers that may lie in a cycle whose last transfer is new, in the order in which they are given.

    Parameters
    ----------
    since, window
        New is what is made at this time or later; a cycle takes so many microseconds at most.
    hops
        Most transfers in a cycle.
    asked
        What is asked of two transfers; amounts must be bounded on both sides, also of the first and the last.

    Returns
    -------
    int64, or None where so many are new that nothing is gained.

    Examples
    --------
    >>> payer, payee = np.array([0, 1, 1, 2, 3] + [8] * 9), np.array([1, 2, 3, 0, 0] + [9] * 9)
    >>> sums = Sums(payer, payee, np.array([0, 1, 2, 3, 4] + [0] * 9), np.array([90, 90, 900, 90, 900] + [5] * 9))
    >>> reaching(sums, 3, 9, 6, Asked(9, 9, 0.8, 1.25, 0.8, 1.25)).tolist()
    [0, 1, 3]
    """
    finer = min(max(round(log2(_WITHIN / max(log2(asked.high / asked.low), 0.01))), 0), _FINEST)
    scale = _Scale(since, since - window, _FRACTION - finer, max(window.bit_length() - _SLICE_BITS, 0))
    every, new = _sorted(sums, scale)
    if new.row.size * _FEW > every.row.size:
        return None
    fits = _fits(asked, scale.grade)
    found, rows = _found(every, new, fits, hops), np.zeros(sums.at.size, np.bool_)
    rows[found.ahead[0].row] = True
    alone = _some(found.behind[0], np.flatnonzero(rows[found.behind[0].row]).astype(np.int32))
    rows[found.ahead[0].row] = False
    for part in _met(found, alone, fits):
        rows[part.row] = True
    return np.flatnonzero(rows)


def _found(every: _Part, new: _Part, fits: _Fits, hops: int) -> _Found:
    """Return what the new transfers lead to, half of a cycle far."""
    ahead, half = [_kept(every, fits.first, new)], max((hops - 1) // 2, 1)
    new = _kept(new, fits.last, ahead[0])
    behind = [_kept(every, fits.before, new)]
    new = _kept(new, fits.after, behind[0])
    ahead[0], behind[0] = _kept(ahead[0], fits.first, new), _kept(behind[0], fits.before, new)
    for _ in range(half - 1):
        ahead.append(_kept(every, fits.after, ahead[-1]))
        behind.append(_kept(every, fits.before, behind[-1]))
    middle = [_kept(_kept(every, fits.after, ahead[-1]), fits.before, behind[-1])] if hops == 2 * half + 2 else []
    return _Found(ahead, middle, behind, new)


def _met(found: _Found, alone: _Part, fits: _Fits) -> list[_Part]:
    """Return of what was found from one end what leads to something that was found from the other, or makes a cycle ``alone`` with it."""
    ahead, middle, behind, new = found
    for level in reversed(range(len(ahead))):
        ahead[level] = _kept(ahead[level], fits.before, *middle, *behind, *ahead[level + 1 :])
        behind[level] = _kept(behind[level], fits.after, *middle, *ahead, *behind[level + 1 :])
    new = _kept(_kept(new, fits.last, ahead[0], alone), fits.after, behind[0], alone)
    return [*ahead, *middle, *behind, alone, new]


def _fits(asked: Asked, shift: int) -> _Fits:
    """Return how grades fit."""
    edge = ((np.arange((_DOUBLINGS << (_FRACTION - shift)) + 1) << shift) + (_ONE << _FRACTION)).astype(np.int32).view(np.float32)

    def fit(low: float, high: float, *, onward: bool, later: bool) -> _Fit:
        ends = edge[:-1].astype(np.float64) * low * (1 - _OFF), edge[1:].astype(np.float64) * high * (1 + _OFF)
        bits = (np.clip(end, 1, float(edge[-2])).astype(np.float32).view(np.int32).astype(np.int64) for end in ends)
        return _Fit(onward, later, *((each >> shift) - (_ONE << (_FRACTION - shift)) for each in bits))

    return _Fits(
        after=fit(1 / asked.high, 1 / asked.low, onward=True, later=True),
        before=fit(asked.low, asked.high, onward=False, later=False),
        first=fit(1 / asked.end_high, 1 / asked.end_low, onward=True, later=False),
        last=fit(asked.end_low, asked.end_high, onward=False, later=True),
    )


def _sorted(sums: Sums, scale: _Scale) -> tuple[_Part, _Part]:
    """Return all transfers that count, and the new ones of them."""
    start = np.cumsum(_sizes(sums, scale))
    size = int(start[-1])
    every = _Part(np.empty(size, np.uint32), np.empty(size, np.uint32), np.empty(size, np.int32), start[:-1], start[:-1].copy())
    new = np.empty(size + 1, np.int32)
    return every, _some(every, np.sort(new[: _sort(sums, scale, every, new)]))


def _kept(part: _Part, fit: _Fit, *others: _Part) -> _Part:
    """Return the transfers of a part that fit to one of others."""
    table, place = np.empty(1 << (_MOST_BITS - 6), np.uint64), np.empty(part.row.size + 1, np.int32)
    mine = _Side(part.payer if fit.onward else part.payee, part.start, part.end)
    places = []
    for other in others:
        theirs = _Side(other.payee if fit.onward else other.payer, other.start, other.end)
        places.append(place[: _join(mine, theirs, fit, table, place)][:: 1 if fit.later else -1].copy())
    if len(places) == 1:
        return _some(part, places[0])
    hit = np.zeros(part.row.size, np.bool_)
    for each in places:
        hit[each] = True
    return _some(part, np.flatnonzero(hit).astype(np.int32))


@kernel
def _some(part: _Part, place: Int32s) -> _Part:
    """Return some transfers of a part, by their places, in order."""
    payer, payee, row = np.empty(len(place), np.uint32), np.empty(len(place), np.uint32), np.empty(len(place), np.int32)
    for k in range(len(place)):
        payer[k], payee[k], row[k] = part.payer[place[k]], part.payee[place[k]], part.row[place[k]]
    start, end, k = np.empty_like(part.start), np.empty_like(part.end), 0
    for cell in range(len(start)):
        start[cell] = k
        while k < len(place) and place[k] < part.end[cell]:
            k += 1
        end[cell] = k
    return _Part(payer, payee, row, start, end)


@kernel
def _grade(amount: int, shift: int) -> int:
    """Return the grade of an amount, below 0 where it is 0 or less."""
    return int((np.float32(amount).view(np.int32) >> shift) - (_ONE << (_FRACTION - shift)))


@kernel
def _cell(grade: int, at: int, scale: _Scale) -> int:
    """Return the number of a grade and a slice of time; what comes after all slices is in the last."""
    return grade * _SLICES + min((at - scale.first) >> scale.slice, _SLICES - 1)


@kernel
def _sizes(sums: Sums, scale: _Scale) -> Ints:
    """Return how many transfers are of each grade and slice, one place further on."""
    sizes = np.zeros((4, (_DOUBLINGS << (_FRACTION - scale.grade)) * _SLICES + 1), np.int64)
    for r in range(len(sums.at)):
        grade, at = _grade(sums.amount[r], scale.grade), sums.at[r]
        if at >= scale.first and grade >= 0:
            # of four counters none waits for what it has just written
            sizes[r & 3, _cell(grade, at, scale) + 1] += 1
    total: Ints = sizes.sum(axis=0)
    return total


@kernel
def _mark(account: int) -> int:
    """Return the first 32 bits behind the point of an account's number times the golden ratio [3]_."""
    low = (account ^ (account >> 32)) & 0xFFFFFFFF
    return (low * 0x61C88646 + (low * 0x405AC1F5 >> 31)) & 0xFFFFFFFF


@kernel
def _sort(sums: Sums, scale: _Scale, every: _Part, new: Int32s) -> int:
    """Write transfers where they belong, and the places of new ones; return how many of these there are."""
    count = 0
    for r in range(len(sums.at)):
        grade, at, payer, payee = _grade(sums.amount[r], scale.grade), sums.at[r], sums.payer[r], sums.payee[r]
        if at >= scale.first and grade >= 0 and payer != payee:
            cell = _cell(grade, at, scale)
            place = every.end[cell]
            every.end[cell] = place + 1
            every.payer[place], every.payee[place], every.row[place] = _mark(payer), _mark(payee), r
            new[count] = place
            count += at >= scale.since
    return count


@kernel
def _join(mine: _Side, theirs: _Side, fit: _Fit, table: Bits, place: Int32s) -> int:
    """Write the places of the transfers that fit to another, in order or (``later`` is not so) turned round; return how many there are."""
    count, grades = 0, len(fit.low)
    for n in range(grades):
        grade = n if fit.later else grades - 1 - n
        low, high = fit.low[grade] * _SLICES, (fit.high[grade] + 1) * _SLICES
        many = (theirs.end[low:high] - theirs.start[low:high]).sum()
        if not many or mine.start[grade * _SLICES] == mine.end[(grade + 1) * _SLICES - 1]:
            continue
        drop = _cleared(table, many)
        for m in range(_SLICES):
            now = m if fit.later else _SLICES - 1 - m
            for cell in range(low + now, high, _SLICES):
                _note(theirs.marks[theirs.start[cell] : theirs.end[cell]], table, drop)
            start, end = mine.start[grade * _SLICES + now], mine.end[grade * _SLICES + now]
            for i in range(end - start):
                k = start + i if fit.later else end - 1 - i
                spot = mine.marks[k] >> drop
                place[count] = k
                count += int((table[spot >> np.uint32(6)] >> np.uint64(spot & np.uint32(63))) & np.uint64(1))
    return count


@kernel
def _cleared(table: Bits, many: int) -> np.uint32:
    """Clear as many bits as so many transfers need; return how many bits of a mark that leaves out."""
    bits = 10
    while bits < _MOST_BITS and 1 << bits < _BITS * many:
        bits += 1
    table[: 1 << (bits - 6)] = 0
    return np.uint32(32 - bits)


@kernel
def _note(marks: Marks, table: Bits, drop: np.uint32) -> None:
    """Set the bits of some marks."""
    for k in range(len(marks)):
        spot = marks[k] >> drop
        table[spot >> np.uint32(6)] |= np.uint64(1) << np.uint64(spot & np.uint32(63))
