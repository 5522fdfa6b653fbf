"""An empty local database filled by Neo4j's own offline importer, several times faster than over Bolt.

Knows how rows become the importer's CSV files (a header and a data file for each type) and how it is
called; hides the files, which are removed in any case. The marker node is one of the rows, so that a
database that was imported whole says so itself, and half a one says nothing.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.csv import CSVWriter, WriteOptions

from kg.schema import NodeType
from kg.store import Change, Progress, Type, columns_of, conform, name_of, schema_of
from kg.stores.cypher import MARKER

_TYPE = {"string": "string", "int64": "long", "bool": "boolean", "date": "date", "timestamp": "datetime"}


def import_full(admin: Callable[..., None], folder: Path, changes: Sequence[Change], run_id: str, progress: Progress | None = None) -> None:
    """Import the rows of all changes into the database ``neo4j``, which must not exist.

    Parameters
    ----------
    admin
        Runs ``neo4j-admin`` with the arguments given.
    folder
        Where the files lie while it runs; it is emptied before and removed after.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        written = [_write(folder, change, progress or (lambda _name, _rows: None)) for change in changes]
        arguments = [argument for argument, _ in written if argument]
        # The importer reads faster where it need not expect a line break inside a value.
        multiline = any(breaks for _, breaks in written)
        admin(
            *("database", "import", "full", "--overwrite-destination=true", "--high-parallel-io=on", "--max-off-heap-memory=50%"),
            *(f"--multiline-fields={str(multiline).lower()}", f"--report-file={folder / 'report'}"),
            *(_marker(folder, run_id), *arguments),
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def header(type_: Type) -> list[str]:
    """Return the importer's header for a type.

    >>> from kg.schema import edge, node
    >>> header(edge("REPAID"))[:5]
    ['id:string', ':START_ID', ':END_ID', 'amount_fen:long', 'at:datetime']
    >>> header(node("Contact"))[:2]
    ['id:ID', 'kind:string']
    """
    keys = ["id:ID"] if isinstance(type_, NodeType) else ["id:string", ":START_ID", ":END_ID"]
    return keys + [f"{p.name}:{_TYPE[p.type]}" for p in columns_of(type_)]


def _write(folder: Path, change: Change, progress: Progress) -> tuple[str, bool]:
    """Write a type's files; return its argument (empty without rows) and whether a value holds a line break."""
    type_ = change.type
    data = folder / f"{name_of(type_)}.csv"
    rows, breaks = 0, False
    with CSVWriter(data, _textual(_empty(type_)).schema, write_options=WriteOptions(include_header=False)) as writer:
        for batch in (_textual(conform(batch, type_)) for batch in change.upserts()):
            rows += batch.num_rows
            progress(name_of(type_), batch.num_rows)
            breaks = breaks or _has_breaks(batch)
            writer.write_batch(batch)
    if not rows:
        return "", False
    head = _write_rows(folder / f"{name_of(type_)}.head.csv", [header(type_)])
    labels = ":".join((type_.label, *type_.also)) if isinstance(type_, NodeType) else type_.type
    return f"--{'nodes' if isinstance(type_, NodeType) else 'relationships'}={labels}={head},{data}", breaks


def _marker(folder: Path, run_id: str) -> str:
    file = _write_rows(folder / f"{MARKER}.csv", [["id:ID", "holds:string"], ["marker", run_id]])
    return f"--nodes={MARKER}={file}"


def _write_rows(path: Path, rows: list[list[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def _empty(type_: Type) -> pa.RecordBatch:
    schema = schema_of(type_)
    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)


def _textual(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the rows with points in time as ISO 8601, which is what the importer reads; Arrow writes a blank for the T."""
    columns = [pc.strftime(column, "%Y-%m-%dT%H:%M:%SZ") if pa.types.is_timestamp(column.type) else column for column in batch.columns]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _has_breaks(batch: pa.RecordBatch) -> bool:
    texts = (column for column in batch.columns if pa.types.is_string(column.type))
    return any(pc.any(pc.match_substring_regex(text, r"[\r\n]")).as_py() for text in texts)
