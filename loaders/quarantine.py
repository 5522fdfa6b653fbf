"""Refused rows: how they are kept, sealed, and found again.

Knows the tables ``quarantine`` (one row for each refused row: where it stood and what is wrong with it)
and ``quarantine_rows`` (the rows themselves, many in one sealed block). The clear text of a row is in
memory only, on its way into a block or out of one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc

from kg import history
from kg.engine import Engine
from kg.history import Changes, Moment, Written
from kg.lake import Lake
from kg.privacy import Keyring
from loaders.formats.part import PLACE as RAW_PLACE
from loaders.load import FAULT, Settled
from loaders.readers import collect_raw

TABLE = "quarantine"
BLOCKS = "quarantine_rows"
BLOCK_ROWS = 20_000
KEY = ("source", "id")
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
    "block": "string",
    "position": "int64",
}
_BLOCK_SCHEMA = {"block": "string", "source": "string", "rows": "int64", "sealed": "binary", "run_id": "string"}


def update(lake: Lake, settled: Settled, keyring: Keyring, moment: Moment) -> Written:
    """Bring the quarantine of a source to what its delivery had refused.

    Rows of a full source that are not refused any more are closed; those of an appending one stay until
    they are replayed.
    """
    lake.ensure(TABLE, ibis.schema({**_SCHEMA, **history.VERSION_SCHEMA}))
    lake.ensure(BLOCKS, ibis.schema(_BLOCK_SCHEMA))
    source = settled.source
    stored = lake.view(TABLE)
    mine = stored.filter(stored.source == source.name)
    if not settled.refused_count and lake.engine.count(history.current(mine).limit(1)) == 0:
        return Written()
    incoming = lake.engine.keep(_incoming(settled, keyring, lake.engine))
    changes = history.compare(mine, incoming, KEY, moment, complete=source.mode == "full")
    inserts = lake.engine.keep(changes.inserts)
    if lake.engine.count(inserts):
        placed = _seal(lake, settled, inserts, keyring, moment.run_id)
        inserts = inserts.drop("block", "position").inner_join(placed, "_row")
    return history.apply(lake, TABLE, Changes(inserts, changes.closes), KEY, moment)


def _incoming(settled: Settled, keyring: Keyring, engine: Engine) -> ir.Table:
    """Return the refused rows as rows of the quarantine, not yet sealed; ``_row`` leads to the raw row."""
    refused = settled.refused
    digests = _digests(settled, keyring, engine)
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
        block=ibis.null("string"),
        position=ibis.null("int64"),
        valid_from=ibis.null("date"),
        valid_to=ibis.null("date"),
    )
    said = rows.mutate(
        _said=rows.faults.map(lambda f: f["column"] + "\x1f" + f["rule"] + "\x1f" + f["value"].fill_null("")).sort().join("\x1e")
    )
    return said.mutate(digest=history.digest(said, ["file", "line", "_said"])).drop("_said")


def _digests(settled: Settled, keyring: Keyring, engine: Engine) -> ir.Table:
    """Return a keyed digest of the content of each refused row; equal rows have equal ones."""
    salt = ibis.literal(keyring.token("record", "quarantine"))
    tables = [pa.table({"_row": pa.array([], pa.int64()), "content": pa.array([], pa.string())})]
    for raw in _raw(settled, settled.refused, engine):
        rows = engine.arrow(raw.drop_columns([name for name in RAW_PLACE if name not in ("_row", "_text")]))
        text = rows.mutate(_text=rows._text.cast("string"))
        content = (salt + history.digest(text, sorted(set(text.columns) - {"_row"}))).hexdigest("sha256").substr(0, 24)
        tables.append(engine.table(text.select("_row", content=content)))
        engine.forget_arrow(rows)
    return engine.arrow(pa.concat_tables(tables))


def _raw(settled: Settled, refused: ir.Table, engine: Engine) -> Iterator[pa.Table]:
    """Yield the raw rows of refused ones, at most a block's worth at a time."""
    numbers = engine.table(refused.select("_row").distinct().order_by("_row"))["_row"].combine_chunks()
    for start in range(0, len(numbers), BLOCK_ROWS):
        yield collect_raw(settled.delivered.delivery, settled.source, numbers.slice(start, BLOCK_ROWS))


def _seal(lake: Lake, settled: Settled, inserts: ir.Table, keyring: Keyring, run_id: str) -> ir.Table:
    """Seal the raw rows of new refusals into blocks, and return in which block and where each of them lies."""
    places, blocks = [], []
    for raw in _raw(settled, inserts, lake.engine):
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
    found = lake.engine.table(stored.filter(stored.block.isin(names)).order_by("block"))
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
