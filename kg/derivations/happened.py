"""Tables of what happened within a window of time: checked, with ids that can be compared and amounts that can be added up.

Knows that a window holds both of its ends in whatever unit a table keeps its times; hides that Arrow cuts moments to the unit of a column
and lets sums that 64 bits do not hold begin anew from below. A moment without a time zone is one of UTC, and a date is its midnight.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from numbers import Integral

import pyarrow as pa
import pyarrow.compute as pc

from kg.errors import UsageError
from kg.tables import is_day, plain_column, refuse_missing, refuse_nulls, refuse_shares, refuse_types

#: First and last moment; numbers where times are kept as numbers.
Window = tuple[date, date] | tuple[int, int]
#: The most that 64 bits hold.
MOST = 2**63 - 1
_TOO_MUCH = 2**62
_WIDE = pa.decimal128(38)
#: How many ticks are how many microseconds.
_TICKS = {"day": (1, 86_400_000_000), "s": (1, 1_000_000), "ms": (1, 1_000), "us": (1, 1), "ns": (1_000, 1)}


def checked(name: str, table: pa.Table, columns: Sequence[str]) -> pa.Table:
    """Return columns of a table: ``amount_fen`` as int64, ``at`` as it is, the others, which are ids, as strings or int64.

    Parameters
    ----------
    name
        What the rows are called, in the plural.

    Raises
    ------
    UsageError
        If a column is missing, a value is null, ids are neither strings nor whole numbers, or an amount is no integer or 2^62 fen or more.

    Examples
    --------
    >>> rows = pa.table({"payer": pa.array([7], pa.int32()), "amount_fen": pa.array([5], pa.int8()), "memo": ["rent"]})
    >>> [str(column.type) for column in checked("transfers", rows, ("payer", "amount_fen")).columns]
    ['int64', 'int64']
    """
    refuse_missing(name, table, columns)
    table = table.select(list(columns))
    refuse_nulls(name, table, columns)
    for place, column in enumerate(columns):
        if column == "amount_fen":
            table = table.set_column(place, column, _fen(name, table))
        elif column != "at":
            table = table.set_column(place, column, plain_column(name, column, table[column]))
    return table


def _fen(name: str, table: pa.Table) -> pa.ChunkedArray:
    refuse_shares(name, table, ("amount_fen",), "amounts are whole fen, in integers")
    amount = table["amount_fen"]
    if len(amount):
        for end in pc.min_max(amount).as_py().values():
            if abs(end) >= _TOO_MUCH:
                row = pc.index(amount, pa.scalar(end, amount.type)).as_py()
                raise UsageError(f"{name} row {row}: amount_fen is {end}, more than all money; check its unit")
    return amount.cast(pa.int64())


def within(name: str, table: pa.Table, window: Window) -> pa.Table:
    """Return the rows within a window, which holds both of its ends; ``at`` as int64, in the unit in which it is kept.

    Raises
    ------
    UsageError
        If the window is none or is turned round, one of its ends alone has a time zone, or ``at`` does not hold what the ends are.

    Examples
    --------
    >>> rows = pa.table({"payer": ["a", "b"], "at": pa.array([0, 1], pa.timestamp("s"))})
    >>> within("transfers", rows, (datetime(1970, 1, 1, 0, 0, 0, 1), datetime(1970, 1, 1, 0, 0, 1)))["payer"].to_pylist()
    ['b']
    """
    in_numbers, first, last = _ends(window)
    at, ticks, microseconds = _ticks(name, table, in_numbers=in_numbers)
    # the first tick that is not before the window, the last that is not behind it; no further than 64 bits go
    first, last = max(-(-first * ticks // microseconds), -MOST - 1), min(last * ticks // microseconds, MOST)
    table = table.set_column(table.column_names.index("at"), "at", at)
    if first > last:
        return table.slice(0, 0)
    return table.filter(pc.and_(pc.greater_equal(at, first), pc.less_equal(at, last)))


def _ends(window: object) -> tuple[bool, int, int]:
    """Return whether a window is given in numbers, and its ends: these, or microseconds since 1970."""
    if not isinstance(window, tuple | list) or len(window) != 2 or "" in (kinds := [_kind(end) for end in window]):
        raise UsageError(f"window is {window!r}; give its first and its last moment, such as (datetime(2024, 1, 1), datetime(2024, 7, 1))")
    if kinds[0] != kinds[1]:
        raise UsageError(f"a window begins at {window[0]}, {kinds[0]}, and ends at {window[1]}, {kinds[1]}; give both ends alike")
    first, last = (_microseconds(end) for end in window)
    if first > last:
        raise UsageError(f"a window begins at {window[0]} and ends at {window[1]}; turn it round")
    return kinds[0] == "a number", first, last


def _kind(end: object) -> str:
    """Return what an end of a window is, in words; none where it is nothing of the kind."""
    if isinstance(end, date):
        return "with a time zone" if isinstance(end, datetime) and end.utcoffset() is not None else "without a time zone"
    return "a number" if isinstance(end, Integral) and not isinstance(end, bool) else ""


def _microseconds(end: date | int) -> int:
    if not isinstance(end, date):
        return int(end)
    moment = end if isinstance(end, datetime) else datetime.combine(end, time.min)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC if moment.utcoffset() is not None else None)) // timedelta(microseconds=1)


def _ticks(name: str, table: pa.Table, *, in_numbers: bool) -> tuple[pa.ChunkedArray, int, int]:
    """Return times as int64, and how many of their ticks are how many microseconds (one each, if all are numbers)."""
    at, right = table["at"], pa.types.is_integer if in_numbers else is_day
    refuse_types(name, table, ("at",), right, f"the window is of {'numbers' if in_numbers else 'moments, so give timestamps or dates'}")
    if not len(at):
        return pa.chunked_array([], pa.int64()), 1, 1
    try:
        at = (at.cast(pa.int32()) if pa.types.is_date32(at.type) else at).cast(pa.int64())
    except pa.ArrowInvalid as error:
        raise UsageError(f"{name}: at holds numbers of more than 64 bits with their sign; {error}") from error
    unit = "day" if pa.types.is_date32(table["at"].type) else getattr(table["at"].type, "unit", "ms")
    return at, *((1, 1) if in_numbers else _TICKS[unit])


def summed(what: str, rows: pa.Table, by: str) -> pa.Table:
    """Add up amounts, exactly.

    Parameters
    ----------
    what
        That is added up, in the plural.

    Returns
    -------
    Table
        ``by``, and of ``amount_fen`` its ``count``, ``sum`` and ``max``.

    Raises
    ------
    UsageError
        If 64 bits do not hold a sum.

    Examples
    --------
    >>> summed("transfers of one payer", pa.table({"payer": ["a", "a"], "amount_fen": [5, 6]}), "payer").to_pylist()
    [{'payer': 'a', 'count': 2, 'sum': 11, 'max': 6}]
    """
    amount = rows["amount_fen"]
    keyed = pa.table({by: rows[by], "fen": amount, "wide": amount.cast(_WIDE)})
    sums = keyed.group_by(by).aggregate([("fen", "count"), ("wide", "sum"), ("fen", "max")]).rename_columns([by, "count", "sum", "max"])
    return sums.set_column(2, "sum", _narrow(what, sums["sum"]))


def total(what: str, amount: pa.ChunkedArray) -> int:
    """Return the sum of amounts, 0 where there are none.

    Raises
    ------
    UsageError
        If 64 bits do not hold it.

    Examples
    --------
    >>> total("loans", pa.chunked_array([[5, 7]]))
    12
    """
    fen: int = _narrow(what, pa.chunked_array([[pc.sum(amount.cast(_WIDE), min_count=0).as_py()]], _WIDE))[0].as_py()
    return fen


def _narrow(what: str, sums: pa.ChunkedArray) -> pa.ChunkedArray:
    try:
        return sums.cast(pa.int64())
    except pa.ArrowInvalid as error:
        most = max(sums.drop_null().to_pylist(), key=abs)
        raise UsageError(f"{what} add up to {most} fen, more than 64 bits hold; check the unit of amount_fen") from error
