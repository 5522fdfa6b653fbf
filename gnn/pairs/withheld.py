"""A past graph in which the register does not say whose some companies are: what it would say is what is asked.

Knows which declarations give the answer away; hides who is chosen: by a digest of the id, so that it is the same companies on any day.
"""

from __future__ import annotations

from datetime import date

import ibis.expr.types as ir

from gnn.past import Archive, Past

#: First digits of the digests of the companies whose register is withheld in each period: none of one period is so in another.
PERIODS = {"train": "01234", "valid": "567", "test": "89a"}
#: Who holds, represents or works for a company.
_OF_REGISTER = ("HOLDS_SHARES", "REPRESENTS", "OFFICER_OF")


class Withheld(Past):
    """The graph of an earlier day without the holders, representatives, officers and nominees of the companies of a period."""

    def __init__(self, archive: Archive, day: date, period: str) -> None:
        super().__init__(archive.lake, day, archive.zone, archive.derivations, chosen=archive.chosen)
        self._archive, self._period, self._digits = archive, period, PERIODS[period]

    def earlier(self, day: date) -> Withheld:
        """Return the graph of a day before, of which the same is withheld."""
        return Withheld(self._archive, day, self._period)

    def edges(self, type_: str) -> ir.Table:
        """Return the relationships of a type that the register states of other companies."""
        return self._without(super().edges(type_), "dst") if type_ in _OF_REGISTER else super().edges(type_)

    def ended(self, type_: str) -> ir.Table:
        """Return the earlier versions of a type's relationships, likewise."""
        return self._without(super().ended(type_), "dst") if type_ in _OF_REGISTER else super().ended(type_)

    def records(self, kind: str, *references: str) -> ir.Table | None:
        """Return the records of a kind as they were, of nominees those of other companies."""
        rows = super().records(kind, *references)
        return rows if rows is None or kind != "nominations" else self._without(rows, "company")

    def _without(self, rows: ir.Table, company: str) -> ir.Table:
        return rows.filter(~asked(rows[company], self._digits))


def asked(company: ir.StringValue, digits: str) -> ir.BooleanValue:
    """Tell of which ids the digest begins with one of some digits.

    >>> import ibis
    >>> ibis.duckdb.connect().to_pyarrow(asked(ibis.literal("company:b"), PERIODS["train"])).as_py()
    True
    """
    return company.hexdigest("sha256").substr(0, 1).isin(list(digits))
