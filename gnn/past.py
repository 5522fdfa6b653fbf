"""What was known on an earlier day: the graph without all that happened or was written later.

Knows which columns tell of a day and which only of today; hides versions. A feature reads nothing but this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import ibis
import ibis.expr.types as ir

from kg import alias, history, schema
from kg.derivation import Derivation
from kg.graph import USUAL, Graph, columns, table_name
from kg.lake import Lake
from kg.ruleset import Chosen

#: Days on which something happened: a row that tells a later one is not there yet.
_DATED = ("filed_on", "founded_on", "opened_on", "issued_on", "signed_on", "known_on", "reported_on", "period", "month")
#: Moments, likewise.
_TIMED = ("at", "decided_at")
#: What a register says of today alone, and so of no earlier day.
_OF_TODAY = ("status", "blocked", "balance_fen", "result")
#: Records that tell of the day of their delivery alone.
_BOOKS = ("exposures",)


class Past(Graph):
    """The declared graph of a lake as it was on a day.

    A version of a relationship or record holds from ``valid_from`` until ``valid_to``, whether or not it was replaced since. What is
    derived (rings, links, groups) is kept in the lake as it follows from all that is known today, so none of that is here: what
    ``derivations`` make is made anew of the day, when it is first asked for, and of what none makes there are no rows. Columns that tell
    today's state are null, but for the status of an invoice, which is void only from the day on which it was made void; of what the bank
    has in its books today there are no rows.

    Parameters
    ----------
    chosen
        The rule sets under which ownership and groups are seen.
    derived
        Whether the lake's derived tables are those of the day: then they are read and not made again.
    """

    def __init__(
        self,
        lake: Lake,
        as_of: date,
        zone: str = "Asia/Shanghai",
        derivations: Sequence[Derivation] = (),
        *,
        chosen: Chosen = USUAL,
        derived: bool = False,
    ) -> None:
        super().__init__(lake, as_of, zone, chosen)
        self._makers = {each.produces: each for each in derivations}
        self._as_kept = derived

    def earlier(self, day: date) -> Past:
        """Return the graph of a day before, of the same lake and by the same derivations."""
        return Past(self._lake, day, self.zone, tuple(self._makers.values()), chosen=self.chosen)

    def knows(self, name: str) -> bool:
        """Say whether there is a table of that name that a source states, or a derivation makes."""
        if "/" in name:
            return name.removeprefix("records/") not in _BOOKS and super().knows(name)
        return name in self._makers if _type(name).derived else super().knows(name)

    def records(self, kind: str, *references: str) -> ir.Table | None:
        """Return the records of a kind as they were, or None where no source states any."""
        name = f"records/{kind}"
        if not self.knows(name):
            return None
        rows = _without_today(then(self._lake.view(name), self.as_of, self.zone), self.as_of)
        if references and self._lake.holds(alias.TABLE):
            rows = alias.swap(rows, references, history.current(self._lake.view(alias.TABLE)))
        return rows

    def ended(self, type_: str) -> ir.Table:
        """Return the versions of a type's relationships that held no more on the day."""
        rows = super().ended(type_)
        return _happened(rows, self.as_of, self.zone)

    def _rows(self, type_: schema.NodeType | schema.EdgeType) -> ir.Table:
        name = table_name(type_)
        if type_.derived:
            return self.once(name, lambda: self._derived(type_))
        if not self._lake.has(name):
            return self.engine.arrow(columns(type_).to_pyarrow().empty_table())
        rows = self._lake.view(name)
        if isinstance(type_, schema.EdgeType):
            return then(rows, self.as_of, self.zone)
        day = ibis.literal(self.as_of)
        # a node is there for as long as anybody names it, whatever span its registration states
        there = (rows.valid_from.isnull() | (rows.valid_from <= day)) & (rows.last_run.isnull() | (rows.valid_to > day))
        return _without_today(_happened(rows.filter(there), self.as_of, self.zone), self.as_of)

    def _derived(self, type_: schema.NodeType | schema.EdgeType) -> ir.Table:
        """Return what a derivation makes of the day, or no rows where none makes it."""
        of = columns(type_)
        nothing = self.engine.arrow(of.to_pyarrow().empty_table())
        maker = self._makers.get(type_.label if isinstance(type_, schema.NodeType) else type_.type)
        if maker is None:
            return nothing
        if self._as_kept and self._lake.has(table_name(type_)):
            return super()._rows(type_)
        self._known[table_name(type_)] = nothing  # a derivation may ask what it made the night before
        rows = maker.run(self)
        return self.engine.keep(rows.mutate(**{name: ibis.null(each) for name, each in of.items() if name not in rows.columns}))


