"""The scan of JSON lines: where each member of each line's object lies, as it is written.

Compiled loops over bytes: numbers keep their text and nested values stay JSON, which parsers to values
lose, and a malformed line spoils no other. The grammar is RFC 8259, strictly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

#: What a line can be.
SOUND, MALFORMED, ZERO = 0, 1, 2
#: What a value can be.
TEXT, NULL = 0, 1
_DEEPEST = 256
_BAD = -1
#: Places of the notes taken while a line is read; behind them lies the stack of open brackets.
_START, _END, _SPARE, _NOTES = 0, 1, 2, 3


@njit(cache=True, nogil=True)  # type: ignore[misc, unused-ignore]
def find_lines(data: Any, final: bool, rows: Any) -> tuple[int, int, int]:
    """Fill ``rows`` (start, end, lines before) with the lines that hold anything; return their count, the rest and all lines."""
    row = 0
    at = 0
    line = 0
    for place in range(data.size + 1):
        if place < data.size and data[place] != 10:
            continue
        if place == data.size and not final:
            break
        start, end = at, place
        while start < end and _blank(data[start]):
            start += 1
        while end > start and _blank(data[end - 1]):
            end -= 1
        if end > start:
            rows[0, row] = start
            rows[1, row] = end
            rows[2, row] = line
            row += 1
        at = min(place + 1, data.size)
        line += 1
    return row, at, line


@njit(cache=True, nogil=True)  # type: ignore[misc, unused-ignore]
def scan_objects(data: Any, size: int, rows: Any, state: Any, members: Any) -> int:
    """Find the members of each line's object.

    Parameters
    ----------
    data
        The block, ``size`` bytes, with as much room behind it: strings with escapes are written there plainly.
    state
        Filled with what each line is.
    members
        Filled with row, start and end of key, start and end of value, and what the value is.

    Returns
    -------
    int
        The number of members; those of lines that are not sound are left out.
    """
    notes = np.zeros(_NOTES + _DEEPEST, dtype=np.int64)
    notes[_SPARE] = size
    count = 0
    for row in range(rows.shape[1]):
        start, end = rows[0, row], rows[1, row]
        at, found = _object(data, start, end, notes, members[:, count:])
        state[row] = SOUND if at == end else MALFORMED
        if _holds_zero(data, start, end) or (at == end and _any_zero(data, members[:, count : count + found])):
            state[row] = ZERO
        if state[row] == SOUND:
            members[0, count : count + found] = row
            count += found
    return count


@njit(cache=True, nogil=True)  # type: ignore[misc, unused-ignore]
def _object(data: Any, at: int, end: int, notes: Any, members: Any) -> tuple[int, int]:
    """Read an object; return what is behind it, and the number of its members."""
    count = 0
    at = _skip(data, _expect(data, at, end, 123), end)
    if at != _BAD and at < end and data[at] == 125:
        return at + 1, count
    while at != _BAD:
        at = _skip(data, _pair(data, at, end, notes, members[:, count]), end)
        count += 1
        if at != _BAD and at < end and data[at] == 125:
            return at + 1, count
        at = _skip(data, _expect(data, at, end, 44), end)
    return _BAD, count


@njit(cache=True, nogil=True)  # type: ignore[misc, unused-ignore]
def _pair(data: Any, at: int, end: int, notes: Any, member: Any) -> int:
    """Read a key and its value; return what is behind them."""
    at = _string(data, at, end, notes)
    member[1], member[2] = notes[_START], notes[_END]
    at = _skip(data, _expect(data, _skip(data, at, end), end, 58), end)
    if not 0 <= at < end:
        return _BAD
    member[5] = NULL if data[at] == 110 else TEXT
    if data[at] == 34:
        at = _string(data, at, end, notes)
        member[3], member[4] = notes[_START], notes[_END]
        return at
    member[3] = at
    at = _value(data, at, end, notes[_NOTES:])
    member[4] = at
    return at


@njit(cache=True, nogil=True)  # type: ignore[misc, unused-ignore]
def _holds_zero(data: Any, start: int, end: int) -> bool:
    """Tell whether a NUL is among these bytes."""
    found = False
    for at in range(start, end):
        found = found or data[at] == 0
    return found


@njit(cache=True, nogil=True)  # type: ignore[misc, unused-ignore]
def _any_zero(data: Any, members: Any) -> bool:
    """Tell whether an escape put a NUL into a key or value."""
    for member in range(members.shape[1]):
        if _holds_zero(data, members[1, member], members[2, member]) or _holds_zero(data, members[3, member], members[4, member]):
            return True
    return False


@njit(cache=True, nogil=True)  # type: ignore[misc, unused-ignore]
def _blank(byte: int) -> bool:
    return byte in (32, 9, 13, 10)


@njit(cache=True, nogil=True)  # type: ignore[misc, unused-ignore]
def _skip(data: Any, at: int, end: int) -> int:
    """Step over blanks."""
    while at != _BAD and at < end and _blank(data[at]):
        at += 1
    return at


@njit(cache=True, nogil=True)  # type: ignore[misc, unused-ignore]
def _expect(data: Any, at: int, end: int, byte: int) -> int:
    """Step over one byte that must be there."""
    return at + 1 if at != _BAD and at < end and data[at] == byte else _BAD


@njit(cache=True, nogil=True)  # type: ignore[misc, unused-ignore]
def _string(data: Any, at: int, end: int, notes: Any) -> int:
    """Read a string; ``notes`` get its start and end without quotes, and where the next escaped one may be written."""
    spare = notes[_SPARE]
    at = _expect(data, at, end, 34)
    if at == _BAD:
        return _BAD
    notes[_START] = at
    while at < end and data[at] != 34 and data[at] != 92:
        if data[at] < 32:
            return _BAD
        at += 1
    notes[_END] = at
    if at < end and data[at] == 34:
        return at + 1
    # It holds an escape: write it out behind the block.
    out = spare
    for place in range(notes[_START], at):
        data[out] = data[place]
        out += 1
    at, out = _unescaped(data, at, end, out)
    notes[_START], notes[_END], notes[_SPARE] = spare, out, out
    return _expect(data, at, end, 34)


@njit(cache=True, nogil=True)  # type: ignore[misc, unused-ignore]
def _unescaped(data: Any, at: int, end: int, out: int) -> tuple[int, int]:
    """Write the rest of a string to ``out`` without its escapes; return where both end."""
    while at < end and data[at] != 34:
        if data[at] < 32:
            return _BAD, out
        if data[at] == 92:
            point, length = _escape(data, at, end)
            if point == _BAD:
                return _BAD, out
            out = _encode(data, out, point)
            at += length
        else:
            data[out] = data[at]
            out += 1
            at += 1
    return at, out


@njit(cache=True, nogil=True)  # type: ignore[misc, unused-ignore]
def _escape(data: Any, at: int, end: int) -> tuple[int, int]:
    """Return the code point of the escape at ``at`` and its length; half a surrogate pair is none."""
    if at + 1 < end:
        for letter, point in ((34, 34), (47, 47), (92, 92), (98, 8), (102, 12), (110, 10), (114, 13), (116, 9)):
            if data[at + 1] == letter:
                return point, 2
    high, low = _hex(data, at, end), _hex(data, at + 6, end)
    if high < 0xD800 or high >= 0xE000:
        return high, 6
    if high < 0xDC00 and 0xDC00 <= low < 0xE000:
        return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00), 12
    return _BAD, 0


@njit(cache=True, nogil=True)  # type: ignore[misc, unused-ignore]
def _hex(data: Any, at: int, end: int) -> int:
    r"""Read ``\uXXXX``."""
    if at + 6 > end or data[at] != 92 or data[at + 1] != 117:
        return _BAD
    value = 0
    for place in range(at + 2, at + 6):
        byte = int(data[place])
        if 48 <= byte <= 57:
            digit = byte - 48
        elif 65 <= byte <= 70 or 97 <= byte <= 102:
            digit = (byte | 32) - 87
        else:
            return _BAD
        value = value * 16 + digit
    return value


@njit(cache=True, nogil=True)  # type: ignore[misc, unused-ignore]
def _encode(data: Any, out: int, point: int) -> int:
    """Write a code point as UTF-8; never longer than its escape."""
    if point < 0x80:
        data[out] = point
        return out + 1
    if point < 0x800:
        data[out] = 0xC0 | (point >> 6)
        data[out + 1] = 0x80 | (point & 0x3F)
        return out + 2
    if point < 0x10000:
        data[out] = 0xE0 | (point >> 12)
        data[out + 1] = 0x80 | ((point >> 6) & 0x3F)
        data[out + 2] = 0x80 | (point & 0x3F)
        return out + 3
    data[out] = 0xF0 | (point >> 18)
    data[out + 1] = 0x80 | ((point >> 12) & 0x3F)
    data[out + 2] = 0x80 | ((point >> 6) & 0x3F)
    data[out + 3] = 0x80 | (point & 0x3F)
    return out + 4


@njit(cache=True, nogil=True)  # type: ignore[misc, unused-ignore]
def _value(data: Any, at: int, end: int, stack: Any) -> int:
    """Step over a value of any depth that the stack has room for."""
    depth = 0
    while at != _BAD and at < end:
        byte = data[at]
        if byte in (123, 91):
            if depth == stack.size:
                return _BAD
            stack[depth] = byte + 2
            depth += 1
            at = _skip(data, at + 1, end)
            if at < end and data[at] != byte + 2:
                at = _member(data, at, end) if byte == 123 else at
                continue
        elif byte == 34:
            at = _over_string(data, at, end)
        else:
            at = _scalar(data, at, end)
        while at != _BAD:  # behind a value, or at the close of an empty container
            if depth == 0:
                return at
            at = _skip(data, at, end)
            if at < end and data[at] == stack[depth - 1]:
                depth -= 1
                at += 1
                continue
            at = _skip(data, _expect(data, at, end, 44), end)
            if stack[depth - 1] == 125:
                at = _member(data, at, end)
            break
    return _BAD


@njit(cache=True, nogil=True)  # type: ignore[misc, unused-ignore]
def _member(data: Any, at: int, end: int) -> int:
    """Step over a key and its colon."""
    return _skip(data, _expect(data, _skip(data, _over_string(data, at, end), end), end, 58), end)


@njit(cache=True, nogil=True)  # type: ignore[misc, unused-ignore]
def _over_string(data: Any, at: int, end: int) -> int:
    """Step over a string."""
    at = _expect(data, at, end, 34)
    while at != _BAD and at < end and data[at] != 34:
        if data[at] < 32:
            return _BAD
        if data[at] == 92:
            point, length = _escape(data, at, end)
            at = at + length if point != _BAD else _BAD
        else:
            at += 1
    return _expect(data, at, end, 34)


@njit(cache=True, nogil=True)  # type: ignore[misc, unused-ignore]
def _scalar(data: Any, at: int, end: int) -> int:
    """Step over a number, true, false or null."""
    for word in (b"true", b"false", b"null"):
        if data[at] == word[0]:
            for place in range(len(word)):
                if at + place >= end or data[at + place] != word[place]:
                    return _BAD
            return at + len(word)
    if data[at] == 45:
        at += 1
    if at < end and data[at] == 48:
        at += 1
    else:
        at = _digits(data, at, end)
    if at != _BAD and at < end and data[at] == 46:
        at = _digits(data, at + 1, end)
    if at != _BAD and at < end and data[at] in (69, 101):
        at += 1
        if at < end and data[at] in (43, 45):
            at += 1
        at = _digits(data, at, end)
    return at


@njit(cache=True, nogil=True)  # type: ignore[misc, unused-ignore]
def _digits(data: Any, at: int, end: int) -> int:
    """Step over at least one digit."""
    start = at
    while at < end and 48 <= data[at] <= 57:
        at += 1
    return at if at > start else _BAD
