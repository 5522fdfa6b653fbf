"""Snapshots that were computed once are kept, so that a training that was broken off goes on where it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow as pa

from gnn.family import Family
from gnn.past import Archive
from gnn.snapshot import Named, Snapshot

#: Makes the snapshot of a day for a period, see `gnn.task.Units`.
Look: TypeAlias = Callable[[Archive, date, Sequence[Family], str | None], Snapshot]


@dataclass(frozen=True)
class Shelf:
    """Where the snapshots of a task are kept.

    Attributes
    ----------
    folder
        One for each task and version of the code; None keeps nothing.
    """

    folder: Path | None = None

    def seen(self, archive: Archive, day: date, families: Sequence[Family], look: Look, period: str | None) -> Snapshot:
        """Return the snapshot of a day, computed where it is not kept yet or was of other tables or features."""
        if self.folder is None:
            return look(archive, day, families, period)
        columns = [[family.name, [column.name for column in family.columns]] for family in families]
        key = [archive.lake.versions, archive.zone, day.isoformat(), period, columns]
        path = self.folder / f"{day}-{hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:16]}.npz"
        if path.exists():
            with np.load(path) as kept:
                ids = pa.array(kept["ids"].tolist(), pa.string())
                named = tuple(Named(**each) for each in json.loads(str(kept["columns"])))
                return Snapshot(day, ids, kept["values"], named, int(kept["n_own"]))
        found = look(archive, day, families, period)
        self._keep(path, found)
        return found

    def _keep(self, path: Path, seen: Snapshot) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished, columns = path.with_suffix(".tmp.npz"), json.dumps([asdict(each) for each in seen.columns])
        ids = np.array(seen.ids.to_pylist(), dtype=str)
        np.savez_compressed(unfinished, ids=ids, values=seen.values, n_own=seen.n_own, columns=columns)
        unfinished.replace(path)


#: Keeps nothing.
NOWHERE = Shelf()
