"""A plain world for timings of scores: companies with owners, officers, payments, loans, guarantees, invoices and confirmed cases.

It is the world of the other benchmarks with more kinds of files; nothing in it tells who is guilty.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import bench_world
import numpy as np
import pyarrow as pa
from bench_world import DAYS, FIRST_DAY, Ints, World

_POSITIONS, _GOODS = ("董事", "监事", "经理"), ("1090", "3010", "1060", "3040", "1010")
#: Rows for each company.
_LOANS, _GUARANTEES, _OFFICERS, _INVOICES, _CASES = 0.5, 0.1, 1.5, 3.0, 0.02


@dataclass(frozen=True)
class ScoreWorld(World):
    """The world of the other benchmarks, and what else scores read."""

    def write_full(self) -> dict[str, int]:
        """Write the files that are delivered whole every night."""
        rows = super().write_full()
        tables = {
            "loans": self._loans(),
            "guarantees": self._guarantees(),
            "officers": self._officers(),
            "invoices": self._invoices(),
            "cases": self._cases(),
        }
        for name, table in tables.items():
            self._write(name, table)
        return rows | {name: table.num_rows for name, table in tables.items()}

    def sources(self) -> Iterator[str]:
        """Yield the tables of ``kgfraud.toml`` under which the files are read."""
        yield from super().sources()
        for kind, record, columns in (
            ("loans", "loan", {"amount_fen": "amount"}),
            ("guarantees", "guarantee", {"amount_fen": "amount"}),
            ("officers", "office", {}),
            ("invoices", "number", {"net_fen": "net"}),
            ("cases", "case", {}),
        ):
            yield bench_world._source(kind, f"{kind}.{self.form}", "full", [record], columns)

    def _loans(self) -> pa.Table:
        number, dice = self._drawn(10, _LOANS)
        borrower = dice.integers(0, self.companies, number.size)
        columns = {
            "loan": bench_world._id("L", number, 8),
            "borrower": bench_world._id("C", borrower, 8),
            "borrower_kind": self._company(number),
        }
        at = np.datetime64(FIRST_DAY, "s") + dice.integers(0, DAYS * 86_400, number.size).astype("timedelta64[s]")
        return pa.table({**columns, "amount": self._amount(dice, number), "at": pa.array(at)})

    def _guarantees(self) -> pa.Table:
        number, dice = self._drawn(11, _GUARANTEES)
        one, other = self._two(dice, number)
        columns = {"guarantee": bench_world._id("G", number, 8), "guarantor": one, "guarantor_kind": self._company(number)}
        return pa.table({**columns, "beneficiary": other, "beneficiary_kind": self._company(number), "amount": self._amount(dice, number)})

    def _officers(self) -> pa.Table:
        number, dice = self._drawn(12, _OFFICERS)
        person = bench_world._id("P", dice.integers(0, self.persons, number.size), 8)
        company = bench_world._id("C", dice.integers(0, self.companies, number.size), 8)
        return pa.table(
            {
                "office": bench_world._id("O", number, 8),
                "person": person,
                "company": company,
                "position": bench_world._drawn(dice, _POSITIONS, number.size),
            }
        )

    def _invoices(self) -> pa.Table:
        number, dice = self._drawn(13, _INVOICES)
        seller, buyer = self._two(dice, number)
        columns = {"number": bench_world._id("I", number, 9), "seller": seller, "buyer": buyer, "net": self._amount(dice, number)}
        return pa.table({**columns, "goods": bench_world._drawn(dice, _GOODS, number.size), "issued_on": self._day(dice, number)})

    def _cases(self) -> pa.Table:
        number, dice = self._drawn(14, _CASES)
        entity = bench_world._id("C", dice.choice(self.companies, number.size, replace=False), 8)
        columns = {"case": bench_world._id("F", number, 8), "entity": entity, "entity_kind": self._company(number)}
        return pa.table({**columns, "reason": pa.repeat("fraud", number.size), "known_on": self._day(dice, number)})

    def _drawn(self, stream: int, part: float) -> tuple[Ints, np.random.Generator]:
        return np.arange(int(self.companies * part)), self._rng(stream)

    def _two(self, dice: np.random.Generator, number: Ints) -> tuple[pa.Array, pa.Array]:
        """Return two different companies for each row."""
        one, further = dice.integers(0, self.companies, number.size), dice.integers(1, self.companies, number.size)
        return bench_world._id("C", one, 8), bench_world._id("C", (one + further) % self.companies, 8)

    def _company(self, number: Ints) -> pa.Array:
        return pa.repeat("company", number.size)

    def _amount(self, dice: np.random.Generator, number: Ints) -> pa.Array:
        return bench_world._yuan(dice.integers(1, 5_000, number.size) * 10_000_00)

    def _day(self, dice: np.random.Generator, number: Ints) -> pa.Array:
        return pa.array(np.datetime64(FIRST_DAY) + dice.integers(0, DAYS, number.size))

    @property
    def last_day(self) -> str:
        """The last day of the world."""
        return (FIRST_DAY + timedelta(days=DAYS - 1)).isoformat()
