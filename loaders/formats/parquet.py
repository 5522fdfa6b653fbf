"""Parquet: every value in one canonical text, so that what follows need not know where it came from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kg.config import SourceSettings
from kg.errors import GateError
from loaders.delivery import OpenFile
from loaders.formats.part import ROWS, Part, column_names, told


class Parquet:
    """The format ``parquet``."""

    name = "parquet"
    endings: tuple[str, ...] = (".parquet", ".pq")
    open = False

    def read(self, opened: OpenFile, source: SourceSettings) -> Iterator[Part]:  # noqa: ARG002 - the file describes itself
        """Yield the rows of a file in parts.

        Raises
        ------
        GateError
            If the file is cut short or damaged.
        """
        opened.rewind()
        try:
            with pq.ParquetFile(pa.PythonFile(opened.raw, mode="r")) as file:
                heads = tuple(file.schema_arrow.names)
                count = 0
                for batch in file.iter_batches(batch_size=ROWS):
                    yield _part(batch, heads, count)
                    count += batch.num_rows
                if count == 0:
                    yield _part(pa.RecordBatch.from_pylist([], schema=file.schema_arrow), heads, 0)
        except (pa.ArrowException, OSError) as error:
            reason = str(error).split(".")[0].split("\n")[0]
            raise GateError(f"{opened.name} is no whole Parquet file ({reason}); nothing of it was taken, deliver it again") from None

    def restore(self, lines: Sequence[bytes], heads: tuple[str, ...], source: SourceSettings) -> Part:
        """Refuse: a row of a Parquet file is kept as its cells."""
        raise GateError(
            f"{source.name} is Parquet now, but {len(lines)} refused rows with {len(heads)} heads were kept as text; set format back"
        )


def _part(batch: pa.RecordBatch, heads: tuple[str, ...], before: int) -> Part:
    columns = [text(column) for column in batch.columns]
    zero = np.zeros(batch.num_rows, dtype=np.bool_)
    for column in columns:
        zero |= pc.fill_null(pc.match_substring(column, "\0"), False).to_numpy(zero_copy_only=False)
    fault, _ = told([(zero, "|nul|***")], batch.num_rows)
    cells = pa.RecordBatch.from_arrays(columns, names=column_names(heads))
    line = np.arange(before + 1, before + 1 + batch.num_rows, dtype=np.int64)
    return Part(heads, cells, line, fault, pa.nulls(batch.num_rows, pa.binary()))


def text(values: pa.Array) -> pa.Array:
    """Return values of any Parquet type as text.

    Numbers have the shortest form that reads back as the same number, without an exponent below 1e15;
    dates and times are in ISO form, those with a zone in UTC; nested values are JSON.

    >>> text(pa.array([1.5, 2.0, 1e-7, None])).to_pylist()
    ['1.5', '2', '0.0000001', None]
    """
    kind, types = values.type, pa.types
    if types.is_dictionary(kind):
        return text(values.dictionary).take(values.indices)
    if types.is_nested(kind):
        written = _json(values)
    elif types.is_timestamp(kind) and kind.tz:
        plain = values.cast(pa.timestamp(kind.unit, "UTC")).cast(pa.timestamp(kind.unit)).cast(pa.string())
        written = pc.binary_join_element_wise(plain, "+00:00", "")
    elif types.is_floating(kind):
        number = values.cast(pa.float32()) if types.is_float16(kind) else values
        written = _plain(pc.if_else(pc.is_nan(number), None, number).cast(pa.string()))
    elif types.is_decimal(kind):
        written = _plain(values.cast(pa.string()))
    elif types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind):
        written = _decoded(values)
    else:
        written = values.cast(pa.string())
    return written


def _plain(numbers: pa.Array) -> pa.Array:
    """Write the few numbers that have an exponent without it, where they are below 1e15."""
    encoded = numbers.filter(pc.match_substring_regex(numbers, r"[0-9.][eE]")).unique()
    if not len(encoded):
        return numbers
    written = [format(Decimal(number), "f") if abs(Decimal(number)) < Decimal(10) ** 15 else number for number in encoded.to_pylist()]
    place = pc.index_in(numbers, value_set=encoded)
    return pc.coalesce(pa.array(written, pa.string()).take(place), numbers)


def _decoded(values: pa.Array) -> pa.Array:
    """Read bytes as UTF-8; those that are none are written in base 16, so that no row is lost over them."""
    encoded = values.cast(pa.binary()).dictionary_encode()
    return pa.array([_utf8(value) for value in encoded.dictionary.to_pylist()], pa.string()).take(encoded.indices)


def _utf8(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.hex()


def _json(values: pa.Array) -> pa.Array:
    with duckdb.connect() as connection:
        table = connection.from_arrow(pa.table({"value": values}))
        written = table.project(duckdb.FunctionExpression("to_json", duckdb.ColumnExpression("value")).alias("value")).to_arrow_table()
    column = written.column("value").combine_chunks().cast(pa.string())
    return pc.if_else(pc.is_valid(values), column, None)
