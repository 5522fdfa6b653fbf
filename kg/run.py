"""Runs: who is at work, what a committed run read and wrote, and which of its last stages are done.

Knows the folder ``runs/``: the lock, one folder for each run with its record and its ``.done`` files.
A run is committed by the appearance of its record; everything before that can be undone, everything
after it can be finished.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from kg.errors import KgfraudError, UsageError, did_you_mean

RECORD = "record.json"


@dataclass(frozen=True)
class RunRecord:
    """What a committed run was: enough to read it again and to do it again.

    ``tables`` pins the version of every lake table, ``sources`` says what came in, ``results`` what changed.
    """

    run_id: str
    as_of: date
    started_at: str
    committed_at: str
    code: str
    settings: str
    tables: dict[str, int]
    sources: tuple[dict[str, Any], ...] = ()
    rules: dict[str, str] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the record as the text of its file."""
        return json.dumps({**asdict(self), "as_of": self.as_of.isoformat()}, ensure_ascii=False, indent=1, sort_keys=True)

    @staticmethod
    def from_json(text: str) -> RunRecord:
        """Read the text of a record's file."""
        data = json.loads(text)
        return RunRecord(**{**data, "as_of": date.fromisoformat(data["as_of"]), "sources": tuple(data["sources"])})


class Runs:
    """The folder of the runs."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the workspace for one run; the operating system frees it when the process dies.

        Raises
        ------
        KgfraudError
            If another process holds it.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / ".lock").open("a+") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                handle.seek(0)
                holder = handle.read().strip() or "another process"
                raise KgfraudError(f"{self.root.parent}: {holder} is at work on this workspace; wait until it has ended") from None
            handle.truncate(0)
            handle.write(f"process {os.getpid()}, since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")
            handle.flush()
            yield

    def ids(self) -> list[str]:
        """Return the ids of the committed runs, oldest first."""
        return sorted(p.parent.name for p in self.root.glob(f"*/{RECORD}"))

    def last(self) -> RunRecord | None:
        """Return the record of the newest committed run, or None before the first."""
        ids = self.ids()
        return self.record(ids[-1]) if ids else None

    def record(self, run_id: str) -> RunRecord:
        """Return the record of a run; ``last`` names the newest one."""
        ids = self.ids()
        if not ids:
            raise KgfraudError("no run was committed yet; run kgfraud run first")
        if run_id == "last":
            run_id = ids[-1]
        if run_id not in ids:
            near = did_you_mean(run_id, [*ids, "last"])
            raise UsageError(f"no committed run named '{run_id}'{near} (kgfraud runs list shows them)")
        return RunRecord.from_json((self.root / run_id / RECORD).read_text(encoding="utf-8"))

    def new_id(self, now: datetime) -> str:
        """Return an id for a run that begins now; ids sort in the order of the runs.

        >>> Runs(Path("nowhere")).new_id(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
        '20260102T030405Z'
        """
        new = f"{now:%Y%m%dT%H%M%SZ}"
        ids = self.ids()
        if ids and new <= ids[-1]:
            after = datetime.strptime(ids[-1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) + timedelta(seconds=1)
            new = f"{after:%Y%m%dT%H%M%SZ}"
        return new

    def begin(self, run_id: str) -> None:
        """Note that a run has begun, so that the next one knows if it dies."""
        (self.root / run_id).mkdir(parents=True)

    def begun(self) -> list[str]:
        """Return the runs that began and were not committed, oldest first."""
        committed = set(self.ids())
        return sorted(p.name for p in self.root.glob("*Z") if p.is_dir() and p.name not in committed)

    def forget(self, run_ids: Sequence[str]) -> None:
        """Remove the folders of runs that were not committed."""
        for run_id in run_ids:
            shutil.rmtree(self.root / run_id)

    def commit(self, record: RunRecord) -> None:
        """Make a run a committed one: after this call it is, before it it was not."""
        write_whole(self.root / record.run_id / RECORD, record.to_json())

    def done(self, run_id: str, stage: str) -> bool:
        """Tell whether a stage after the commit has been finished."""
        return (self.root / run_id / f"{stage}.done").exists()

    def finish(self, run_id: str, stage: str, result: dict[str, Any]) -> None:
        """Note that a stage after the commit has been finished, with what it did."""
        write_whole(self.root / run_id / f"{stage}.done", json.dumps(result, ensure_ascii=False, sort_keys=True))

    def result(self, run_id: str, stage: str) -> dict[str, Any]:
        """Return what a finished stage did."""
        path = self.root / run_id / f"{stage}.done"
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def write_whole(path: Path, contents: str | bytes) -> None:
    """Write a file so that it is there whole or not at all, even after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(path.suffix + ".tmp")
    with temporary.open("wb") as handle:
        handle.write(contents.encode() if isinstance(contents, str) else contents)
        handle.flush()
        os.fsync(handle.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
