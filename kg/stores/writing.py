"""How changes are written over Bolt: in batches of one transaction each, under the marker.

Knows the order of things (see ``BoltStore.apply``), how a row becomes what the driver sends, and what to do
when a relationship has moved or an end is missing. Nodes are written by as many connections as are
allowed, relationships by one, as two would wait for one another at every shared node.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from enum import Enum, auto
from functools import partial, reduce
from typing import Any, Protocol, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
from neo4j import ManagedTransaction
from neo4j.exceptions import ConstraintError

from kg.errors import KgfraudError
from kg.schema import EdgeType, NodeType
from kg.store import Applied, Change, Marker, Progress, Type, conform, name_of
from kg.stores import cypher

T = TypeVar("T")
Rows = list[tuple[Any, ...]]


class _Way(Enum):
    """How relationships are written: created, merged where they are, or merged after those that moved were removed."""

    NEW = auto()
    SAME = auto()
    MOVED = auto()


class Target(Protocol):
    """What writing needs of a store."""

    batch_rows: int
    connections: int

    def marker(self) -> Marker:
        """Return what the graph says of itself."""

    def set_marker(self, marker: Marker) -> None:
        """Write what the graph says of itself."""

    def read(self, statement: str) -> list[list[Any]]:
        """Return the rows of a statement."""

    def write(self, work: Callable[[ManagedTransaction], T]) -> T:
        """Run one managed transaction."""


class Writing:
    """One ``apply`` under way."""

    def __init__(self, store: Target, run_id: str, progress: Progress) -> None:
        self._store = store
        self._run_id = run_id
        self._progress = progress
        self._before = store.marker()
        self._begun = False
        self._upserted: Counter[str] = Counter()
        self._deleted: Counter[str] = Counter()

    def upsert_nodes(self, type_: NodeType, change: Change) -> None:
        """Write nodes, by several connections at once."""
        # The server keeps this count, so asking is nothing.
        revive = self._store.read(cypher.COUNT_FORMER)[0][0] > 0
        with ThreadPoolExecutor(self._store.connections) as pool:
            waiting: list[Future[int]] = []
            for rows in map(self._rows, self._batches(type_, change.upserts())):
                waiting.append(pool.submit(self._write_nodes, type_, rows, revive))
                if len(waiting) > self._store.connections:
                    self._count(self._upserted, type_, waiting.pop(0).result())
            for future in waiting:
                self._count(self._upserted, type_, future.result())

    def _write_nodes(self, type_: NodeType, rows: Rows, revive: bool) -> int:
        def work(tx: ManagedTransaction) -> int:
            if revive:
                tx.run(cypher.revive_nodes(type_), rows=rows).consume()
            tx.run(cypher.upsert_nodes(type_), rows=rows, **cypher.ORIGINS).consume()
            return len(rows)

        return self._store.write(work)

    def update_edges(self, type_: EdgeType, change: Change) -> None:
        """Write the properties of relationships that are there; a batch of which one is not there after all is merged."""

        def work(tx: ManagedTransaction, rows: Rows) -> int:
            return int(tx.run(cypher.update_edges(type_), rows=rows, **cypher.ORIGINS).single(strict=True)[0])

        for batch, rows in _ahead((batch, self._rows(batch)) for batch in self._batches(type_, change.updates())):
            if self._store.write(partial(work, rows=rows)) != len(rows):
                for ends, part in by_ends(type_, batch):
                    self._write_edges(type_, ends, _travelling(part), "", _Way.SAME)
            self._count(self._upserted, type_, len(rows))

    def upsert_edges(self, type_: EdgeType, change: Change) -> None:
        """Write relationships by one connection, while the next batch is made ready.

        They are taken for new until one of them is not: most are (transfers are stated once), and creating is quicker than merging. Then
        they are taken for the same between the same nodes, until one of them hangs between others.
        """
        way = _Way.NEW
        parts = (part for batch in self._batches(type_, change.upserts()) for part in by_ends(type_, batch))
        for ends, empty, rows in _ahead((ends, _empty(part), self._rows(part)) for ends, part in parts):
            create = cypher.create_edges(type_, *ends, empty)
            way = self._write_edges(type_, ends, rows, create, way)
            self._count(self._upserted, type_, len(rows))

    def _write_edges(self, type_: EdgeType, ends: tuple[str, str], rows: Rows, create: str, way: _Way) -> _Way:
        """Write a batch in the way given, or the first of the later ones that works; return which it was."""

        def write(tx: ManagedTransaction, statement: str) -> None:
            written = tx.run(statement, rows=rows, **cypher.ORIGINS).single(strict=True)[0]
            if written != len(rows):
                raise _end_missing(tx, type_, *ends, rows)

        if way is _Way.NEW and self._unless_there(partial(write, statement=create)):
            return way
        merge = partial(write, statement=cypher.upsert_edges(type_, *ends))
        if way is not _Way.MOVED and self._unless_there(merge):
            return _Way.SAME
        # A transaction of its own: in one with the merge the server looks through all that it has deleted for each row that it makes.
        # The marker says that the graph is being filled, so nothing is lost where it ends between the two.
        self._store.write(lambda tx: tx.run(cypher.delete_moved(type_), rows=rows).consume())
        self._store.write(merge)
        return _Way.MOVED

    def _unless_there(self, work: Callable[[ManagedTransaction], None]) -> bool:
        """Run a transaction; return False, with nothing written, where a uniqueness constraint stands against it."""
        try:
            self._store.write(work)
        except KgfraudError as error:
            if isinstance(error.__cause__, ConstraintError):
                return False
            raise
        return True

    def delete(self, change: Change) -> None:
        """Remove nodes or relationships by their ids."""
        type_ = change.type
        statements = cypher.delete_nodes(type_) if isinstance(type_, NodeType) else (cypher.delete_edges(type_),)
        for array in change.deletes():
            for start in range(0, len(array), self._store.batch_rows):
                ids = array.slice(start, self._store.batch_rows).to_pylist()
                self._begin()
                self._store.write(partial(_run_all, statements=statements, ids=ids))
                self._count(self._deleted, type_, len(ids))

    def finish(self) -> Applied:
        """Move the marker, in a transaction of its own and only where it changes."""
        after = Marker(holds=self._run_id)
        if self._begun or self._before != after:
            self._store.set_marker(after)
        return Applied(dict(self._upserted), dict(self._deleted))

    def _batches(self, type_: Type, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the rows to write, as many at a time as a transaction takes."""
        for batch in batches:
            for start in range(0, batch.num_rows, self._store.batch_rows):
                yield conform(batch.slice(start, self._store.batch_rows), type_)

    def _rows(self, batch: pa.RecordBatch) -> Rows:
        """Return rows as they travel; from now on the marker says that the graph is being filled."""
        self._begin()
        return _travelling(batch)

    def _begin(self) -> None:
        if not self._begun:
            self._store.set_marker(Marker(self._before.holds, self._run_id))
            self._begun = True

    def _count(self, counter: Counter[str], type_: Type, rows: int) -> None:
        counter[name_of(type_)] += rows
        self._progress(name_of(type_), rows)


