"""A day's graph without some of its rows: what a score would be if they were not there."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from gnn.behind.behind import called
from gnn.past import Past
from kg import schema


class Without(Past):
    """The graph of a day without some relationships and records; of a company that is taken out only its entry in the register is unknown.

    What is derived stands as it does in the whole graph, without the rows that are taken out and those that name one of them as evidence:
    to derive everything anew would take as long as a night.

    Parameters
    ----------
    whole
        The graph of the day.
    rows : string
        Ids of relationships and records, and of companies.
    """

    def __init__(self, whole: Past, rows: pa.Array) -> None:
        super().__init__(whole._lake, whole.as_of, whole.zone)
        self._whole, self._makers = whole, whole._makers
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
        rows = self._whole._rows(type_) if type_.derived else super()._rows(type_)
        if type_.derived and "evidence" in rows.columns:
            rows = rows.anti_join(self._resting(rows), "id")
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

    def _resting(self, rows: ir.Table) -> ir.Table:
        """Return ``id`` of the derived rows whose evidence, a JSON list of ids, names one that is taken out."""
        named = rows.select("id", named=rows.evidence.substr(2, rows.evidence.length() - 4).split('","').unnest())
        return self.engine.keep(named.semi_join(self._gone, [("named", "gone")]).select("id").distinct())


#: What the register says of a company, without what only names it.
_SAID = ("founded_on", "capital_fen", "region", "industry", "listed")
