"""Which store a workspace has, opened for a while and left as it was found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from kg.config import Workspace
from kg.errors import UsageError
from kg.store import Change, Progress
from kg.stores.bolt import BoltStore
from kg.stores.local_neo4j import LocalNeo4j
from kg.stores.server import Address


class LocalStore(BoltStore):
    """The store in the local server, which is started when it is first asked something."""

    def __init__(self, local: LocalNeo4j, batch_rows: int = 15_000, connections: int = 2) -> None:
        super().__init__(local.start, batch_rows=batch_rows, connections=connections)
        self._local = local

    def is_empty(self) -> bool:
        """Say whether the database holds no node at all; a server that was never used is not started for it."""
        return self._local.empty()

    def fill(self, changes: Sequence[Change], run_id: str, progress: Progress | None = None) -> None:
        """Fill the empty database by Neo4j's offline importer, then make the constraints."""
        self.close()
        self._local.import_full(changes, run_id, progress)
        self.prepare()


@contextmanager
def opened(workspace: Workspace) -> Iterator[BoltStore]:
    """Open the store of a workspace: by ``neo4j.url``, else the local server.

    A local server that did not run is stopped afterwards.

    Raises
    ------
    UsageError
        If the password of a server by URL is not given.
    DependencyError
        If the server cannot be had.
    """
    settings, publish = workspace.settings.neo4j, workspace.settings.publish
    if settings.url:
        with BoltStore.connect(remote_address(workspace), settings.database, publish.batch_rows, publish.connections) as store:
            yield store
        return
    local = local_server(workspace)
    ran = local.status().running
    try:
        with LocalStore(local, publish.batch_rows, publish.connections) as store:
            yield store
    finally:
        if not ran:
            local.stop()


def local_server(workspace: Workspace) -> LocalNeo4j:
    """Return the local server of a workspace, which may not run.

    Raises
    ------
    UsageError
        If the workspace names a server by URL.
    """
    settings = workspace.settings.neo4j
    if settings.url:
        raise UsageError(
            f"this workspace uses the Neo4j at {settings.url} (neo4j.url), which is looked after where it runs; there is no local one"
        )
    return LocalNeo4j(workspace.neo4j, settings.heap, settings.page_cache)


def remote_address(workspace: Workspace) -> Address:
    """Return the address of the server that a workspace names by URL; the password is read from its file."""
    settings = workspace.settings.neo4j
    file = workspace.root / settings.password_file
    if not settings.password_file or not file.is_file():
        named = f"there is no file {file}" if settings.password_file else "no file is named"
        raise UsageError(
            f"the password for {settings.url} is missing: {named}; write it in a file of mode 0600 and name that in neo4j.password_file"
        )
    ca_file: Path | None = workspace.root / settings.ca_file if settings.ca_file else None
    return Address(settings.url, settings.user, file.read_text("utf-8").strip(), ca_file)
