"""Earlier runs: made again from their versions, compared, and pruned.

Knows how a run record leads back to the rows of that night; changes no table, but for freeing the
space of versions that no kept run needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import ibis.expr.types as ir

from kg import history, schema
from kg.code import code_version
from kg.config import Workspace
from kg.errors import KgfraudError
from kg.graph import table_name
from kg.lake import Lake
from kg.pipeline import opened
from kg.progress import Progress, Silent
from kg.run import RunRecord, Runs
from kg.stages import derive, export, flag

PRUNED = "pruned"
#: The tables that are made again: all that follow from the declared graph.
DERIVED = (*(table_name(t) for t in (*schema.ALL_NODES, *schema.ALL_EDGES) if t.derived), flag.HITS_TABLE, flag.FLAGS_TABLE)


def difference(workspace: Workspace, old: str, new: str) -> list[dict[str, Any]]:
    """Return, for each table in which they differ, how many rows a newer run has anew and how many ended since."""
    runs = Runs(workspace.runs)
    first, second = sorted((runs.record(old), runs.record(new)), key=lambda r: r.run_id)
    _refuse_pruned(runs, second)
    found = []
    with opened(workspace, runs, Silent()) as night:
        lake = Lake(workspace.lake, night.lake.engine, second.tables)
        for name in sorted(second.tables):
            rows = lake.view(name)
            if "last_run" not in rows.columns:
                continue
            new_rows = lake.engine.count(rows.filter(rows.first_run > first.run_id))
            ended = lake.engine.count(rows.filter((rows.last_run > first.run_id) & (rows.first_run <= first.run_id)))
            if new_rows or ended:
                found.append({"table": name, "new": new_rows, "ended": ended})
    return found


def replay(workspace: Workspace, run_id: str, progress: Progress) -> dict[str, Any]:
    """Make the derived tables, hits, flags and export of a run again, and say what differs from what that night made.

    Returns
    -------
    dict
        ``run_id``, ``same_code``, ``said`` (a sentence) and ``differences`` (a line each; none: all is equal, and the
        export's data files are so byte for byte).
    """
    runs = Runs(workspace.runs)
    record = runs.record(run_id)
    _refuse_pruned(runs, record)
    then = _as_then(workspace, runs, record)
    with opened(then, runs, progress) as night:
        pinned = Lake(workspace.lake, night.lake.engine, record.tables)
        night.lake = Lake(night.staging / "replay", night.lake.engine, base=pinned.without(DERIVED))
        night.run_id, night.as_of = record.run_id, record.as_of
        for stage in (derive.STAGE, flag.STAGE):
            stage.run(night)
        differing = [line for name in DERIVED for line in _differing(name, pinned, night.lake)]
        differing += export.differing(night, night.staging / "export")
    same = record.code == code_version()
    laws = "" if then.settings.ownership == workspace.settings.ownership else f" and the rule sets of then ({_laws(then)})"
    code = "the same code" if same else f"other code ({record.code} then, {code_version()} now)"
    verdict = f"{len(differing)} differences" if differing else "everything is equal, the export's data files byte for byte"
    return {
        "run_id": record.run_id,
        "same_code": same,
        "said": f"run {record.run_id}, under {code}{laws}: {verdict}",
        "differences": differing,
    }


def _as_then(workspace: Workspace, runs: Runs, record: RunRecord) -> Workspace:
    """Return the workspace with the settings under which the derived tables of a run were made: by it, or by the last one that derived."""
    told = (runs.record(run_id).results.get("derive", {}) for run_id in reversed(runs.ids()) if run_id <= record.run_id)
    made_with = dict(next((derived["made_with"] for derived in told if "made_with" in derived), {}))
    settings = workspace.settings
    zone = settings.workspace.model_copy(update={"timezone": made_with.pop("timezone", settings.workspace.timezone)})
    ownership = settings.ownership.model_copy(update=made_with)
    return replace(workspace, settings=settings.model_copy(update={"workspace": zone, "ownership": ownership}))


def _laws(workspace: Workspace) -> str:
    return ", ".join(str(rules) for rules in workspace.settings.ownership.model_dump().values())


def _differing(name: str, then: Lake, now: Lake) -> list[str]:
    old, new = _current(then, name), _current(now, name)
    if old is None or new is None:
        return [] if old is new else [f"{name}: only {'then' if new is None else 'now'}"]
    count = now.engine.count
    missing, surplus = count(old.anti_join(new, ["id", "digest"])), count(new.anti_join(old, ["id", "digest"]))
    return [f"{name}: {missing} rows of then are not made now, {surplus} rows of now were not made then"] if missing or surplus else []


def _current(lake: Lake, name: str) -> ir.Table | None:
    return history.current(lake.view(name)).select("id", "digest") if lake.has(name) else None


def prune(workspace: Workspace, keep: int) -> tuple[list[str], int]:
    """Free the space of runs beside the newest ``keep`` and the last of each month; return them and the files removed."""
    runs = Runs(workspace.runs)
    with runs.lock(), opened(workspace, runs, Silent()) as night:
        records = [runs.record(run_id) for run_id in runs.ids()]
        kept = _kept(records, keep)
        gone = [r.run_id for r in records if r.run_id not in kept and not runs.done(r.run_id, PRUNED)]
        for run_id in gone:
            runs.finish(run_id, PRUNED, {"at": datetime.now(UTC).isoformat(timespec="seconds")})
        pins: dict[str, set[int]] = {}
        for record in records:
            for name, version in record.tables.items() if record.run_id in kept else ():
                pins.setdefault(name, set()).add(version)
        return gone, night.lake.prune(pins)


def _kept(records: Sequence[RunRecord], keep: int) -> set[str]:
    newest = {r.run_id for r in records[-keep:]}
    return newest | {r.run_id for r in {(r.as_of.year, r.as_of.month): r for r in records}.values()}


def _refuse_pruned(runs: Runs, record: RunRecord) -> None:
    if runs.done(record.run_id, PRUNED):
        raise KgfraudError(f"run {record.run_id} was pruned, its versions are gone; kgfraud runs list shows the others")
