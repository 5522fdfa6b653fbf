"""Refused rows found again in what their source delivers now, those too that bear no record id.

Knows two marks of such a row: the line on which it stood, in a file of which no line has moved, and what it says when it is read under
the settings of now. Hides how a sealed row is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc

from kg import history
from kg.config import SourceSettings
from kg.engine import Engine, union
from kg.history import Moment
from kg.lake import Lake
from kg.privacy import Keyring
from loaders.delivery import Delivery
from loaders.load import PLACE, Delivered, Settled
from loaders.mapping import map_raw_table
from loaders.quarantine import CONTENT, KEY, contents, unsealed, versions
from loaders.rows import typed
from loaders.seen import Entry
from loaders.sources import kind


@dataclass(frozen=True)
class Finder:
    """Where refused rows are looked for: the lake, the keys that open them, a folder for staging files, and the zone of times."""

    lake: Lake
    keyring: Keyring
    folder: Path
    zone: str

    def opened(self, source: SourceSettings, rows: ir.Table) -> tuple[Delivered, ir.Table] | None:
        """Open refused rows of a source and read them as the settings now say, in the order of their age.

        Parameters
        ----------
        rows
            Rows of the quarantine; those of other sources are left out.

        Returns
        -------
        Delivered, ir.Table
            The rows as a delivery without files, and which of them is which refused one: ``_row, _part, source, id``. None where
            there is none.
        """
        mine = rows.filter(rows.source == source.name).select(*KEY, "part", "block", "position", "first_run", "file", "line")
        # where several tell of one record the first counts: of an upserting source that of the newest file, else the oldest
        age = [ibis.desc("first_run"), ibis.desc("file")] if source.mode == "upsert" else ["first_run", "file"]
        wanted = self.lake.engine.table(mine.order_by(*age, "line", "part"))
        if wanted.num_rows == 0:
            return None
        of, engine = kind(source.kind), self.lake.engine
        wanted = wanted.append_column("_row", pa.array(range(wanted.num_rows), pa.int64()))
        numbers = wanted.group_by(["block", "position"]).aggregate([("_row", "min")]).rename_columns({"_row_min": "_row"})
        raw = [_numbered(block, rows, numbers) for block, rows in unsealed(self.lake, self.keyring, wanted)]
        mapped = engine.arrow(pa.concat_tables(map_raw_table(rows, source, of, self.keyring) for rows in raw))
        here = engine.arrow(wanted.select([*KEY, "part", "block", "position"]))
        places = here.inner_join(engine.arrow(numbers), ["block", "position"]).select("_row", *KEY, _part=here.part)
        # where parts of a row are numbered, those that were not refused say which there are
        mapped = mapped.semi_join(places, "_row" if source.numbers_parts else PLACE)
        number = len(list(self.folder.glob(f"{source.name}.refused.*.parquet")))
        found = engine.write(typed(mapped, of, source, self.zone), self.folder / f"{source.name}.refused.{number}.parquet")
        only = engine.keep(places.select(*PLACE).distinct())
        return Delivered(source, of, Delivery(source.name, ()), found, engine.count(only), only, whole=False), places

    def by_line(self, delivered: Delivered, listed: ir.Table, known: Mapping[str, Entry], before: ir.Table) -> ir.Table:
        """Find refused rows where they stood.

        In a file of the bytes that were read last it is the row that says the same. In another it is one without a record id, if no line
        has moved: the file has as many rows as it had, each good one of them was accepted from its source before, but for those that
        stand where refused ones stood, and what could be read of the refused row the new one says too.

        Parameters
        ----------
        listed
            The rows of the source that are on the list.
        known
            What the run before said of each file, by name.
        before
            ``digest`` of the records that were accepted from the source before.

        Returns
        -------
        ir.Table
            ``_row, _part, source, id``.
        """
        rows = _where_they_stood(delivered, known, self.lake.engine)
        old = listed.select(*KEY, "file", "line", _part="part", nameless=listed.record_id.isnull())
        others = rows.filter(~rows.same & rows.good).anti_join(old, ["file", "line"])
        counted = others.group_by("file", "digest").aggregate(n=others.count())
        compared = counted.left_join(before.group_by("digest").aggregate(seen=before.count()), "digest")
        moved = compared.filter(compared.n > compared.seen.fill_null(0)).select("file").distinct()
        found = rows.inner_join(old, ["file", "line", "_part"])
        found = found.filter(found.same | found.nameless).anti_join(moved, "file").select(*PLACE, *KEY, "file", "same")
        known_ones = others.select("file", beside=ibis.literal(True)).distinct()
        found = self.lake.engine.keep(found.left_join(known_ones, "file").select(*PLACE, *KEY, "same", "beside"))
        equal = self.lake.engine.keep(self._equal(delivered, found.filter(found.same)))
        return union([equal, self.lake.engine.keep(self._alike(delivered, listed, found.anti_join(equal, KEY)))])

    def _equal(self, delivered: Delivered, found: ir.Table) -> ir.Table:
        """Keep the rows that say what the refused ones say: a file may have been replaced since by one of its name."""
        said = contents(delivered, found, self.keyring, self.lake.engine)
        both = found.inner_join(said, "_row")
        return both.filter(both.content == both.id.substr(0, CONTENT)).select(*PLACE, *KEY)

    def _alike(self, delivered: Delivered, listed: ir.Table, found: ir.Table) -> ir.Table:
        """Keep the rows that say all that could be read of the refused rows in whose places they stand.

        Where nothing could be read there must be other rows ``beside`` them, by which the file is known.
        """
        opened = self.opened(delivered.source, listed.semi_join(found, KEY))
        if opened is None:
            return found.select(*PLACE, *KEY)
        names = [column.name for column in delivered.kind.columns if column.name not in delivered.source.constants]
        then, places = opened[0].rows, opened[1]
        old = then.select(*PLACE, **{f"{name}_then": then[name] for name in names}).inner_join(places, PLACE).drop(*PLACE)
        faulty = listed.select(*KEY, faulty=listed.faults.map(lambda fault: fault["column"].fill_null("")).join(", "))
        now = delivered.rows.select(*PLACE, *names).inner_join(found.select(*PLACE, *KEY, "beside"), PLACE)
        both = now.inner_join(old, KEY).inner_join(faulty, KEY)
        read = [both[f"{name}_then"].notnull() & ~(", " + both.faulty + ", ").contains(f", {name}, ") for name in names]
        same = [(both[name] == both[f"{name}_then"]).fill_null(False) for name in names]
        agreed = ibis.and_(*(~there | equal for there, equal in zip(read, same, strict=True)))
        return both.filter(agreed & (ibis.or_(*read) | both.beside.notnull())).select(*PLACE, *KEY)

    def came_in(self, settled: Settled, known: Mapping[str, Entry], moment: Moment) -> tuple[ir.Table, ir.Table]:
        """Return the rows on the list without a record id (``source, id``) that a night's delivery has brought in, and those it tells anew.

        Its records are written by now.

        Parameters
        ----------
        known
            What the run before said of each file, by name.
        """
        source, engine = settled.source, self.lake.engine
        rows = history.current(versions(self.lake))
        listed = engine.keep(rows.filter(rows.source == source.name))
        nameless = listed.filter(listed.record_id.isnull())
        if not engine.count(nameless):
            return listed.select(*KEY).limit(0), listed.select(*KEY).limit(0)
        records = records_of(self.lake, source)
        written = records.first_run == moment.run_id
        new = engine.keep(settled.taken.semi_join(history.current(records).filter(written), "record_id"))
        lines = self.by_line(settled.delivered, listed, known, records.filter(~written))
        lines = engine.keep(lines.semi_join(nameless, KEY))
        # a row that has its record id by now is in, whether or not the record said so before
        here = lines.semi_join(settled.taken if source.record_id else new, PLACE)
        content = self._by_content(settled, nameless.anti_join(lines, KEY), new.anti_join(lines, PLACE))
        come = engine.keep(union([here.select(*KEY), content]).distinct())
        return come, lines.semi_join(settled.overtaken, PLACE).select(*KEY).anti_join(come, KEY)

    def _by_content(self, settled: Settled, nameless: ir.Table, new: ir.Table) -> ir.Table:
        """Return refused rows of the files delivered that say what new records say; as many of equal ones as there are records."""
        files = [file.name for file in settled.delivered.delivery.files]
        opened = self.opened(settled.source, nameless.filter(nameless.file.isin(files)))
        if opened is None:
            return nameless.select(*KEY).limit(0)
        delivered, places = opened
        good = delivered.rows.filter(delivered.rows.faults.length() == 0).semi_join(places, PLACE)
        order = ibis.row_number().over(group_by=good.digest, order_by=[good["_row"], good["_part"]])
        said = good.select(*PLACE, "digest", order=order)
        many = said.inner_join(new.group_by("digest").aggregate(n=new.count()), "digest")
        return many.filter(many.order < many.n).inner_join(places, PLACE).select(*KEY)


def records_of(lake: Lake, source: SourceSettings) -> ir.Table:
    """Return all versions of the records of a source: ``record_id, digest, first_run, last_run``."""
    names = ("record_id", "digest", "first_run", "last_run")
    if not lake.has(f"records/{source.kind}"):
        return lake.engine.arrow(pa.table({name: pa.array([], pa.string()) for name in names}))
    records = lake.view(f"records/{source.kind}")
    return records.filter(records.source == source.name).select(*names)


def _numbered(block: str, raw: pa.Table, numbers: pa.Table) -> pa.Table:
    """Give the raw rows of a block, which are in the order of their position, the numbers that are meant for them."""
    number = numbers.filter(pc.equal(numbers["block"], block)).sort_by("position")["_row"]
    return raw.set_column(raw.schema.get_field_index("_row"), "_row", number)


def _where_they_stood(delivered: Delivered, known: Mapping[str, Entry], engine: Engine) -> ir.Table:
    """Return the rows of files of the same bytes, or as many rows: ``_row, _part, digest, file, line, same, good``."""
    counted = engine.table(delivered.rows.group_by("_file").aggregate(n=delivered.rows.count()))
    counts = dict(zip(*(counted[name].to_pylist() for name in ("_file", "n")), strict=True))
    names = [file.name for file in delivered.delivery.files]
    times = Counter(names)
    entries = [(number, name, known.get(name, {})) for number, name in enumerate(names) if times[name] == 1]
    compared = [
        (number, name, delivered.delivery.digests.get(number) == entry["sha256"], entry) for number, name, entry in entries if entry
    ]
    kept = [(number, name, same) for number, name, same, entry in compared if same or counts.get(number, 0) == entry["rows"]]
    schema = pa.schema([("_file", pa.int32()), ("file", pa.string()), ("same", pa.bool_())])
    files = engine.arrow(pa.Table.from_pylist([dict(zip(schema.names, file, strict=True)) for file in kept], schema))
    both = delivered.rows.inner_join(files, "_file")
    return both.select(*PLACE, "digest", "file", "same", line="_line", good=both.faults.length() == 0)
