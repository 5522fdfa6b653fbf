"""How a set of rows becomes versions: what a new delivery inserts, replaces and closes.

Knows the versioned form of every lake table (``digest, valid_from, valid_to, first_run, last_run``);
hides the comparison. All functions are Ibis in, Ibis out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

from kg.lake import Lake

#: The columns that versions add to a row.
VERSION_SCHEMA = {"digest": "string", "valid_from": "date", "valid_to": "date", "first_run": "string", "last_run": "string"}


@dataclass(frozen=True)
class Changes:
    """The rows to insert, and the keys of the current rows to close with their last day."""

    inserts: ir.Table
    closes: ir.Table


@dataclass(frozen=True)
class Written:
    """How many rows an update inserted and closed."""

    inserted: int = 0
    closed: int = 0

    def __add__(self, other: Written) -> Written:
        return Written(self.inserted + other.inserted, self.closed + other.closed)

    def __bool__(self) -> bool:
        return bool(self.inserted or self.closed)


@dataclass(frozen=True)
class Moment:
    """When a change is made: the business date and the run."""

    as_of: date
    run_id: str


@dataclass(frozen=True)
class Since:
    """The earlier run up to which something is known, its business date, and the versions that it pinned.

    A table that stands at the same version on the same business date has not changed, and need not be read to know it.
    """

    run_id: str
    as_of: date
    versions: Mapping[str, int] = field(default_factory=dict)

    def same(self, lake: Lake, table: str, as_of: date) -> bool:
        """Say whether a table of a lake surely is on a day what it was then."""
        return as_of == self.as_of and table in self.versions and self.versions[table] == lake.versions.get(table)


def update(
    lake: Lake,
    name: str,
    incoming: ir.Table,
    key: Sequence[str],
    moment: Moment,
    *,
    complete: bool = True,
    keep: ir.Table | None = None,
    source: str | None = None,
    within: ir.Table | None = None,
    computed: bool = False,
) -> Written:
    """Bring a lake table to what is delivered, and write nothing where nothing has changed.

    Parameters
    ----------
    incoming, key, complete, keep
        As for `compare`.
    source
        Compare only with the rows of this source, where several share the table.
    within
        Compare only with the rows that have one of these values in the column of the same name: all others stay as they are.
    computed
        Whether ``incoming`` takes long to compute: a comparison asks for it several times, so it is computed once and kept.
    """
    lake.ensure(name, ibis.schema({**incoming.schema(), **VERSION_SCHEMA}))
    if not lake.holds(name):
        return Written(lake.append(name, first(incoming, moment), moment.run_id))
    stored = lake.view(name)
    if source is not None:
        stored = stored.filter(stored.source == source)
    if within is not None:
        stored = stored.semi_join(within, list(within.columns))
    if lake.engine.count(stored.limit(1)) == 0:
        return Written(lake.append(name, first(incoming, moment), moment.run_id))
    if computed:
        incoming = lake.engine.keep(incoming)
    changes = compare(stored, incoming, key, moment, complete=complete, keep=keep)
    return apply(lake, name, changes, key, moment)


def apply(lake: Lake, name: str, changes: Changes, key: Sequence[str], moment: Moment) -> Written:
    """Write changes to a lake table: closes first, so that a replaced row is never current twice."""
    closed = 0
    if lake.holds(name):
        closes = lake.engine.keep(changes.closes)
        closed = lake.engine.count(closes)
        if closed:
            lake.close(name, closes, key, moment.run_id)
    return Written(lake.append(name, changes.inserts, moment.run_id), closed)


def first(incoming: ir.Table, moment: Moment) -> ir.Table:
    """Return a delivery as first versions."""
    return incoming.mutate(first_run=ibis.literal(moment.run_id), last_run=ibis.null("string"))


def compare(
    stored: ir.Table,
    incoming: ir.Table,
    key: Sequence[str],
    moment: Moment,
    *,
    complete: bool,
    keep: ir.Table | None = None,
) -> Changes:
    """Compare a delivery with the versions stored.

    Parameters
    ----------
    stored
        All versions of the rows in question, with the columns of ``VERSION_SCHEMA``.
    incoming
        The rows delivered, each key once, with ``digest`` and the stated ``valid_from`` and ``valid_to``.
    key
        The columns that name a row.
    complete
        Whether a row that is not delivered has ended.
    keep
        Keys that stay although they are not delivered (their new version was refused).

    Returns
    -------
    Changes
        A row whose digest is the current one is in neither table. A first version holds from the day stated
        (null: not stated); a replaced or returning one never from before ``as_of``.
    """
    key = list(key)
    # views, because Ibis loses its way where a table made by joins is joined again
    stored, incoming = stored.view(), incoming.view()
    current = stored.filter(stored.last_run.isnull())
    ever = stored.select(*key).distinct()
    return Changes(
        inserts=_inserts(current, ever, incoming, key, moment),
        closes=_closes(current, incoming, key, moment, complete=complete, keep=keep),
    )


def _inserts(current: ir.Table, ever: ir.Table, incoming: ir.Table, key: list[str], moment: Moment) -> ir.Table:
    same = current.select(*key, "digest")
    fresh = incoming.anti_join(same, [*key, "digest"])
    known = ever.mutate(_known=True)
    joined = fresh.left_join(known, key, rname="{name}_known").drop(*[f"{k}_known" for k in key])
    as_of = ibis.literal(moment.as_of)
    since = ibis.ifelse(joined._known.notnull(), ibis.greatest(joined.valid_from.fill_null(as_of), as_of), joined.valid_from)
    return joined.mutate(valid_from=since, first_run=ibis.literal(moment.run_id), last_run=ibis.null("string")).drop("_known")


def _closes(current: ir.Table, incoming: ir.Table, key: list[str], moment: Moment, *, complete: bool, keep: ir.Table | None) -> ir.Table:
    as_of = ibis.literal(moment.as_of)
    until = ibis.greatest(ibis.least(current.valid_to.fill_null(as_of), as_of), current.valid_from.fill_null(as_of))
    ended = current.select(*key, "digest", _until=until)
    if not complete:
        ended = ended.semi_join(incoming.select(*key).distinct(), key)
    elif keep is not None:
        ended = ended.anti_join(keep.view().anti_join(incoming.select(*key).distinct(), key), key)
    return ended.anti_join(incoming, [*key, "digest"]).select(*key, valid_to=ended._until)


def written_since(rows: ir.Table, run_id: str) -> ir.BooleanValue:
    """Say which versions were made or replaced after a run."""
    return ((rows.first_run > run_id) | (rows.last_run > run_id)).fill_null(False)


def changed(rows: ir.Table, since: Since, as_of: date, zone: str) -> ir.BooleanValue:
    """Say which versions were written after an earlier run, or began or ceased to hold between its business date and ``as_of``."""
    found = written_since(rows, since.run_id)
    first, last = sorted((since.as_of, as_of))
    if first != last:
        # a row may say itself until when it is in force
        for bound in ("valid_from", "valid_to", "until_on"):
            if bound in rows.columns:
                found |= (rows[bound] > ibis.literal(first)) & (rows[bound] <= ibis.literal(last))
        if "at" in rows.columns:
            found |= (rows["at"] >= day_end(first, zone)) & (rows["at"] < day_end(last, zone))
    return found.fill_null(False)


def digest(table: ir.Table, columns: Sequence[str]) -> ir.StringValue:
    """Return the SHA-256 (hex) of some columns' contents, null and empty told apart.

    Each value is written behind its length, so that no two different rows read the same.
    """
    parts: list[ir.StringValue] = []
    for name in columns:
        text = _text(table[name])
        parts.append(ibis.ifelse(text.isnull(), ibis.literal("-;"), text.length().cast("string") + ":" + text + ";"))
    whole = parts[0]
    for part in parts[1:]:
        whole = whole + part
    return whole.hexdigest("sha256")


def _text(column: ir.Column) -> ir.StringValue:
    """Return a column as text that is the same on every engine."""
    if isinstance(column, ir.BooleanColumn):
        return ibis.cases((column, "1"), (~column, "0"))
    if isinstance(column, ir.ArrayColumn):
        return column.join("\x1f")
    return column.cast("string")


def current(table: ir.Table) -> ir.Table:
    """Return the rows of a versioned table that are current."""
    return table.filter(table.last_run.isnull())


def open_at(table: ir.Table, as_of: date, zone: str) -> ir.Table:
    """Return the current rows that hold on a day: ``valid_from <= as_of < valid_to``, null being open.

    Of rows that tell an event, by a column ``at``, only those that have happened by the end of the day in ``zone``.
    """
    day = ibis.literal(as_of)
    begun = table.valid_from.isnull() | (table.valid_from <= day)
    lasting = table.valid_to.isnull() | (table.valid_to > day)
    held = table.last_run.isnull() & begun & lasting
    if "at" in table.columns:
        held &= table["at"].isnull() | (table["at"] < day_end(as_of, zone))
    return table.filter(held)


def day_end(day: date, zone: str) -> ir.TimestampScalar:
    """Return the moment (UTC) at which a day has ended in a zone."""
    midnight = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone))
    return ibis.literal(midnight.astimezone(UTC).replace(tzinfo=None)).cast("timestamp(6)")
