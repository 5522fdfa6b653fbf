"""Dirt as real deliveries have it.

Names abbreviated, misspelt and out of date, wide digits, numbers missing, broken, unknown and with a wrong check digit, rows that come
late, twice, again on a later day, or again with another amount.

Knows which rows a careful reader takes and which it must refuse, and keeps a list of all of them; hides how they are
picked. Only rows to which no other row refers are spoilt so that they are refused: each refusal is then one that was planted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loaders.city.draw import Bools, Ints, chance, stream
from loaders.city.frame import column
from loaders.city.params import Params
from loaders.city.text import dates, numbers

_WIDE = tuple(chr(ord("０") + digit) for digit in range(10))
#: What a fault does: to a cell, or to a row that comes twice, comes once more under another number, comes late, or comes again later.
IN_PLACE, TWICE, EXTRA, LATE, AGAIN = range(5)
#: A row is late, or comes again, after so many days at most.
_DELAY = 6
_MORE_ALIKE = (("云", "芸"), ("华", "花"), ("隆", "龙"), ("丰", "峰"), ("达", "大"), ("荣", "容"), ("源", "原"), ("兴", "星"), ("诚", "成"))
_ALIKE = (("鑫", "新"), ("晟", "盛"), ("宏", "红"), ("泰", "太"), ("佳", "嘉"), *_MORE_ALIKE)


@dataclass(frozen=True)
class Fault:
    """A kind of dirt: in which column of which source kind, whether a row is refused for it, and what it does to the cells.

    ``refused`` holds where all files are read at once, ``by_day`` where the files of each day are a delivery of their own: a row that
    comes again unchanged is one too many within a delivery, and nothing new in a later one.
    """

    name: str
    kind: str
    column: str
    refused: bool
    spoil: Callable[[pa.Array], pa.Array] | None
    manner: int = IN_PLACE
    by_day: bool | None = None

    @property
    def refused_by_day(self) -> bool:
        """Say whether a row is refused where each day is read by itself."""
        return self.refused if self.by_day is None else self.by_day


def abbreviated(values: pa.Array) -> pa.Array:
    """Return names without their form.

    >>> abbreviated(pa.array(["杭州云帆科技有限公司"])).to_pylist()
    ['杭州云帆科技']
    """
    return pc.replace_substring_regex(values, "(股份有限公司|有限责任公司|有限公司|经营部)$", "")


def misspelt(values: pa.Array) -> pa.Array:
    """Return names with a sign that sounds alike in the place of the right one, in the last word where no other has one.

    >>> misspelt(pa.array(["宁波鑫泰贸易有限公司"])).to_pylist()
    ['宁波新太贸易有限公司']
    """
    found = values
    for right, wrong in _ALIKE:
        found = pc.replace_substring(found, right, wrong)
    return pc.if_else(pc.equal(found, values), pc.replace_substring(values, "公司", "公思"), found)


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


def former(values: pa.Array) -> pa.Array:
    """Return the names that companies had before they took their present form.

    >>> former(pa.array(["宁波鑫泰纺织有限公司"])).to_pylist()
    ['宁波鑫泰纺织厂']
    """
    return pc.replace_substring_regex(values, "(股份有限公司|有限责任公司|有限公司|商行|经营部)$", "厂")


def miscounted(values: pa.Array) -> pa.Array:
    """Return codes of 18 signs with another check digit than theirs.

    >>> miscounted(pa.array(["91330106MAR03FYBX1", "91330106MAR03FYBX0"])).to_pylist()
    ['91330106MAR03FYBX0', '91330106MAR03FYBX1']
    """
    wrong = pc.if_else(pc.ends_with(values, "0"), "1", "0")
    return pc.binary_join_element_wise(pc.utf8_slice_codeunits(values, 0, 17), wrong, "")


def corrected(values: pa.Array) -> pa.Array:
    """Return other amounts.

    >>> corrected(pa.array([50_000])).to_pylist()
    [50501]
    """
    return pc.add(pc.add(values, pc.divide(values, 100)), 1)


FAULTS: tuple[Fault, ...] = (
    Fault("abbreviated name", "companies", "name", False, abbreviated),
    Fault("misspelt name", "companies", "name", False, misspelt),
    Fault("former name", "companies", "name", False, former),
    Fault("missing credit code", "companies", "uscc", False, missing),
    Fault("wrong check digit of a credit code", "companies", "uscc", True, miscounted, EXTRA),
    Fault("missing identity number", "persons", "cnid", False, missing),
    Fault("wrong check digit of an identity card", "persons", "cnid", True, miscounted, EXTRA),
    Fault("wide digits", "contacts", "phone", False, wide),
    Fault("broken phone", "contacts", "phone", True, broken),
    Fault("unknown account", "transfers", "payee", True, unknown),
    Fault("delivered twice", "transfers", "transfer", True, None, TWICE),
    Fault("late", "transfers", "at", False, None, LATE),
    Fault("delivered again later", "transfers", "transfer", True, None, AGAIN, by_day=False),
    Fault("corrected amount", "loan_flows", "amount_fen", True, corrected, AGAIN),
    Fault("corrected amount", "invoices", "gross_fen", True, corrected, AGAIN),
    Fault("unknown company", "invoices", "buyer", True, unknown),
    Fault("missing period", "tax_filings", "period", True, missing),
    Fault("unknown party", "exposures", "party", True, unknown),
)


_MARKS = pa.schema(
    [
        *(("kind", pa.string()), ("row", pa.int64()), ("record", pa.string()), ("column", pa.string()), ("fault", pa.string())),
        *(("refused", pa.bool_()), ("refused_by_day", pa.bool_()), ("due_on", pa.date32()), ("delivered_on", pa.date32())),
        ("right", pa.string()),
    ]
)


class Dirt:
    """Spoils tables on their way into files, and remembers what was spoilt.

    Days must be asked for in their order: rows wait for the day on which they come.
    """

    def __init__(self, params: Params) -> None:
        self._params = params
        self._marks: list[pa.Table] = []
        self._waiting: dict[tuple[str, int], list[pa.Table]] = {}

    def waits(self, kind: str, day: int) -> bool:
        """Say whether rows of earlier days come on this one."""
        return (kind, day) in self._waiting

    def spoilt(self, kind: str, table: pa.Table, first: int, day: int | None = None) -> pa.Table:
        """Return a table with some rows spoilt.

        Parameters
        ----------
        first
            The number of its first row among all of its kind.
        day
            The day of its file, where rows come day by day.
        """
        faults = [fault for fault in FAULTS if fault.kind == kind]
        if not (self._params.dirt_ppm and faults):
            return table
        rng = stream(self._params.seed, f"dirt {kind}", first, 0 if day is None else day)
        hit = chance(rng, table.num_rows, self._params.dirt_ppm)
        which = rng.integers(0, len(faults), table.num_rows)
        after = rng.integers(1, _DELAY + 1, table.num_rows) + (day or 0)
        more, gone = [], np.zeros(table.num_rows, np.bool_)
        for place, fault in enumerate(faults):
            rows = hit & (which == place) & ((after < self._params.days) | (fault.manner < LATE))
            rows = self._changed(fault, table, rows)
            self._mark(fault, table, np.flatnonzero(rows), first, (day, after))
            if fault.manner == IN_PLACE:
                table = _with(fault, table, rows)
            elif fault.manner in (TWICE, EXTRA):
                more.append(_with(fault, table, rows).filter(pa.array(rows)))
            else:
                self._hold_back(fault, table, rows, after)
            gone |= rows & (fault.manner == LATE)
        late = [] if day is None else self._waiting.pop((kind, day), [])
        return pa.concat_tables([table.filter(pa.array(~gone)), *more, *late])

    @staticmethod
    def _changed(fault: Fault, table: pa.Table, rows: Bools) -> Bools:
        """Return those of some rows whose cells a fault would change."""
        right = table.column(fault.column).combine_chunks()
        if fault.spoil is None:
            return rows
        same = pc.fill_null(pc.equal(fault.spoil(right), right), False).to_numpy(zero_copy_only=False)
        found: Bools = rows & ~same & right.is_valid().to_numpy(zero_copy_only=False)
        return found

    def _hold_back(self, fault: Fault, table: pa.Table, rows: Bools, after: Ints) -> None:
        """Put rows by for the days on which they come."""
        wrong = _with(fault, table, rows)
        for day in np.unique(after[rows]).tolist():
            self._waiting.setdefault((fault.kind, day), []).append(wrong.filter(pa.array(rows & (after == day))))

    def _mark(self, fault: Fault, table: pa.Table, rows: Ints, first: int, days: tuple[int | None, Ints]) -> None:
        """Note which rows of a table a fault is planted in; ``days`` are that of the table, and those on which held back rows come."""
        due = column(days[0] or 0, rows.size)
        known, taken = np.full(rows.size, days[0] is not None), pa.array(rows)
        marks = {
            "kind": pa.repeat(fault.kind, rows.size),
            "row": numbers(rows + first),
            "record": table.column(0).take(taken),
            "column": pa.repeat(fault.column, rows.size),
            "fault": pa.repeat(fault.name, rows.size),
            "refused": pa.repeat(fault.refused, rows.size),
            "refused_by_day": pa.repeat(fault.refused_by_day, rows.size),
            "due_on": dates(self._params.first_day, due, known),
            "delivered_on": dates(self._params.first_day, days[1][rows] if fault.manner >= LATE else due, known),
            "right": pc.cast(table.column(fault.column).take(taken), pa.string()),
        }
        self._marks.append(pa.table(marks, _MARKS))

    def marks(self) -> pa.Table:
        """Return a row for each row spoilt: its kind, number and first cell, the fault, if it is refused, its days, the right value."""
        return pa.concat_tables([_MARKS.empty_table(), *self._marks])


def _with(fault: Fault, table: pa.Table, rows: Bools) -> pa.Table:
    """Return a table with the cells of one fault spoilt; a row that comes once more under another number has that number."""
    if fault.spoil is not None:
        right = table.column(fault.column).combine_chunks()
        wrong = pc.if_else(pa.array(rows), fault.spoil(right), right)
        table = table.set_column(table.column_names.index(fault.column), fault.column, wrong)
    if fault.manner == EXTRA:
        own = table.column_names[0]
        table = table.set_column(0, own, pc.binary_join_element_wise(table.column(0).combine_chunks(), "8", ""))
    return table
