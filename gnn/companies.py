"""Companies as the units of a task."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from gnn.family import Family
from gnn.metrics import Labels
from gnn.past import Archive
from gnn.periods import labels
from gnn.snapshot import Snapshot, snapshot
from gnn.task import Known, Units


def _look(archive: Archive, day: date, families: Sequence[Family], _: str | None) -> Snapshot:
    return snapshot(archive.on(day), families)


def _labels(seen: Snapshot, known: Known, horizon: int) -> Labels:
    return labels(seen.ids, known, seen.day, horizon)


COMPANIES = Units("company", "companies", "became a case", True, _look, _labels)