def _ahead(items: Iterator[T]) -> Iterator[T]:
    """Yield items, the next of which is made by another thread meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = pool.submit(next, items, None)
            yield item


def _run_all(tx: ManagedTransaction, statements: tuple[str, ...], ids: list[str]) -> None:
    for statement in statements:
        tx.run(statement, ids=ids).consume()


def _end_missing(tx: ManagedTransaction, type_: EdgeType, source: str, target: str, rows: Rows) -> KgfraudError:
    first = tx.run(cypher.unknown_ends(source, target), rows=rows).single()
    return KgfraudError(
        f"{type_.type} {first[0] if first else ''} ends at a node that the graph does not hold; "
        "nothing of its batch was written (kgfraud store verify names what is missing)"
    )


def _travelling(batch: pa.RecordBatch) -> Rows:
    """Return rows as tuples, days and times as integers since 1970."""
    return list(zip(*(_integers(column).to_pylist() for column in batch.columns), strict=True))


def _empty(batch: pa.RecordBatch) -> list[str]:
    return [name for name in batch.schema.names if batch.column(name).null_count == batch.num_rows]


def _integers(column: pa.Array) -> pa.Array:
    if pa.types.is_date32(column.type):
        return column.cast(pa.int32())
    return column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column


def by_ends(type_: EdgeType, batch: pa.RecordBatch) -> Iterator[tuple[tuple[str, str], pa.RecordBatch]]:
    """Split rows by the labels under which their ends are looked up; most types have one pair only.

    Raises
    ------
    KgfraudError
        If an id's prefix names a label at which relationships of the type do not end.
    """
    found = 0
    for source, source_prefixes in cypher.ends(type_.source):
        for target, target_prefixes in cypher.ends(type_.target):
            part = batch.filter(pc.and_(_starts(batch.column("src"), source_prefixes), _starts(batch.column("dst"), target_prefixes)))
            found += part.num_rows
            if part.num_rows:
                yield (source, target), part
    if found < batch.num_rows:
        allowed = f"{' or '.join(type_.source)} to {' or '.join(type_.target)}"
        raise KgfraudError(f"{batch.num_rows - found} rows of {type_.type} have an end of another kind than the schema allows: {allowed}")


def _starts(ids: pa.Array, prefixes: tuple[str, ...]) -> pa.Array:
    return reduce(pc.or_, [pc.starts_with(ids, prefix) for prefix in prefixes])
