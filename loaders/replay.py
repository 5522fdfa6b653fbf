"""Refused rows judged anew: sealed rows under the mapping of now, and files that were mended since.

Knows which rows of the quarantine can come in at all, and finds them in a file that was mended; what comes in is judged like
any delivery, and nothing else of the file is: that waits for the next night and its gates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import ibis
import ibis.expr.types as ir

from kg import history
from kg.config import SourceSettings
from kg.engine import union
from kg.errors import GateError
from kg.history import Moment
from kg.lake import Lake
from kg.privacy import Keyring
from loaders.delivery import Delivery
from loaders.found import Finder, records_of
from loaders.load import PLACE, Delivered, Settled, read
from loaders.quarantine import ACCEPTED, KEY, SUPERSEDED, leave, versions
from loaders.seen import Entry

#: Rules that speak of another row: alone, such a row would always look good.
OF_OTHERS = ("duplicate", "changed")


@dataclass(frozen=True)
class Anew:
    """A delivery of refused rows; ``places`` leads from its rows back to the quarantine: ``_row, _part, source, id``.

    ``superseded`` rows (``source, id``) are not judged: a later run wrote the records of which they tell.
    """

    delivered: Delivered
    places: ir.Table
    superseded: ir.Table


class Released(NamedTuple):
    """How many rows left the list because they came in, and how many since a later run wrote their records; the former by file too."""

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

    def mended(self, source: SourceSettings, known: Mapping[str, Entry]) -> Anew | None:
        """Read a source's files again if any of them is not the one that was read last, and return the refused rows among theirs.

        Parameters
        ----------
        known
            What the last run said of each file, by name.
        """
        try:
            delivery = Delivery.find(source)
        except GateError:
            return None
        delivered = read(_adding(source), delivery, self.keyring, self.lake.engine, folder=self.folder, zone=self.zone)
        names = [file.name for file in delivery.files]
        changed = [number for number, name in enumerate(names) if delivery.digests.get(number) != known.get(name, {}).get("sha256")]
        if not changed or len(set(names)) < len(names):
            return None
        engine = self.lake.engine
        found = [self._by_line(delivered, known), *self._by_number(source, delivered, changed)]
        every = engine.keep(union(found).distinct())
        places, superseded = self._still_due(delivered, every)
        only = engine.keep(places.select(*PLACE).distinct())
        return Anew(replace(delivered, only=only, count=engine.count(only)), places, superseded) if engine.count(every) else None

    def _still_due(self, delivered: Delivered, places: ir.Table) -> tuple[ir.Table, ir.Table]:
        """Tell the rows that may come in from those whose record a later run wrote; one that the same run wrote is repeated by them."""
        engine, source = self.lake.engine, delivered.source
        if not source.record_id:
            return places, places.select(*KEY).limit(0)
        written = history.current(records_of(self.lake, source)).select("record_id", written="first_run")
        named = delivered.rows.filter(delivered.rows["_key"].notnull()).select(*PLACE, "record_id").inner_join(places, PLACE)
        both = named.inner_join(written, "record_id").inner_join(self.refused().select(*KEY, since="first_run"), KEY)
        late = engine.keep(both.filter(both.written >= both.since).select(*PLACE, *KEY, later=both.written > both.since))
        return engine.keep(places.anti_join(late, [*PLACE, *KEY])), late.filter(late.later).select(*KEY).distinct()

    def _by_line(self, delivered: Delivered, known: Mapping[str, Entry]) -> ir.Table:
        """Find refused rows where they stood."""
        rows = history.current(versions(self.lake))
        listed = rows.filter(rows.source == delivered.source.name)
        found = self._finder.by_line(delivered, listed, known, records_of(self.lake, delivered.source))
        return found.semi_join(self.refused(), KEY)

    def _by_number(self, source: SourceSettings, delivered: Delivered, changed: list[int]) -> list[ir.Table]:
        """Find refused rows by the record id that they have, wherever they stand now in files that changed."""
        refused = self.unsealed(source) if source.record_id else None
        if refused is None:
            return []
        numbered = refused.delivered.rows.select(*PLACE, key="_key").inner_join(refused.places, PLACE).select("key", "source", "id")
        here = delivered.rows.filter(delivered.rows._file.isin(changed)).select(*PLACE, key="_key")
        return [here.inner_join(numbered, "key").select(*PLACE, "source", "id")]

    def unsealed(self, source: SourceSettings, beside: Anew | None = None) -> Anew | None:
        """Open the refused rows of a source, but those that were found in its files, and map them as the settings now say."""
        rows, engine = self.refused(), self.lake.engine
        if beside is not None:
            rows = rows.anti_join(beside.places, KEY).anti_join(beside.superseded, KEY)
        opened = self._finder.opened(_adding(source), rows)
        if opened is None:
            return None
        delivered, every = opened
        places, superseded = self._still_due(delivered, every)
        rows = engine.keep(delivered.rows.semi_join(places, PLACE))
        return Anew(replace(delivered, rows=rows, count=engine.count(rows)), places, superseded)

    def release(self, anew: Anew, settled: Settled, moment: Moment) -> Released:
        """Take the rows off the list whose records are in the lake now, wherever they were found, and those that were superseded.

        Of a row that had no record id that is known only where this run wrote its record: another one like it may be there.
        """
        engine, rows = self.lake.engine, history.current(versions(self.lake))
        bad = anew.places.semi_join(settled.refused, PLACE)
        taken = anew.places.anti_join(bad, KEY).inner_join(settled.taken, PLACE).select(*KEY, "record_id")
        records = history.current(records_of(self.lake, settled.source))
        new = taken.semi_join(records.filter(records.first_run == moment.run_id), "record_id")
        named = taken.semi_join(rows, [*KEY, "record_id"])
        come = engine.keep(union([new, named]).select(*KEY).distinct())
        counted = engine.table(rows.semi_join(come, KEY).group_by("file").aggregate(n=ibis._.count()))
        files = dict(zip(*(counted[name].to_pylist() for name in ("file", "n")), strict=True))
        return Released(leave(self.lake, come, ACCEPTED, moment), leave(self.lake, anew.superseded, SUPERSEDED, moment), files)


def _adding(source: SourceSettings) -> SourceSettings:
    """Return a source that ends nothing: what is replayed is never all there is. An appending one still refuses another word."""
    return source.model_copy(update={"mode": "append" if source.mode == "append" else "upsert"})
