"""The graph store that a workspace's settings name: a server by URL, or the local one.

Hides whether a server had to be started: a local one that was down is stopped again afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from kg.config import Workspace
from kg.errors import UsageError
from kg.stores.bolt import BoltStore
from kg.stores.local_neo4j import LocalNeo4j
from kg.stores.server import Address


def local(workspace: Workspace) -> LocalNeo4j | None:
    """Return the workspace's local server, or None where the settings name one by URL."""
    settings = workspace.settings.neo4j
    page_cache = _quarter_of_memory() if settings.page_cache == "auto" else settings.page_cache
    return None if settings.url else LocalNeo4j(workspace.neo4j, settings.heap, page_cache)


@contextmanager
def connected(workspace: Workspace) -> Iterator[BoltStore]:
    """Open the store; a local server that is down is started for as long as it is open."""
    server = local(workspace)
    if server is None:
        with _store(workspace, remote(workspace)) as store:
            yield store
        return
    was_running = server.status().running
    try:
        with _store(workspace, server.start()) as store:
            yield store
    finally:
        if not was_running:
            server.stop()


def remote(workspace: Workspace) -> Address:
    """Return the address that the settings name, with the password from its file.

    Raises
    ------
    UsageError
        If no password file is named, or it cannot be read.
    """
    settings = workspace.settings.neo4j
    if not settings.password_file:
        raise UsageError(
            "neo4j.url names a server and neo4j.password_file no file; write the password into a file of mode 0600 and name it"
        )
    path = workspace.root / settings.password_file
    try:
        password = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise UsageError(f"the password file {path} cannot be read ({error.strerror}); neo4j.password_file names it") from None
    ca_file = workspace.root / settings.ca_file if settings.ca_file else None
    return Address(settings.url, settings.user, password, ca_file)


def _quarter_of_memory() -> str:
    """Return a quarter of the machine's memory; the server takes of it what its store fills."""
    return f"{max(psutil.virtual_memory().total >> 22, 64)}m"


def _store(workspace: Workspace, address: Address) -> BoltStore:
    settings = workspace.settings
    return BoltStore.connect(address, settings.neo4j.database, settings.publish.batch_rows, settings.publish.connections)
