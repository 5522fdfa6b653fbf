"""The tables in which links besides equity are looked for, checked and by number: parties, their houses, what the register says.

Knows the columns and who is tied to whom openly; hides the numbering. Ids are strings or int64.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kg.algorithms.interning import Interner
from kg.algorithms.kernel import Ints
from kg.algorithms.sharing import among, distinct, joined
from kg.errors import UsageError

Bools = NDArray[np.bool_]
#: How many companies one above the other are asked who stands in their register.
_LEVELS = 8


@dataclass(frozen=True)
class Evidence:
    """The tables that `find_links` reads, each with the columns of its label or relationship; every one may be missing.

    Rows are those that hold on the day asked about. Relationships may have an ``id``, by which evidence names them.

    Attributes
    ----------
    companies, persons
        ``id``, optional ``name``; companies optional ``uscc``, ``founded_on``, ``region``.
    holdings
        ``holder, held``.
    control
        ``controller, controlled``, optional ``certain``: what `kg.derivations.control.find_control` found.
    kin, represents, officers, owns_account, signed_in, guarantees, located_at, reached_at
        ``src, dst`` (``KIN_OF``, ``REPRESENTS``, ``OFFICER_OF``, ``OWNS_ACCOUNT``, ``SIGNED_IN`` from device to account, ``GUARANTEES``
        of a party or of a loan, ``LOCATED_AT``, ``REACHED_AT``).
    paid, invoiced
        ``src, dst, month`` and ``amount_fen`` or ``net_fen``.
    borrowed
        ``src, dst`` (party, loan).
    paid_out, transfers
        ``src, dst, amount_fen, at`` (loan to account, account to account).
    hubs
        ``id, reason``: nodes that the bank knows to tell nothing: platforms, tax and utilities, registration agents, 集群注册 addresses.
    """

    companies: pa.Table | None = None
    persons: pa.Table | None = None
    holdings: pa.Table | None = None
    control: pa.Table | None = None
    kin: pa.Table | None = None
    represents: pa.Table | None = None
    officers: pa.Table | None = None
    owns_account: pa.Table | None = None
    signed_in: pa.Table | None = None
    paid: pa.Table | None = None
    invoiced: pa.Table | None = None
    borrowed: pa.Table | None = None
    paid_out: pa.Table | None = None
    transfers: pa.Table | None = None
    guarantees: pa.Table | None = None
    located_at: pa.Table | None = None
    reached_at: pa.Table | None = None
    hubs: pa.Table | None = None


#: The columns that each table must have, without nulls.
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "companies": ("id",),
    "persons": ("id",),
    "holdings": ("holder", "held"),
    "control": ("controller", "controlled"),
    "paid": ("src", "dst", "month", "amount_fen"),
    "invoiced": ("src", "dst", "net_fen"),
    "paid_out": ("src", "dst", "amount_fen", "at"),
    "transfers": ("src", "dst", "amount_fen", "at"),
    "hubs": ("id", "reason"),
}
_ENDS = ("src", "dst")
#: Which columns of which tables name parties.
_PARTIES = (
    ("companies", "id"),
    ("persons", "id"),
    *((name, end) for name, *ends in (("holdings", "holder", "held"), ("control", "controlled")) for end in ends),
    *((name, end) for name in ("kin", "represents", "officers", "paid", "invoiced") for end in ("src", "dst")),
    *((name, "src") for name in ("owns_account", "borrowed", "guarantees", "located_at", "reached_at")),
)


def refuse_wrong(graph: Evidence) -> None:
    """Refuse a table that lacks a column, or a row without an end or with a negative amount.

    Raises
    ------
    UsageError
        With the table, the row and what to do.
    """
    for said in _faults(graph):
        raise UsageError(said)


def _faults(graph: Evidence) -> Iterator[str]:
    for name, table in tables(graph):
        needed = _NEEDED.get(name, _ENDS)
        for column in needed:
            if column not in table.column_names:
                yield f"{name} lack the column {column}; they need {', '.join(needed)}"
            elif (row := first(pc.is_null(table[column]))) is not None:
                yield f"{name} row {row}: {column} is null; give it or leave the row out"
        if name in ("paid", "paid_out", "transfers") and (row := first(pc.less(table["amount_fen"], 0))) is not None:
            yield f"{name} row {row}: amount_fen is {table['amount_fen'][row]}; an amount is not negative, turn the ends round instead"


def first(wrong: pa.ChunkedArray) -> int | None:
    """Return the first row of which something is true, None where there is none."""
    found = pc.index(pc.fill_null(wrong, False), True).as_py()
    return found if found >= 0 else None


def tables(graph: Evidence) -> Iterator[tuple[str, pa.Table]]:
    """Yield the tables that are given, with their names."""
    for field in fields(graph):
        table = getattr(graph, field.name)
        if table is not None:
            yield field.name, table


@dataclass(frozen=True)
class Names:
    """Ids in their order; the number of an id is its place."""

    ids: pa.Array

    @classmethod
    def of(cls, columns: Sequence[pa.ChunkedArray]) -> tuple[Names, list[Ints]]:
        """Return the distinct ids of some columns, and each column by number; ids of any other type than a whole number are text.

        >>> names, (one, other) = Names.of([pa.chunked_array([[7, 3]]), pa.chunked_array([[7]])])
        >>> names.ids.to_pylist(), one.tolist(), other.tolist()
        ([3, 7], [1, 0], [1])
        """
        if not columns or not all(pa.types.is_integer(column.type) for column in columns):
            interned, codes = Interner.encode(*columns) if columns else (Interner(pa.array([], pa.string())), [])
            return cls(interned.values), codes
        values = [column.cast(pa.int64()).to_numpy() for column in columns]
        known, place = np.unique(np.concatenate(values), return_inverse=True)
        return cls(pa.array(known)), np.split(place, np.cumsum([column.size for column in values])[:-1])

    def numbers(self, column: pa.ChunkedArray) -> Ints:
        """Return the number of each id, -1 where it is none of these."""
        if not pa.types.is_integer(self.ids.type):
            return Interner(self.ids).codes(column)
        try:
            asked = column.cast(pa.int64())
        except pa.ArrowInvalid:  # text that is no number is nobody's
            return np.full(len(column), -1)
        return np.asarray(pc.fill_null(pc.index_in(asked, value_set=self.ids), -1).to_numpy(), np.int64)

    def texts(self, numbers: Ints) -> pa.Array:
        """Return the ids of these numbers as text."""
        return self.ids.take(pa.array(numbers)).cast(pa.string())


@dataclass(frozen=True)
class World:
    """The evidence by number.

    Attributes
    ----------
    graph, names
        The tables, and the parties' ids.
    columns
        The columns that name parties, by table and column.
    person, hub : bool, shape (n_parties,)
    """

    graph: Evidence
    names: Names
    columns: Mapping[tuple[str, str], Ints]
    person: Bools
    hub: Bools

    @classmethod
    def of(cls, graph: Evidence) -> World:
        """Number the parties of the tables."""
        refuse_wrong(graph)
        places = [place for place in _PARTIES if getattr(graph, place[0]) is not None]
        names, codes = Names.of([getattr(graph, table)[column] for table, column in places])
        columns = dict(zip(places, codes, strict=True))
        hub = np.zeros(len(names.ids), np.bool_)
        if graph.hubs is not None:
            known = names.numbers(graph.hubs["id"])
            hub[known[known >= 0]] = True
        return cls(graph, names, columns, _persons(names, columns), hub)

    @property
    def n(self) -> int:
        """How many parties there are."""
        return len(self.names.ids)

    def ends(self, table: str, *names: str) -> tuple[Ints, ...]:
        """Return the columns of a table that name parties; empty ones where the table is missing."""
        return tuple(self.columns.get((table, name), np.empty(0, np.int64)) for name in names or ("src", "dst"))

    def keys(self, a: Ints, b: Ints) -> Ints:
        """Return a number for each pair, whichever way round it stands."""
        return np.minimum(a, b) * self.n + np.maximum(a, b)

    @cached_property
    def house(self) -> Ints:
        """Whose each party is in the register: the person who controls a company, else the company on top of it, else itself.

        The State's bodies, and whoever else is a known hub, make no house.
        """
        controller, controlled, found = *self._control, np.arange(self.n)
        topmost = np.ones(self.n, np.bool_)
        topmost[controlled] = False
        for of in (topmost[controller] & ~self.person[controller], self.person[controller]):
            order = np.argsort(-controller[of], kind="stable")  # of several the first by id
            found[controlled[of][order]] = controller[of][order]
        return found

    @cached_property
    def _control(self) -> tuple[Ints, Ints]:
        """Return who certainly controls which company, without coalitions."""
        table = self.graph.control
        if table is None:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        controller, (controlled,) = self.names.numbers(table["controller"]), self.ends("control", "controlled")
        kept = controller >= 0
        if "certain" in table.column_names:
            kept &= pc.fill_null(table["certain"], True).to_numpy()
        kept[kept] &= ~self.hub[controller[kept]]
        return controller[kept], controlled[kept]

    @cached_property
    def registered(self) -> tuple[Ints, Ints]:
        """Return company and party: who holds it, represents it or has an office in it, or does so in a company above it."""
        holder, held = self.ends("holdings", "holder", "held")
        person, company = (np.concatenate(ends) for ends in zip(self.ends("represents"), self.ends("officers"), strict=True))
        company, party = np.concatenate([held, company]), np.concatenate([holder, person])
        key = distinct(company * self.n + party)
        direct = key
        for _ in range(_LEVELS):
            company, party = key // self.n, key % self.n
            above = ~self.person[party] & ~self.hub[party]
            row, other = joined(party[above], direct // self.n)
            more = distinct(np.concatenate([key, company[above][row] * self.n + direct[other] % self.n]))
            if more.size == key.size:
                break
            key = more
        control = self._control
        key = distinct(np.concatenate([key, control[1] * self.n + control[0]]))
        return key // self.n, key % self.n

    @cached_property
    def open_pairs(self) -> Ints:
        """Return the keys of the pairs that the register ties, in their order."""
        return distinct(self.keys(*self.registered))

    def undisclosed(self, a: Ints, b: Ints) -> Bools:
        """Tell which pairs are neither of one house nor tied in the register nor with a hub."""
        found: Bools = (self.house[a] != self.house[b]) & ~self.hub[a] & ~self.hub[b]
        found[found] = ~among(self.keys(a[found], b[found]), self.open_pairs)
        return found


def _persons(names: Names, columns: Mapping[tuple[str, str], Ints]) -> Bools:
    """Tell which parties are persons: by the tables, else by the prefix of a text id, else who holds and is not held."""
    found = np.zeros(len(names.ids), np.bool_)
    for place in (("holdings", "holder"), *((table, end) for table in ("kin", "represents", "officers") for end in ("src",))):
        found[columns.get(place, np.empty(0, np.int64))] = True
    for place in (("holdings", "held"), ("control", "controlled"), ("represents", "dst"), ("officers", "dst"), ("invoiced", "src")):
        found[columns.get(place, np.empty(0, np.int64))] = False
    if not pa.types.is_integer(names.ids.type):
        for prefix, is_person in (("company:", False), ("person:", True)):
            found[pc.starts_with(names.ids, prefix).to_numpy(zero_copy_only=False)] = is_person
    for place, is_person in ((("companies", "id"), False), (("persons", "id"), True)):
        found[columns.get(place, np.empty(0, np.int64))] = is_person
    return found
