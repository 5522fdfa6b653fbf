"""What a derivation is: a named function from the graph to tables that follow from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from kg import history, schema
from kg.graph import Graph, columns, table_name
from kg.history import Moment, Since, Written
from kg.lake import Lake


@dataclass(frozen=True)
class Parts:
    """How a derived table falls into parts that follow from nothing of one another, so that only some are made again.

    Parameters
    ----------
    column
        The column of the table whose value names the part.
    touched
        The graph and an earlier run in, one column of that name out: the parts that may differ from what was made then.
    run
        The graph and such a column in; the rows of those parts out.
    """

    column: str
    touched: Callable[[Graph, Since], ir.Table]
    run: Callable[[Graph, ir.Table], ir.Table]


@dataclass(frozen=True)
class Derivation:
    """A derivation of the catalogue.

    Parameters
    ----------
    requires
        Labels, relationship types and ``records/<kind>`` that it reads; where nothing of them has changed, nothing is made again.
    produces
        The one label or relationship type that it fills.
    run
        The graph in, rows out: ``id`` (for relationships ``src`` and ``dst`` too) and the properties of ``produces``.
    parts
        None where all rows are made again together.
    by_month
        Whether it looks back from the month of the business date, so that a new month makes it again though nothing has changed.
    named
        Columns that a row's id follows from: of one id they never change, so nothing of them need be compared.
    """

    name: str
    requires: tuple[str, ...]
    produces: str
    run: Callable[[Graph], ir.Table]
    parts: Parts | None = None
    by_month: bool = False
    named: tuple[str, ...] = ()

    def stale(self, graph: Graph, since: Since) -> bool:
        """Say whether what was made in an earlier run may no longer be so."""
        passed = self.by_month and (since.as_of.year, since.as_of.month) != (graph.as_of.year, graph.as_of.month)
        return passed or any(graph.touched(name, since) for name in self.requires)


def store(
    lake: Lake,
    type_: schema.NodeType | schema.EdgeType,
    rows: ir.Table,
    made_by: str,
    moment: Moment,
    *,
    within: ir.Table | None = None,
    named: Sequence[str] = (),
) -> Written:
    """Bring the table of a derived label or type to the given rows; what is not among them, of the parts ``within``, has ended.

    The id follows from the columns ``named``, so these are not compared.
    """
    name = table_name(type_)
    wanted = columns(type_)
    content = [c for c in wanted.names if c not in {p.name for p in schema.COMMON} and c not in ("id", "digest", *named)]
    full = rows.mutate(
        source=ibis.literal(made_by),
        record_id=ibis.null("string"),
        valid_from=ibis.null("date"),
        valid_to=ibis.null("date"),
        digest=history.digest(rows, content),
    )
    lake.ensure(name, wanted)
    return history.update(lake, name, full, ["id"], moment, within=within, computed=True)


def derive(lake: Lake, derivations: Sequence[Derivation], graph: Graph, moment: Moment, since: Since | None = None) -> dict[str, Written]:
    """Run derivations in the order of the catalogue, each seeing what the ones before it made.

    Parameters
    ----------
    graph
        Of the lake, as it is now.
    since
        The run by which the tables were brought up to date before, by the same code; None where that is not known.
    """
    written = {}
    for derivation in derivations:
        written[table_name(_type(derivation.produces))] = _derived(lake, derivation, graph, moment, since)
    return written


def _derived(lake: Lake, derivation: Derivation, graph: Graph, moment: Moment, since: Since | None) -> Written:
    type_, made_by, parts = _type(derivation.produces), f"derived.{derivation.name}", derivation.parts
    if not (lake.holds(table_name(type_)) or any(graph.knows(name) for name in derivation.requires)):
        lake.ensure(table_name(type_), columns(type_))
        return Written()
    made = since is not None and lake.has(table_name(type_))
    if made and since is not None and not derivation.stale(graph, since):
        return Written()
    if parts is None or since is None or not made:
        return store(lake, type_, derivation.run(graph), made_by, moment, named=derivation.named)
    touched = lake.engine.keep(parts.touched(graph, since))
    if not lake.engine.count(touched):
        return Written()
    return store(lake, type_, parts.run(graph, touched), made_by, moment, within=touched, named=derivation.named)


def id_of(*parts: ir.StringValue) -> ir.StringValue:
    """Return the id of a derived row: 32 hexadecimal characters that follow from the parts that name it.

    >>> ibis.duckdb.connect().to_pyarrow(id_of(ibis.literal("company:b:1"), ibis.literal("2026-01-01"))).as_py()
    '36ea863c93bae85d5583875c96333cd1'
    """
    whole = parts[0]
    for part in parts[1:]:
        whole = whole + "|" + part
    return whole.hexdigest("sha256").substr(0, 32)


def ppm_of(part: ir.IntegerValue, whole: ir.IntegerValue) -> ir.IntegerValue:
    """Return the whole ppm that a part is of a whole above 0, rounded down.

    >>> ibis.duckdb.connect().to_pyarrow(ppm_of(ibis.literal(2 * 10**15), ibis.literal(3 * 10**15))).as_py()
    666666
    """
    # in two steps of a thousand, as the product with a million may not fit
    thousandths = part * 1_000 // whole
    rest = part * 1_000 - thousandths * whole
    return (thousandths * 1_000 + rest * 1_000 // whole).cast("int64")


def json_list(texts: ir.ArrayValue) -> ir.StringValue:
    """Return a list of ids as JSON.

    >>> ibis.duckdb.connect().to_pyarrow(json_list(ibis.array(["a", 'b"']))).as_py()
    '["a","b\\\\""]'
    """
    # ids hold no control characters, so these two are all that JSON wants escaped
    escaped = texts.map(lambda text: text.replace("\\", "\\\\").replace('"', '\\"'))
    return ibis.literal('["') + escaped.join('","') + ibis.literal('"]')


def _type(name: str) -> schema.NodeType | schema.EdgeType:
    return schema.edge(name) if name.isupper() else schema.node(name)


def nothing(graph: Graph, produces: str) -> ir.Table:
    """Return no rows of a derived label or type, for a derivation whose input nobody states."""
    type_ = _type(produces)
    common = {p.name for p in schema.COMMON} | {"digest"}
    empty = ibis.schema({name: t for name, t in columns(type_).items() if name not in common})
    return graph.engine.arrow(empty.to_pyarrow().empty_table())
