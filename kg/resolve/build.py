"""From records to the graph's tables: aliases, relationships, nodes and stubs.

Knows in which order they depend on one another; hides which of them have to be made again tonight.
Relationships follow the night's changed records one for one; all of them are compared when an alias changed
its owner, or the last run did not resolve what it had loaded.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from kg import alias, history, schema
from kg.engine import Engine, union
from kg.graph import columns
from kg.history import Changes, Moment, Written
from kg.lake import Lake
from kg.resolve import VIEWS, EdgeView, Mention, NodeView


@dataclass(frozen=True)
class Resolver:
    """Resolves the records of one run.

    Parameters
    ----------
    ranks
        Names of the sources, the most trusted first: where two speak of one node, the first one's word counts.
    stubs
        Whether any source allows nodes that are only referred to.
    """

    lake: Lake
    moment: Moment
    ranks: Sequence[str]
    stubs: bool

    def resolve(self, changed: Collection[str], *, whole: bool = False) -> dict[str, Written]:
        """Bring the tables ``graph/…`` up to date with the records of the kinds ``changed``.

        Parameters
        ----------
        whole
            Compare all of them: the tables are not known to hold what the records said before this run.
        """
        if not changed and not whole:
            return {}
        written = {alias.TABLE: self._aliases()}
        moved = self._moved() if written[alias.TABLE] else None
        for type_ in dict.fromkeys(v.type for v in VIEWS if isinstance(v, EdgeView)):
            written[f"graph/{type_}"] = self._edges(type_, changed, moved, whole=whole)
        for label in dict.fromkeys(v.label for v in VIEWS if isinstance(v, NodeView)):
            written[f"graph/{label}"] = self._nodes(label, changed, whole=whole)
        return written

    @property
    def _engine(self) -> Engine:
        return self.lake.engine

    def _records(self, kind: str) -> ir.Table | None:
        return self.lake.view(f"records/{kind}") if self.lake.has(f"records/{kind}") else None

    def _aliases(self) -> Written:
        tables = []
        for label in alias.MANY:
            records = self._records(alias.OWN[label][0])
            if records is not None:
                tables.append(alias.calls(label, history.current(records)))
        if not tables:
            return Written()
        rows = alias.renames(tables)
        rows = rows.mutate(digest=history.digest(rows, ["id"]), valid_from=ibis.null("date"), valid_to=ibis.null("date"))
        return history.update(self.lake, alias.TABLE, rows, ["called"], self.moment)

    def _swapped(self, rows: ir.Table, columns: Sequence[str]) -> ir.Table:
        """Swap aliases in some columns for the ids by which the entities are known."""
        if not self.lake.holds(alias.TABLE):
            return rows
        return alias.swap(rows, columns, history.current(self.lake.view(alias.TABLE)))

    def _moved(self) -> ir.Table:
        """Return the ids under which relationships may lie that now belong to another id."""
        names, run_id = self.lake.view(alias.TABLE), self.moment.run_id
        new = names.filter(names.first_run == run_id).select(end="called")
        old = names.filter(names.last_run == run_id).select(end="id")
        return self._engine.keep(ibis.union(new, old, distinct=True))

    def _lies_under(self, type_: str, moved: ir.Table) -> bool:
        rows = history.current(self.lake.view(f"graph/{type_}"))
        ends = union([rows.select(end="src"), rows.select(end="dst")])
        return self._engine.count(ends.semi_join(moved, "end").limit(1)) > 0

    def _edges(self, type_: str, changed: Collection[str], moved: ir.Table | None, *, whole: bool) -> Written:
        views = [v for v in VIEWS if isinstance(v, EdgeView) and v.type == type_ and self.lake.has(f"records/{v.kind}")]
        self.lake.ensure(f"graph/{type_}", columns(schema.edge(type_)))
        written = Written()
        parties = set(alias.MANY) & {*schema.edge(type_).source, *schema.edge(type_).target}
        if views and (whole or (moved is not None and parties and self._lies_under(type_, moved))):
            rows = union([self._projected(v, current=True) for v in views])
            return history.update(self.lake, f"graph/{type_}", rows, ["id"], self.moment)
        for view in views:
            if view.kind in changed:
                written += self._follow(view)
        return written

    def _projected(self, view: EdgeView, *, current: bool) -> ir.Table:
        records = self.lake.view(f"records/{view.kind}")
        rows, type_ = view.rows(history.current(records) if current else records), schema.edge(view.type)
        # a record's digest stands for all that it says; only the ends of a party may be others than the record names
        if set(alias.MANY) & {*type_.source, *type_.target}:
            rows = self._swapped(rows, ("src", "dst"))
            rows = rows.mutate(_content=history.digest(rows, ["src", "dst", "_content"]))
        rows = rows.rename(digest="_content")
        return rows.drop("first_run", "last_run") if current else rows

    def _follow(self, view: EdgeView) -> Written:
        """Carry over to the relationships what the run did to the records, row by row."""
        name, run_id = f"graph/{view.type}", self.moment.run_id
        rows = self._projected(view, current=False)
        closes = rows.filter((rows.last_run == run_id) & (rows.first_run != run_id)).select("id", "valid_to")
        return history.apply(self.lake, name, Changes(rows.filter(rows.first_run == run_id), closes), ["id"], self.moment)

    def _nodes(self, label: str, changed: Collection[str], *, whole: bool) -> Written:
        self.lake.ensure(f"graph/{label}", columns(schema.node(label)))
        views = [v for v in VIEWS if isinstance(v, NodeView) and v.label == label and self.lake.has(f"records/{v.kind}")]
        by_ends = self.stubs or self._may_dangle(label)
        if not (whole or by_ends or any(v.kind in changed for v in views)):
            return Written()
        tables = [v.rows(history.current(self.lake.view(f"records/{v.kind}"))) for v in views]
        rows = merged(label, union(tables), self.ranks) if tables else None
        if by_ends:
            rows = self._with_stubs(label, rows)
        if rows is None:
            return Written()
        rows = rows.mutate(digest=_digest(rows, schema.node(label).properties, ("source", "record_id")), valid_to=ibis.null("date"))
        return history.update(self.lake, f"graph/{label}", rows, ["id"], self.moment, computed=True)

    def _may_dangle(self, label: str) -> bool:
        """Tell whether a node may be referred to that no registration names any more."""
        tables = []
        if self.lake.holds(f"graph/{label}"):
            nodes = self.lake.view(f"graph/{label}")
            tables.append(nodes.filter(nodes.stub | nodes.last_run.notnull()).select("last_run"))
        for kind in {v.kind for v in VIEWS if isinstance(v, NodeView) and v.label == label}:
            records = self._records(kind)
            if records is not None:
                tables.append(records.filter(records.last_run == self.moment.run_id).select("last_run"))
        return bool(tables) and self._engine.count(union(tables).limit(1)) > 0

    def _with_stubs(self, label: str, rows: ir.Table | None) -> ir.Table | None:
        ends = [
            history.current(self.lake.view(f"graph/{e.type}")).select(id=end)
            for e in schema.EDGES
            if self.lake.holds(f"graph/{e.type}")
            for end, labels in (("src", e.source), ("dst", e.target))
            if label in labels
        ]
        ends += [
            self._swapped(history.current(records), (column,)).select(id=column)
            for v in VIEWS
            if isinstance(v, Mention) and v.label == label and (records := self._records(v.kind)) is not None
            for column in v.columns
        ]
        if not ends:
            return rows
        return with_stubs(label, rows, union(ends))


def merged(label: str, rows: ir.Table, ranks: Sequence[str]) -> ir.Table:
    """Make one row of all that speak of a node: each property from the most trusted source that states it.

    Parameters
    ----------
    rows
        What `NodeView` gives, of all views of the label.
    ranks
        Names of the sources, the most trusted first.
    """
    place = ibis.cases(*[(rows.source == name, f"{rank:06d}") for rank, name in enumerate(ranks)], else_="999999")
    rows = rows.mutate(_rank=place + "/" + rows.source + "/" + rows.record_id)
    names = [p.name for p in schema.node(label).properties if p.name != "stub"]
    best = {name: rows[name].argmin(rows["_rank"], where=rows[name].notnull()) for name in names}
    kept = {name: rows[name].argmin(rows["_rank"]) for name in ("source", "record_id", "valid_from")}
    return rows.group_by("id").aggregate(**best, **kept).mutate(stub=ibis.literal(False))


def with_stubs(label: str, rows: ir.Table | None, ends: ir.Table) -> ir.Table:
    """Add a stub for each end of a relationship that bears the label's prefix and that no row names.

    Parameters
    ----------
    ends
        Their ``id``, repeated ones included.
    """
    named = ends.filter(ends.id.startswith(f"{schema.node(label).prefix}:"))
    # nearly every end is a node that is registered: what is left of them is few, so it is made distinct last
    named = (named if rows is None else named.anti_join(rows, "id")).distinct()
    empty = {p.name: ibis.null(_TYPES.get(p.type, p.type)) for p in schema.node(label).properties if p.name != "stub"}
    stubs = named.mutate(**empty, stub=True, source=ibis.null("string"), record_id=ibis.null("string"), valid_from=ibis.null("date"))
    return stubs if rows is None else union([rows, stubs.select(*rows.columns)])


_TYPES = {"bool": "boolean", "timestamp": "timestamp(6)"}


def _digest(rows: ir.Table, properties: Sequence[schema.Property], further: Sequence[str]) -> ir.StringValue:
    return history.digest(rows, [*further, *(p.name for p in properties), "valid_from"])
