"""Tables that people hand over: columns that must be there, filled and of their type, days that are not turned round.

Knows how a wrong row is told: by its number, counted from 0, its column and its value; hides that Arrow judges whole columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from numbers import Integral

import pyarrow as pa
import pyarrow.compute as pc

from kg.errors import UsageError

_DAYS = ("valid_from", "valid_to")
#: Pairs of columns of which the first lies before the second.
_PAIRS = (("share_low_ppm", "share_high_ppm", pc.greater), (*_DAYS, pc.greater_equal))


def refuse_missing(name: str, table: pa.Table, needed: Sequence[str]) -> None:
    """Refuse a table that lacks a column.

    Raises
    ------
    UsageError
        With the first column that is missing.
    """
    missing = [column for column in needed if column not in table.column_names]
    if missing:
        *others, last = needed
        whole = f"{', '.join(others)} and {last}" if others else last
        raise UsageError(f"{name} lack the column {missing[0]}; they need {whole}")


def refuse_nulls(name: str, table: pa.Table, filled: Sequence[str]) -> None:
    """Refuse a table that lacks a column or has a null in it, or in which a day of ending does not lie behind that of beginning.

    Parameters
    ----------
    name
        What the rows are called, in the plural.
    filled
        Columns without nulls.

    Raises
    ------
    UsageError
        With the first such row.
    """
    refuse_missing(name, table, filled)
    for column in filled:
        if (row := first_row(pc.is_null(table[column]))) is not None:
            raise UsageError(f"{name} row {row}: {column} is null; every row needs {' and '.join(filled)}")
    refuse_turned(name, table)


def refuse_turned(name: str, table: pa.Table) -> None:
    """Refuse days that are none, and a table in which the first of two days, or bounds, does not lie before the second.

    Raises
    ------
    UsageError
        With the first such row.
    """
    refuse_types(name, table, _DAYS, is_day, "give it as a date")
    for first, last, wrong in _PAIRS:
        if {first, last} <= set(table.column_names) and (row := first_row(wrong(table[first], table[last]))) is not None:
            ends = f"{first} {table[first][row]} does not lie before {last} {table[last][row]}"
            raise UsageError(f"{name} row {row}: {ends}; are they turned round?")


def refuse_types(name: str, table: pa.Table, columns: Sequence[str], right: Callable[[pa.DataType], bool], instead: str) -> None:
    """Refuse columns, of those that there are, of a type that is not right; ``instead`` says what would be. Nulls alone have no type.

    Raises
    ------
    UsageError
        With the first value of such a column.
    """
    for column in columns:
        if column in table.column_names and not (right(type_ := table[column].type) or pa.types.is_null(type_)):
            for row, value in _values(table[column]):
                raise UsageError(f"{name} row {row}: {column} is {value!r}, of type {type_}; {instead}")


def refuse_ids(name: str, table: pa.Table, columns: Sequence[str], like: pa.DataType | None = None) -> None:
    """Refuse ids that are neither strings nor whole numbers from 0 up, or of two kinds.

    Parameters
    ----------
    like
        The type of ids elsewhere, to which these must be alike.

    Raises
    ------
    UsageError
        With the first such row.
    """
    refuse_types(name, table, columns, _is_id, "ids are strings or whole numbers")
    first = ""
    for column, row, value in ((name_, *each) for name_ in columns for each in _values(table[name_])):
        if like is not None and not pa.types.is_null(like) and isinstance(value, int) != pa.types.is_integer(like):
            raise UsageError(f"{name} row {row}: {column} is {value!r}, where other ids are {_plural(like)}; make them alike")
        if first and isinstance(value, int) != pa.types.is_integer(table[first].type):
            raise UsageError(f"{name} row {row}: {column} is {value!r}, where {first} holds {_plural(table[first].type)}; make them alike")
        first = first or column
    for column in columns:
        ids = table[column]
        if pa.types.is_integer(ids.type) and (wrong := first_row(_outside(ids))) is not None:
            raise UsageError(f"{name} row {wrong}: {column} is {ids[wrong]}; ids that are numbers lie between 0 and {2**63 - 1}")


def plain_ids(table: pa.Table, columns: Sequence[str]) -> pa.Table:
    """Return a table whose ids, once `refuse_ids` let them pass, are strings or int64 however they were kept, so that tables can be joined.

    >>> narrow = pa.table({"a": pa.array([1], pa.int32()), "b": pa.array(["x"], pa.large_string())})
    >>> [str(column.type) for column in plain_ids(narrow, ("a", "b")).columns]
    ['int64', 'string']
    """
    for column in columns:
        table = table.set_column(table.column_names.index(column), column, plain_column("rows", column, table[column]))
    return table


def plain_column(name: str, column: str, ids: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return ids as strings or int64, negative ones too.

    Raises
    ------
    UsageError
        If they are neither strings nor whole numbers, or a number needs more than 64 bits with its sign.

    Examples
    --------
    >>> str(plain_column("cycles", "payer", pa.chunked_array([pa.array([7], pa.int16())])).type)
    'int64'
    """
    if not _is_id(ids.type) and not pa.types.is_null(ids.type):
        raise UsageError(f"{name}: {column} is of type {ids.type}; ids are strings or whole numbers")
    if pa.types.is_uint64(ids.type) and (row := first_row(_outside(ids))) is not None:
        raise UsageError(f"{name} row {row}: {column} is {ids[row]}; ids that are numbers are at most {2**63 - 1}")
    form = pa.int64() if pa.types.is_integer(ids.type) else pa.string()
    return ids if ids.type == form else ids.cast(form)


