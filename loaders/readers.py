"""Reading a delivery: its rows as they stand in the files, batch by batch, numbered and with their place.

Hides the formats. What leaves here is still in clear: it goes through `loaders.mapping` before it touches a disk,
or is sealed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kg.config import SourceSettings
from kg.errors import GateError
from loaders.delivery import Delivery
from loaders.formats import FORMATS, format_of
from loaders.formats.part import PLACE, Format, Part

#: Told of the rows and bytes read since it was last told.
Progress = Callable[[int, int], None]

_PLACED = pa.schema(
    [
        ("_file", pa.int32()),
        ("_line", pa.int64()),
        ("_row", pa.int64()),
        ("_fault", pa.string()),
        ("_text", pa.binary()),
        ("_heads", pa.string()),
    ]
)


@dataclass(frozen=True)
class RawBatch:
    """Some rows of one file of a delivery.

    Attributes
    ----------
    file
        The file's name, for messages.
    heads
        The heads of the file, in its order and spelling; ``cells`` has a column for each in the same order.
    cells
        String columns, the exact text of the file; all null in a row with a fault.
    place
        ``_file`` (number of the file in the delivery), ``_line`` (physical line, from 1), ``_row`` (number of the row
        in the delivery, from 0), ``_fault`` (null, or ``|<rule>|<what>``), and for a row with a fault ``_text`` (its
        bytes) and ``_heads`` (the heads as JSON).
    open
        Whether a head that is not there is merely empty in all these rows, as in JSON lines.
    """

    file: str
    heads: tuple[str, ...]
    cells: pa.RecordBatch
    place: pa.RecordBatch
    open: bool = False

    @property
    def num_rows(self) -> int:
        """Rows, those with a fault counted."""
        return int(self.place.num_rows)

    def table(self) -> pa.Table:
        """Return cells and place in one table."""
        return pa.Table.from_arrays([*self.cells.columns, *self.place.columns], names=[*self.cells.schema.names, *PLACE])


def quiet(rows: int, size: int) -> None:
    """Take no notice of progress."""


def read_raw(delivery: Delivery, source: SourceSettings, progress: Progress = quiet) -> Iterator[RawBatch]:
    """Yield the rows of a delivery, file by file; each file gives at least one batch, be it empty.

    When the last batch was taken, ``delivery.digests`` and ``delivery.rows`` are filled.

    Raises
    ------
    GateError
        If a file is empty, damaged, cut short, or changed while it was read. The message names the file;
        nothing of the delivery may be used then.
    """
    first = 0
    for index in range(len(delivery.files)):
        for batch in _read_file(delivery, index, first, source, progress):
            yield batch
            first += batch.num_rows


def collect_raw(delivery: Delivery, source: SourceSettings, rows: pa.Array) -> pa.Table:
    """Read again the rows of the given numbers, in the order of the files.

    Parameters
    ----------
    delivery
        One that `read_raw` has read to its end.
    rows : pa.Array of int64
        Values of ``_row``; a number may be repeated.

    Returns
    -------
    pa.Table
        A string column for each head, then ``_file``, ``_line``, ``_row``, ``_fault``, ``_text`` and ``_heads``.

    Raises
    ------
    GateError
        If a file is not the one that was read before.
    """
    wanted = np.unique(rows.to_numpy(zero_copy_only=False)).astype(np.int64)
    first, found = 0, [_nothing()]
    for index in range(len(delivery.files)):
        if index not in delivery.rows:
            raise GateError(f"{delivery.files[index].name} was not read to its end; run again")
        count = delivery.rows[index]
        low, high = np.searchsorted(wanted, [first, first + count])
        if low < high:
            found.extend(_chosen(batch, wanted) for batch in _read_file(delivery, index, first, source, quiet))
        first += count
    return pa.concat_tables(found, promote_options="default").select(_in_order(found))


def restored(table: pa.Table, source: SourceSettings) -> list[RawBatch]:
    """Return rows that `collect_raw` gave as batches again; those kept as bytes are read under the settings of now."""
    names = [name for name in table.schema.names if name not in PLACE]
    lenient = any(source.format == form.name or source.path.lower().endswith(form.endings) for form in FORMATS if form.open)
    whole = table.filter(pc.is_null(table["_text"])).to_batches()
    batches = [RawBatch(source.name, tuple(names), batch.select(names), batch.select(PLACE), lenient) for batch in whole]
    torn = table.filter(pc.is_valid(table["_text"]))
    for words in torn["_heads"].unique().to_pylist():
        rows = torn.filter(pc.equal(torn["_heads"], words)).combine_chunks()
        name, *heads = json.loads(words)
        form = next(form for form in FORMATS if form.name == name)
        part = form.restore(rows["_text"].to_pylist(), tuple(heads), source)
        place = rows.select(PLACE).to_batches()[0].to_pydict() | {"_fault": part.fault, "_text": part.text}
        batches.append(RawBatch(source.name, part.heads, part.cells, pa.RecordBatch.from_pydict(place, schema=_PLACED), part.open))
    return batches


def _read_file(delivery: Delivery, index: int, first: int, source: SourceSettings, progress: Progress) -> Iterator[RawBatch]:
    file, row, told = delivery.files[index], first, 0
    form = format_of(source, file)
    with file.open() as opened:
        for part in form.read(opened, source):
            yield _placed(part, file.name, form, index, row)
            row += part.line.size
            progress(part.line.size, opened.position - told)
            told = opened.position
        delivery.finish(index, opened.finish(), row - first)


def _placed(part: Part, name: str, form: Format, index: int, first: int) -> RawBatch:
    count = part.line.size
    heads = pa.nulls(count, pa.string())
    if part.text.null_count < count:
        words = json.dumps([form.name, *part.heads], ensure_ascii=False)
        heads = pc.if_else(pc.is_valid(part.text), words, pa.scalar(None, pa.string()))
    file = pa.repeat(pa.scalar(index, pa.int32()), count)
    columns = [file, pa.array(part.line), pa.array(np.arange(first, first + count)), part.fault, part.text, heads]
    return RawBatch(name, part.heads, part.cells, pa.RecordBatch.from_arrays(columns, schema=_PLACED), part.open)


def _chosen(batch: RawBatch, wanted: NDArray[np.int64]) -> pa.Table:
    """Return the rows of a batch that are wanted; the numbers of its rows follow one another."""
    first = batch.place.column("_row")[0].as_py() if batch.num_rows else 0
    low, high = np.searchsorted(wanted, [first, first + batch.num_rows])
    return batch.table().take(pa.array(wanted[low:high] - first))


def _nothing() -> pa.Table:
    return pa.Table.from_batches([], schema=_PLACED)


def _in_order(tables: list[pa.Table]) -> list[str]:
    """Return all heads in the order of their first appearance, then the columns of place."""
    names = dict.fromkeys(name for table in tables for name in table.schema.names if name not in PLACE)
    return [*names, *PLACE]
