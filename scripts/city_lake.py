"""A generated city as the declared tables of a lake, without a night: for models, which look at earlier days."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import ibis
import ibis.expr.types as ir
from city_columns import InMemory
from city_graph import CityGraph

from kg import schema
from kg.engine import Engine
from kg.graph import columns, table_name
from kg.lake import Lake

DECLARED = [type_ for type_ in (*schema.ALL_NODES, *schema.ALL_EDGES) if not type_.derived]
#: The kinds of records that features, derivations and rules read beside the graph.
RECORDS = ("cases", "invoices", "financings", "nominations", "concert", "rebuttals", "hubs", "contracts", "tax_filings", "goods")


def lake_of(source: InMemory, engine: Engine, folder: Path) -> tuple[Lake, date]:
    """Write a city's declared tables and records to a lake; return it and the city's last day."""
    last = source.city.params.end - timedelta(days=1)
    graph, lake = CityGraph(source, engine, last), Lake(folder, engine)
    for type_ in DECLARED:
        rows = graph.nodes(type_.label) if isinstance(type_, schema.NodeType) else graph.edges(type_.type)
        put(lake, table_name(type_), rows, columns(type_))
    for kind in RECORDS:
        rows = graph.records(kind)
        if rows is not None:
            put(lake, f"records/{kind}", rows)
    return lake, last


def put(lake: Lake, name: str, rows: ir.Table, of: ibis.Schema | None = None) -> None:
    """Write rows to a table of a lake as first versions."""
    have = rows.schema()
    of = of or ibis.schema(
        {**have, "valid_from": "date", "valid_to": "date", "first_run": "string", "last_run": "string", "digest": "string"}
    )
    full = rows.mutate(**{column: ibis.null(type_) for column, type_ in of.items() if column not in have})
    full = full.mutate(first_run=ibis.literal("r1"), last_run=ibis.null("string"))
    lake.ensure(name, of)
    lake.append(name, full.select(*of.names), "r1")
