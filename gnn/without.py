"""A day's graph without some of its rows: what a score would be if they were not there."""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from gnn.behind.behind import called
from gnn.past import Past
from kg import schema
from kg.lake import Lake


class Without(Past):
    """The graph of a day without some relationships and records; of a company that is taken out only its entry in the register is unknown.

    Parameters
    ----------
    rows : string
        Ids of relationships and records, and of companies.
    """

    def __init__(self, lake: Lake, as_of: date, zone: str, rows: pa.Array) -> None:
        super().__init__(lake, as_of, zone)
        # cut into once and read by every step
        self._gone = self.engine.keep(self.engine.arrow(pa.table({"gone": rows.unique() if len(rows) else pa.array([], pa.string())})))

    def records(self, kind: str, *references: str) -> ir.Table | None:
        """Return the records of a kind that are left."""
        rows = super().records(kind, *references)
        return None if rows is None else rows.mutate(_called=called(rows)).anti_join(self._gone, [("_called", "gone")]).drop("_called")

    def ended(self, type_: str) -> ir.Table:
        """Return the earlier versions that are left."""
        return super().ended(type_).anti_join(self._gone, [("id", "gone")])

    def _rows(self, type_: schema.NodeType | schema.EdgeType) -> ir.Table:
        rows = super()._rows(type_)
        if isinstance(type_, schema.EdgeType):
            return rows.anti_join(self._gone, [("id", "gone")])
        if type_.label != "Company":
            return rows
        marked = rows.left_join(self._gone.mutate(_hidden=ibis.literal(True)), [("id", "gone")])
        kept = {
            name: ibis.ifelse(marked["_hidden"].fill_null(False), ibis.null(of), marked[name])
            for name, of in rows.schema().items()
            if name in _SAID
        }
        return marked.mutate(**kept).select(*rows.columns)


#: What the register says of a company, without what only names it.
_SAID = ("founded_on", "capital_fen", "region", "industry", "listed")
