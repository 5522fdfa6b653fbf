"""``flags.jsonl``: one JSON object on a line, UTF-8; the form that programs should read."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from kg.exporters.jsontext import json_text

_BATCH = 10_000


@dataclass(frozen=True)
class JsonLines:
    """Flags as JSON lines: the columns in their order, null where there is no value, dates as ISO 8601."""

    name: str = "flags.jsonl"

    def write(self, flags: pa.Table, to: BinaryIO) -> None:
        """Write flags; equal flags give equal bytes."""
        for batch in flags.to_batches(max_chunksize=_BATCH):
            members = [pc.binary_join_element_wise(f'"{name}":', json_text(batch.column(name)), "") for name in batch.schema.names]
            lines = pc.binary_join_element_wise("{", pc.binary_join_element_wise(*members, ","), "}\n", "")
            to.write(pc.binary_join(_one_list(lines), "")[0].as_buffer())

    def count(self, path: Path) -> Mapping[str, int]:
        """Return the number of rows by reason."""
        with path.open("rb") as lines:
            return Counter(json.loads(line)["reason"] for line in lines)


def _one_list(values: pa.Array) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array([0, len(values)], pa.int32()), values)
