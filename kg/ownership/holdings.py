"""Holdings as tables give them: checked row by row, by dense numbers, as they hold on a day.

Knows the columns, the intervals behind unknown shares, and how a party's kind is told; hides the numbering. Ids are strings or int64.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.algorithms.interning import Interner
from kg.algorithms.kernel import Ints
from kg.errors import UsageError
from kg.ruleset import WHOLE
from kg.tables import first_row, refuse_flags, refuse_ids, refuse_missing, refuse_no_day, refuse_nulls, refuse_shares, refuse_turned

Quantity = Literal["votes", "capital"]
COMPANY, PERSON, STATE, OTHER = range(4)
_KINDS = ("company", "person", "state", "other")
#: Columns of shares, each with the bounds between which it must lie.
_SHARES = ("share_ppm", "votes_ppm", "share_low_ppm", "share_high_ppm")


@dataclass(frozen=True)
class Parties:
    """The parties of some columns: ``ids`` in their order, a party's number being its place; ``kind`` and ``listed`` by number."""

    ids: pa.Array
    kind: Ints
    listed: np.ndarray[tuple[int], np.dtype[np.bool_]]

    def __len__(self) -> int:
        """Return how many parties there are."""
        return len(self.ids)

    def numbers(self, column: pa.ChunkedArray | pa.Array) -> Ints:
        """Return the number of each id, -1 where it is null or none of the parties."""
        if pa.types.is_integer(self.ids.type):
            known, asked = self.ids.to_numpy(), pc.fill_null(column.cast(pa.int64()), -(2**63)).to_numpy()
            place = np.minimum(np.searchsorted(known, asked), max(known.size - 1, 0))
            return np.where(known[place] == asked, place, -1) if known.size else np.full(asked.size, -1)
        return Interner(self.ids).codes(column)

    def number(self, party: str | int) -> int:
        """Return the number of one id, -1 where it is none of the parties; sought by halves, as one is not worth a table of all."""
        if isinstance(party, str) == pa.types.is_integer(self.ids.type):
            return -1
        place = bisect_left(range(len(self.ids)), party, key=lambda at: self.ids[at].as_py())
        return place if place < len(self.ids) and self.ids[place].as_py() == party else -1

    def names(self, numbers: Ints) -> pa.Array:
        """Return the ids of these numbers."""
        return self.ids.take(pa.array(numbers))


@dataclass(frozen=True)
class Holdings:
    """Holdings, one row for each holder and company, in the order of holder and company.

    Attributes
    ----------
    holder, held
        By number.
    low, high
        Least and most that is held, in ppm; equal where the share is known.
    parties
        Behind the numbers.
    over
        Companies of which more than the whole is held: ``company, share_ppm``.
    """

    holder: Ints
    held: Ints
    low: Ints
    high: Ints
    parties: Parties
    over: pa.Table

    def surplus(self) -> Ints:
        """Return for each party by how many ppm more than the whole of it is held; what one ppm for each holding makes up is rounding."""
        count = len(self.parties)
        beyond = np.bincount(self.held, self.low, count).astype(np.int64) - WHOLE
        return np.where(beyond > np.bincount(self.held, minlength=count), beyond, 0)


