"""What the graph store must hold for a run, and which of it a store that holds an older run lacks.

Knows the lake's versions and the window of transfers; hides from the store where its rows come from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from kg import history, schema
from kg.graph import columns, holding, table_name
from kg.history import Since
from kg.lake import Lake
from kg.store import Change, GraphStore, Type, differences, name_of

#: The relationship type that ``publish.transfer_days`` bounds.
WINDOWED = "TRANSFERRED_TO"


@dataclass(frozen=True)
class Publication:
    """The graph of one run as a store is to hold it.

    Parameters
    ----------
    days
        ``publish.transfer_days``: transfers of the last so many days only; 0 for all.
    """

    lake: Lake
    as_of: date
    zone: str
    days: int = 0

    def rows(self, type_: Type) -> ir.Table | None:
        """Return the rows of a type that the store is to hold, or None where the lake has none."""
        name = table_name(type_)
        if not self.lake.holds(name):
            return None
        return self._held(type_, self.lake.view(name), self.as_of).select(*_names(type_))

    def count(self) -> int:
        """Return the number of all rows that the store is to hold."""
        tables = [self.rows(type_) for type_ in (*schema.ALL_NODES, *schema.ALL_EDGES)]
        return sum(self.lake.engine.count(rows) for rows in tables if rows is not None)

    def sorted_rows(self, type_: Type) -> Iterator[pa.RecordBatch]:
        """Stream the rows of a type in the order of their ids."""
        rows = self.rows(type_)
        return iter(()) if rows is None else iter(self.lake.engine.reader(rows.order_by("id")))

    def since(self, held: Since | None) -> list[Change]:
        """Return the changes that take a store from the run that it holds (None: from nothing) to this one."""
        changes = [self._change(type_, held) for type_ in (*schema.ALL_NODES, *schema.ALL_EDGES)]
        return [change for change in changes if change is not None]

    def repair(self, store: GraphStore) -> list[Change]:
        """Return the changes that take a store of unknown content to this run, by comparing every row."""
        found = [self._repair(type_, store) for type_ in (*schema.ALL_NODES, *schema.ALL_EDGES)]
        return [change for change in found if change is not None]

    def compare(self, type_: Type, store: GraphStore) -> Iterator[pa.Table]:
        """Name what differs between this run and a store (see `kg.store.differences`)."""
        return differences(type_, self.sorted_rows(type_), store.contents(type_))

    def _held(self, type_: Type, rows: ir.Table, as_of: date) -> ir.Table:
        """Return those of a type's rows that a store of a day holds."""
        return self._in_window(type_, holding(rows, type_, as_of, self.zone), as_of)

    def _in_window(self, type_: Type, rows: ir.Table, as_of: date) -> ir.Table:
        if name_of(type_) != WINDOWED or not self.days:
            return rows
        return rows.filter(rows["at"] >= self._begin(as_of))

    def _begin(self, as_of: date) -> ir.TimestampScalar:
        """Return the moment from which on transfers are in the window of a day."""
        return history.day_end(as_of - timedelta(days=self.days), self.zone)

    def _change(self, type_: Type, held: Since | None) -> Change | None:
        rows = self.rows(type_)
        if rows is None:
            return None
        if held is None:
            return self._of(type_, rows)
        versions = self._touched(type_, held)
        if versions is None:
            return None
        wanted = self._held(type_, versions, self.as_of).select(*_names(type_))
        if isinstance(type_, schema.NodeType):
            return self._of(type_, wanted, versions.select("id").distinct().anti_join(wanted, "id"))
        before = self._before(type_, held, versions)
        same = self.lake.engine.keep(wanted.semi_join(before.filter(before.held), ["id", "src", "dst"]).select("id"))
        gone = before.select("id").distinct().anti_join(same, "id")
        return self._of(type_, wanted.anti_join(same, "id"), gone, wanted.semi_join(same, "id"))

    def _before(self, type_: schema.EdgeType, held: Since, versions: ir.Table) -> ir.Table:
        """Return ``id, src, dst, held`` of what was written of some relationships up to a run: whether the store surely held it then."""
        rows = versions.filter(versions.first_run <= held.run_id)
        # A row closed since then tells no more whether it had stated its end itself: one that was closed on the day held
        # counts as not held, and what counts so is removed and written anew, which is right either way.
        then = rows.mutate(last_run=ibis.ifelse(rows.last_run > held.run_id, ibis.null("string"), rows.last_run))
        open_ = self._held(type_, then, held.as_of)
        every = ibis.union(
            open_.select("id", "src", "dst", held=ibis.literal(True)),
            rows.select("id", "src", "dst", held=ibis.literal(False)),
            distinct=False,
        )
        return self.lake.engine.keep(every)

    def _touched(self, type_: Type, held: Since) -> ir.Table | None:
        """Return the versions by which a store that holds an older run may stand otherwise; None where there are none.

        The table may be of twenty million rows, so it is read once. Of one id a run sees one version as the current one: where that is
        another one than then, the older was closed since and the newer written since, and both are here.
        """
        # of nodes a store holds the newest version, whatever the day
        if held.same(self.lake, table_name(type_), self.as_of if isinstance(type_, schema.EdgeType) else held.as_of):
            return None
        stored = self.lake.view(table_name(type_))
        first, last = sorted((held.as_of, self.as_of))
        if isinstance(type_, schema.EdgeType):
            changed = history.changed(stored, held, self.as_of, self.zone)
        else:
            changed = history.written_since(stored, held.run_id)
        if name_of(type_) == WINDOWED and self.days and first != last:
            changed |= (stored["at"] >= self._begin(first)) & (stored["at"] < self._begin(last))
        # what was replaced before that run says nothing of what has been there since
        lasting = stored.last_run.isnull() | (stored.last_run > held.run_id)
        versions = self.lake.engine.keep(stored.filter(changed.fill_null(False) & lasting))
        return versions if self.lake.engine.count(versions) else None

    def _repair(self, type_: Type, store: GraphStore) -> Change | None:
        tables = list(self.compare(type_, store))
        if not tables:
            return None
        found = self.lake.engine.arrow(pa.concat_tables(tables))
        surplus = found.filter(found.what == "surplus").select("id").distinct()
        wrong = found.filter(found.what != "surplus").select("id").distinct()
        rows = self.rows(type_)
        return self._of(type_, None if rows is None else rows.semi_join(wrong, "id"), surplus)

    def _of(self, type_: Type, rows: ir.Table | None, gone: ir.Table | None = None, same: ir.Table | None = None) -> Change:
        def read(table: ir.Table | None) -> Iterator[pa.RecordBatch]:
            return iter(()) if table is None else iter(self.lake.engine.reader(table))

        return Change(type_, lambda: read(rows), lambda: (batch.column(0) for batch in read(gone)), lambda: read(same))


def _names(type_: Type) -> Sequence[str]:
    return [name for name in columns(type_).names if name != "digest"]