@dataclass(frozen=True)
class Archive:
    """A lake and its business date, from which any earlier day can be looked at.

    Attributes
    ----------
    derivations
        What makes anew of an earlier day what followed from what was known then.
    chosen
        The rule sets under which ownership and groups are seen.
    derived
        Whether the lake's derived tables are those of the business date, as they are in a night once it has derived.
    """

    lake: Lake
    as_of: date
    zone: str
    derivations: tuple[Derivation, ...] = ()
    chosen: Chosen = USUAL
    derived: bool = False

    def today(self) -> Graph:
        """Return the graph of the business date, with all that is derived."""
        return Graph(self.lake, self.as_of, self.zone, self.chosen)

    def on(self, day: date) -> Past:
        """Return the graph of an earlier day, or of the business date itself."""
        kept = self.derived and day == self.as_of
        return Past(self.lake, day, self.zone, self.derivations, chosen=self.chosen, derived=kept)

    def ending(self, day: date) -> Archive:
        """Return the archive of a lake in which nothing happened after a day."""
        return replace(self, lake=Cut(self.lake, day, self.zone), as_of=day, derived=False)


class Cut(Lake):
    """A lake in which nothing is that happened after a day: what is made of it is what could be made on that day."""

    def __init__(self, lake: Lake, day: date, zone: str) -> None:
        super().__init__(lake.root, lake.engine, lake.versions, base=lake._base)
        self._day, self._zone = day, zone

    def view(self, name: str) -> ir.Table:
        """Return the rows of a table that tell of nothing later than the day."""
        rows = _happened(super().view(name), self._day, self._zone)
        if "valid_from" in rows.columns:
            rows = rows.filter(rows.valid_from.isnull() | (rows.valid_from <= ibis.literal(self._day)))
        return rows


def then(rows: ir.Table, day: date, zone: str) -> ir.Table:
    """Return the versions that held on a day, of events those that had happened by its end."""
    at = ibis.literal(day)
    begun = rows.valid_from.isnull() | (rows.valid_from <= at)
    return _happened(rows.filter(begun & (rows.valid_to.isnull() | (rows.valid_to > at))), day, zone)


def _happened(rows: ir.Table, day: date, zone: str) -> ir.Table:
    at, end = ibis.literal(day), history.day_end(day, zone)
    told = [rows[name].isnull() | (rows[name] <= at) for name in _DATED if name in rows.columns]
    told += [rows[name].isnull() | (rows[name] < end) for name in _TIMED if name in rows.columns]
    return rows.filter(*told) if told else rows


def _without_today(rows: ir.Table, day: date) -> ir.Table:
    if "void_on" in rows.columns:
        void = (rows.status == "void") & rows.void_on.notnull() & (rows.void_on <= ibis.literal(day))
        return rows.mutate(
            status=ibis.ifelse(void.fill_null(False), "void", "valid"), void_on=ibis.ifelse(void, rows.void_on, ibis.null("date"))
        )
    return rows.mutate(**{name: ibis.null(of) for name, of in rows.schema().items() if name in _OF_TODAY})


def _type(name: str) -> schema.NodeType | schema.EdgeType:
    return schema.edge(name) if name.isupper() else schema.node(name)
