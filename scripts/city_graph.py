"""The graph of a generated city as rules and derivations read it, without a lake: for measuring, where a whole night would be too long.

Knows the contracts of the source kinds and the views by which records become relationships, the night's own; hides that nothing is written.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, cast

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from city_columns import InMemory

from kg import alias, history, schema
from kg.derivations import DERIVATIONS
from kg.engine import Engine, union
from kg.graph import Graph, columns
from kg.resolve import VIEWS, EdgeView, NodeView
from kg.resolve.build import merged
from loaders.source import REFERENCES, Column, Kind
from loaders.sources import KINDS

_EAST = timedelta(hours=8)
#: What names a record in its file, where it is not its place.
_NAMED = {
    "companies": "company",
    "persons": "person",
    "transfers": "transfer",
    "loan_flows": "flow",
    "invoices": "number",
    "contracts": "number",
}


class CityGraph(Graph):
    """What a bank would have of a city on its last day; every table is made when it is first asked for."""

    def __init__(self, source: InMemory, engine: Engine, as_of: date) -> None:
        super().__init__(cast(Any, None), as_of)
        self._source, self._engine = source, engine

    @property
    def engine(self) -> Engine:
        """The engine that runs what is asked."""
        return self._engine

    def knows(self, name: str) -> bool:  # noqa: ARG002 - a city writes every kind
        """Say that there may be a table of that name."""
        return True

    def records(self, kind: str, *references: str) -> ir.Table | None:  # noqa: ARG002 - each party has one id only
        """Return the records of a kind, or None where a city has none."""
        return self.once(f"records/{kind}", lambda: self._records(kind))

    def nodes(self, label: str) -> ir.Table:
        """Return the nodes of a label."""
        return self.once(label, lambda: self._nodes(label))

    def edges(self, type_: str) -> ir.Table:
        """Return the relationships of a type."""
        return self.once(type_, lambda: self._edges(type_))

    def ended(self, type_: str) -> ir.Table:
        """Return no rows: a city's register is delivered once."""
        return self.engine.arrow(columns(schema.edge(type_)).to_pyarrow().empty_table())

    def _records(self, name: str) -> ir.Table | None:
        rows = self._source.whole(name)
        if rows is None:
            return None
        typed = self.engine.arrow(_typed(rows, {kind.name: kind for kind in KINDS}[name]))
        return history.open_at(typed, self.as_of, self.zone)

    def _nodes(self, label: str) -> ir.Table:
        views = [view for view in VIEWS if isinstance(view, NodeView) and view.label == label]
        tables = [view.rows(rows) for view in views if (rows := self.records(view.kind)) is not None]
        if not tables:
            return self._derived(label, schema.node(label))
        rows = merged(label, union(tables), ("city",)) if len(tables) > 1 else tables[0].mutate(stub=ibis.literal(False))
        if label in alias.MANY:  # all rows call them by their own numbers, as a graph would by their codes
            rows = rows.mutate(id=ibis.literal(f"{label.lower()}:") + rows.record_id)
        return self.engine.keep(rows)

    def _edges(self, type_: str) -> ir.Table:
        views = [view for view in VIEWS if isinstance(view, EdgeView) and view.type == type_]
        tables = [view.rows(rows) for view in views if (rows := self.records(view.kind)) is not None]
        if not tables:
            return self._derived(type_, schema.edge(type_))
        return self.engine.keep(union(tables))

    def _derived(self, name: str, type_: schema.NodeType | schema.EdgeType) -> ir.Table:
        """Return what a derivation makes of the graph, or no rows where none makes it."""
        nothing = self.engine.arrow(columns(type_).to_pyarrow().empty_table())
        makers = [derivation for derivation in DERIVATIONS if derivation.produces == name]
        self._known[name] = nothing  # a derivation may ask what it made the night before
        rows = makers[0].run(self) if makers else nothing
        lacking = {column: ibis.null(of) for column, of in columns(type_).items() if column not in rows.columns}
        return self.engine.keep(rows.mutate(**lacking))


def _typed(rows: pa.Table, kind: Kind) -> pa.Table:
    """Return records in the types of their contract, with ids for references and the columns that versions add."""
    count = rows.num_rows
    named = _NAMED.get(kind.name)
    number = pc.utf8_lpad(pa.array(np.arange(count)).cast(pa.string()), 9, "0") if named is None else rows[named]
    text = {"source": f"city.{kind.name}", "digest": "", "first_run": "city"}
    found = {name: pa.repeat(pa.scalar(value, pa.string()), count) for name, value in text.items()}
    found |= {"record_id": number, "last_run": pa.nulls(count, pa.string())}
    return pa.table({**found, **{column.name: _value(rows, column) for column in kind.columns}})


def _value(rows: pa.Table, column: Column) -> pa.Array | pa.ChunkedArray:
    stored = ibis.schema({"x": column.stored}).to_pyarrow().field("x").type
    if column.name not in rows.column_names:
        return pa.nulls(rows.num_rows, stored)
    values = rows[column.name]
    if column.type in REFERENCES:
        prefix = rows[f"{column.name}_kind"] if column.type == "party" else pa.scalar(column.type)
        return pc.binary_join_element_wise(prefix.cast(pa.string()), values, ":")
    if column.type == "timestamp":
        return pc.subtract(values.cast(stored), pa.scalar(_EAST, pa.duration("us")))
    return values.cast(stored)
