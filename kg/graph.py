"""Graph: a read-only view of the graph of one run.

Knows which rows of the lake's tables hold on the run's business date; hides versions and files.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from kg import alias, history, rulesets, schema
from kg.engine import Engine
from kg.lake import Lake
from kg.ruleset import Chosen

T = TypeVar("T")
_TYPES = {"bool": "boolean", "timestamp": "timestamp(6)"}


def columns(type_: schema.NodeType | schema.EdgeType) -> ibis.Schema:
    """Return the columns of a label's or relationship type's table in the lake.

    >>> columns(schema.edge("SIGNED_IN")).names[:4]
    ('id', 'src', 'dst', 'at')
    """
    key = ("id",) if isinstance(type_, schema.NodeType) else ("id", "src", "dst")
    properties = {p.name: _TYPES.get(p.type, p.type) for p in (*type_.properties, *schema.COMMON)}
    return ibis.schema({**dict.fromkeys(key, "string"), **properties, "digest": "string"})


def table_name(type_: schema.NodeType | schema.EdgeType) -> str:
    """Return the name of a label's or relationship type's table in the lake."""
    return f"graph/{type_.label if isinstance(type_, schema.NodeType) else type_.type}"


def holding(rows: ir.Table, type_: schema.NodeType | schema.EdgeType, as_of: date, zone: str) -> ir.Table:
    """Return the rows of a label's or type's table that hold on a day.

    A node holds for as long as anybody names it, whatever span its registration states: a company that
    was struck off, or is yet to be founded, still has the relationships that it has.
    """
    return history.current(rows) if isinstance(type_, schema.NodeType) else history.open_at(rows, as_of, zone)


#: The rule sets of a graph of which nobody says otherwise.
USUAL = rulesets.choose("CN-LE-2018", "CN-UBO-2024")


class Graph:
    """What holds on ``as_of``, read from the lake at the versions that it pins; days are those of ``zone``.

    ``chosen`` names the rule sets under which ownership and groups are seen.
    """

    def __init__(self, lake: Lake, as_of: date, zone: str = "Asia/Shanghai", chosen: Chosen = USUAL) -> None:
        self._lake = lake
        self.as_of = as_of
        self.zone = zone
        self.chosen = chosen
        self._known: dict[str, Any] = {}
        #: What people should know of what was made of the graph: where a search was stopped, and the like.
        self.notes: list[str] = []

    @property
    def engine(self) -> Engine:
        """The engine that runs what is asked of the graph."""
        return self._lake.engine

    def knows(self, name: str) -> bool:
        """Say whether there ever was a row of a label, a type or ``records/<kind>``: of what no source states there is none."""
        return self._lake.holds(name if "/" in name else f"graph/{name}")

    def records(self, kind: str, *references: str) -> ir.Table | None:
        """Return the records of a kind, or None where no source states any.

        Parameters
        ----------
        references
            Columns that refer to parties; they are given by the ids by which the parties are known.
        """
        name = f"records/{kind}"
        if not self._lake.has(name):
            return None
        rows = history.open_at(self._lake.view(name), self.as_of, self.zone)
        if references and self._lake.holds(alias.TABLE):
            rows = alias.swap(rows, references, history.current(self._lake.view(alias.TABLE)))
        return rows

    def called(self, name: str) -> list[str]:
        """Return the id of the party that a source calls by another id, such as its own number; none where nobody is called so."""
        if not self._lake.holds(alias.TABLE):
            return []
        rows = history.current(self._lake.view(alias.TABLE))
        found: list[str] = self.engine.table(rows.filter(rows.called == name).select("id"))["id"].to_pylist()
        return found

    def nodes(self, label: str) -> ir.Table:
        """Return the nodes of a label: ``id``, its properties and the common ones."""
        return self._rows(schema.node(label))

    def edges(self, type_: str) -> ir.Table:
        """Return the relationships of a type: ``id, src, dst``, its properties and the common ones."""
        return self._rows(schema.edge(type_))

    def ended(self, type_: str) -> ir.Table:
        """Return the earlier versions of a type's relationships: those that were replaced or closed, or hold no more on the day.

        Returns
        -------
        ir.Table
            The columns of `edges`; ``valid_to`` is the day from which on a version holds no more, ``last_run`` the run that replaced or
            closed it, null where it came with its end.
        """
        edge = schema.edge(type_)
        if not self._lake.has(table_name(edge)):
            return self._rows(edge)
        rows = self._lake.view(table_name(edge))
        return rows.filter(rows.valid_to.notnull() & (rows.valid_to <= ibis.literal(self.as_of)))

    def changed(self, type_: str, since: history.Since) -> ir.Table:
        """Return the versions of relationships that were written since an earlier run, or began or ceased to hold since then."""
        edge = schema.edge(type_)
        if not self._lake.has(table_name(edge)):
            return self._rows(edge)
        rows = self._lake.view(table_name(edge))
        return rows.filter(history.changed(rows, since, self.as_of, self.zone))

    def once(self, name: str, make: Callable[[], T]) -> T:
        """Compute something of the declared graph once, for all who ask for it by name; it is kept as long as this view is."""
        if name not in self._known:
            self._known[name] = make()
        found: T = self._known[name]
        return found

    def touched(self, name: str, since: history.Since) -> bool:
        """Say whether rows of a label, a type or ``records/<kind>`` were written since an earlier run, or began or ceased to hold."""
        # records refer to parties by the names that are known of them
        tables = (name, alias.TABLE) if "/" in name else (f"graph/{name}",)
        return any(self._touched(table, since) for table in tables)

    def _touched(self, table: str, since: history.Since) -> bool:
        if not self._lake.holds(table) or since.same(self._lake, table, self.as_of):
            return False

        def look() -> bool:
            rows = self._lake.view(table)
            return self.engine.count(rows.filter(history.changed(rows, since, self.as_of, self.zone)).limit(1)) > 0

        # several derivations ask it of one table
        return self.once(f"{table} {self._lake.versions.get(table)} since {since.run_id}", look)

    def _rows(self, type_: schema.NodeType | schema.EdgeType) -> ir.Table:
        name = table_name(type_)
        if self._lake.holds(name):
            return holding(self._lake.view(name), type_, self.as_of, self.zone)
        return self.once(f"no rows of {name}", lambda: self.engine.arrow(pa.schema(columns(type_).to_pyarrow()).empty_table()))
