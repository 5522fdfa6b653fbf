"""The lake: Delta tables, the versions that runs pin, and the way back.

Knows where tables lie and how Delta keeps them; hides delta-rs. A table is named by its folder
below the lake (``records/companies``, ``graph/PAID``).
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pyarrow as pa
from deltalake import ColumnProperties, CommitProperties, DeltaTable, WriterProperties, write_deltalake
from deltalake.transaction import AddAction

from kg.engine import Engine
from kg.errors import KgfraudError

#: delta-rs drops log entries older than 30 days, and old versions with them, unless it is told not to.
CONFIGURATION = {"delta.enableExpiredLogCleanup": "false", "delta.logRetentionDuration": "interval 36500 days"}
#: Columns of which nearly every value is another one: a dictionary of them is built in vain.
_DISTINCT = ("id", "src", "dst", "record_id", "digest", "payer", "payee")
_WRITER = WriterProperties(
    compression="ZSTD",
    compression_level=1,
    max_row_group_size=250_000,
    column_properties=dict.fromkeys(_DISTINCT, ColumnProperties(dictionary_enabled=False)),
)


class Lake:
    """The Delta tables below ``root``, read through an engine.

    ``pins`` holds the version at which each table is read; a table that is written moves its pin.
    A lake with a ``base`` reads there what it does not have itself, and writes nothing to it.
    """

    def __init__(self, root: Path, engine: Engine, pins: Mapping[str, int] | None = None, base: Lake | None = None) -> None:
        self.root = root
        self.engine = engine
        self._pins = dict(pins or {})
        self._begun_at = dict(self._pins)
        self._base = base
        #: Tables as they were read: a version never changes.
        self._views: dict[tuple[str, int], ir.Table] = {}
        self._files: dict[tuple[str, int], list[str]] = {}

    @property
    def versions(self) -> dict[str, int]:
        """The version of every table as it is read now."""
        return dict(self._pins)

    def restore(self) -> list[str]:
        """Take every table back to where this lake found it, remove tables that it did not find, and name what had to be changed."""
        undone = []
        for name in self.names():
            if name not in self._begun_at:
                shutil.rmtree(self.root / name)
                undone.append(name)
                continue
            table = self._delta(name)
            if table.version() != self._begun_at[name]:
                table.restore(self._begun_at[name])
                self._begun_at[name] = table.version()
                undone.append(name)
        self._pins = dict(self._begun_at)
        self._views.clear()
        self._files.clear()
        return undone

    def names(self) -> list[str]:
        """Return the names of the tables that lie on the disk, committed or not."""
        return sorted(str(log.parent.relative_to(self.root)) for log in self.root.rglob("_delta_log"))

    def has(self, name: str) -> bool:
        """Tell whether the table exists in what is read."""
        return name in self._pins or (self._base is not None and self._base.has(name))

    def holds(self, name: str) -> bool:
        """Tell from its log alone whether the table exists and has a row in what is read."""
        if name in self._pins:
            return bool(self._files_of(name, self._pins[name]))
        return self._base is not None and self._base.holds(name)

    def view(self, name: str) -> ir.Table:
        """Return the rows of a table at its pin.

        Raises
        ------
        KgfraudError
            If the table does not exist, or its version was removed by pruning.
        """
        if name not in self._pins and self._base is not None:
            return self._base.view(name)
        if name not in self._pins:
            raise KgfraudError(f"the lake has no table {name}; run kgfraud run first")
        found = name, self._pins[name]
        if found not in self._views:
            self._views[found] = self._opened(*found)
        return self._views[found]

    def _opened(self, name: str, version: int) -> ir.Table:
        files = self._files_of(name, version)
        if files:
            return _naive(self.engine.parquet(files))
        return _naive(self.engine.arrow(pa.schema(self._delta(name, version).schema().to_arrow()).empty_table()))

    def _files_of(self, name: str, version: int) -> list[str]:
        found = name, version
        if found not in self._files:
            self._files[found] = [f.removeprefix("file://") for f in self._delta(name, version).file_uris()]
        return self._files[found]

    def without(self, names: Iterable[str]) -> Lake:
        """Return a lake that reads the same versions, but for some tables that it does not have."""
        return Lake(self.root, self.engine, {name: version for name, version in self._pins.items() if name not in set(names)})

    def ensure(self, name: str, schema: ibis.Schema) -> None:
        """Create a table that does not exist yet, empty."""
        if self.has(name):
            return
        path = self.root / name
        if path.exists():
            shutil.rmtree(path)
        path.mkdir(parents=True)
        DeltaTable.create(path, schema=_stored(schema), configuration=dict(CONFIGURATION))
        self._pins[name] = 0

    def widen(self, name: str, schema: ibis.Schema, run_id: str) -> None:
        """Give a table that was made before some columns were thought of those columns; its rows hold nothing in them."""
        table = self._delta(name, self._pins[name])
        known = ibis.Schema.from_pyarrow(pa.schema(table.schema().to_arrow()))
        missing = {column: of for column, of in schema.items() if column not in known}
        if missing:
            rows = self.view(name).mutate(**{column: ibis.null(of) for column, of in missing.items()})
            # written anew as a whole: files of one version that differ in their columns would not be read together
            reader = self.engine.reader(_as_stored(rows, ibis.schema({**known, **missing})))
            write_deltalake(
                table, reader, mode="overwrite", schema_mode="overwrite", writer_properties=_WRITER, commit_properties=_by(run_id)
            )
            self._pins[name] = self._delta(name).version()

    def append(self, name: str, rows: ir.Table, run_id: str) -> int:
        """Add rows to a table and return their number; no row, no new version."""
        if self.engine.none(rows):
            return 0
        table = self._delta(name)
        wanted = ibis.Schema.from_pyarrow(pa.schema(table.schema().to_arrow()))
        # Written by the engine itself: a file that no log names yet is no part of the table.
        file = self.root / name / f"{uuid.uuid4()}.zstd.parquet"
        count = self.engine.count(self.engine.write(_as_stored(rows, wanted), file))
        if not count:
            file.unlink()
            return 0
        stats = json.dumps({"numRecords": count})
        status = file.stat()
        added = AddAction(file.name, status.st_size, {}, status.st_mtime_ns // 1_000_000, data_change=True, stats=stats)
        table.create_write_transaction([added], "append", table.schema(), commit_properties=_by(run_id))
        self._pins[name] = self._delta(name).version()
        return count

    def close(self, name: str, closes: ir.Table, key: Sequence[str], run_id: str) -> None:
        """Close the current rows with the given keys at ``closes.valid_to`` in the name of a run, and set what else ``closes`` has."""
        more = [column for column in closes.columns if column not in (*key, "valid_to")]
        same = " AND ".join(f"t.{k} = s.{k}" for k in key)
        (
            self._delta(name)
            .merge(
                self.engine.reader(closes.select(*key, "valid_to", *more)),
                predicate=f"{same} AND t.last_run IS NULL",
                source_alias="s",
                target_alias="t",
                writer_properties=_WRITER,
                commit_properties=_by(run_id),
            )
            .when_matched_update({"valid_to": "s.valid_to", "last_run": f"'{run_id}'", **{column: f"s.{column}" for column in more}})
            .execute()
        )
        self._pins[name] = self._delta(name).version()

    def prune(self, keep: Mapping[str, set[int]]) -> int:
        """Remove the files that none of the versions to keep needs, and return their number."""
        removed = 0
        for name in self.names():
            table, versions = self._delta(name), sorted(keep.get(name, set()))
            unneeded = table.vacuum(retention_hours=0, dry_run=True, enforce_retention_duration=False, keep_versions=versions)
            there = sum((self.root / name / file).exists() for file in unneeded)
            # files that are gone are named for ever, and each vacuum is a commit
            if there:
                table.vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False, keep_versions=versions)
                removed += there
        return removed

    def _delta(self, name: str, version: int | None = None) -> DeltaTable:
        return DeltaTable(self.root / name, version=version)


def _by(run_id: str) -> CommitProperties:
    return CommitProperties(custom_metadata={"run_id": run_id})


def _stored(schema: ibis.Schema) -> pa.Schema:
    """Return the Arrow schema of a table on the disk: all nullable, timestamps marked as UTC."""
    zoned = {name: dt.Timestamp("UTC", 6) if type_.is_timestamp() else type_ for name, type_ in schema.items()}
    return pa.schema([field.with_nullable(True) for field in ibis.schema(zoned).to_pyarrow()])


def _as_stored(rows: ir.Table, schema: ibis.Schema) -> ir.Table:
    """Return rows in the columns and types of the disk; an engine may have a wider type in mind than the one that was asked for."""
    # a time is cut to microseconds before it is marked as UTC
    plain = {name: dt.Timestamp(None, 6) if type_.is_timestamp() else type_ for name, type_ in schema.items()}
    return rows.select(**{name: rows[name].cast(plain[name]).cast(type_) for name, type_ in schema.items()})


def _naive(rows: ir.Table) -> ir.Table:
    """Drop the mark of UTC, since engines differ in what they do with it."""
    return rows.mutate(**{name: rows[name].cast(dt.Timestamp(None, 6)) for name, t in rows.schema().items() if t.is_timestamp()})
