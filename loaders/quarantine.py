"""Refused rows: how they are kept, sealed, and found again.

Knows the tables ``quarantine`` (one row for each refused row: where it stood and what is wrong with it)
and ``quarantine_rows`` (the rows themselves, many in one sealed block). The clear text of a row is in
memory only, on its way into a block or out of one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc

from kg import history
from kg.config import SourceSettings
from kg.engine import Engine, union
from kg.history import Changes, Moment
from kg.lake import Lake
from kg.privacy import Keyring
from loaders.formats.part import PLACE as RAW_PLACE
from loaders.load import FAULT, PLACE, Delivered, Settled, row_id
from loaders.readers import collect_raw

TABLE = "quarantine"
BLOCKS = "quarantine_rows"
BLOCK_ROWS = 20_000
#: How many letters of the id of a refused row say what it says.
CONTENT = 24
KEY = ("source", "id")
#: Why a row has left the list: it came in; its source has told of its record anew; a full delivery does not hold it any more.
ACCEPTED, SUPERSEDED, GONE = "accepted", "superseded", "gone"
#: What tables of before do not have.
_ADDED = {"record_id": "string", "left_as": "string"}
_SCHEMA = {
    "id": "string",
    "source": "string",
    "kind": "string",
    "file": "string",
    "line": "int64",
    "part": "int32",
    "column": "string",
    "rule": "string",
    "value": "string",
    "faults": f"array<{FAULT}>",
    "record_id": "string",
    "left_as": "string",
    "block": "string",
    "position": "int64",
}
_BLOCK_SCHEMA = {"block": "string", "source": "string", "rows": "int64", "sealed": "binary", "run_id": "string"}


@dataclass(frozen=True)
class Update:
    """How many rows a night put on the list, and how many it took off since their source told of their record anew."""

    newly_quarantined: int = 0
    superseded: int = 0


def versions(lake: Lake) -> ir.Table:
    """Return all versions of the refused rows; those that are on the list are the current ones."""
    rows = lake.view(TABLE)
    return rows.mutate(**{name: ibis.null(of) for name, of in _ADDED.items() if name not in rows.columns})


def ensure(lake: Lake, run_id: str) -> None:
    """Make the tables, or widen those that an earlier version of the program has made."""
    lake.ensure(TABLE, ibis.schema({**_SCHEMA, **history.VERSION_SCHEMA}))
    lake.ensure(BLOCKS, ibis.schema(_BLOCK_SCHEMA))
    lake.widen(TABLE, ibis.schema(_ADDED), run_id)


def update(lake: Lake, settled: Settled, keyring: Keyring, moment: Moment) -> Update:
    """Bring the quarantine of a source to what its delivery had refused.

    Rows of a full source that are not refused any more leave the list. Those of one that adds to what was there stay until they
    come in, or the source tells of their record anew.
    """
    ensure(lake, moment.run_id)
    source = settled.source
    stored = versions(lake)
    mine = stored.filter(stored.source == source.name)
    if not settled.refused_count and lake.engine.count(history.current(mine).limit(1)) == 0:
        return Update()
    every = lake.engine.keep(_incoming(settled, keyring, lake.engine))
    told = lake.engine.keep(_told(settled, _by_row(source, union([history.current(mine).select("record_id"), every.select("record_id")]))))
    # what was superseded before, and stands there still, is not listed once more
    again = _earlier_than(told, _by_row(source, every)).semi_join(mine.filter(mine.left_as == SUPERSEDED), [*KEY, "digest"])
    incoming = lake.engine.keep(every.anti_join(again, KEY))
    changes = history.compare(mine, incoming, KEY, moment, complete=source.mode == "full")
    closes = changes.closes.left_join(incoming.select(*KEY, here=ibis.literal(True)), KEY)
    closes = closes.select(*KEY, "valid_to", left_as=ibis.ifelse(closes.here.isnull(), GONE, ibis.null("string")))
    inserts = lake.engine.keep(changes.inserts)
    if lake.engine.count(inserts):
        placed = _seal(lake, settled, inserts, keyring, moment.run_id)
        inserts = inserts.drop("block", "position").inner_join(placed, "_row")
    written = history.apply(lake, TABLE, Changes(inserts, closes), KEY, moment)
    return Update(written.inserted, leave(lake, _superseded(lake, settled, incoming, told), SUPERSEDED, moment))


def leave(lake: Lake, rows: ir.Table, why: str, moment: Moment) -> int:
    """Take rows (``source, id``, and ``record_id`` where it is known by now) off the list and return their number."""
    stored = versions(lake)
    once = rows.group_by(KEY).aggregate(record_id=rows.record_id.min()) if "record_id" in rows.columns else rows.select(*KEY).distinct()
    closes = once.mutate(valid_to=ibis.literal(moment.as_of), left_as=ibis.literal(why))
    return history.apply(lake, TABLE, Changes(stored.limit(0), closes), KEY, moment).closed


def _by_row(source: SourceSettings, rows: ir.Table) -> ir.Table:
    """Return rows with the id of that row of their source of which their record is, or a part."""
    return rows.mutate(row_id=row_id(source, rows))


def _told(settled: Settled, asked: ir.Table) -> ir.Table:
    """Return the rows, of those asked for, that a delivery tells anew, each with the place from which on it does last: ``row_id, last``.

    An upserting source tells of a record by any row that names it, an appending one by the row that is accepted. Of the last file that
    tells of it that is the first row: within a file the first good one counts.
    """
    source, rows = settled.source, settled.delivered.rows
    if source.mode == "upsert":
        told = rows.filter(rows["_key"].notnull()).select("_row", "_file", record_id="_key")
    else:
        taken = settled.taken.filter(ibis.literal(source.mode == "append" and bool(source.record_id)))
        told = rows.select(*PLACE, "_file").inner_join(taken, PLACE).select("_row", "_file", "record_id")
    known = _by_row(source, told).semi_join(asked, "row_id")
    newest = known.group_by("row_id").aggregate(file=known["_file"].max())
    both = known.inner_join(newest, "row_id")
    both = both.filter(both["_file"] == both.file)
    return both.group_by("row_id").aggregate(last=both["_row"].min())


def _earlier_than(told: ir.Table, rows: ir.Table) -> ir.Table:
    """Return the refused rows of a delivery of whose record a later row of it tells."""
    both = rows.inner_join(told, "row_id")
    return both.filter(both["_row"] < both.last)


def _superseded(lake: Lake, settled: Settled, incoming: ir.Table, told: ir.Table) -> ir.Table:
    """Return the rows on the list of whose record the delivery tells anew; not those that are the last to tell of it."""
    rows = history.current(versions(lake))
    mine = _by_row(settled.source, rows.filter(rows.source == settled.source.name).select(*KEY, "record_id"))
    both = mine.inner_join(told, "row_id").left_join(incoming.select(*KEY, at="_row"), KEY)
    return both.filter(both["at"].isnull() | (both["at"] < both["last"])).select(*KEY)


def _incoming(settled: Settled, keyring: Keyring, engine: Engine) -> ir.Table:
    """Return the refused rows as rows of the quarantine, not yet sealed; ``_row`` leads to the raw row."""
    refused = settled.refused
    digests = contents(settled.delivered, refused, keyring, engine)
    joined = refused.inner_join(digests, "_row")
    order = ibis.row_number().over(group_by=[joined.content, joined._part], order_by=joined._row)
    files = [file.name for file in settled.delivered.delivery.files]
    first = joined.faults[0]
    rows = joined.select(
        "_row",
        id=joined.content + "-" + joined._part.cast("string") + "-" + order.cast("string"),
        source=ibis.literal(settled.source.name),
        kind=ibis.literal(settled.source.kind),
        file=ibis.cases(*[(joined._file == number, name) for number, name in enumerate(files)]),
        line=joined._line,
        part=joined._part.cast("int32"),
        column=first["column"],
        rule=first["rule"],
        value=first["value"],
        faults=joined.faults,
        record_id=joined["_key"],
        left_as=ibis.null("string"),
        block=ibis.null("string"),
        position=ibis.null("int64"),
        valid_from=ibis.null("date"),
        valid_to=ibis.null("date"),
    )
    said = rows.mutate(
        _said=rows.faults.map(lambda f: f["column"] + "\x1f" + f["rule"] + "\x1f" + f["value"].fill_null("")).sort().join("\x1e")
    )
    return said.mutate(digest=history.digest(said, ["file", "line", "_said"])).drop("_said")


def contents(delivered: Delivered, rows: ir.Table, keyring: Keyring, engine: Engine) -> ir.Table:
    """Return a keyed digest of what some rows of a delivery say (``_row`` in, ``_row, content`` out); equal rows have equal ones.

    The id of a refused row begins with it.
    """
    salt = ibis.literal(keyring.token("record", "quarantine"))
    tables = [pa.table({"_row": pa.array([], pa.int64()), "content": pa.array([], pa.string())})]
    for raw in _raw(delivered, rows, engine):
        read = engine.arrow(raw.drop_columns([name for name in RAW_PLACE if name not in ("_row", "_text")]))
        text = read.mutate(_text=read._text.cast("string"))
        content = (salt + _said(text)).hexdigest("sha256").substr(0, CONTENT)
        tables.append(engine.table(text.select("_row", content=content)))
        engine.forget_arrow(read)
    return engine.arrow(pa.concat_tables(tables))


def _said(raw: ir.Table) -> ir.StringValue:
    """Return the cells of raw rows that say something, behind their heads: heads that other rows have change nothing."""
    words: ir.StringValue = ibis.literal("")
    for name in sorted(set(raw.columns) - {"_row"}):
        cell = raw[name]
        words += ibis.ifelse(cell.isnull(), "", ibis.literal(f"{len(name)}:{name}") + cell.length().cast("string") + ":" + cell + ";")
    return words


def _raw(delivered: Delivered, rows: ir.Table, engine: Engine) -> Iterator[pa.Table]:
    """Yield rows of a delivery as they are in its files, at most a block's worth at a time."""
    numbers = engine.table(rows.select("_row").distinct().order_by("_row"))["_row"].combine_chunks()
    for start in range(0, len(numbers), BLOCK_ROWS):
        yield collect_raw(delivered.delivery, delivered.source, numbers.slice(start, BLOCK_ROWS))


