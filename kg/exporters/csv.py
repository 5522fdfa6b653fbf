"""``flags.csv``: a table for people, as RFC 4180 has it, UTF-8 with heads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from kg.exporters.jsontext import json_text

_FORMULA = r"^([=+\-@\t\r])"
_LONGEST_ROW = 64 << 20


@dataclass(frozen=True)
class Csv:
    """Flags as comma-separated values; evidence is a JSON list in one cell, no value an empty cell.

    A text that begins with ``=``, ``+``, ``-``, ``@``, a tab or a carriage return gets an apostrophe before it,
    so that no spreadsheet program runs it as a formula; the JSON lines hold it as it is.
    """

    name: str = "flags.csv"

    def write(self, flags: pa.Table, to: BinaryIO) -> None:
        """Write flags; equal flags give equal bytes."""
        pyarrow.csv.write_csv(pa.table({name: _cells(flags.column(name)) for name in flags.column_names}), to)

    def count(self, path: Path) -> Mapping[str, int]:
        """Return the number of rows by reason."""
        read = pyarrow.csv.ReadOptions(block_size=_LONGEST_ROW)
        convert = pyarrow.csv.ConvertOptions(include_columns=["reason"], column_types={"reason": pa.string()})
        rows = pyarrow.csv.read_csv(path, read, pyarrow.csv.ParseOptions(newlines_in_values=True), convert)
        return {v["values"]: v["counts"] for v in pc.value_counts(rows.column("reason")).to_pylist()}


def _cells(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_list(column.type):
        return pa.chunked_array([json_text(chunk) for chunk in column.chunks], pa.string())
    if pa.types.is_string(column.type):
        return pc.replace_substring_regex(column, _FORMULA, r"'\1")
    return column
