"""What a graph store must do, and how the difference between two contents is named; it knows no Neo4j.

Knows the columns in which rows of a type travel (``columns_of``, ``schema_of``) and what counts as a
difference; the stores themselves are in ``kg.stores``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from kg.schema import COMMON, EdgeType, NodeType, Property

Type = NodeType | EdgeType
Progress = Callable[[str, int], None]

#: Column of a store's contents: names of the properties whose value has a type that the schema does not allow,
#: and of the labels that a node lacks, joined by commas; null in a sound row.
STRANGE = "_strange"

_ARROW: dict[str, pa.DataType] = {
    "string": pa.string(),
    "int64": pa.int64(),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", "UTC"),
}


@dataclass(frozen=True)
class Marker:
    """What a store says of itself: the run it holds, and the run that is being written into it.

    ``filling`` set means that a run was cut off: nobody knows what part of it is there.
    """

    holds: str | None = None
    filling: str | None = None


@dataclass(frozen=True)
class Change:
    """What is to change in the rows of one type.

    Parameters
    ----------
    upserts
        Gives the rows to write, with the columns of ``schema_of(type)`` (a missing one counts as null, a further one is left out).
    deletes
        Gives the ids to remove; they go before anything of the type is written.
    updates
        Gives the rows of relationships that the store has already, between the same nodes: only their properties are others. All three
        are functions, so that they can be read again from the start.
    """

    type: Type
    upserts: Callable[[], Iterator[pa.RecordBatch]] = field(default=lambda: iter(()))
    deletes: Callable[[], Iterator[pa.Array]] = field(default=lambda: iter(()))
    updates: Callable[[], Iterator[pa.RecordBatch]] = field(default=lambda: iter(()))


@dataclass(frozen=True)
class Applied:
    """How many rows of each type were written and removed."""

    upserted: Mapping[str, int]
    deleted: Mapping[str, int]

    @property
    def total(self) -> int:
        """All rows that were sent."""
        return sum(self.upserted.values()) + sum(self.deleted.values())


@dataclass(frozen=True)
class Result:
    """The answer to a query: column names and rows of plain JSON values.

    ``truncated`` says that the row limit cut it; ``unknown`` names labels, types and properties of the query that
    nothing in the graph has.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    truncated: bool = False
    unknown: tuple[str, ...] = ()


class GraphStore(Protocol):
    """Where the graph is published to and asked."""

    def prepare(self) -> None:
        """Make the constraints; a second time changes nothing."""

    def marker(self) -> Marker:
        """Return what the store says of itself."""

    def apply(self, changes: Sequence[Change], run_id: str, progress: Progress | None = None) -> Applied:
        """Write the changes; afterwards the store holds ``run_id``."""

    def contents(self, type_: Type) -> Iterator[pa.RecordBatch]:
        """Stream the rows of a type that the schema owns, sorted by id."""

    def counts(self) -> dict[str, int]:
        """Return how many nodes each label has and how many relationships each type."""

    def query(self, cypher: str, params: Mapping[str, Any], timeout: float, max_rows: int) -> Result:
        """Answer a reading query."""


def name_of(type_: Type) -> str:
    """Return the label or the relationship type.

    >>> from kg.schema import edge, node
    >>> name_of(node("Loan")), name_of(edge("REPAID"))
    ('Loan', 'REPAID')
    """
    return type_.label if isinstance(type_, NodeType) else type_.type


def columns_of(type_: Type) -> tuple[Property, ...]:
    """Return the properties that the schema owns on a type, the key ``id`` left out."""
    return (*type_.properties, *COMMON)


def schema_of(type_: Type) -> pa.Schema:
    """Return the columns in which rows of a type travel: ``id``, for relationships ``src`` and ``dst``, then its properties.

    >>> from kg.schema import edge
    >>> schema_of(edge("REPAID")).names[:5]
    ['id', 'src', 'dst', 'amount_fen', 'at']
    """
    keys = ("id",) if isinstance(type_, NodeType) else ("id", "src", "dst")
    return pa.schema([*(pa.field(key, pa.string()) for key in keys), *(pa.field(p.name, _ARROW[p.type]) for p in columns_of(type_))])


def conform(batch: pa.RecordBatch, type_: Type) -> pa.RecordBatch:
    """Return the rows in exactly the columns of ``schema_of(type_)``.

    >>> from kg.schema import edge
    >>> conform(pa.RecordBatch.from_pydict({"id": ["1"], "src": ["person:b:1"], "_file": [0]}), edge("KIN_OF")).schema.names[:4]
    ['id', 'src', 'dst', 'kinship']
    """
    schema = schema_of(type_)
    present = set(batch.schema.names)
    columns = [batch.column(f.name).cast(f.type) if f.name in present else pa.nulls(batch.num_rows, f.type) for f in schema]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


