"""Refused rows judged anew: sealed rows under the mapping of now, and files that were mended since.

Knows which rows of the quarantine can come in at all, finds them in the files that lie there, and tells which word of a record is newer;
what comes in is judged among all rows of its files, and nothing else of them comes in: that waits for the next night and its gates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from kg import history
from kg.config import SourceSettings
from kg.engine import union
from kg.errors import GateError
from kg.history import Moment
from kg.lake import Lake
from kg.privacy import Keyring
from loaders.delivery import Delivery
from loaders.found import Finder, records_of
from loaders.load import PLACE, Delivered, Settled, read, row_id
from loaders.quarantine import ACCEPTED, KEY, SUPERSEDED, leave, versions
from loaders.seen import Entry

#: Rules that speak of another row: alone, such a row would always look good.
OF_OTHERS = ("duplicate", "changed")


@dataclass(frozen=True)
class Anew:
    """A delivery of refused rows; ``places`` leads from its rows back to the quarantine: ``_row, _part, source, id``.

    ``superseded`` rows (``source, id``) are not judged: of their records the source has told anew. ``unread`` are the places of those of
    its files that no night has read as they are now.
    """

    delivered: Delivered
    places: ir.Table
    superseded: ir.Table
    unread: tuple[int, ...] = ()


class There(NamedTuple):
    """The files of a source as they are now, and the places of those that no night has read as they are."""

    delivered: Delivered
    unread: tuple[int, ...]


class Due(NamedTuple):
    """Which refused rows are to be judged (``_row, _part, source, id``), and which were superseded (``source, id``)."""

    places: ir.Table
    superseded: ir.Table


class Released(NamedTuple):
    """How many rows left the list because they came in, and how many since their records were told anew; the former by file too."""

    accepted: int
    superseded: int
    files: dict[str, int]


@dataclass(frozen=True)
class Replay:
    """What a replay works with."""

    lake: Lake
    keyring: Keyring
    folder: Path
    zone: str

    @property
    def _finder(self) -> Finder:
        return Finder(self.lake, self.keyring, self.folder, self.zone)

    def refused(self) -> ir.Table:
        """Return the rows of the quarantine that may come in."""
        rows = history.current(versions(self.lake))
        return rows.filter(~rows.rule.isin(OF_OTHERS))

    def anew(self, source: SourceSettings, known: Mapping[str, Entry]) -> list[Anew]:
        """Return the refused rows of a source as they are now: those that lie in its files, and the others out of the quarantine.

        Parameters
        ----------
        known
            What the last run said of each file, by name.
        """
        there = self._there(source, known)
        mended = self._mended(there, known) if there else None
        return [each for each in (mended, self._unsealed(source, mended, there)) if each is not None]

    def _there(self, source: SourceSettings, known: Mapping[str, Entry]) -> There | None:
        """Read the files of a source; None where they say no more than the quarantine does.

        They say what was mended in them, and where a record may be replaced, which row of it counts.
        """
        try:
            delivery = Delivery.find(source)
        except GateError:
            return None
        names = [file.name for file in delivery.files]
        if len(set(names)) < len(names):
            return None
        delivered = read(source, delivery, self.keyring, self.lake.engine, folder=self.folder, zone=self.zone)
        unread = tuple(number for number, name in enumerate(names) if delivery.digests.get(number) != known.get(name, {}).get("sha256"))
        if not unread and not _replaces(source):
            return None
        return There(replace(delivered, whole=False), unread)

    def _mended(self, there: There, known: Mapping[str, Entry]) -> Anew | None:
        """Find refused rows in the files of their source."""
        engine, delivered = self.lake.engine, there.delivered
        here = engine.keep(self._by_line(delivered, known))
        every = engine.keep(union([here, *self._by_number(delivered, there.unread, here)]).distinct())
        if not engine.count(every):
            return None
        # which row of a record counts is known once they are judged, each among all others
        due = Due(every, every.select(*KEY).limit(0)) if _replaces(delivered.source) else self._still_due(delivered, every)
        only = engine.keep(due.places.select(*PLACE).distinct())
        return Anew(replace(delivered, only=only, count=engine.count(only)), due.places, due.superseded, there.unread)

    def _by_line(self, delivered: Delivered, known: Mapping[str, Entry]) -> ir.Table:
        """Find refused rows where they stood."""
        rows = history.current(versions(self.lake))
        listed = rows.filter(rows.source == delivered.source.name)
        found = self._finder.by_line(delivered, listed, known, records_of(self.lake, delivered.source))
        return found.semi_join(self.refused(), KEY)

    def _by_number(self, delivered: Delivered, changed: Sequence[int], here: ir.Table) -> list[ir.Table]:
        """Find refused rows by the record id that they have, wherever they stand now in files that changed.

        Those that are ``here`` where they stood are not looked for if they are good now, and of an upserting source in no case: what
        another file tells is another word.
        """
        source, rows = delivered.source, self.refused()
        good = delivered.rows.filter(delivered.rows.faults.length() == 0)
        rows = rows.anti_join(here if source.mode == "upsert" else here.semi_join(good, PLACE), KEY)
        opened = self._finder.opened(source, rows) if source.record_id and changed else None
        if opened is None:
            return []
        numbered = opened[0].rows.select(*PLACE, key="_key").inner_join(opened[1], PLACE).select("key", *KEY)
        there = delivered.rows.filter(delivered.rows._file.isin(changed)).select(*PLACE, key="_key")
        return [there.inner_join(numbered, "key").select(*PLACE, *KEY)]

    def _unsealed(self, source: SourceSettings, mended: Anew | None, there: There | None) -> Anew | None:
        """Open the refused rows of a source, but those that were found in its files, and map them as the settings now say."""
        rows, engine = self.refused(), self.lake.engine
        if mended is not None:
            rows = rows.anti_join(mended.places, KEY).anti_join(mended.superseded, KEY)
        opened = self._finder.opened(source, rows)
        if opened is None:
            return None
        delivered, every = opened
        by_files = self._told_by(there, delivered, every) if there is not None and _replaces(source) else every.limit(0)
        rest = engine.keep(every.anti_join(by_files, [*PLACE, *KEY]))
        rest = engine.keep(self._alone(delivered, rest, mended)) if mended is not None and source.record_id else rest
        due = self._still_due(delivered, rest)
        rows = engine.keep(delivered.rows.semi_join(due.places, "_row" if source.numbers_parts else PLACE))
        only = engine.keep(due.places.select(*PLACE).distinct())
        superseded = union([due.superseded, by_files.select(*KEY)]).distinct()
        return Anew(replace(delivered, rows=rows, only=only, count=engine.count(only)), due.places, superseded)

    def _alone(self, delivered: Delivered, places: ir.Table, mended: Anew) -> ir.Table:
        """Return the rows of whose record no good row tells that was found in the files: one of the two comes in at a time."""
        source, there = delivered.source, mended.delivered.rows
        good = there.filter(there.faults.length() == 0).semi_join(mended.places, PLACE)
        told = good.select(row_id=row_id(source, good)).distinct()
        mine = delivered.rows.filter(delivered.rows["_key"].notnull())
        return places.anti_join(mine.select(*PLACE, row_id=row_id(source, mine)).semi_join(told, "row_id"), PLACE)

    def _still_due(self, delivered: Delivered, places: ir.Table) -> Due:
        """Tell the rows that may come in from those whose record was told later; one that was told with them is repeated by them."""
        engine, source = self.lake.engine, delivered.source
        if not source.record_id:
            return Due(places, places.select(*KEY).limit(0))
        written = _told_last(records_of(self.lake, source), versions(self.lake), source)
        named = delivered.rows.filter(delivered.rows["_key"].notnull()).select(*PLACE, "record_id").inner_join(places, PLACE)
        both = named.inner_join(self.refused().select(*KEY, "first_run", "file"), KEY)
        both = both.mutate(row_id=row_id(source, both)).inner_join(written, "row_id")
        newer = (both.run > both.first_run) | ((both.run == both.first_run) & (both.by > both.file)).fill_null(False)
        # a record that was told in the same file, or in one that is not known, is not told anew by the refused row
        same = (both.record_id == both.told) & (both.run == both.first_run) & (both.by.isnull() | (both.by == both.file))
        late = engine.keep(both.select(*PLACE, *KEY, newer=newer, same=same).filter(ibis._.newer | ibis._.same))
        left = engine.keep(places.anti_join(late, [*PLACE, *KEY]))
        return Due(left, late.filter(late.newer).select(*KEY).distinct())

    def _told_by(self, there: There, delivered: Delivered, places: ir.Table) -> ir.Table:
        """Return the rows of whose record files tell that lie there: what is not in any of these any more is older than they are."""
        engine, here = self.lake.engine, there.delivered
        files = pa.table(
            {"file": [file.name for file in here.delivery.files], "_file": pa.array(range(len(here.delivery.files)), pa.int32())}
        )
        read = engine.arrow(files).filter(~ibis._._file.isin(there.unread)) if there.unread else engine.arrow(files)
        said, mine = (rows.select(*PLACE, "_file", row_id=row_id(delivered.source, rows)) for rows in (here.rows, delivered.rows))
        said = said.semi_join(here.rows.filter(here.rows["_key"].notnull()), PLACE).inner_join(read.select("_file"), "_file")
        mine = mine.drop("_file").inner_join(places, PLACE)
        mine = mine.inner_join(self.refused().select(*KEY, "file"), KEY).left_join(read.rename(own="_file"), "file")
        both = mine.inner_join(said.select("_file", "row_id").distinct(), "row_id")
        newer = both.own.isnull() | (both["_file"] >= both.own)
        return engine.keep(both.filter(newer).select(*PLACE, *KEY).distinct())

    def release(self, anew: Anew, settled: Settled, moment: Moment) -> Released:
        """Take the rows off the list whose records are in the lake now, wherever they were found, and those that were superseded.

        Where one is found in several rows of which some are refused, or has no record id, it is in only where this run wrote its record.
        """
        engine, rows = self.lake.engine, history.current(versions(self.lake))
        bad = anew.places.semi_join(settled.refused, PLACE)
        taken = anew.places.inner_join(settled.taken, PLACE).select(*KEY, "record_id")
        records = history.current(records_of(self.lake, settled.source))
        fresh = taken.semi_join(records.filter(records.first_run == moment.run_id), "record_id")
        if settled.source.record_id:
            come = engine.keep(union([fresh, taken.anti_join(bad, KEY)]).distinct())
        else:
            come = engine.keep(fresh.select(*KEY).distinct())
        counted = engine.table(rows.semi_join(come, KEY).group_by("file").aggregate(n=ibis._.count()))
        files = dict(zip(*(counted[name].to_pylist() for name in ("file", "n")), strict=True))
        gone = engine.keep(union([anew.superseded, _overtaken(anew, settled).anti_join(come, KEY)]).distinct())
        return Released(leave(self.lake, come, ACCEPTED, moment), leave(self.lake, gone, SUPERSEDED, moment), files)


def _replaces(source: SourceSettings) -> bool:
    """Say whether a row of a source may come in over the record that another one told."""
    return bool(source.record_id) and source.mode != "append"


def _told_last(records: ir.Table, listed: ir.Table, source: SourceSettings) -> ir.Table:
    """Return by what each current record was told: ``told`` (its id), ``row_id, run, by``.

    That is the run that wrote it, and no file is known; where a replay wrote one of an upserting source, it is the run and the file of
    the refused row that came in.
    """
    written = history.current(records).select("record_id", wrote="first_run")
    came = listed.filter((listed.source == source.name) & (listed.left_as == ACCEPTED) & ibis.literal(source.mode == "upsert"))
    came = came.select("record_id", wrote="last_run", run="first_run", by="file")
    came = came.group_by("record_id", "wrote").aggregate(run=came.run.max(), by=came.by.argmax(came.run + "/" + came.by))
    both = written.left_join(came, ["record_id", "wrote"], rname="{name}_came")
    return both.select(told="record_id", row_id=row_id(source, both), run=both.run.fill_null(both.wrote), by="by")


def _overtaken(anew: Anew, settled: Settled) -> ir.Table:
    """Return the refused rows (``source, id``) of which files tell anew that a night has read."""
    over = anew.places.inner_join(settled.overtaken, PLACE)
    rows = anew.delivered.rows
    read = rows.filter(rows["_key"].notnull() & ~rows._file.isin(anew.unread)) if anew.unread else rows.filter(rows["_key"].notnull())
    source = anew.delivered.source
    last = read.select("_file", row_id=row_id(source, read)).group_by("row_id").aggregate(last=ibis._._file.max())
    mine = rows.select(*PLACE, "_file", row_id=row_id(source, rows)).inner_join(over, PLACE).inner_join(last, "row_id")
    return mine.filter(mine._file < mine.last).select(*KEY)
