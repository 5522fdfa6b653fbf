"""The way of one delivery: files → typed rows → accepted and refused ones.

Knows the checks that need the whole delivery (repeated ids, ends that exist nowhere) and in which
order kinds depend on one another; hides the staging files. Nothing here changes the lake.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from itertools import chain
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from kg import alias, history
from kg.config import SourceSettings
from kg.dates import local_date
from kg.engine import Engine, union
from kg.lake import Lake
from kg.privacy import Keyring
from loaders.ahead import ahead
from loaders.delivery import Delivery
from loaders.mapping import Mapper
from loaders.readers import read_raw
from loaders.rows import typed
from loaders.source import Column, Kind
from loaders.sources import KINDS, kind

FAULT = "struct<column: string, rule: string, value: string>"
PLACE = ("_row", "_part")
#: A delivery of fewer rows is looked at as a whole before it is typed: columns that it leaves empty cost more than its rows.
_FEW = 10_000


@dataclass(frozen=True)
class Delivered:
    """A delivery read, mapped and typed; ``rows`` lies in a staging file.

    ``only`` are the places of those that are meant where not all are (``count`` of them): the others are there to be compared
    with, and are neither accepted nor refused. Those that are not ``whole`` are some of what the source tells, and end nothing.
    """

    source: SourceSettings
    kind: Kind
    delivery: Delivery
    rows: ir.Table
    count: int
    only: ir.Table | None = None
    whole: bool = True


@dataclass(frozen=True)
class Settled:
    """A delivery judged.

    ``accepted`` rows are in the form of records, and ``taken`` says which they are: ``_row, _part, record_id, digest``; ``refused`` rows
    are ``_row, _part, _file, _line, _key, record_id, faults``. Of an upserting source ``overtaken`` rows (``_row, _part``) are neither: a
    later file of the delivery tells of the same.
    """

    delivered: Delivered
    accepted: ir.Table
    taken: ir.Table
    refused: ir.Table
    accepted_count: int
    refused_count: int
    overtaken: ir.Table
    overtaken_count: int
    newest: date | None

    @property
    def source(self) -> SourceSettings:
        """The source's settings."""
        return self.delivered.source


def read(source: SourceSettings, delivery: Delivery, keyring: Keyring, engine: Engine, *, folder: Path, zone: str) -> Delivered:
    """Read a delivery into a staging file of typed, checked rows; personal identifiers are tokens from here on."""
    of = kind(source.kind)
    mapper, path = Mapper(source, of, keyring), folder / f"{source.name}.parquet"
    # Reading, mapping and typing each have a thread: none of them can keep a second core busy by itself.
    with closing(ahead(mapper.map(raw) for raw in ahead(read_raw(delivery, source)))) as batches:
        begun = _begun(batches)
        if sum(batch.num_rows for batch in begun) < _FEW:
            whole = pa.Table.from_batches(begun, mapper.schema)
            absent = [name for name, column in zip(whole.column_names, whole.columns, strict=True) if column.null_count == len(column)]
            rows = engine.write(typed(engine.arrow(whole), of, source, zone, absent), path)
            return Delivered(source, of, delivery, rows, engine.count(rows))
        stream = _Stream(chain(begun, batches))
        reader = pa.RecordBatchReader.from_batches(mapper.schema, stream)
        try:
            rows = engine.write(typed(engine.arrow(reader), of, source, zone), path)
        except Exception:
            if stream.error is not None:
                raise stream.error from None
            raise
    return Delivered(source, of, delivery, rows, engine.count(rows))


def _begun(batches: Iterator[pa.RecordBatch]) -> list[pa.RecordBatch]:
    """Return the first batches: all of them where they hold few rows together."""
    begun: list[pa.RecordBatch] = []
    rows = 0
    while rows < _FEW and (batch := next(batches, None)) is not None:
        begun.append(batch)
        rows += batch.num_rows
    return begun


class _Stream:
    """Batches on their way into the engine, which would wrap what goes wrong in them in an error of its own."""

    def __init__(self, batches: Iterator[pa.RecordBatch]) -> None:
        self._batches = batches
        self.error: Exception | None = None

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        try:
            yield from self._batches
        except Exception as error:
            self.error = error
            raise