def read_holdings(
    holdings: pa.Table, *, parties: pa.Table | None = None, as_of: date | None = None, quantity: Quantity = "capital"
) -> Holdings:
    """Read a table of holdings.

    Parameters
    ----------
    holdings
        ``holder, held`` (strings or int64), ``share_ppm`` (null: unknown); optional ``votes_ppm`` (in the place of the share, for
        ``votes``), ``share_low_ppm`` and ``share_high_ppm`` (bounds of an unknown share), ``valid_from`` and ``valid_to`` (the first day
        after). Parallel rows are added up.
    parties
        ``party, kind`` (``company``, ``person``, ``state``, ``other``), optional ``listed``. Without it the prefix of a string id tells
        the kind, and an int64 is a person where nobody holds it.
    as_of
        Rows that hold on that day; by default those whose ``valid_to`` is null.

    Raises
    ------
    UsageError
        If a column is missing or a row is wrong; the sentence names the row, counted from 0.

    Examples
    --------
    >>> found = read_holdings(pa.table({"holder": ["p", "p"], "held": ["c", "c"], "share_ppm": [100, 200]}))
    >>> found.low.tolist(), found.parties.ids.to_pylist()
    ([300], ['c', 'p'])
    """
    refuse_wrong(holdings)
    rows = held_on(holdings, as_of)
    ids, (holder, held) = numbered(rows["holder"], rows["held"])
    low, high = _bounds(rows, quantity)
    key = holder * max(len(ids), 1) + held
    order = np.argsort(key, kind="stable")
    first = np.flatnonzero(np.diff(key[order], prepend=-1))
    low, high = (np.add.reduceat(ppm[order], first) if first.size else ppm for ppm in (low, high))
    holder, held = holder[order[first]], held[order[first]]
    known = _parties(ids, parties, held)
    total = np.bincount(held, low, len(ids)).astype(np.int64)
    over = np.flatnonzero(total > WHOLE)
    return Holdings(
        holder, held, low, np.minimum(high, WHOLE), known, pa.table({"company": ids.take(pa.array(over)), "share_ppm": total[over]})
    )


def refuse_wrong(holdings: pa.Table) -> None:
    """Refuse a table with a row that cannot be.

    Raises
    ------
    UsageError
        With the first such row, its column and value.
    """
    refuse_missing("holdings", holdings, ("holder", "held", "share_ppm"))
    refuse_ids("holdings", holdings, ("holder", "held"))
    refuse_shares("holdings", holdings, _SHARES, "shares are whole ppm, in integers (51 % is 510000)")
    for said in _faults(holdings):
        raise UsageError(said)
    refuse_turned("holdings", holdings)


def _faults(holdings: pa.Table) -> Iterator[str]:
    for name in ("holder", "held"):
        if (row := first_row(pc.is_null(holdings[name]))) is not None:
            yield f"holdings row {row}: {name} is null; every holding needs both ends"
    for name in _SHARES:
        if name in holdings.column_names:
            share = holdings[name]
            if (row := first_row(pc.or_(pc.less(share, 0), pc.greater(share, WHOLE)))) is not None:
                yield f"holdings row {row}: {name} is {share[row].as_py()}; a share lies between 0 and 1000000 ppm"


def held_on(holdings: pa.Table, as_of: date | None) -> pa.Table:
    """Return the rows that hold on a day, by ``valid_from`` and ``valid_to`` where there are such columns; None: those without an end."""
    refuse_no_day(as_of)
    names = holdings.column_names
    if as_of is None:
        return holdings.filter(pc.is_null(holdings["valid_to"])) if "valid_to" in names else holdings
    rows = holdings
    if "valid_from" in names:
        rows = rows.filter(pc.fill_null(pc.less_equal(rows["valid_from"], as_of), True))
    if "valid_to" in names:
        rows = rows.filter(pc.fill_null(pc.greater(rows["valid_to"], as_of), True))
    return rows


def numbered(*columns: pa.ChunkedArray) -> tuple[pa.Array, list[Ints]]:
    """Return the distinct ids of some columns, all strings or all numbers, in their order; and each column by number."""
    if not pa.types.is_integer(columns[0].type):
        interned, codes = Interner.encode(*columns)
        return interned.values, codes
    values = [column.cast(pa.int64()).to_numpy() for column in columns]
    every = np.concatenate(values)
    least, most = (int(every.min()), int(every.max())) if every.size else (0, 0)
    if 0 <= most - least < 8 * every.size + 1_000:
        there = np.zeros(most - least + 1, np.bool_)
        there[every - least] = True
        place = np.cumsum(there) - 1
        return pa.array(np.flatnonzero(there) + least), [place[column - least] for column in values]
    known, place = np.unique(every, return_inverse=True)
    return pa.array(known), np.split(place, np.cumsum([column.size for column in values])[:-1])


