"""CSV, plain or packed with gzip: RFC 4180, any one-byte separator and quote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kg.config import SourceSettings
from kg.errors import GateError, UsageError
from loaders.delivery import OpenFile
from loaders.formats.csv_scan import NO_QUOTE, OPEN, RUNAWAY, Scan, scan
from loaders.formats.part import ROWS, Part, bits, broken, column_names, copied, kept, told
from loaders.formats.stream import Blocks, as_text, original, text_blocks

#: A quoted cell of several lines and more bytes than this is a quote that somebody forgot to close.
LONGEST_QUOTE = 1 << 20
#: Ragged rows of a batch are told by their number of cells, up to so many numbers.
_COUNTED = 100


@dataclass(frozen=True)
class Dialect:
    """How a source writes its cells."""

    separator: int
    quote: int
    encoding: str

    @classmethod
    def of(cls, source: SourceSettings) -> Dialect:
        """Return the dialect that the settings say."""
        for setting, sign in (("separator", source.separator), ("quote", source.quote)):
            if not sign.isascii() or sign in ("\n", "\r", "\0"):
                raise UsageError(f"{source.at(setting)}: {setting} of {source.name} must be one ASCII character, not {sign!r}")
        if source.separator == source.quote:
            raise UsageError(f"{source.at('quote')}: separator and quote of {source.name} are the same character")
        return cls(ord(source.separator), ord(source.quote) if source.quote else NO_QUOTE, source.encoding)

    def scan(self, block: bytes, *, final: bool) -> Scan:
        """Find the rows of a block."""
        return scan(block, final=final, separator=self.separator, quote=self.quote, longest_quote=LONGEST_QUOTE)


class Csv:
    """The format ``csv``."""

    name = "csv"
    endings: tuple[str, ...] = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz")
    open = False

    def read(self, opened: OpenFile, source: SourceSettings) -> Iterator[Part]:
        """Yield the rows of a file in parts; the first row that is not blank holds the heads.

        Raises
        ------
        GateError
            If the file is empty, its heads cannot be read, or a quote is never closed.
        """
        dialect = Dialect.of(source)
        blocks = Blocks(text_blocks(opened, source.encoding), opened.name)
        heads: tuple[str, ...] | None = None
        line, rest, final = 1, b"", False
        while not final:
            block, final = blocks.after(rest)
            found = dialect.scan(block, final=final)
            _refuse_open_quote(found, line, opened.name)
            skip = 0
            if heads is None and found.start.size:
                heads, skip = _heads(found, dialect, opened.name), 1
                yield _part(found, heads, dialect, line, slice(1, 1))
            for begin in range(skip, found.start.size, ROWS):
                yield _part(found, heads or (), dialect, line, slice(begin, begin + ROWS))
            line, rest = line + found.lines, block[found.rest :]
        if heads is None:
            raise GateError(f"{opened.name} is empty, not even a row of heads is in it; deliver it again")

    def restore(self, lines: Sequence[bytes], heads: tuple[str, ...], source: SourceSettings) -> Part:
        """Read rows again from their kept bytes; one that is still not a whole row keeps its fault."""
        dialect = Dialect.of(source)
        # Each on its own, since a ragged row may open a quote that would swallow the next.
        parts = [_restored(as_text(line, source.encoding), heads, dialect) for line in lines]
        cells = pa.Table.from_batches([part.cells for part in parts]).combine_chunks().to_batches()[0]
        return Part(
            heads,
            cells,
            np.ones(len(parts), dtype=np.int64),
            pa.concat_arrays([part.fault for part in parts]),
            pa.array([None if part.fault[0].as_py() is None else line for part, line in zip(parts, lines, strict=True)], pa.binary()),
        )


def _restored(text: bytes, heads: tuple[str, ...], dialect: Dialect) -> Part:
    found = dialect.scan(text, final=True)
    if found.outcome != 0 or found.start.size != 1:
        # Not one whole row under these settings: as a row of no cells it is ragged.
        found = dialect.scan(b"-", final=True)
        found.width[:] = 0
    return _part(found, heads, dialect, 1, slice(0, 1))


def _refuse_open_quote(found: Scan, line: int, name: str) -> None:
    place = line + found.quote_line
    if found.outcome == OPEN:
        raise GateError(
            f'{name} line {place}: the quote opened there is never closed; nothing of the file was taken, mend it (double a " that is data)'
        )
    if found.outcome == RUNAWAY:
        raise GateError(
            f"{name} line {place}: the quote opened there is not closed within {LONGEST_QUOTE >> 20} MB and swallows the lines after it; "
            "nothing of the file was taken, mend it, or set quote = '' if its cells are not quoted"
        )


def _heads(found: Scan, dialect: Dialect, name: str) -> tuple[str, ...]:
    if broken(found.block, found.start[:1], found.end[:1])[0]:
        other = "GB18030" if dialect.encoding == "UTF-8" else "UTF-8"
        raise GateError(f"{name}: the heads are not {dialect.encoding}; perhaps the file is in {other} (set encoding)")
    if found.nul[0]:
        raise GateError(f"{name}: a NUL byte is among the heads; perhaps the file is in UTF-16, save it as UTF-8 and deliver it again")
    data = np.frombuffer(found.block, dtype=np.uint8)
    return tuple(copied(data, found.cells[:, : found.width[0]], dialect.quote).to_pylist())


def _part(found: Scan, heads: tuple[str, ...], dialect: Dialect, line: int, rows: slice) -> Part:
    """Return the rows ``rows`` of a block."""
    start, end, width = found.start[rows], found.end[rows], found.width[rows]
    ragged = width != len(heads)
    rules = [(width == count, f"|ragged|{count} cells, not {len(heads)}") for count in np.unique(width[ragged])[:_COUNTED].tolist()]
    rules += [
        (ragged, f"|ragged|not {len(heads)} cells"),
        (found.nul[rows], "|nul|***"),
        (broken(found.block, start, end), "|encoding|***"),
    ]
    fault, sound = told(rules, start.size)
    lines = {int(row): original(found.block[start[row] : end[row]], dialect.encoding) for row in np.flatnonzero(~sound)}
    cells = pa.RecordBatch.from_arrays(_columns(found, rows, sound, len(heads), dialect.quote), names=column_names(heads))
    return Part(heads, cells, found.line[rows].astype(np.int64) + line, fault, kept(lines, start.size))


def _columns(found: Scan, rows: slice, sound: NDArray[np.bool_], width: int, quote: int) -> list[pa.Array]:
    data, null = np.frombuffer(found.block, dtype=np.uint8), bits(sound)
    if null is None:
        return [copied(data, found.cells[:, found.first[rows] + column], quote) for column in range(width)]
    # A row with a fault has empty cells; its bytes are kept beside them.
    first = found.first[rows]
    return [copied(data, np.where(sound, found.cells[:, np.where(sound, first + column, 0)], 0), quote, null) for column in range(width)]
