"""A generated city as the declared tables of a lake, without a night; and tables changed after a day."""

from __future__ import annotations

import sys
from pathlib import Path

import ibis
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

from city_columns import InMemory
from city_graph import CityGraph

from kg import schema
from kg.graph import columns, table_name
from kg.lake import Lake
from loaders.city import Params

DECLARED = [type_ for type_ in (*schema.ALL_NODES, *schema.ALL_EDGES) if not type_.derived]
RECORDS = ("cases", "invoices", "financings")


def city_lake(folder, engine, **params):
    """Write a city's declared tables and records to a lake; return it and the city's last day."""
    source = InMemory(Params(**params))
    last = source.city.params.end.fromordinal(source.city.params.end.toordinal() - 1)
    graph = CityGraph(source, engine, last)
    lake = Lake(folder, engine)
    for type_ in DECLARED:
        rows = graph.nodes(type_.label) if isinstance(type_, schema.NodeType) else graph.edges(type_.type)
        put(lake, table_name(type_), rows, columns(type_))
    for kind in RECORDS:
        put(lake, f"records/{kind}", graph.records(kind))
    return lake, last


def put(lake, name, rows, of=None):
    """Write rows to a table of a lake as first versions."""
    have = rows.schema()
    of = of or ibis.schema(
        {**have, "valid_from": "date", "valid_to": "date", "first_run": "string", "last_run": "string", "digest": "string"}
    )
    full = rows.mutate(**{column: ibis.null(type_) for column, type_ in of.items() if column not in have})
    full = full.mutate(first_run=ibis.literal("r1"), last_run=ibis.null("string"))
    lake.ensure(name, of)
    lake.append(name, full.select(*of.names), "r1")


def changed(lake, folder, alter):
    """Return a second lake whose tables are those of a lake after ``alter(name, arrow)``."""
    twin = Lake(folder, lake.engine)
    for name in lake.versions:
        rows = lake.engine.table(lake.view(name))
        of = ibis.Schema.from_pyarrow(rows.schema)
        twin.ensure(name, of)
        twin.append(name, lake.engine.arrow(pa.table(alter(name, rows))), "r1")
    return twin
