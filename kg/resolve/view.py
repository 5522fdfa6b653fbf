"""How records become nodes and relationships: the two forms of an entry of the catalogue.

A view is a projection of one kind's records; hides nothing of the graph's tables but their versions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from kg import schema

VERSIONED = ("source", "record_id", "valid_from", "valid_to", "first_run", "last_run")
Project = Callable[[ir.Table], ir.Table]


@dataclass(frozen=True)
class NodeView:
    """What the records of one kind say about the nodes of one label; ``rows`` gives ``id`` and properties."""

    label: str
    kind: str
    rows: Project


@dataclass(frozen=True)
class EdgeView:
    """Which relationships of one type the records of one kind state; ``rows`` gives ``id, src, dst`` and properties."""

    type: str
    kind: str
    rows: Project


@dataclass(frozen=True)
class Mention:
    """Columns of a kind that name nodes of one label which derived relationships will need, registered or not."""

    label: str
    kind: str
    columns: tuple[str, ...]


def node(label: str, records: ir.Table, id_: ir.StringValue, **properties: ir.Value | str) -> ir.Table:
    """Return node rows: every property of the label, null where the records do not speak of it."""
    records = records.mutate(_id=id_)
    known = {name: records[value] if isinstance(value, str) else value for name, value in properties.items()}
    columns = {p.name: known.get(p.name, ibis.null(p.type)) for p in schema.node(label).properties}
    return records.select(id=records._id, **columns, **{c: records[c] for c in VERSIONED}).filter(ibis._.id.notnull())


def edge(type_: str, records: ir.Table, src: str, dst: str, *, part: str = "", **properties: ir.Value | str) -> ir.Table:
    """Return relationship rows ``src → dst`` for the records that name both ends; ``part`` tells several of one record apart."""
    known = {name: records[value] if isinstance(value, str) else value for name, value in properties.items()}
    columns = {p.name: known.get(p.name, ibis.null(p.type)) for p in schema.edge(type_).properties}
    rows = records.select(
        id=records.source + "/" + records.record_id + ibis.literal(part),
        src=records[src],
        dst=records[dst],
        **columns,
        **{c: records[c] for c in VERSIONED},
        _content=records.digest,
    )
    return rows.filter(rows.src.notnull() & rows.dst.notnull())
