"""Dirt as real deliveries have it: names abbreviated and misspelt, wide digits, numbers missing, broken and unknown, rows delivered twice.

Knows which rows a careful reader takes and which it must refuse, and keeps a list of all of them; hides how they are
picked. Only rows to which no other row refers are spoilt so that they are refused: each refusal is then one that was planted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loaders.city.draw import Ints, chance, stream
from loaders.city.frame import column
from loaders.city.text import numbers

_WIDE = tuple(chr(ord("０") + digit) for digit in range(10))
_ALIKE = (("鑫", "新"), ("晟", "盛"), ("宏", "红"), ("泰", "太"), ("佳", "嘉"))


@dataclass(frozen=True)
class Fault:
    """A kind of dirt: in which column of which source kind, whether a row is refused for it, and what it does to the cells.

    Where it does nothing to them, the row comes twice, and the second one is refused.
    """

    name: str
    kind: str
    column: str
    refused: bool
    spoil: Callable[[pa.Array], pa.Array] | None


def abbreviated(values: pa.Array) -> pa.Array:
    """Return names without their form.

    >>> abbreviated(pa.array(["杭州云帆科技有限公司"])).to_pylist()
    ['杭州云帆科技']
    """
    return pc.replace_substring_regex(values, "(股份有限公司|有限责任公司|有限公司|经营部)$", "")


def misspelt(values: pa.Array) -> pa.Array:
    """Return names with a sign that sounds alike in the place of the right one, where there is such a sign.

    >>> misspelt(pa.array(["宁波鑫泰贸易有限公司"])).to_pylist()
    ['宁波新太贸易有限公司']
    """
    for right, wrong in _ALIKE:
        values = pc.replace_substring(values, right, wrong)
    return values


def wide(values: pa.Array) -> pa.Array:
    """Return numbers in wide digits.

    >>> wide(pa.array(["134"])).to_pylist()
    ['１３４']
    """
    for digit, sign in enumerate(_WIDE):
        values = pc.replace_substring(values, str(digit), sign)
    return values


def missing(values: pa.Array) -> pa.Array:
    """Return nothing."""
    return pa.nulls(len(values), values.type)


def unknown(values: pa.Array) -> pa.Array:
    """Return numbers that nobody bears: one digit more than the real ones have."""
    return pc.binary_join_element_wise(values, "9", "")


def broken(values: pa.Array) -> pa.Array:
    """Return numbers of which the end is lost."""
    return pc.utf8_slice_codeunits(values, 0, 7)


FAULTS: tuple[Fault, ...] = (
    Fault("abbreviated name", "companies", "name", False, abbreviated),
    Fault("misspelt name", "companies", "name", False, misspelt),
    Fault("missing credit code", "companies", "uscc", False, missing),
    Fault("missing identity number", "persons", "cnid", False, missing),
    Fault("wide digits", "contacts", "phone", False, wide),
    Fault("broken phone", "contacts", "phone", True, broken),
    Fault("unknown account", "transfers", "payee", True, unknown),
    Fault("delivered twice", "transfers", "transfer", True, None),
    Fault("unknown company", "invoices", "buyer", True, unknown),
    Fault("missing period", "tax_filings", "period", True, missing),
)


class Dirt:
    """Spoils tables on their way into files, and remembers what was spoilt.

    Parameters
    ----------
    rate_ppm
        Rows spoilt, of each kind that has faults.
    """

    def __init__(self, seed: int, rate_ppm: int) -> None:
        self._seed, self._rate = seed, rate_ppm
        self._marks: list[pa.Table] = []

    def spoilt(self, kind: str, table: pa.Table, first: int) -> pa.Table:
        """Return a table with some rows spoilt; ``first`` is the number of its first row among all of its kind."""
        # rows that come twice are added last, so that the others are counted as they stood
        faults = sorted((fault for fault in FAULTS if fault.kind == kind), key=lambda fault: fault.spoil is None)
        if not (self._rate and faults and table.num_rows):
            return table
        rng = stream(self._seed, f"dirt {kind}", first)
        hit = chance(rng, table.num_rows, self._rate)
        which = rng.integers(0, len(faults), table.num_rows)
        for place, fault in enumerate(faults):
            table = self._with(fault, table, hit & (which == place), first)
        return table

    def _with(self, fault: Fault, table: pa.Table, rows: np.ndarray, first: int) -> pa.Table:
        """Return a table with the cells of one fault spoilt, where that changes them."""
        position = table.column_names.index(fault.column)
        right = table.column(position).combine_chunks()
        if fault.spoil is None:
            self._marks.append(_marks(fault, table.column(0), right, np.flatnonzero(rows), first))
            return pa.concat_tables([table, table.filter(pa.array(rows))])
        wrong = fault.spoil(right)
        same = pc.fill_null(pc.equal(wrong, right), False).to_numpy(zero_copy_only=False)
        rows = rows & ~same & right.is_valid().to_numpy(zero_copy_only=False)
        self._marks.append(_marks(fault, table.column(0), right, np.flatnonzero(rows), first))
        return table.set_column(position, fault.column, pc.if_else(pa.array(rows), wrong, right))

    def marks(self) -> pa.Table:
        """Return a row for each row spoilt: its kind, its number, its first cell, the fault, whether it is refused, the right value."""
        return pa.concat_tables([_marks(FAULTS[0], pa.nulls(0, pa.string()), pa.nulls(0, pa.string()), np.arange(0), 0), *self._marks])


def _marks(fault: Fault, names: pa.ChunkedArray | pa.Array, right: pa.Array, rows: Ints, first: int) -> pa.Table:
    taken = pa.array(rows)
    return pa.table(
        {
            "kind": pa.repeat(fault.kind, rows.size),
            "row": numbers(rows + first),
            "record": names.take(taken),
            "column": pa.repeat(fault.column, rows.size),
            "fault": pa.repeat(fault.name, rows.size),
            "refused": pa.array(column(int(fault.refused), rows.size).astype(np.bool_)),
            "right": pc.cast(right.take(taken), pa.string()),
        }
    )
