"""What a derivation is: a named function from the graph to tables that follow from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from kg import history, schema
from kg.graph import Graph, columns, table_name
from kg.history import Moment, Written
from kg.lake import Lake


@dataclass(frozen=True)
class Derivation:
    """A derivation of the catalogue.

    Parameters
    ----------
    requires
        Labels, relationship types and ``records/<kind>`` that it reads.
    produces
        The one label or relationship type that it fills.
    run
        The graph in, rows out: ``id`` (for relationships ``src`` and ``dst`` too) and the properties of ``produces``.
    """

    name: str
    requires: tuple[str, ...]
    produces: str
    run: Callable[[Graph], ir.Table]


def store(lake: Lake, type_: schema.NodeType | schema.EdgeType, rows: ir.Table, made_by: str, moment: Moment) -> Written:
    """Bring the table of a derived label or type to the given rows; what is not among them has ended."""
    name = table_name(type_)
    wanted = columns(type_)
    content = [c for c in wanted.names if c not in {p.name for p in schema.COMMON} and c not in ("id", "digest")]
    full = rows.mutate(
        source=ibis.literal(made_by),
        record_id=rows.id,
        valid_from=ibis.null("date"),
        valid_to=ibis.null("date"),
        digest=history.digest(rows, content),
    )
    lake.ensure(name, wanted)
    return history.update(lake, name, full, ["id"], moment)


def derive(lake: Lake, derivations: Sequence[Derivation], moment: Moment, zone: str) -> dict[str, Written]:
    """Run derivations in the order of the catalogue, each seeing what the ones before it made."""
    written = {}
    for derivation in derivations:
        graph = Graph(lake, moment.as_of, zone)
        type_ = _type(derivation.produces)
        written[table_name(type_)] = store(lake, type_, derivation.run(graph), f"derived.{derivation.name}", moment)
    return written


def _type(name: str) -> schema.NodeType | schema.EdgeType:
    return schema.edge(name) if name.isupper() else schema.node(name)


def nothing(graph: Graph, produces: str) -> ir.Table:
    """Return no rows of a derived label or type, for a derivation whose input nobody states."""
    type_ = _type(produces)
    common = {p.name for p in schema.COMMON} | {"digest"}
    empty = ibis.schema({name: t for name, t in columns(type_).items() if name not in common})
    return graph.engine.arrow(empty.to_pyarrow().empty_table())