DIFFERENCES = pa.schema([pa.field("id", pa.string(), False), pa.field("what", pa.string(), False), pa.field("property", pa.string())])


def differences(type_: Type, lake: Iterable[pa.RecordBatch], store: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Name what differs between the lake's rows and a store's, both sorted by id.

    Yields tables of the columns ``id``, ``what`` and ``property``: ``missing`` (only in the lake),
    ``surplus`` (only in the store), ``different`` with the property that differs (``src`` and
    ``dst`` are such for relationships). Rows are compared a window at a time, so memory stays small
    however many there are.

    >>> from kg.schema import node
    >>> row = lambda id_, text: pa.RecordBatch.from_pydict({"id": [id_], "text": [text]})
    >>> found = differences(node("Address"), [row("a", "x"), row("b", "y")], [row("b", "z"), row("c", "w")])
    >>> [tuple(r.values()) for table in found for r in table.to_pylist()]
    [('a', 'missing', None), ('b', 'different', 'text'), ('c', 'surplus', None)]
    """
    schema = schema_of(type_)
    marked = schema.append(pa.field(STRANGE, pa.string()))
    left, right = _Window(schema, (conform(b, type_) for b in lake)), _Window(marked, (_marked(b, type_, marked) for b in store))
    while left.fill() | right.fill():
        bound = min(last for last in (left.last, right.last) if last is not None)
        found = _compare(left.take(bound), right.take(bound), schema)
        if found.num_rows:
            yield found


def _marked(batch: pa.RecordBatch, type_: Type, schema: pa.Schema) -> pa.RecordBatch:
    strange = batch.column(STRANGE) if STRANGE in batch.schema.names else pa.nulls(batch.num_rows, pa.string())
    return pa.RecordBatch.from_arrays([*conform(batch, type_).columns, strange], schema=schema)


class _Window:
    """The rows at the head of a sorted stream, taken up to a bound."""

    def __init__(self, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
        self._batches = batches
        self._head = schema.empty_table()
        self._schema = schema

    def fill(self) -> bool:
        """Make sure that there are rows at hand; return whether there are any left."""
        while self._head.num_rows == 0 and (batch := next(self._batches, None)) is not None:
            self._head = pa.Table.from_batches([batch], self._schema)
        return bool(self._head.num_rows)

    @property
    def last(self) -> str | None:
        """The greatest id at hand."""
        return self._head.column("id")[-1].as_py() if self._head.num_rows else None

    def take(self, bound: str) -> pa.Table:
        """Take the rows whose id is not above ``bound``."""
        count = pc.sum(pc.less_equal(self._head.column("id"), pa.scalar(bound))).as_py() or 0
        taken, self._head = self._head.slice(0, count), self._head.slice(count)
        return taken


def _compare(lake: pa.Table, store: pa.Table, schema: pa.Schema) -> pa.Table:
    """Compare two sets of rows that belong to the same range of ids."""
    here, there = _numbered(lake, "_here"), _numbered(store, "_there")
    both = here.join(there, "id", join_type="full outer")
    at_here, at_there = both.column("_here"), both.column("_there")
    parts = [
        _named(both.filter(pc.is_null(at_there)).column("id"), "missing", None),
        _named(both.filter(pc.is_null(at_here)).column("id"), "surplus", None),
    ]
    matched = both.filter(pc.and_(pc.is_valid(at_here), pc.is_valid(at_there)))
    ours, theirs = lake.take(matched.column("_here")), store.take(matched.column("_there"))
    for name in schema.names[1:]:
        differ = _differ(ours.column(name), theirs.column(name))
        parts.append(_named(ours.column("id").filter(differ), "different", name))
    strange = pc.is_valid(theirs.column(STRANGE))
    parts.append(_named(ours.column("id").filter(strange), "different", theirs.column(STRANGE).filter(strange)))
    return pa.concat_tables(part.sort_by("id") for part in parts)


def _numbered(rows: pa.Table, name: str) -> pa.Table:
    return pa.table({"id": rows.column("id"), name: pa.array(range(rows.num_rows), pa.int64())})


def _differ(left: pa.ChunkedArray, right: pa.ChunkedArray) -> pa.ChunkedArray:
    """Say where two columns differ; null equals null only."""
    either = pc.fill_null(pc.not_equal(left, right), False)
    return pc.or_(either, pc.xor(pc.is_null(left), pc.is_null(right)))


def _named(ids: pa.ChunkedArray, what: str, property_: str | pa.ChunkedArray | None) -> pa.Table:
    column = property_ if isinstance(property_, pa.ChunkedArray) else pa.array([property_] * len(ids), pa.string())
    return pa.table([ids, pa.array([what] * len(ids), pa.string()), column], schema=DIFFERENCES)