class Judge:
    """Settles deliveries in the order of their kinds, each against what is known by then."""

    def __init__(self, lake: Lake, deliveries: Sequence[Delivered], today: date, zone: str) -> None:
        self._lake = lake
        self._today = today
        self._zone = zone
        self._engine = lake.engine
        self._deliveries = deliveries
        self._known: dict[str, ir.Table] = {}

    def settle(self) -> list[Settled]:
        """Return all deliveries settled."""
        settled: list[Settled] = []
        for of in KINDS:
            here = [self._settle(d) for d in self._deliveries if d.kind.name == of.name]
            settled += here
            for label, (name, _) in alias.OWN.items():
                if name == of.name:
                    self._know(label, name, here)
        return settled

    def _settle(self, delivered: Delivered) -> Settled:
        rows = delivered.rows
        faults = [self._engine.keep(union([_own_faults(rows), *self._unknown_ends(delivered)]))]
        refused = self._refusals(faults)
        good = rows.anti_join(refused, PLACE) if self._engine.count(refused) else rows
        overtaken = self._engine.keep(_overtaken(delivered, good, refused))
        if delivered.source.record_id:
            good = good.anti_join(overtaken, PLACE) if self._engine.count(overtaken) else good
            faults += [_repeated(good), *self._changed(delivered, good)]
            refused = self._refusals(faults)
            accepted = good.anti_join(refused, PLACE) if self._engine.count(refused) else good
        else:
            accepted = numbered(good)
        if delivered.only is not None:
            accepted, refused, overtaken = (table.semi_join(delivered.only, PLACE) for table in (accepted, refused, overtaken))
        placed = rows.select(*PLACE, "_file", "_line", "_key", "record_id").inner_join(refused, PLACE)
        count, older = self._engine.count(refused), self._engine.count(overtaken)
        taken, newest = accepted.select(*PLACE, "record_id", "digest"), self._newest(delivered, accepted)
        left = delivered.count - count - older
        return Settled(delivered, _records(delivered, accepted), taken, placed, left, count, overtaken, older, newest)

    def _refusals(self, faults: Sequence[ir.Table]) -> ir.Table:
        """Gather faults of the same row; kept, because they are few and used often."""
        every = union(faults)
        return self._engine.keep(every.group_by(list(PLACE)).aggregate(faults=every.fault.collect()))

    def _unknown_ends(self, delivered: Delivered) -> list[ir.Table]:
        if delivered.source.unknown_end == "stub":
            return []
        return [_unknown(delivered.rows, column, self._names(column)) for column in delivered.kind.references]

    def _names(self, column: Column) -> ir.Table:
        tables = [self._known[label] for label in alias.LABELS[column.type] if label in self._known]
        return union(tables)

    def _know(self, label: str, name: str, here: Sequence[Settled]) -> None:
        """Remember by which ids the nodes of a label are called once tonight's deliveries are in."""
        calls = [alias.calls(label, table) for table in self.afterwards(name, here)]
        if calls:
            self._known[label] = self._engine.keep(alias.unique(union(calls)).select("called", "ambiguous"))
        else:
            self._known[label] = self._engine.arrow(pa.table({"called": pa.array([], pa.string()), "ambiguous": pa.array([], pa.bool_())}))

    def at_other_banks(self, settled: Settled) -> int:
        """Count the accounts that a delivery names and nobody registers, but whose numbers are registered at another bank."""
        delivered, known = settled.delivered, self._known.get("Account")
        columns = [column.name for column in delivered.kind.references if column.type == "account"]
        if known is None or not columns:
            return 0
        if delivered.source.unknown_end == "stub":
            ends = union([delivered.rows.select(called=name) for name in columns])
            missing = ends.filter(ends.called.notnull()).anti_join(known, "called")
        else:
            faults = settled.refused.select(fault=settled.refused.faults.unnest())
            missing = faults.filter((faults.fault["rule"] == "unknown_end") & faults.fault["column"].isin(columns)).select(
                called=faults.fault["value"]
            )
        missing = self._engine.keep(missing.distinct())
        if not self._engine.count(missing):
            return 0
        tokens = known.select(token=known.called.re_extract("[^:]*$", 0)).distinct()
        return self._engine.count(missing.mutate(token=missing.called.re_extract("[^:]*$", 0)).semi_join(tokens, "token"))

    def afterwards(self, name: str, here: Sequence[Settled]) -> list[ir.Table]:
        """Return the records of a kind as they will stand once the deliveries ``here`` are in."""
        tables = [s.accepted for s in here]
        if not self._lake.has(f"records/{name}"):
            return tables
        stored = history.current(self._lake.view(f"records/{name}"))
        for s in here:
            stored = stored.filter(~((stored.source == s.source.name) & replaced(s, stored)))
        return [*tables, stored]

    def _changed(self, delivered: Delivered, good: ir.Table) -> list[ir.Table]:
        """Refuse what an appending source says anew of a record that was accepted."""
        name = f"records/{delivered.kind.name}"
        if delivered.source.mode != "append" or not self._lake.has(name):
            return []
        stored = history.current(self._lake.view(name))
        mine = stored.filter(stored.source == delivered.source.name).select("record_id", old="digest")
        both = good.inner_join(mine, "record_id")
        return [_fault(both.filter(both.digest != both.old), "record_id", "changed", ibis.literal("***"))]

    def _newest(self, delivered: Delivered, accepted: ir.Table) -> date | None:
        """Return the newest day that accepted rows state, by the clock of the zone; days that have not come yet are left out."""
        dated = [c for c in delivered.kind.columns if c.dated or c.name == "valid_from"]
        days = {c.name: local_date(accepted[c.name], self._zone) if c.type == "timestamp" else accepted[c.name] for c in dated}
        today = ibis.literal(self._today)
        row = self._engine.table(accepted.aggregate(**{name: day.max(where=day <= today) for name, day in days.items()}))
        found = [column[0].as_py() for column in row.columns]
        return max((day for day in found if day is not None), default=None)


