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
import pyarrow as pa
import pyarrow.compute as pc

from kg import history
from kg.config import SourceSettings
from kg.engine import union
from kg.errors import GateError
from kg.history import Moment
from kg.lake import Lake
from kg.privacy import Keyring
from loaders.delivery import Delivery
from loaders.load import PLACE, Delivered, Settled, read
from loaders.mapping import map_raw_table
from loaders.quarantine import ACCEPTED, KEY, SUPERSEDED, leave, unsealed, versions
from loaders.rows import typed
from loaders.seen import Entry
from loaders.sources import kind

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
    """How many rows left the list because they came in, and how many since a later run wrote their records."""

    accepted: int
    superseded: int


@dataclass(frozen=True)
class Replay:
    """What a replay works with."""

    lake: Lake
    keyring: Keyring
    folder: Path
    zone: str

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
        found = [self._by_line(source, delivered, known, changed), *self._by_number(source, delivered, changed)]
        every = engine.keep(union(found).distinct())
        places, superseded = self._still_due(delivered, every)
        only = engine.keep(places.select(*PLACE).distinct())
        return Anew(replace(delivered, only=only, count=engine.count(only)), places, superseded) if engine.count(every) else None

    def _still_due(self, delivered: Delivered, places: ir.Table) -> tuple[ir.Table, ir.Table]:
        """Tell the rows that may come in from those whose record a later run wrote; one that the same run wrote is repeated by them."""
        engine, source, name = self.lake.engine, delivered.source, f"records/{delivered.kind.name}"
        if not source.record_id or not self.lake.has(name):
            return places, places.select(*KEY).limit(0)
        records = history.current(self.lake.view(name))
        written = records.filter(records.source == source.name).select("record_id", written="first_run")
        named = delivered.rows.filter(delivered.rows["_key"].notnull()).select(*PLACE, "record_id").inner_join(places, PLACE)
        both = named.inner_join(written, "record_id").inner_join(self.refused().select(*KEY, since="first_run"), KEY)
        late = engine.keep(both.filter(both.written >= both.since).select(*PLACE, *KEY, later=both.written > both.since))
        return engine.keep(places.anti_join(late, [*PLACE, *KEY])), late.filter(late.later).select(*KEY).distinct()

    def _by_line(self, source: SourceSettings, delivered: Delivered, known: Mapping[str, Entry], changed: list[int]) -> ir.Table:
        """Find refused rows where they stood: in files that have as many rows as they had, so that no line moved."""
        files = enumerate(file.name for file in delivered.delivery.files)
        firm = [(number, name) for number, name in files if delivered.delivery.rows[number] == known.get(name, {}).get("rows")]
        rows = delivered.rows.filter(delivered.rows._file.isin([number for number, _ in firm]))
        name = ibis.cases(*[(rows._file == number, name) for number, name in firm]) if firm else ibis.null("string")
        here = rows.select(*PLACE, "_file", file=name, line="_line", key="_key")
        old = self.refused().filter(ibis._.source == source.name).select("source", "id", "file", "line", part="part")
        same = here.inner_join(old, [here.file == old.file, here.line == old.line, here._part == old.part])
        if source.record_id:
            same = same.filter(same.key.isnull() | ~same._file.isin(changed))
        return same.select(*PLACE, "source", "id")

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
        of, engine = kind(source.kind), self.lake.engine
        rows = self.refused()
        if beside is not None:
            rows = rows.anti_join(beside.places, KEY).anti_join(beside.superseded, KEY)
        # where several tell of one record the first counts: of an upserting source that is the newest, else the oldest
        age = ibis.desc("first_run") if source.mode == "upsert" else "first_run"
        mine = rows.filter(rows.source == source.name).select(*KEY, "part", "block", "position", "first_run", "file", "line")
        wanted = engine.table(mine.order_by(age, "file", "line", "part"))
        if wanted.num_rows == 0:
            return None
        wanted = wanted.append_column("_row", pa.array(range(wanted.num_rows), pa.int64()))
        numbers = (
            wanted.group_by(["block", "position"]).aggregate([("_row", "min")]).rename_columns({"_row_min": "_row"}).sort_by("position")
        )
        mapped = []
        for block, raw in unsealed(self.lake, self.keyring, wanted):
            number = numbers.filter(pc.equal(numbers["block"], block))["_row"]
            mapped.append(
                map_raw_table(raw.set_column(raw.schema.get_field_index("_row"), "_row", number), _adding(source), of, self.keyring)
            )
        place = engine.arrow(numbers)
        here = engine.arrow(wanted.select([*KEY, "part", "block", "position"]))
        led = here.inner_join(place, ["block", "position"]).select("_row", "source", "id", _part=here.part)
        table = engine.arrow(pa.concat_tables(mapped))
        chosen = table.semi_join(led, PLACE)
        every = engine.write(typed(chosen, of, _adding(source), self.zone), self.folder / f"{source.name}.refused.parquet")
        delivered = Delivered(_adding(source), of, Delivery(source.name, ()), every, engine.count(every))
        places, superseded = self._still_due(delivered, led)
        rows = engine.keep(every.semi_join(places, PLACE))
        return Anew(replace(delivered, rows=rows, count=engine.count(rows)), places, superseded)

    def release(self, anew: Anew, settled: Settled, moment: Moment) -> Released:
        """Take the rows off the list that were accepted, wherever they were found, and those that were superseded."""
        bad = anew.places.semi_join(settled.refused, PLACE)
        good = anew.places.select(*KEY).distinct().anti_join(bad, KEY)
        return Released(leave(self.lake, good, ACCEPTED, moment), leave(self.lake, anew.superseded, SUPERSEDED, moment))


def _adding(source: SourceSettings) -> SourceSettings:
    """Return a source that ends nothing: what is replayed is never all there is. An appending one still refuses another word."""
    return source.model_copy(update={"mode": "append" if source.mode == "append" else "upsert"})
