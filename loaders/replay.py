"""Refused rows judged anew: sealed rows under the mapping of now, and files that were mended since.

Knows which rows of the quarantine can come in at all; what comes in is judged like any delivery.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from kg import history
from kg.config import SourceSettings
from kg.errors import GateError
from kg.history import Changes, Moment, Written
from kg.lake import Lake
from kg.privacy import Keyring
from loaders.delivery import Delivery
from loaders.load import PLACE, Delivered, Settled, read
from loaders.mapping import map_raw_table
from loaders.quarantine import KEY, TABLE, unsealed
from loaders.rows import typed
from loaders.sources import kind

#: Rules that speak of another row: alone, such a row would always look good.
OF_OTHERS = ("duplicate", "changed")


@dataclass(frozen=True)
class Anew:
    """A delivery of refused rows; ``places`` leads from its rows back to the quarantine: ``_row, _part, source, id``."""

    delivered: Delivered
    places: ir.Table


@dataclass(frozen=True)
class Replay:
    """What a replay works with."""

    lake: Lake
    keyring: Keyring
    folder: Path
    zone: str

    def refused(self) -> ir.Table:
        """Return the rows of the quarantine that may come in."""
        rows = history.current(self.lake.view(TABLE))
        return rows.filter(~rows.rule.isin(OF_OTHERS))

    def mended(self, source: SourceSettings, known: Mapping[str, str]) -> Anew | None:
        """Read a source's files again if any of them is not the one that was read last (``known``: SHA-256 by name)."""
        try:
            delivery = Delivery.find(source)
        except GateError:
            return None
        delivered = read(_adding(source), delivery, self.keyring, self.lake.engine, folder=self.folder, zone=self.zone)
        files = [file.name for file in delivery.files]
        changed = [number for number, name in enumerate(files) if delivery.digests.get(number) != known.get(name)]
        if not changed:
            return None
        name = ibis.cases(*[(delivered.rows._file == number, file) for number, file in enumerate(files)])
        rows = delivered.rows.select(*PLACE, file=name, line="_line")
        old = self.refused().filter(ibis._.source == source.name).select("source", "id", "file", "line", part="part")
        same = rows.inner_join(old, [rows.file == old.file, rows.line == old.line, rows._part == old.part])
        return Anew(delivered, same.select(*PLACE, "source", "id"))

    def unsealed(self, source: SourceSettings) -> Anew | None:
        """Open the refused rows of a source and map them as the settings now say."""
        of, engine = kind(source.kind), self.lake.engine
        rows = self.refused()
        wanted = engine.table(rows.filter(rows.source == source.name).select("source", "id", "part", "block", "position"))
        if wanted.num_rows == 0:
            return None
        mapped, places, first = [], [], 0
        for block, raw in unsealed(self.lake, self.keyring, wanted):
            number = pa.array(range(first, first + raw.num_rows), pa.int64())
            mapped.append(
                map_raw_table(raw.set_column(raw.schema.get_field_index("_row"), "_row", number), _adding(source), of, self.keyring)
            )
            places.append(pa.table({"_row": number, "position": raw["_position"], "block": pa.array([block] * raw.num_rows, pa.string())}))
            first += raw.num_rows
        place = engine.arrow(pa.concat_tables(places))
        here = engine.arrow(wanted)
        led = here.inner_join(place, ["block", "position"]).select("_row", "source", "id", _part=here.part)
        table = engine.arrow(pa.concat_tables(mapped))
        chosen = table.semi_join(led, PLACE)
        written = engine.write(typed(chosen, of, _adding(source), self.zone), self.folder / f"{source.name}.parquet")
        return Anew(Delivered(_adding(source), of, Delivery(source.name, ()), written, engine.count(written)), led)

    def release(self, anew: Anew, settled: Settled, moment: Moment) -> Written:
        """Close the rows of the quarantine that were accepted."""
        until = ibis.literal(moment.as_of)
        rows = history.current(self.lake.view(TABLE))
        good = anew.places.anti_join(settled.refused.select(*PLACE).distinct(), PLACE).select(*KEY).distinct()
        closes = good.mutate(valid_to=until)
        return history.apply(self.lake, TABLE, Changes(rows.limit(0), closes), KEY, moment)


def _adding(source: SourceSettings) -> SourceSettings:
    """Return a source that ends nothing: what is replayed is never all there is."""
    return source.model_copy(update={"mode": "upsert"})
