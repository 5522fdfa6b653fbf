"""The steps by which rules leave out rows are table steps: they compile for DuckDB and for PySpark."""

from __future__ import annotations

from datetime import date

import ibis
import pytest

from kg import history, schema
from kg.graph import Graph, columns
from kg.rules import RULES
from loaders.sources import kind

NEEDS = [(rule, need) for rule in RULES for need in rule.requires if need.narrow is not None]


class UnboundGraph(Graph):
    """A graph of tables without rows or an engine."""

    def __init__(self):
        super().__init__(None, date(2024, 5, 6))

    def records(self, name, *references):
        stored = {c.name: c.stored for c in kind(name).columns}
        return ibis.table({**stored, "source": "string", "record_id": "string", **history.VERSION_SCHEMA}, name=f"records_{name}")

    def nodes(self, label):
        return ibis.table(columns(schema.node(label)), name=label)

    def ended(self, type_):
        return self.edges(type_)

    def edges(self, type_):
        return ibis.table(columns(schema.edge(type_)), name=type_)


@pytest.mark.parametrize("dialect", ["duckdb", "pyspark"])
@pytest.mark.parametrize(("rule", "need"), NEEDS, ids=[f"{rule.name}-{need.name}" for rule, need in NEEDS])
def test_every_step_compiles_for_both_engines_and_keeps_the_columns(rule, need, dialect, monkeypatch):
    # Of a number with a point in a nested select Ibis asks an option that it has only where PySpark is installed.
    monkeypatch.setattr(ibis.options.sql, "fuse_selects", True)
    graph = UnboundGraph()
    if need.name.startswith("records/"):
        rows = graph.records(need.name.removeprefix("records/")).mutate(id=ibis._.source + "/" + ibis._.record_id)
    else:
        name = need.name.removeprefix("ended/")
        rows = graph.edges(name) if name.isupper() else graph.nodes(name)
    kept = need.narrow(rows, graph, rule.parameters).select(*need.columns)
    assert kept.columns == need.columns
    assert "SELECT" in ibis.to_sql(kept, dialect=dialect)
