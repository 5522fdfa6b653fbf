"""Columns of text without a loop: digits of fixed width, words from tables, parts joined end to end.

Knows how Arrow lays out strings of one width and fills their bytes directly; hides it behind plain functions.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from loaders.city.draw import Ints, Whole

Bytes = NDArray[np.uint8]
_SMALL = 2**31 - 1


def places(number: Ints, width: int) -> Bytes:
    """Return the decimal digits of numbers, a row of ``width`` values for each.

    >>> places(np.array([7, 120]), 4).tolist()
    [[0, 0, 0, 7], [0, 1, 2, 0]]
    """
    found = np.empty((number.size, width), np.uint8)
    rest = number.astype(np.int64)
    for place in range(width - 1, -1, -1):
        rest, digit = np.divmod(rest, 10)
        found[:, place] = digit
    return found


def fixed(signs: Bytes) -> pa.Array:
    """Return rows of ASCII signs as strings of one width."""
    count, width = signs.shape
    large = count * width > _SMALL
    offsets = np.arange(count + 1, dtype=np.int64 if large else np.int32) * width
    kind = pa.large_string() if large else pa.string()
    return pa.Array.from_buffers(
        kind, count, [None, pa.py_buffer(offsets.astype(offsets.dtype)), pa.py_buffer(np.ascontiguousarray(signs))]
    )


def digits(number: Ints, width: int, before: str = "") -> pa.Array:
    """Return numbers as text of ``width`` digits, with something ``before`` each.

    >>> digits(np.array([7, 120]), 4, "C").to_pylist()
    ['C0007', 'C0120']
    """
    head = np.broadcast_to(np.frombuffer(before.encode(), np.uint8), (number.size, len(before.encode())))
    return fixed(np.hstack([head, places(number, width) + np.uint8(ord("0"))]))


def words(table: Sequence[str | None], place: Whole) -> pa.Array:
    """Return the words at these places of a table."""
    return pa.array(table, pa.string()).take(pa.array(place))


def joined(*parts: str | pa.Array) -> pa.Array:
    """Join texts end to end."""
    return pc.binary_join_element_wise(*parts, "")


def dates(first: object, day: Whole, known: NDArray[np.bool_] | None = None) -> pa.Array:
    """Return days counted from ``first`` as dates, null where not known."""
    number = np.datetime64(first, "D") + day.astype("timedelta64[D]")  # type: ignore[call-overload]
    return pa.array(number, pa.date32(), mask=None if known is None else ~known)


def times(first: object, second: Whole) -> pa.Array:
    """Return seconds counted from the midnight before ``first`` as local times."""
    return pa.array(np.datetime64(first, "s") + second.astype("timedelta64[s]"), pa.timestamp("s"))  # type: ignore[call-overload]


def numbers(values: Whole, known: NDArray[np.bool_] | None = None) -> pa.Array:
    """Return whole numbers, null where not known."""
    return pa.array(values, pa.int64(), mask=None if known is None else ~known)
