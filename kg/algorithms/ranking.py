"""The places of many strings in byte order, told by numbers and not by a table of strings and its sorting.

Equal strings are found by two hashes of 64 bits each, bucket by bucket, so that what is compared lies near. Only the different ones are
sorted: they are parted by their first eight bytes, of which ids know few (``company:``, ``person:c``); in each part what all begin with
is left away, and what follows is compared seven bytes at a time, the next seven only among those that agree.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kg.algorithms.csr import group_rows
from kg.algorithms.kernel import Ints, kernel

Words = NDArray[np.uint64]
Bytes = NDArray[np.uint8]
_PARTS, _SEVEN, _EIGHT = 16, 7, 8
#: Odd numbers without a pattern, by which hashes are multiplied.
_ONE, _OTHER = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)
#: Strings in a bucket, about, and the most buckets (a power of two).
_IN_BUCKET, _BUCKETS = 4_096, 1_024


@kernel
def _hashed(start: Ints, data: Bytes) -> tuple[Words, Words]:
    """Return two hashes of each string; of different strings both agree once in 2¹²⁸ times."""
    ones, others = np.empty(len(start) - 1, np.uint64), np.empty(len(start) - 1, np.uint64)
    for row in range(len(ones)):
        at, end = start[row], start[row + 1]
        one = (_ONE ^ np.uint64(end - at)) * _OTHER
        other = one ^ _OTHER
        while at < end:
            word, stop = np.uint64(0), min(at + _EIGHT, end)
            while at < stop:
                word = (word << np.uint64(8)) | np.uint64(data[at])
                at += 1
            one, other = (one ^ word) * _ONE, (other + word) * _OTHER
            one, other = one ^ (one >> np.uint64(32)), other ^ (other >> np.uint64(29))
        one = (one ^ (other >> np.uint64(7))) * _OTHER
        ones[row], others[row] = one ^ (one >> np.uint64(31)), other
    return ones, others


@kernel
def _numbered(one: Words, other: Words, start: Ints) -> tuple[Ints, Ints]:
    """Number different pairs of hashes, which lie bucket by bucket; return the number of each, and the place of the first of each."""
    code, first, count = np.empty(len(one), np.int64), np.empty(len(one), np.int64), 0
    size = 1
    while size < 2 * np.max(start[1:] - start[:-1]):
        size *= 2
    table = np.empty(size, np.int64)
    for bucket in range(len(start) - 1):
        size = 1
        while size < 2 * (start[bucket + 1] - start[bucket]):
            size *= 2
        table[:size] = -1
        for place in range(start[bucket], start[bucket + 1]):
            slot = np.int64(one[place] & np.uint64(size - 1))
            while table[slot] >= 0 and not (one[first[table[slot]]] == one[place] and other[first[table[slot]]] == other[place]):
                slot = (slot + 1) & (size - 1)
            if table[slot] < 0:
                table[slot], first[count] = count, place
                count += 1
            code[place] = table[slot]
    return code, first[:count]


def _different(start: Ints, data: Bytes) -> tuple[Ints, Ints]:
    """Return a number for each string, and the row of each different one, in the order of rows."""
    with np.errstate(over="ignore"):  # products wrap round
        one, other = _hashed(start, data)
    buckets = 1
    while buckets < min(one.size // _IN_BUCKET, _BUCKETS):
        buckets *= 2
    groups = group_rows((one >> np.uint64(44)).astype(np.int64) & (buckets - 1), buckets)
    code, first = _numbered(one[groups.items], other[groups.items], groups.start)
    rows = groups.items[first]
    new = np.zeros(one.size, np.bool_)
    new[rows] = True
    place = np.cumsum(new) - 1
    numbers = np.empty(code.size, np.int64)
    numbers[groups.items] = place[rows][code]
    return numbers, np.flatnonzero(new)


@kernel
def _parted(begin: Ints, end: Ints, data: Bytes, part: Ints) -> Words:
    """Number the first eight bytes of each string in ``part``; return these, or nothing if there are too many."""
    known, count = np.empty(_PARTS, np.uint64), 0
    for row in range(len(part)):
        word = np.uint64(0)
        for place in range(_EIGHT):
            at = begin[row] + place
            word = (word << np.uint64(8)) | np.uint64(data[at] if at < end[row] else 0)
        found = 0
        while found < count and known[found] != word:
            found += 1
        if found == _PARTS:
            return known[:0]
        if found == count:
            known[count] = word
            count += 1
        part[row] = found
    return known[:count]


@kernel
def _common(begin: Ints, end: Ints, data: Bytes, rows: Ints) -> int:
    """Return how many bytes all these strings begin with."""
    first = begin[rows[0]]
    common = end[rows[0]] - first
    for row in rows:
        common = min(common, end[row] - begin[row])
        place = 0
        while place < common and data[begin[row] + place] == data[first + place]:
            place += 1
        common = place
    return int(common)


@kernel
def _words(begin: Ints, end: Ints, data: Bytes, rows: Ints, skipped: int) -> Words:
    """Return of each string the seven bytes behind some as one number, and after them how many there are."""
    words = np.empty(len(rows), np.uint64)
    for place in range(len(rows)):
        low, high = begin[rows[place]] + skipped, end[rows[place]]
        word = np.uint64(0)
        for at in range(low, low + _SEVEN):
            word = (word << np.uint64(8)) | np.uint64(data[at] if at < high else 0)
        words[place] = (word << np.uint64(8)) | np.uint64(min(max(high - low, 0), _SEVEN))
    return words


@kernel
def _refine(ends: tuple[Ints, Ints], data: Bytes, rows: Ints, words: Words, skipped: int) -> None:
    """Sort the rows that agree in their words, which lie side by side, by the bytes behind these; no two strings are equal."""
    waiting = np.empty((len(rows) + 1, 3), np.int64)
    depth, low = 0, 0
    while low < len(rows):
        high = low + 1
        while high < len(rows) and words[high] == words[low]:
            high += 1
        waiting[0, 0], waiting[0, 1], waiting[0, 2] = low, high, skipped + _SEVEN
        depth = 1 if high - low > 1 else 0
        low = high
        while depth > 0:
            depth -= 1
            first, last, skip = waiting[depth]
            some = rows[first:last].copy()
            word = _words(ends[0], ends[1], data, some, skip)
            order = np.argsort(word)
            rows[first:last] = some[order]
            here = 0
            while here < last - first:
                there = here + 1
                while there < last - first and word[order[there]] == word[order[here]]:
                    there += 1
                if there - here > 1:
                    waiting[depth, 0], waiting[depth, 1], waiting[depth, 2] = first + here, first + there, skip + _SEVEN
                    depth += 1
                here = there


def ranked(texts: pa.Array) -> tuple[Ints, Ints]:
    """Return the place of each string among the different ones in byte order, and a row of each.

    Parameters
    ----------
    texts
        Strings without nulls, of less than 2 GiB together.

    Examples
    --------
    >>> [found.tolist() for found in ranked(pa.array(["company:b", "company:a", "company:b"]))]
    [[1, 0, 1], [1, 0]]
    """
    if not len(texts):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    _, offsets, buffer = texts.buffers()
    start = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1].astype(np.int64)
    data = np.frombuffer(buffer, np.uint8) if buffer is not None else np.empty(0, np.uint8)
    number, rows = _different(start, data)
    order = _ordered(start[rows], start[rows + 1], data)
    place = np.empty(order.size, np.int64)
    place[order] = np.arange(order.size)
    return place[number], rows[order]


def _ordered(begin: Ints, end: Ints, data: Bytes) -> Ints:
    """Return the order of different strings: part by part, each from what all of it begin with on."""
    part = np.zeros(begin.size, np.int64)
    first = _parted(begin, end, data, part)
    if not first.size:
        part[:] = 0
    parts = []
    for each in np.argsort(first).tolist() or [0]:
        rows = np.flatnonzero(part == each)
        skipped = _common(begin, end, data, rows)
        words = _words(begin, end, data, rows, skipped)
        order = np.argsort(words)
        rows, words = rows[order], words[order]
        _refine((begin, end), data, rows, words, skipped)
        parts.append(rows)
    return np.concatenate(parts)
