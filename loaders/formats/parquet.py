"""Parquet: every value in one canonical text, so that what follows need not know where it came from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from kg.config import SourceSettings
from kg.errors import GateError
from loaders.delivery import OpenFile
from loaders.formats.part import ROWS, Part, column_names, told
from loaders.plan import normal
from loaders.sources import KINDS

_BYTES = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_string_view,
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_binary_view,
    pa.types.is_fixed_size_binary,
)


class Parquet:
    """The format ``parquet``."""

    name = "parquet"
    endings: tuple[str, ...] = (".parquet", ".pq")
    open = False

    def read(self, opened: OpenFile, source: SourceSettings) -> Iterator[Part]:
        """Yield the rows of a file in parts; a row has a fault if a column that the source maps holds bytes that are no text.

        Raises
        ------
        GateError
            If the file is cut short or damaged, or a column is of a type that has no text.
        """
        opened.rewind()
        mapped = _mapped(source)
        try:
            with pq.ParquetFile(pa.PythonFile(opened.raw, mode="r")) as file:
                heads = tuple(file.schema_arrow.names)
                count = 0
                for batch in file.iter_batches(batch_size=ROWS):
                    yield _part(batch, heads, count, mapped, opened.name)
                    count += batch.num_rows
                if count == 0:
                    yield _part(pa.RecordBatch.from_pylist([], schema=file.schema_arrow), heads, 0, mapped, opened.name)
        except (pa.ArrowException, OSError) as error:
            reason = str(error).split(".")[0].split("\n")[0]
            if "utf8" in reason.lower():
                raise GateError(f"{opened.name} holds text that is no UTF-8; nothing of it was taken, deliver it in UTF-8") from None
            raise GateError(f"{opened.name} is no whole Parquet file ({reason}); nothing of it was taken, deliver it again") from None

    def restore(self, lines: Sequence[bytes], heads: tuple[str, ...], source: SourceSettings) -> Part:
        """Refuse: a row of a Parquet file is kept as its cells."""
        raise GateError(
            f"{source.name} is Parquet now, but {len(lines)} refused rows with {len(heads)} heads were kept as text; set format back"
        )


def _mapped(source: SourceSettings) -> set[str]:
    """Return the heads that the source may read, in normal form: those that it names and those of its contract."""
    named = [pick.column for choices in source.columns.values() for pick in choices]
    contract = [column.name for kind in KINDS if kind.name == source.kind for column in kind.columns]
    return {normal(head) for head in (*named, *source.where, *source.record_id, *contract)}


def _part(batch: pa.RecordBatch, heads: tuple[str, ...], before: int, mapped: set[str], name: str) -> Part:
    columns = []
    zero = np.zeros(batch.num_rows, dtype=np.bool_)
    rules = [(zero, "|nul|***")]
    for head, values in zip(heads, batch.columns, strict=True):
        try:
            column, broken = _read(values)
        except (pa.ArrowException, duckdb.Error):
            what = f"{name}: the column '{head}' is of the type {values.type}, which has no text"
            raise GateError(f"{what}; nothing of the file was taken, deliver the column as text") from None
        columns.append(column)
        zero |= pc.fill_null(pc.match_substring(column, "\0"), False).to_numpy(zero_copy_only=False)
        if broken is not None and normal(head) in mapped:
            rules.append((broken, f"|encoding|{head}"))
    fault, _ = told(rules, batch.num_rows)
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
    return _read(values)[0]


def _read(values: pa.Array) -> tuple[pa.Array, NDArray[np.bool_] | None]:
    """Return values as text, and which of them hold bytes that are no UTF-8 (None: none); those are written in base 16."""
    kind, types = values.type, pa.types
    if isinstance(kind, pa.UuidType):
        return pa.array([None if value is None else str(value) for value in values.to_pylist()], pa.string()), None
    if isinstance(kind, pa.BaseExtensionType):
        return _read(values.storage)
    if types.is_dictionary(kind):
        words, broken = _read(values.dictionary)
        there = None if broken is None else pc.fill_null(pa.array(broken).take(values.indices), False).to_numpy(zero_copy_only=False)
        return words.take(values.indices), there
    if types.is_nested(kind):
        return _json(values)
    if any(of(kind) for of in _BYTES):
        return _decoded(values.cast(pa.binary()))
    return _scalar(values, kind), None


def _scalar(values: pa.Array, kind: pa.DataType) -> pa.Array:
    types = pa.types
    if types.is_timestamp(kind) and kind.tz:
        plain = values.cast(pa.timestamp(kind.unit, "UTC")).cast(pa.timestamp(kind.unit)).cast(pa.string())
        return pc.binary_join_element_wise(plain, "+00:00", "")
    if types.is_floating(kind):
        number = values.cast(pa.float32()) if types.is_float16(kind) else values
        return _plain(pc.if_else(pc.is_nan(number), None, number).cast(pa.string()))
    if types.is_decimal(kind):
        return _plain(values.cast(pa.string()))
    return values.cast(pa.string())


def _plain(numbers: pa.Array) -> pa.Array:
    """Write the few numbers that have an exponent without it, where they are below 1e15."""
    encoded = numbers.filter(pc.match_substring_regex(numbers, r"[0-9.][eE]")).unique()
    if not len(encoded):
        return numbers
    written = [format(Decimal(number), "f") if abs(Decimal(number)) < Decimal(10) ** 15 else number for number in encoded.to_pylist()]
    place = pc.index_in(numbers, value_set=encoded)
    return pc.coalesce(pa.array(written, pa.string()).take(place), numbers)


def _decoded(values: pa.Array) -> tuple[pa.Array, NDArray[np.bool_] | None]:
    """Read bytes as UTF-8; a file may also call text what is none."""
    try:
        return values.cast(pa.string()), None
    except pa.ArrowInvalid:
        encoded = values.dictionary_encode()
    words = [_utf8(value) for value in encoded.dictionary.to_pylist()]
    broken = pa.array([word is None for word in words], pa.bool_())
    spelled = [value.hex() if word is None else word for word, value in zip(words, encoded.dictionary.to_pylist(), strict=True)]
    mask = pc.fill_null(broken.take(encoded.indices), False).to_numpy(zero_copy_only=False)
    return pa.array(spelled, pa.string()).take(encoded.indices), mask


def _utf8(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def _json(values: pa.Array) -> tuple[pa.Array, NDArray[np.bool_] | None]:
    with duckdb.connect() as connection:
        table = connection.from_arrow(pa.table({"value": values}))
        written = table.project(duckdb.FunctionExpression("to_json", duckdb.ColumnExpression("value")).alias("value")).to_arrow_table()
    column = written.column("value").combine_chunks().cast(pa.string())
    # the engine gives nothing for a text in it that is no UTF-8
    empty = pc.fill_null(pc.equal(pc.binary_length(column), 0), True)
    lost = pc.and_(pc.is_valid(values), empty).to_numpy(zero_copy_only=False)
    return pc.if_else(pc.is_valid(values), column, None), lost if lost.any() else None