def numbered_alike(tables: str, *columns: pa.ChunkedArray | pa.Array) -> tuple[pa.Array, list[Ints]]:
    """Return what `numbered` does, of columns of several tables: numbers where the first that has rows holds numbers.

    Raises
    ------
    UsageError
        If ids are numbers in one table and other strings in another, or numbers of more than 64 bits; ``tables`` names them.
    """
    filled = [column for column in columns if len(column)]
    in_numbers = [pa.types.is_integer(column.type) for column in filled]
    if any(in_numbers) and not all(in_numbers):
        one, other = filled[in_numbers.index(True)][0].as_py(), filled[in_numbers.index(False)][0].as_py()
        raise UsageError(f"{tables}: ids are numbers in one table and strings in another, {one!r} and {other!r}; make them alike")
    form = pa.int64() if any(in_numbers) else pa.string()
    try:
        return numbered(*(column.cast(form) for column in columns))
    except pa.ArrowInvalid as error:
        raise UsageError(f"{tables}: ids that are numbers lie between {-(2**63)} and {2**63 - 1}; {error}") from error


def _bounds(rows: pa.Table, quantity: Quantity) -> tuple[Ints, Ints]:
    """Return the least and the most of each row: an unknown share lies between its bounds, or anywhere."""
    share = rows["share_ppm"].cast(pa.int64())
    if quantity == "votes" and "votes_ppm" in rows.column_names:
        share = pc.coalesce(rows["votes_ppm"].cast(pa.int64()), share)
    bounds = []
    for name, otherwise in (("share_low_ppm", 0), ("share_high_ppm", WHOLE)):
        bound = rows[name].cast(pa.int64()) if name in rows.column_names else pa.nulls(rows.num_rows, pa.int64())
        bounds.append(pc.fill_null(pc.coalesce(share, bound), otherwise).to_numpy())
    return bounds[0], bounds[1]


def _parties(ids: pa.Array, parties: pa.Table | None, held: Ints) -> Parties:
    is_held = np.zeros(len(ids), np.bool_)
    is_held[held] = True
    listed = np.zeros(len(ids), np.bool_)
    kind = np.where(is_held, COMPANY, PERSON)
    if not pa.types.is_integer(ids.type):
        named = [pc.starts_with(ids, word).to_numpy(zero_copy_only=False) for word in ("company", "person:")]
        kind = np.select(named, (COMPANY, PERSON), kind)
    found = Parties(ids, kind.astype(np.int64), listed)
    return found if parties is None else told(found, parties)


def told(found: Parties, parties: pa.Table) -> Parties:
    """Return the parties with what a table of ``party, kind``, optional ``listed``, says of them.

    Raises
    ------
    UsageError
        If a column is missing or a kind is none.
    """
    refuse_missing("parties", parties, ("party", "kind"))
    refuse_nulls("parties", parties, ("party",))
    refuse_ids("parties", parties, ("party",), found.ids.type if len(found) else None)
    refuse_flags("parties", parties, ("listed",))
    number = found.numbers(parties["party"])
    words = pc.index_in(parties["kind"].cast(pa.string()), value_set=pa.array(_KINDS))
    if (row := first_row(pc.is_null(words))) is not None:
        raise UsageError(f"parties row {row}: kind is {parties['kind'][row]}; it is one of {', '.join(_KINDS)}")
    there = number >= 0
    kind, listed = found.kind.copy(), found.listed.copy()
    kind[number[there]] = words.to_numpy()[there]
    if "listed" in parties.column_names:
        listed[number[there]] = pc.fill_null(parties["listed"], False).to_numpy(zero_copy_only=False)[there]
    return Parties(found.ids, kind, listed)
