"""What every format gives: rows as they stand in the file, all cells text, in bounded parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kg.config import SourceSettings
from loaders.delivery import OpenFile
from loaders.formats.csv_scan import broken_rows, copy_cells

#: Most rows of a part: few enough that reading, mapping and typing always have one each to work on.
ROWS = 60_000
#: Columns that the reader adds to a file's own.
PLACE = ("_file", "_line", "_row", "_fault", "_text", "_heads")


@dataclass(frozen=True)
class Part:
    """Some rows of a file.

    Attributes
    ----------
    heads
        The heads of the file, in its order and spelling.
    cells
        A string column for each head, under a name of its own; all null in a row with a fault.
    line
        The physical line on which each row starts, from 1; of a Parquet file the row's number.
    fault
        String: null, or ``|<rule>|<what>``, without data of the row.
    text
        Binary: the bytes of a row with a fault as they stand in the file, else null.
    open
        Whether a head that is not there is merely empty in all these rows, as in JSON lines.
    """

    heads: tuple[str, ...]
    cells: pa.RecordBatch
    line: NDArray[np.int64]
    fault: pa.Array
    text: pa.Array
    open: bool = False


class Format(Protocol):
    """A format that delivered files may have."""

    name: str
    endings: tuple[str, ...]
    #: Whether a head that is not there is merely empty.
    open: bool

    def read(self, opened: OpenFile, source: SourceSettings) -> Iterator[Part]:
        """Yield the rows of a file in parts; at least one part, an empty one if there is no row."""
        ...

    def restore(self, lines: Sequence[bytes], heads: tuple[str, ...], source: SourceSettings) -> Part:
        """Read rows again, each from its kept bytes, under settings that may have been mended since."""
        ...


def column_names(heads: Iterable[str]) -> list[str]:
    """Return a name of its own for each head: repeated, blank and reserved ones get their number.

    >>> column_names(["id", "", "id", "_row"])
    ['id', '#2', 'id#3', '_row#4']
    """
    names: list[str] = []
    taken = {"", *PLACE}
    for number, head in enumerate(heads, 1):
        name = f"{head}#{number}" if head in taken else head
        taken.add(name)
        names.append(name)
    return names


def copied(data: NDArray[np.uint8], cells: NDArray[np.int32], quote: int, null: pa.Buffer | None = None) -> pa.Array:
    """Return cells (start, end and form of each), known to be UTF-8, as strings."""
    out = np.empty(int((cells[1] - cells[0]).sum(dtype=np.int64)), dtype=np.uint8)
    offsets = np.empty(cells.shape[1] + 1, dtype=np.int32)
    copy_cells(data, cells, quote, out, offsets)
    return pa.StringArray.from_buffers(cells.shape[1], pa.py_buffer(offsets), pa.py_buffer(out), null)


def bits(valid: NDArray[np.bool_]) -> pa.Buffer | None:
    """Return which values are there as Arrow's bitmap; None where all are."""
    return None if valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little"))


def broken(block: bytes, start: NDArray[np.int32], end: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return which rows are no UTF-8."""
    found = np.zeros(start.size, dtype=np.bool_)
    if not _is_utf8(block):
        broken_rows(np.frombuffer(block, dtype=np.uint8), start, end, found)
    return found


def _is_utf8(block: bytes) -> bool:
    """Check a whole block at the speed of memory."""
    try:
        pa.Array.from_buffers(
            pa.string(), 1, [None, pa.py_buffer(np.array([0, len(block)], dtype=np.int32)), pa.py_buffer(block)]
        ).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def told(rules: Sequence[tuple[NDArray[np.bool_], str]], rows: int) -> tuple[pa.Array, NDArray[np.bool_]]:
    """Return each row's fault, the first rule that it breaks, and which rows are sound.

    >>> told([(np.array([True, False]), "|nul|***")], 2)[0].to_pylist()
    ['|nul|***', None]
    """
    code = np.full(rows, len(rules), dtype=np.int8)
    for number in reversed(range(len(rules))):
        code[rules[number][0]] = number
    sound = code == len(rules)
    if sound.all():
        return pa.nulls(rows, pa.string()), sound
    words = pa.array([*(text for _, text in rules), None], pa.string())
    return words.take(pa.array(code)), sound


def kept(lines: dict[int, bytes], rows: int) -> pa.Array:
    """Return the bytes of the rows that must be kept as they stand, null for the others."""
    if not lines:
        return pa.nulls(rows, pa.binary())
    column: list[bytes | None] = [None] * rows
    for row, data in lines.items():
        column[row] = data
    return pa.array(column, pa.binary())
