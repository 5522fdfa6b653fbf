"""Publishing and verifying outside the night: for the last committed run, at its pinned versions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kg import schema
from kg.config import Workspace
from kg.errors import KgfraudError
from kg.pipeline import opened
from kg.progress import Progress
from kg.run import Runs
from kg.stage import Night
from kg.stages.publish import bring, fill_offline, publication
from kg.stages.publish import repair as mend
from kg.store import DIFFERENCES, name_of
from kg.stores.connect import connected, local

#: How many differing rows are named.
NAMED = 1000


@contextmanager
def _last(workspace: Workspace, progress: Progress, *, locked: bool) -> Iterator[Night]:
    """Open the last committed run."""
    runs = Runs(workspace.runs)
    last = runs.last()
    if last is None:
        raise KgfraudError("no run was committed yet; run kgfraud run first")
    if not locked:
        with opened(workspace, runs, progress) as night:
            yield replace(night, run_id=last.run_id, as_of=last.as_of)
        return
    with runs.lock(), opened(workspace, runs, progress) as night:
        yield replace(night, run_id=last.run_id, as_of=last.as_of)


def publish_last(workspace: Workspace, progress: Progress, *, repair: bool = False) -> dict[str, Any]:
    """Bring the store to the last committed run; with ``repair`` every row is compared."""
    with _last(workspace, progress, locked=True) as night, connected(workspace) as store:
        store.prepare()
        done = (mend if repair else bring)(night, publication(night), store)
        night.runs.finish(night.run_id, "publish", done)
        return {"run_id": night.run_id, **done}


def import_last(workspace: Workspace, progress: Progress) -> dict[str, Any]:
    """Fill the empty local database with the last committed run, by Neo4j's offline importer.

    Raises
    ------
    KgfraudError
        If the settings name a server by URL, or the local database is not empty.
    """
    server = local(workspace)
    if server is None:
        raise KgfraudError("neo4j.url names a server elsewhere, and the offline importer fills the local one only (kgfraud publish)")
    with _last(workspace, progress, locked=True) as night:
        done = fill_offline(night, publication(night), server)
        night.runs.finish(night.run_id, "publish", done)
        return {"run_id": night.run_id, **done}


def verify_last(workspace: Workspace, progress: Progress) -> dict[str, Any]:
    """Compare the store with the last committed run.

    Returns
    -------
    dict
        ``run_id``; ``types``: for each label and type its rows in lake and store and how many are missing, surplus or
        different; ``differences``: the first of them, ``type, id, what, property``.
    """
    with _last(workspace, progress, locked=False) as night, connected(workspace) as store:
        wanted, counts = publication(night), store.counts()
        rows: list[dict[str, Any]] = []
        named: list[dict[str, Any]] = []
        with progress.task("comparing the lake with the graph database", total=len(schema.ALL_NODES) + len(schema.ALL_EDGES)) as task:
            for type_ in (*schema.ALL_NODES, *schema.ALL_EDGES):
                found = pa.concat_tables([DIFFERENCES.empty_table(), *wanted.compare(type_, store)])
                here = wanted.rows(type_)
                lake = 0 if here is None else night.lake.engine.count(here)
                rows.append({"type": name_of(type_), "lake": lake, "store": counts.get(name_of(type_), 0), **_tally(found)})
                named += [{"type": name_of(type_), **row} for row in found.slice(0, NAMED - len(named)).to_pylist()]
                task.advance()
        return {"run_id": night.run_id, "types": rows, "differences": named}


def _tally(found: pa.Table) -> dict[str, int]:
    def distinct(what: str) -> int:
        return len(pc.unique(found.filter(pc.equal(found["what"], what))["id"]))

    return {what: distinct(what) for what in ("missing", "surplus", "different")}
