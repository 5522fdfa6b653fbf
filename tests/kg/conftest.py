"""The one real Neo4j of a session; each test that asks for ``store`` gets it empty."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kg.stores.bolt import BoltStore
from kg.stores.local_neo4j import LocalNeo4j
from kg.stores.server import Address, open_driver

_WIPE = "MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS"


@pytest.fixture
def neo4j_server(neo4j_local: LocalNeo4j) -> Address:
    """The address of a real server whose database is empty but for the constraints."""
    address = neo4j_local.start()
    with open_driver(address) as driver, driver.session() as session:
        session.run(_WIPE).consume()
    return address


@pytest.fixture
def store(neo4j_server: Address) -> Iterator[BoltStore]:
    """A store on that server."""
    with BoltStore.connect(neo4j_server, batch_rows=1000) as opened:
        yield opened