def alike_ids(tables: Mapping[str, pa.Table], columns: Sequence[str], **asked: str | int) -> dict[str, pa.Table]:
    """Return tables whose ids, once `plain_column` made them plain, are of one type in all of them; a column without rows is of any.

    Parameters
    ----------
    tables
        By what their rows are called, in the plural.
    columns
        Those that hold ids of one kind of thing, of the tables that have them.
    asked
        Ids that are sought among them, by what they are called.

    Raises
    ------
    UsageError
        If some are strings and some numbers, or what is sought is no id.

    Examples
    --------
    >>> no_rows = pa.table({"loan": pa.array([], pa.int64())})
    >>> str(alike_ids({"loans": no_rows}, ("loan",), loan="l")["loans"]["loan"].type)
    'string'
    """
    for what, value in asked.items():
        if not isinstance(value, str) and (isinstance(value, bool) or not isinstance(value, Integral) or not -(2**63) <= value < 2**63):
            raise UsageError(f"{what} is {value!r}; ids are strings or whole numbers of 64 bits")
    held = [(name, table, column) for name, table in tables.items() for column in columns if column in table.column_names]
    found = [(f"{what} is", value) for what, value in asked.items()]
    found += [(f"{name} row 0: {column} is", table[column][0].as_py()) for name, table, column in held if len(table)]
    for where, value in found:
        if isinstance(value, str) != isinstance(found[0][1], str):
            raise UsageError(f"{where} {value!r}, where {found[0][0]} {found[0][1]!r}; make ids alike")
    form = pa.string() if found and isinstance(found[0][1], str) else pa.int64()
    same = dict(tables)
    for name, table, column in held:
        if not len(table):
            same[name] = same[name].set_column(table.column_names.index(column), column, pa.chunked_array([], form))
    return same


def refuse_repeated(name: str, table: pa.Table, column: str) -> None:
    """Refuse a table in which an id stands twice.

    Raises
    ------
    UsageError
        With the first row whose id stands in a row before it.
    """
    ids = table[column]
    known = ids.unique()
    if len(known) == len(ids):
        return
    # ids are numbered in the order in which they come, so that up to the first that comes again each bears the number of its row
    number = pc.index_in(ids, value_set=known)
    row = first_row(pc.not_equal(number, pa.array(range(len(ids)), pa.int32())))
    raise UsageError(f"{name} row {row}: {column} {ids[row]} stands in row {number[row]} already; give each once")


def _outside(ids: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_unsigned_integer(ids.type):
        return pc.greater(ids.cast(pa.uint64()), pa.scalar(2**63 - 1, pa.uint64()))
    return pc.less(ids.cast(pa.int64()), 0)


def refuse_shares(name: str, table: pa.Table, columns: Sequence[str], instead: str) -> None:
    """Refuse numbers that are not integers; ``instead`` says what they should be.

    Raises
    ------
    UsageError
        With the first such row.
    """
    refuse_types(name, table, columns, pa.types.is_integer, instead)


def refuse_words(name: str, table: pa.Table, columns: Sequence[str]) -> None:
    """Refuse columns of words that hold anything but strings.

    Raises
    ------
    UsageError
        With the first such row.
    """
    refuse_types(name, table, columns, is_text, "it is a word")


def refuse_flags(name: str, table: pa.Table, columns: Sequence[str]) -> None:
    """Refuse columns that should say true or false and say anything else.

    Raises
    ------
    UsageError
        With the first such row.
    """
    refuse_types(name, table, columns, pa.types.is_boolean, "it is true or false")


def refuse_no_day(as_of: object) -> None:
    """Refuse an ``as_of`` that is no date.

    Raises
    ------
    UsageError
        If it is none.
    """
    if as_of is not None and not isinstance(as_of, date):
        raise UsageError(f"as_of is {as_of!r}; give it as a date, such as date(2024, 6, 30)")


def first_row(wrong: pa.ChunkedArray) -> int | None:
    """Return the first row of which it is true, None where it is true of none; null is not."""
    found = pc.index(pc.fill_null(wrong, False), True).as_py()
    return found if found >= 0 else None


def is_text(type_: pa.DataType) -> bool:
    """Say whether values of a type are strings.

    >>> is_text(pa.string()), is_text(pa.dictionary(pa.int32(), pa.string())), is_text(pa.int64())
    (True, True, False)
    """
    value = type_.value_type if pa.types.is_dictionary(type_) else type_
    return bool(pa.types.is_string(value) or pa.types.is_large_string(value) or pa.types.is_string_view(value))


def is_day(type_: pa.DataType) -> bool:
    """Say whether values of a type are days or moments.

    >>> is_day(pa.date32()), is_day(pa.timestamp("us")), is_day(pa.time64("us"))
    (True, True, False)
    """
    return bool(pa.types.is_date(type_) or pa.types.is_timestamp(type_))


def _is_id(type_: pa.DataType) -> bool:
    return is_text(type_) or bool(pa.types.is_integer(type_))


def _plural(type_: pa.DataType) -> str:
    return "numbers" if pa.types.is_integer(type_) else "strings"


def _values(column: pa.ChunkedArray) -> Iterator[tuple[int, object]]:
    """Yield the first value of a column that is not null, with its row."""
    row = first_row(pc.is_valid(column))
    if row is not None:
        yield row, column[row].as_py()
