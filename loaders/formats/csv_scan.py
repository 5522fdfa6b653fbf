"""The scan of CSV text: where each row and cell lies, which line a row starts on, what is wrong with it.

Compiled loops over bytes, because a row's line cannot be told from parsed cells: quoted line ends, blank
lines and ragged rows all move it. The grammar is RFC 4180, read as leniently as Python's `csv` does; a
row ends at LF, CR or CRLF.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int32]

LF, CR = 10, 13
PLAIN, ESCAPED = 0, 1
#: How a scan can end: all rows whole; a quote still open at the end; a quote that took in too much.
WHOLE, OPEN, RUNAWAY = 0, 1, 2
NO_QUOTE = 256

#: Why a row does not end: the block does, or one of the two faults above.
CUT, UNCLOSED, SWALLOWS = -3, -2, -1
#: Places of `signs`, which say how the text is written, and of `notes`, which are taken while a row is read.
SEPARATOR, QUOTE, LONGEST, FINAL = 0, 1, 2, 3
START, END, FORM, COUNT, LINES, ZERO, MARK = 0, 1, 2, 3, 4, 5, 6


@dataclass(frozen=True)
class Scan:
    """What `scan` found in a block.

    Attributes
    ----------
    block
        The block itself.
    start, end, line
        Span of each row without its line end, and the lines before it in this block.
    first, width
        Place of each row's first cell, and the number of its cells.
    nul
        Whether a NUL byte is in the row.
    cells : shape (3, cells)
        Start and end of each cell without its quotes, and its form: ``ESCAPED`` where quotes in it are doubled.
    rest, lines
        Where the first row that is not whole yet begins, and the lines before it.
    outcome, quote_line
        How the scan ended, and the lines before the quote that is to blame.
    """

    block: bytes
    start: Ints
    end: Ints
    line: Ints
    first: Ints
    width: Ints
    nul: NDArray[np.bool_]
    cells: Ints
    rest: int
    lines: int
    outcome: int
    quote_line: int


def scan(block: bytes, *, final: bool, separator: int, quote: int, longest_quote: int) -> Scan:
    """Find the rows of a block of CSV text.

    Parameters
    ----------
    final
        Whether the text ends here, so that the last row needs no line end.
    separator, quote
        Bytes; `NO_QUOTE` where nothing quotes.
    longest_quote
        A quoted cell with line ends in it and more bytes than this is taken for an unclosed quote.
    """
    data = np.frombuffer(block, dtype=np.uint8)
    ends = int(np.count_nonzero(data == LF)) + int(np.count_nonzero(data == CR)) + 1
    rows = np.empty((6, ends), dtype=np.int32)
    cells = np.empty((3, ends + int(np.count_nonzero(data == separator))), dtype=np.int32)
    signs = np.array([separator, quote, longest_quote, final], dtype=np.int64)
    found = scan_bytes(data, signs, rows, cells)
    count, filled, rest, lines, outcome, quote_line = (int(number) for number in found)
    start, end, line, first, width, nul = rows[:, :count]
    return Scan(block, start, end, line, first, width, nul.astype(np.bool_), cells[:, :filled], rest, lines, outcome, quote_line)


@njit(cache=True, nogil=True)  # type: ignore[misc, unused-ignore]
def scan_bytes(data: Any, signs: Any, rows: Any, cells: Any) -> tuple[int, int, int, int, int, int]:
    """Fill ``rows`` (start, end, line, first cell, cells, NUL) and ``cells``; return counts, rest and how it ended."""
    at, row, cell, line = 0, 0, 0, 0
    notes = np.zeros(7, dtype=np.int64)
    while at < data.size:
        step = _line_end(data, at)
        if step:  # a blank line
            if data[at] == CR and at + 1 == data.size and not signs[FINAL]:
                break
            at += step
            line += 1
            continue
        notes[:] = 0
        end = _row(data, at, signs, notes, cells[:, cell:])
        if end < 0:
            return row, cell, at, line, end + 3 if end != CUT else WHOLE, line + notes[MARK]
        rows[0, row], rows[1, row], rows[2, row] = at, end, line
        rows[3, row], rows[4, row], rows[5, row] = cell, notes[COUNT], notes[ZERO]
        row += 1
        cell += notes[COUNT]
        step = _line_end(data, end)
        at = end + step
        line += notes[LINES] + (1 if step else 0)
    return row, cell, at, line, WHOLE, 0


@njit(cache=True, nogil=True)  # type: ignore[misc, unused-ignore]
def _row(data: Any, at: int, signs: Any, notes: Any, cells: Any) -> int:
    """Read the row at ``at``; return where its line ends, or why it does not."""
    while True:
        opened, notes[MARK] = at, notes[LINES]
        at = _cell(data, at, signs, notes)
        # Only a quoted cell can have lines in it.
        if notes[LINES] > notes[MARK] and notes[END] - opened > signs[LONGEST]:
            return SWALLOWS
        if at < 0:
            return UNCLOSED if signs[FINAL] else CUT
        cells[0, notes[COUNT]], cells[1, notes[COUNT]], cells[2, notes[COUNT]] = notes[START], notes[END], notes[FORM]
        notes[COUNT] += 1
        if at == data.size:
            return at if signs[FINAL] else CUT
        if data[at] != signs[SEPARATOR]:
            return CUT if data[at] == CR and at + 1 == data.size and not signs[FINAL] else at
        at += 1


@njit(cache=True, nogil=True)  # type: ignore[misc, unused-ignore]
def _cell(data: Any, at: int, signs: Any, notes: Any) -> int:
    """Read the cell at ``at``; return what is behind it, or -1 where a quote is open at the end of the block."""
    notes[FORM], notes[START] = PLAIN, at
    if at == data.size or data[at] != signs[QUOTE]:
        notes[END] = _run(data, at, signs[SEPARATOR], notes)
        return int(notes[END])
    notes[START] = at + 1
    at = _close(data, at + 1, signs[QUOTE], notes)
    notes[END] = at
    if at == data.size or (at + 1 == data.size and not signs[FINAL]):
        return -1  # the quote is open, or may turn out to be doubled
    at += 1
    if at < data.size and data[at] != signs[SEPARATOR] and not _line_end(data, at):
        notes[FORM] = ESCAPED  # more text behind the closing quote, which stays in the span
        at = _run(data, at, signs[SEPARATOR], notes)
        notes[END] = at
    return at


@njit(cache=True, nogil=True)  # type: ignore[misc, unused-ignore]
def _run(data: Any, at: int, separator: int, notes: Any) -> int:
    """Return where a cell without quotes ends."""
    while at < data.size:
        byte = data[at]
        if byte in (separator, LF, CR):
            break
        if byte == 0:
            notes[ZERO] = 1
        at += 1
    return at


@njit(cache=True, nogil=True)  # type: ignore[misc, unused-ignore]
def _close(data: Any, at: int, quote: int, notes: Any) -> int:
    """Return where the quote that closes a cell is, or the size of the block."""
    while at < data.size:
        byte = data[at]
        if byte == quote:
            if at + 1 == data.size or data[at + 1] != quote:
                break
            notes[FORM] = ESCAPED
            at += 1
        elif byte == LF or (byte == CR and _line_end(data, at) == 1):
            notes[LINES] += 1
        elif byte == 0:
            notes[ZERO] = 1
        at += 1
    return at


@njit(cache=True, nogil=True)  # type: ignore[misc, unused-ignore]
def _line_end(data: Any, at: int) -> int:
    """Return the length of the line end at ``at``: 1, 2 for CRLF, or 0 where there is none."""
    if at == data.size or data[at] not in (LF, CR):
        return 0
    return 2 if data[at] == CR and at + 1 < data.size and data[at + 1] == LF else 1


@njit(cache=True, nogil=True)  # type: ignore[misc, unused-ignore]
def copy_cells(data: Any, cells: Any, quote: int, out: Any, offsets: Any) -> None:
    """Copy cells one after another into ``out``, undoing doubled quotes; ``offsets`` has one place more than there are cells."""
    size = 0
    offsets[0] = 0
    for cell in range(cells.shape[1]):
        at, end = cells[0, cell], cells[1, cell]
        quoted = cells[2, cell] == ESCAPED
        while at < end:
            if quoted and data[at] == quote:
                # The first of a pair stands for the second; a single one ends the quoting.
                at += 1
                quoted = data[at] == quote
            out[size] = data[at]
            size += 1
            at += 1
        offsets[cell + 1] = size


@njit(cache=True, nogil=True)  # type: ignore[misc, unused-ignore]
def broken_rows(data: Any, start: Any, end: Any, broken: Any) -> None:
    """Mark the rows whose bytes are no UTF-8 (RFC 3629: shortest form, no surrogates, up to U+10FFFF)."""
    for row in range(start.size):
        at, stop = start[row], end[row]
        while at < stop and not broken[row]:
            length = 1 if data[at] < 0x80 else _character(data, at, stop)
            broken[row] = length == 0
            at += length


@njit(cache=True, nogil=True)  # type: ignore[misc, unused-ignore]
def _character(data: Any, at: int, stop: int) -> int:
    """Return the length of the character at ``at``, which is not ASCII, or 0 if it is none."""
    byte = data[at]
    length = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
    if byte < 0xC2 or byte > 0xF4 or at + length > stop:
        return 0
    low = 0xA0 if byte == 0xE0 else 0x90 if byte == 0xF0 else 0x80
    high = 0x9F if byte == 0xED else 0x8F if byte == 0xF4 else 0xBF
    if data[at + 1] < low or data[at + 1] > high:
        return 0
    for place in range(at + 2, at + length):
        if data[place] < 0x80 or data[place] > 0xBF:
            return 0
    return length
