"""A graph store on any Neo4j, spoken to over Bolt by the official driver.

Knows sessions, transactions and retries; the statements are in ``kg.stores.cypher``, what is written in
which order in ``kg.stores.writing``. Every batch is one managed transaction, which the driver sends
again on a transient error; all statements may be repeated without harm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal, Self, TypeVar

import pyarrow as pa
from neo4j import Driver, ManagedTransaction, Session
from neo4j.exceptions import IncompleteCommit

from kg.schema import EdgeType, NodeType
from kg.store import STRANGE, Applied, Change, Marker, Progress, Result, Type, schema_of
from kg.stores import cypher
from kg.stores.reading import ask, within
from kg.stores.server import Address, explained, open_driver
from kg.stores.writing import Writing

T = TypeVar("T")

_FETCH = 5000
#: Seconds beyond its limit for which a query is waited for.
_GRACE = 3.0


class BoltStore:
    """The graph in a Neo4j database.

    Parameters
    ----------
    address
        Says where the server is, when it is first needed.
    database
        Name of the database.
    batch_rows
        Rows in one transaction.
    connections
        Connections that write nodes at the same time.
    """

    def __init__(self, address: Callable[[], Address], database: str = "neo4j", batch_rows: int = 15_000, connections: int = 2) -> None:
        self._address = address
        self._driver: Driver | None = None
        self.database = database
        self.batch_rows = batch_rows
        self.connections = connections

    @classmethod
    def connect(cls, address: Address, database: str = "neo4j", batch_rows: int = 15_000, connections: int = 2) -> BoltStore:
        """Return a store whose server is there.

        Raises
        ------
        DependencyError
            If nothing answers at the address, it refuses the password, or the driver lacks its Rust codec.
        """
        store = cls(lambda: address, database, batch_rows, connections)
        store._connected()
        return store

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; they are opened again when they are needed."""
        if self._driver is not None:
            self._driver.close()
            self._driver = None

    def _connected(self) -> Driver:
        if self._driver is None:
            address = self._address()
            driver = open_driver(address)
            try:
                with explained(address.uri):
                    driver.verify_connectivity()
            except BaseException:
                driver.close()
                raise
            self._driver = driver
        return self._driver

    # -- the marker, counts and contents ----------------------------------------------------------

    def prepare(self) -> None:
        """Make the uniqueness constraints that are not there yet, and wait until they are in force."""
        with self.session("WRITE") as session:
            present = {record["name"] for record in session.run("SHOW CONSTRAINTS YIELD name")}
            missing = [statement for name, statement in cypher.constraints() if name not in present]
            for statement in missing:
                session.run(statement).consume()
            if missing:
                session.run("CALL db.awaitIndexes(3600)").consume()

    def marker(self) -> Marker:
        """Return which run the graph holds, and which was being written when somebody was cut off."""
        rows = self.read(cypher.READ_MARKER)
        return Marker(*rows[0]) if rows else Marker()

    def is_empty(self) -> bool:
        """Say whether the database holds no node at all, of anybody's."""
        return bool(self.read(cypher.COUNT_ALL)[0][0] == 0)

    def counts(self) -> dict[str, int]:
        """Return how many nodes each label has and how many relationships each type."""
        return dict(self.read(cypher.counts()))

    def contents(self, type_: Type) -> Iterator[pa.RecordBatch]:
        """Stream the rows of a type that the schema owns, sorted by id, with the column ``_strange`` (see ``kg.store``)."""
        schema = schema_of(type_).append(pa.field(STRANGE, pa.string()))
        with self.session("READ") as session, session.begin_transaction() as transaction:
            result = transaction.run(cypher.read(type_), cypher.ORIGINS)
            while records := result.fetch(self.batch_rows):
                *columns, strange = zip(*records, strict=True)
                named = [",".join(names) or None for names in strange]
                yield pa.RecordBatch.from_arrays(
                    [_column(values, f) for values, f in zip([*columns, named], schema, strict=True)], schema=schema
                )

    def query(self, text: str, params: Mapping[str, Any], timeout: float, max_rows: int) -> Result:
        """Answer a reading query; see ``kg.stores.reading.ask``.

        The server looks at the time between rows; what it computes within one is waited for a few seconds beyond ``timeout`` at most.
        """

        def answer() -> Result:
            with self.session("READ", notifications_min_severity="WARNING") as session:
                return ask(session, text, params, timeout, max_rows)

        return within(timeout + _GRACE, answer)

    # -- writing ----------------------------------------------------------------------------------

    def apply(self, changes: Sequence[Change], run_id: str, progress: Progress | None = None) -> Applied:
        """Write the changes, nodes before relationships, removals of nodes last; afterwards the graph holds ``run_id``.

        The marker says ``filling = run_id`` from before the first batch until the last transaction,
        which clears it and moves ``holds``. Without any row to write nothing is written but, where
        it differs, the marker.

        Raises
        ------
        KgfraudError
            If a relationship's end is not in the graph.
        DependencyError
            If the server is lost, or cannot go on.
        """
        writing = Writing(self, run_id, progress or (lambda _name, _rows: None))
        nodes = [(change.type, change) for change in changes if isinstance(change.type, NodeType)]
        edges = [(change.type, change) for change in changes if isinstance(change.type, EdgeType)]
        for label, change in nodes:
            writing.upsert_nodes(label, change)
        for type_, change in edges:
            writing.delete(change)
            writing.update_edges(type_, change)
            writing.upsert_edges(type_, change)
        for _, change in nodes:
            writing.delete(change)
        return writing.finish()

    def set_marker(self, marker: Marker) -> None:
        """Write what the graph says of itself."""
        self.write(lambda tx: tx.run(cypher.WRITE_MARKER, holds=marker.holds, filling=marker.filling).consume())

    def write(self, work: Callable[[ManagedTransaction], T]) -> T:
        """Run one managed transaction; all our statements may run twice, so one whose commit was cut off simply runs again."""
        with self.session("WRITE") as session:
            try:
                return session.execute_write(work)
            except IncompleteCommit:
                return session.execute_write(work)

    def read(self, statement: str) -> list[list[Any]]:
        """Return the rows of a statement of our own."""
        with self.session("READ") as session:
            return session.execute_read(lambda tx: tx.run(statement).values())

    @contextmanager
    def session(self, access: Literal["READ", "WRITE"], **options: Any) -> Iterator[Session]:
        """Open a session; the driver's errors leave it as those of ``kg.errors``."""
        driver = self._connected()
        with explained(), driver.session(database=self.database, default_access_mode=access, fetch_size=_FETCH, **options) as session:
            yield session


def _column(values: Sequence[Any], field: pa.Field) -> pa.Array:
    """Return a column that was read, integers turned back into days and times."""
    if pa.types.is_date32(field.type):
        return pa.array(values, pa.int32()).cast(field.type)
    if pa.types.is_timestamp(field.type):
        return pa.array(values, pa.int64()).cast(field.type)
    return pa.array(values, field.type)
