"""JSON lines: one object a line, plain or packed with gzip; every value as it is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kg.config import SourceSettings
from kg.errors import GateError
from loaders.delivery import OpenFile
from loaders.formats.csv_scan import NO_QUOTE
from loaders.formats.json_scan import MALFORMED, NULL, ZERO, find_lines, scan_objects
from loaders.formats.part import ROWS, Part, bits, broken, column_names, copied, kept, told
from loaders.formats.stream import Blocks, as_text, original, text_blocks

Ints = NDArray[np.int32]


class JsonLines:
    """The format ``jsonl``."""

    name = "jsonl"
    endings: tuple[str, ...] = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz", ".json", ".json.gz")
    open = True

    def read(self, opened: OpenFile, source: SourceSettings) -> Iterator[Part]:
        """Yield the rows of a file in parts; the heads of a part are the keys that occur in it.

        Raises
        ------
        GateError
            If the file has no line and its source is complete, which would close all that the source ever said.
        """
        blocks = Blocks(text_blocks(opened, source.encoding), opened.name)
        line, rest, final, empty = 1, b"", False, True
        while not final:
            block, final = blocks.after(rest)
            rows, rest_at, lines = _lines(block, final=final)
            for begin in range(0, rows.shape[1], ROWS):
                empty = False
                yield _part(block, rows[:, begin : begin + ROWS], line, source.encoding)
            line, rest = line + lines, block[rest_at:]
        if empty and source.mode == "full":
            raise GateError(f"{opened.name} is empty, and {source.name} is a full delivery; deliver it again")
        if empty:
            yield _part(b"", np.empty((3, 0), dtype=np.int32), 1, source.encoding)

    def restore(self, lines: Sequence[bytes], heads: tuple[str, ...], source: SourceSettings) -> Part:  # noqa: ARG002 - every line has its own heads
        """Read lines again from their kept bytes."""
        block = b"\n".join(as_text(line, source.encoding) for line in lines)
        rows, _, _ = _lines(block, final=True)
        return _part(block, rows, 1, source.encoding)


def _lines(block: bytes, *, final: bool) -> tuple[Ints, int, int]:
    data = np.frombuffer(block, dtype=np.uint8)
    rows = np.empty((3, int(np.count_nonzero(data == ord("\n"))) + 1), dtype=np.int32)
    count, rest, lines = find_lines(data, final, rows)
    return rows[:, :count], int(rest), int(lines)


def _part(block: bytes, rows: Ints, line: int, encoding: str) -> Part:
    start, end = rows[0], rows[1]
    data = np.empty(2 * len(block), dtype=np.uint8)
    data[: len(block)] = np.frombuffer(block, dtype=np.uint8)
    state = np.empty(start.size, dtype=np.uint8)
    bad = broken(block, start, end)
    commas = int(np.count_nonzero(data[: len(block)] == ord(",")))
    members = np.empty((6, commas + start.size), dtype=np.int32)
    members = members[:, : scan_objects(data, len(block), rows, state, members)]
    members = members[:, ~bad[members[0]]]
    codes, keys = _keys(data, members)
    repeated = _repeated(codes, members[0], len(keys), start.size)
    rules = [(bad, "|encoding|***"), (state == ZERO, "|nul|***"), ((state == MALFORMED) | repeated, "|json|***")]
    fault, sound = told(rules, start.size)
    columns = _columns(data, members, codes, len(keys), sound)
    lines = {int(row): original(block[start[row] : end[row]], encoding) for row in np.flatnonzero(~sound)}
    cells = pa.RecordBatch.from_arrays(columns, names=column_names(keys))
    return Part(keys, cells, rows[2].astype(np.int64) + line, fault, kept(lines, start.size), open=True)


def _keys(data: NDArray[np.uint8], members: Ints) -> tuple[Ints, tuple[str, ...]]:
    """Return each member's key as a number, and the keys in the order of their appearance."""
    plain = np.zeros(members.shape[1], dtype=np.int32)
    encoded = copied(data, np.stack([members[1], members[2], plain]), NO_QUOTE).dictionary_encode()
    return encoded.indices.to_numpy(zero_copy_only=False), tuple(encoded.dictionary.to_pylist())


def _repeated(codes: Ints, row: Ints, keys: int, rows: int) -> NDArray[np.bool_]:
    """Tell the rows that state one key twice: which of the two values is meant cannot be known."""
    found = np.zeros(rows, dtype=np.bool_)
    places = np.sort(row.astype(np.int64) * max(keys, 1) + codes)
    found[places[1:][np.diff(places) == 0] // max(keys, 1)] = True
    return found


def _columns(data: NDArray[np.uint8], members: Ints, codes: Ints, keys: int, sound: NDArray[np.bool_]) -> list[pa.Array]:
    order = np.argsort(codes, kind="stable")
    bounds = np.concatenate([[0], np.cumsum(np.bincount(codes, minlength=keys))])
    columns = []
    for key in range(keys):
        chosen = members[:, order[bounds[key] : bounds[key + 1]]]
        chosen = chosen[:, sound[chosen[0]]]
        cells, there = np.zeros((3, sound.size), np.int32), np.zeros(sound.size, np.bool_)
        filled = chosen[:, chosen[5] != NULL]
        cells[:2, filled[0]], there[filled[0]] = filled[3:5], True
        columns.append(copied(data, cells, NO_QUOTE, bits(there)))
    return columns
