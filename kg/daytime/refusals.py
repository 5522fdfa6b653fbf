"""The quarantine of the last committed run, read for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc

from kg import history
from kg.config import Workspace
from kg.pipeline import opened
from kg.progress import Silent
from kg.run import Runs
from kg.stage import Night
from loaders.formats.part import PLACE
from loaders.quarantine import TABLE, unsealed, versions

_LISTED = ("id", "source", "kind", "file", "line", "part", "record_id", "column", "rule", "value", "faults", "first_run")
_LEFT = ("left_as", "last_run")


def listed(workspace: Workspace, source: str | None, limit: int | None, *, left: bool = False) -> list[dict[str, Any]]:
    """Return refused rows by source, file and line, at most ``limit`` of them; or those that have ``left`` the list, and why."""
    with _refused(workspace, source, left=left) as (night, rows):
        if rows is None:
            return []
        chosen = rows.select(*_LISTED, *(_LEFT if left else ())).order_by("source", "file", "line", "part")
        return list(night.lake.engine.table(chosen.limit(limit) if limit else chosen).to_pylist())


def counted(workspace: Workspace, source: str | None, *, left: bool = False) -> list[dict[str, Any]]:
    """Return how many rows are refused (or have ``left`` the list), by source and first fault."""
    with _refused(workspace, source, left=left) as (night, rows):
        if rows is None:
            return []
        counts = rows.group_by("source", "column", "rule").aggregate(rows=rows.count()).order_by("source", "column", "rule")
        return list(night.lake.engine.table(counts).to_pylist())


def clear_rows(workspace: Workspace, source: str | None) -> tuple[list[str], list[list[Any]]]:
    """Return refused rows as they were delivered, in clear: source, file, line, fault, then the heads of the files."""
    with _refused(workspace, source) as (night, rows):
        if rows is None:
            return ["source"], []
        wanted = night.lake.engine.table(rows.select("source", "file", "line", "column", "rule", "block", "position", "part"))
        encodings = {s.name: s.encoding for s in workspace.settings.sources}
        tables = [_joined(wanted, block, raw, encodings) for block, raw in unsealed(night.lake, night.keyring, wanted)]
    table = pa.concat_tables(tables, promote_options="default") if tables else wanted
    table = table.sort_by([(name, "ascending") for name in ("source", "file", "line", "part")])
    return table.column_names, [list(row.values()) for row in table.to_pylist()]


def _joined(wanted: pa.Table, block: str, raw: pa.Table, encodings: Mapping[str, str]) -> pa.Table:
    """Put the heads of the raw rows beside where they stood; a torn row is given by its text."""
    here = wanted.filter(pc.equal(wanted["block"], block)).drop_columns(["block"]).rename_columns({"position": "_position"})
    encoding = encodings.get(here["source"][0].as_py(), "UTF-8")
    text = pa.array([None if t is None else t.decode(encoding, "replace") for t in raw["_text"].to_pylist()], pa.string())
    cells = raw.drop_columns([name for name in PLACE if name in raw.column_names]).append_column("(text)", text)
    return here.join(cells, "_position", join_type="inner", right_suffix=" (delivered)").drop_columns(["_position"])


@contextmanager
def _refused(workspace: Workspace, source: str | None, *, left: bool = False) -> Iterator[tuple[Night, ir.Table | None]]:
    with opened(workspace, Runs(workspace.runs), Silent()) as night:
        if not night.lake.has(TABLE):
            yield night, None
            return
        every = versions(night.lake)
        rows = every.filter(every.left_as.notnull()) if left else history.current(every)
        yield night, rows.filter(rows.source == source) if source else rows
