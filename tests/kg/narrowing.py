"""A rule held against a graph of Arrow tables, with the steps that leave out rows and without them."""

from __future__ import annotations

import dataclasses
from datetime import date

import ibis
import pyarrow as pa

from kg import schema
from kg.graph import Graph, columns
from kg.rule import Reading, evaluate


class ArrowGraph(Graph):
    """A graph whose tables are given, by the names that needs have; a record's id becomes its record id in the source ``x``."""

    def __init__(self, engine, as_of, tables):
        super().__init__(None, as_of)
        self._engine, self._tables = engine, tables

    @property
    def engine(self):
        return self._engine

    def knows(self, name):
        return name in self._tables or f"ended/{name}" in self._tables

    def records(self, kind, *references):
        table = self._tables.get(f"records/{kind}")
        return None if table is None else self._engine.arrow(table.rename_columns({"id": "record_id"})).mutate(source=ibis.literal("x"))

    def nodes(self, label):
        return self._of(label, schema.node(label))

    def edges(self, type_):
        return self._of(type_, schema.edge(type_))

    def ended(self, type_):
        return self._of(f"ended/{type_}", schema.edge(type_))

    def _of(self, name, type_):
        of = pa.schema(columns(type_).to_pyarrow())
        table = self._tables.get(name)
        if table is None:
            return self._engine.arrow(of.empty_table())
        full = {c.name: table[c.name].cast(c.type) if c.name in table.column_names else pa.nulls(table.num_rows, c.type) for c in of}
        return self._engine.arrow(pa.table(full))


def narrowed_and_whole(rule, engine, tables, as_of=date(2024, 12, 31)):
    """Return what a rule finds with and without its narrowing steps."""
    wide = dataclasses.replace(rule, requires=tuple(dataclasses.replace(need, narrow=None) for need in rule.requires))
    graph = ArrowGraph(engine, as_of, tables)
    return tuple(evaluate((each,), Reading(graph)).to_pylist() for each in (rule, wide))
