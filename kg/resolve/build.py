"""From records to the graph's tables: aliases, relationships, nodes and stubs.

Knows in which order they depend on one another; hides which of them have to be made again tonight.
Relationships follow the night's changed records one for one; only when an alias changed its owner
are all of them compared.
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
from kg.resolve import VIEWS, EdgeView, NodeView


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

    def resolve(self, changed: Collection[str]) -> dict[str, Written]:
        """Bring the tables ``graph/…`` up to date with the records of the kinds ``changed``."""
        if not changed:
            return {}
        written = {alias.TABLE: self._aliases()}
        anew = bool(written[alias.TABLE].closed) or (bool(written[alias.TABLE].inserted) and self.lake.has("graph/HOLDS_SHARES"))
        for type_ in dict.fromkeys(v.type for v in VIEWS if isinstance(v, EdgeView)):
            written[f"graph/{type_}"] = self._edges(type_, changed, anew=anew)
        for label in dict.fromkeys(v.label for v in VIEWS if isinstance(v, NodeView)):
            written[f"graph/{label}"] = self._nodes(label)
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

    def _named(self, rows: ir.Table) -> ir.Table:
        """Swap aliases at both ends for the ids by which the entities are known."""
        if not self.lake.has(alias.TABLE):
            return rows
        return alias.swap(rows, ("src", "dst"), history.current(self.lake.view(alias.TABLE)))

    def _edges(self, type_: str, changed: Collection[str], *, anew: bool) -> Written:
        views = [v for v in VIEWS if isinstance(v, EdgeView) and v.type == type_ and self.lake.has(f"records/{v.kind}")]
        self.lake.ensure(f"graph/{type_}", columns(schema.edge(type_)))
        written = Written()
        if anew and views:
            rows = union([self._projected(v, current=True) for v in views])
            return history.update(self.lake, f"graph/{type_}", rows, ["id"], self.moment)
        for view in views:
            if view.kind in changed:
                written += self._follow(view)
        return written

    def _projected(self, view: EdgeView, *, current: bool) -> ir.Table:
        records = self.lake.view(f"records/{view.kind}")
        rows = self._named(view.rows(history.current(records) if current else records))
        rows = rows.mutate(digest=_digest(rows, schema.edge(view.type).properties, ("src", "dst")))
        return rows.drop("first_run", "last_run") if current else rows

    def _follow(self, view: EdgeView) -> Written:
        """Carry over to the relationships what the run did to the records, row by row."""
        name, run_id = f"graph/{view.type}", self.moment.run_id
        rows = self._projected(view, current=False)
        closes = rows.filter((rows.last_run == run_id) & (rows.first_run != run_id)).select("id", "valid_to")
        return history.apply(self.lake, name, Changes(rows.filter(rows.first_run == run_id), closes), ["id"], self.moment)

    def _nodes(self, label: str) -> Written:
        self.lake.ensure(f"graph/{label}", columns(schema.node(label)))
        views = [v for v in VIEWS if isinstance(v, NodeView) and v.label == label and self.lake.has(f"records/{v.kind}")]
        tables = [v.rows(history.current(self.lake.view(f"records/{v.kind}"))) for v in views]
        rows = self._merged(label, union(tables)) if tables else None
        if self.stubs or self._may_dangle(label):
            rows = self._with_stubs(label, rows)
        if rows is None:
            return Written()
        rows = rows.mutate(digest=_digest(rows, schema.node(label).properties, ("source", "record_id")), valid_to=ibis.null("date"))
        return history.update(self.lake, f"graph/{label}", rows, ["id"], self.moment)

    def _merged(self, label: str, rows: ir.Table) -> ir.Table:
        """Make one row of all that speak of a node: each property from the most trusted source that states it."""
        place = ibis.cases(*[(rows.source == name, f"{rank:06d}") for rank, name in enumerate(self.ranks)], else_="999999")
        rows = rows.mutate(_rank=place + "/" + rows.source + "/" + rows.record_id)
        names = [p.name for p in schema.node(label).properties if p.name != "stub"]
        best = {name: rows[name].argmin(rows._rank, where=rows[name].notnull()) for name in names}
        kept = {name: rows[name].argmin(rows._rank) for name in ("source", "record_id", "valid_from")}
        merged = rows.group_by("id").aggregate(**best, **kept)
        return merged.mutate(stub=ibis.literal(False))

    def _may_dangle(self, label: str) -> bool:
        """Tell whether a node may be referred to that no registration names any more."""
        nodes = self.lake.view(f"graph/{label}")
        return self._engine.count(nodes.filter(nodes.stub | nodes.last_run.notnull()).limit(1)) > 0 or any(
            self._engine.count(r.filter(r.last_run == self.moment.run_id).limit(1)) > 0
            for v in VIEWS
            if isinstance(v, NodeView) and v.label == label and (r := self._records(v.kind)) is not None
        )

    def _with_stubs(self, label: str, rows: ir.Table | None) -> ir.Table | None:
        ends = [
            history.current(self.lake.view(f"graph/{e.type}")).select(id=end)
            for e in schema.EDGES
            if self.lake.has(f"graph/{e.type}")
            for end, labels in (("src", e.source), ("dst", e.target))
            if label in labels
        ]
        if not ends:
            return rows
        prefix = f"{schema.node(label).prefix}:"
        named = union(ends).filter(ibis._.id.startswith(prefix)).distinct()
        if rows is not None:
            named = named.anti_join(rows, "id")
        empty = {p.name: ibis.null(p.type) for p in schema.node(label).properties if p.name != "stub"}
        stubs = named.mutate(**empty, stub=True, source=ibis.null("string"), record_id=ibis.null("string"), valid_from=ibis.null("date"))
        return stubs if rows is None else union([rows, stubs.select(*rows.columns)])


def _digest(rows: ir.Table, properties: Sequence[schema.Property], further: Sequence[str]) -> ir.StringValue:
    return history.digest(rows, [*further, *(p.name for p in properties), "valid_from"])
