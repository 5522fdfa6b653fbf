"""The graph store brought to the run: by difference where it is known what the store holds, by comparison where not."""

from __future__ import annotations

from collections.abc import Sequence

from kg.errors import UsageError
from kg.history import Since
from kg.publishing import Publication
from kg.stage import Night, Result, Stage
from kg.store import Change, GraphStore, Marker
from kg.stores.connect import connected, local
from kg.stores.local_neo4j import LocalNeo4j

#: From so many rows on, an empty local database is filled by Neo4j's offline importer.
OFFLINE_ROWS = 400_000


def publication(night: Night) -> Publication:
    """Return the graph of the night's run as the store is to hold it."""
    settings = night.workspace.settings
    return Publication(night.lake, night.moment.as_of, settings.workspace.timezone, settings.publish.transfer_days)


def _publish(night: Night) -> Result:
    wanted = publication(night)
    server = local(night.workspace)
    never = not any(night.runs.done(run_id, "publish") for run_id in night.runs.ids())
    if server is not None and never and wanted.count() >= OFFLINE_ROWS and server.empty():
        return fill_offline(night, wanted, server)
    with connected(night.workspace) as store:
        return bring(night, wanted, store)


def fill_offline(night: Night, wanted: Publication, server: LocalNeo4j) -> Result:
    """Fill an empty local database by Neo4j's offline importer; the server runs afterwards if it did before."""
    was_running = server.status().running
    with night.progress.task("filling the empty database offline", total=wanted.count()) as task:
        server.import_full(wanted.since(None), night.run_id, lambda _, rows: task.advance(rows))
    if was_running:
        server.start()
    with connected(night.workspace) as store:
        store.prepare()
    return _said("offline import", wanted.count(), 0, wanted)


def bring(night: Night, wanted: Publication, store: GraphStore) -> Result:
    """Bring a store to the night's run; where nothing has changed, nothing is written."""
    store.prepare()
    marker = store.marker()
    _refuse_strange(night, marker)
    held = _held(night, marker, wanted.days)
    empty = held is None and marker == Marker() and not any(store.counts().values())
    if held is None and not empty:
        return repair(night, wanted, store)
    changes = wanted.since(held)
    if not changes and held is not None:
        return _said("difference", 0, 0, wanted)
    return _applied(night, wanted, store, changes, "difference")


def _refuse_strange(night: Night, marker: Marker) -> None:
    """Refuse a server by URL that holds a run of another workspace: a slip in the settings would wipe that one's graph."""
    strange = {marker.holds, marker.filling} - {None, *night.runs.ids()}
    if (url := night.workspace.settings.neo4j.url) and strange:
        raise UsageError(
            f"the Neo4j at {url} holds run {strange.pop()}, which this workspace did not make, so it may be another's; see that "
            "neo4j.url is right, or replace all that it holds by kgfraud publish --repair"
        )


def repair(night: Night, wanted: Publication, store: GraphStore) -> Result:
    """Bring a store whose content is not known to the night's run, by comparing every row."""
    with night.progress.task("comparing the lake with the graph store"):
        changes = wanted.repair(store)
    return _applied(night, wanted, store, changes, "comparison")


def _applied(night: Night, wanted: Publication, store: GraphStore, changes: Sequence[Change], how: str) -> Result:
    with night.progress.task("publishing") as task:
        applied = store.apply(changes, night.run_id, lambda _, rows: task.advance(rows))
    return _said(how, sum(applied.upserted.values()), sum(applied.deleted.values()), wanted)


def _held(night: Night, marker: Marker, days: int) -> Since | None:
    """Return the run that the store holds, or None where that is not known, or it was published with another window."""
    if marker.filling is not None or marker.holds not in night.runs.ids():
        return None
    # where the run died after its last write, nothing is on record of the window that it wrote
    if night.runs.result(marker.holds, "publish").get("transfer_days") != days:
        return None
    record = night.runs.record(marker.holds)
    return Since(record.run_id, record.as_of, record.tables)


def _said(how: str, written: int, deleted: int, wanted: Publication) -> Result:
    return {"how": how, "written": written, "deleted": deleted, "transfer_days": wanted.days}


STAGE = Stage("publish", _publish, after=True)