def _seal(lake: Lake, settled: Settled, inserts: ir.Table, keyring: Keyring, run_id: str) -> ir.Table:
    """Seal the raw rows of new refusals into blocks, and return in which block and where each of them lies."""
    places, blocks = [], []
    for raw in _raw(settled.delivered, inserts, lake.engine):
        data = _to_bytes(raw)
        # the same rows get the same name in every run, and the name betrays nothing of them
        block = keyring.token("record", hashlib.sha256(data).hexdigest())
        sealed = keyring.seal(data, _context(settled.source.name))
        blocks.append({"block": block, "source": settled.source.name, "rows": raw.num_rows, "sealed": sealed, "run_id": run_id})
        position = pa.array(range(raw.num_rows), pa.int64())
        places.append(pa.table({"_row": raw["_row"], "block": pa.array([block] * raw.num_rows), "position": position}))
    lake.append(BLOCKS, lake.engine.arrow(pa.Table.from_pylist(blocks, schema=ibis.schema(_BLOCK_SCHEMA).to_pyarrow())), run_id)
    return lake.engine.arrow(pa.concat_tables(places))


def unsealed(lake: Lake, keyring: Keyring, rows: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Open the blocks in which some rows of the quarantine lie, and yield each block's name and those raw rows.

    Parameters
    ----------
    rows
        ``block`` and ``position`` of the rows wanted; other rows of a block are left out. The column ``_position``
        of what is yielded is their place in the block.
    """
    stored = lake.view(BLOCKS)
    names = rows["block"].unique().to_pylist()
    # rows that were refused, left the list and were refused again lie in two blocks of one name
    once = stored.filter(stored.block.isin(names)).distinct(on="block", keep="first")
    found = lake.engine.table(once.select("block", "source", "sealed").order_by("block"))
    for block in found.to_batches(max_chunksize=1):
        name, source, sealed = (block.column(column)[0].as_py() for column in ("block", "source", "sealed"))
        positions = rows.filter(pc.equal(rows["block"], name))["position"].unique().sort()
        yield name, _from_bytes(keyring.unseal(sealed, _context(source))).take(positions).append_column("_position", positions)


def _context(source: str) -> bytes:
    return f"quarantine:{source}".encode()


def _to_bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


def _from_bytes(data: bytes) -> pa.Table:
    return pa.ipc.open_stream(data).read_all()