def replaced(settled: Settled, stored: ir.Table) -> ir.BooleanValue:
    """Say which current records of its source a delivery replaces or ends; one whose new version was refused stays.

    Of a row that tells of several records, and numbers them, an upserting source replaces all: parts that it does not tell any more end.
    """
    source, refused = settled.source, stored.record_id.isin(settled.refused.record_id)
    if settled.delivered.whole and source.mode == "full":
        return ~refused
    told = stored.record_id.isin(settled.accepted.record_id)
    if ends_parts(source):
        taken = settled.taken.select("_row", row_id=row_id(source, settled.taken))
        last = taken.group_by("row_id").aggregate(_row=taken["_row"].max())
        beside = settled.delivered.rows.select("_row", "record_id").semi_join(last, "_row")
        ended = row_id(source, stored).isin(last.row_id) & ~stored.record_id.isin(beside.record_id)
        return told | (ended & ~refused)
    return told


def ends_parts(source: SourceSettings) -> bool:
    """Say whether a source ends parts of rows, and nothing else."""
    return source.mode == "upsert" and source.numbers_parts


def row_id(source: SourceSettings, records: ir.Table) -> ir.StringValue:
    """Return by what rows of a source are known of which records tell: where parts of them may end, without the number of the part."""
    return records.record_id.re_replace(r"\|\d+$", "") if ends_parts(source) else records.record_id


def _overtaken(delivered: Delivered, good: ir.Table, refused: ir.Table) -> ir.Table:
    """Return the good rows of an upserting source of which a good row of a later file tells anew.

    Of a row that tells of several records that is the row, but where one of its records is refused in the last file the file before
    tells of this one.
    """
    source, names = delivered.source, (*PLACE, "_file", "record_id")
    if source.mode != "upsert" or len(delivered.delivery.files) < 2:
        return good.select(*PLACE).limit(0)
    good = good.select(*names)
    good = good.mutate(row_id=row_id(source, good))
    told = good.group_by("row_id").aggregate(last=good._file.max())
    both = good.inner_join(told, "row_id")
    bad = delivered.rows.select(*names).semi_join(refused, PLACE)
    bad = bad.mutate(row_id=row_id(source, bad)).inner_join(told, "row_id")
    bad = bad.filter(bad._file == bad["last"]).select("record_id", bad=ibis.literal(True)).distinct()
    meant = both.left_join(bad, "record_id")
    meant = meant.filter((meant._file == meant["last"]) | meant.bad.notnull()).group_by("record_id").aggregate(best=ibis._._file.max())
    judged = both.left_join(meant, "record_id", rname="{name}_meant")
    return judged.filter(judged.best.isnull() | (judged._file < judged.best)).select(*PLACE)


def _own_faults(rows: ir.Table) -> ir.Table:
    bad = rows.filter(rows.faults.length() > 0)
    return bad.select(*PLACE, fault=bad.faults.unnest())


def _unknown(rows: ir.Table, column: Column, names: ir.Table) -> ir.Table:
    """Return a fault for each row whose reference names no node that is known, or more than one."""
    named = rows.filter(rows[column.name].notnull()).select(*PLACE, _end=column.name)
    nobody = named.anti_join(names, named._end == names.called)
    several = named.semi_join(names.filter(names.ambiguous), named._end == names.called)
    return union([_fault(nobody, column.name, "unknown_end", nobody._end), _fault(several, column.name, "ambiguous", ibis.literal("***"))])


def _repeated(rows: ir.Table) -> ir.Table:
    """Return a fault for each row whose named id an earlier row of the delivery bears."""
    counted = rows.group_by("record_id").aggregate(n=rows.count())
    many = rows.semi_join(counted.filter(counted.n > 1), "record_id").select(*PLACE, "record_id")
    order = ibis.row_number().over(group_by=many.record_id, order_by=[many._row, many._part])
    later = many.mutate(_n=order).filter(ibis._._n > 0)
    return _fault(later, "record_id", "duplicate", ibis.literal("***"))


def numbered(rows: ir.Table) -> ir.Table:
    """Tell equal rows of a delivery apart: the second gets ``-2`` behind its id, the third ``-3``."""
    counted = rows.group_by("record_id").aggregate(n=rows.count())
    several = counted.filter(counted.n > 1)
    many = rows.semi_join(several, "record_id")
    order = ibis.row_number().over(group_by=many.record_id, order_by=[many._row, many._part])
    suffix = ibis.ifelse(order > 0, ibis.literal("-") + (order + 1).cast("string"), ibis.literal(""))
    apart = many.mutate(record_id=many.record_id + suffix)
    return union([rows.anti_join(several, "record_id"), apart])


def _fault(rows: ir.Table, column: str, rule: str, value: ir.StringValue) -> ir.Table:
    fault = ibis.struct({"column": ibis.literal(column), "rule": ibis.literal(rule), "value": value})
    return rows.select(*PLACE, fault=fault)


def _records(delivered: Delivered, rows: ir.Table) -> ir.Table:
    """Return accepted rows in the form of ``records/<kind>``, without versions."""
    names = [c.name for c in delivered.kind.columns]
    return rows.select(*names, "record_id", "digest", source=ibis.literal(delivered.source.name))
