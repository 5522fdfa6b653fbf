"""The ownership benchmark's world: holdings with circles, dependences, officers, exposures and capital, from one seed.

Knows what the register of a country looks like: most companies have two or three holders, most holders are persons, a few companies hold
many others, chains are some five deep, and one strong component holds itself in a circle. Hides how tables travel to the processes that
are timed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import ipc

from kg.algorithms.components import strong_components

Ints = NDArray[np.int64]
#: Numbers and the number of companies in, ids out.
Names = Callable[[pa.ChunkedArray, int], pa.ChunkedArray]
WHOLE = 1_000_000
#: Companies of the circle among a million, persons and holdings for each company.
_CIRCLE, _PERSONS, _HOLDINGS = 900, 1.2, 3
#: Part of the holdings that companies hold.
_BY_COMPANIES = 0.15
TABLES = ("holdings", "officers", "dependence", "exposures")


@dataclass(frozen=True)
class World:
    """A world of so many companies; numbers below ``companies`` are companies, those from there on persons."""

    companies: int
    seed: int = 1

    @property
    def persons(self) -> int:
        """How many persons there are."""
        return round(self.companies * _PERSONS)

    @property
    def circle(self) -> Ints:
        """The companies of the strong component."""
        size = max(self.companies * _CIRCLE // WHOLE, 10)
        return np.arange(self.companies // 2, self.companies // 2 + size)

    def tables(self) -> dict[str, pa.Table]:
        """Return all tables, with numbers as ids."""
        rng = np.random.default_rng(self.seed)
        return {name: getattr(self, f"_{name}")(rng) for name in TABLES}

    def _holdings(self, rng: np.random.Generator) -> pa.Table:
        """Return who holds what; companies hold only such as have a greater number, but in the circle."""
        n, ring = self.companies, self.circle
        chords = round(2.3 * ring.size)
        held = np.concatenate([np.arange(n), rng.integers(0, n, _HOLDINGS * n - n - ring.size - chords)])
        older = (held * rng.random(held.size) ** 2).astype(np.int64)
        person = n + rng.integers(0, self.persons, held.size)
        holder = np.where((rng.random(held.size) < _BY_COMPANIES) & (older < held), older, person)
        holder = np.concatenate([holder, ring, rng.choice(ring, chords)])
        held = np.concatenate([held, np.roll(ring, 1), rng.choice(ring, chords)])
        weight = rng.exponential(1.0, held.size)
        known = rng.choice([1.0, 1.0, 1.0, 0.9, 0.7], n)
        share = weight / np.bincount(held, weight, n)[held] * known[held]
        return pa.table({"holder": holder, "held": held, "share_ppm": (share * WHOLE).astype(np.int64)})

    def _officers(self, rng: np.random.Generator) -> pa.Table:
        company = np.arange(self.companies)
        person = self.companies + rng.integers(0, self.persons, company.size)
        return pa.table({"person": person, "company": company, "position": pa.repeat("总经理", company.size)})

    def _dependence(self, rng: np.random.Generator) -> pa.Table:
        count = self.companies // 5
        ends = rng.integers(0, self.companies, (2, count))
        test = pa.array(["receipts", "spending"]).take(pa.array(rng.integers(0, 2, count)))
        return pa.table({"dependent": ends[0], "on": ends[1], "test": test, "ppm": rng.integers(0, WHOLE, count)})

    def _exposures(self, rng: np.random.Generator) -> pa.Table:
        party = np.arange(self.companies)
        amount = (rng.lognormal(18, 1.5, party.size)).astype(np.int64)
        covered = rng.random(party.size) < 0.1
        return pa.table(
            {
                "party": party,
                "kind": pa.array(["loan", "other"]).take(pa.array(rng.integers(0, 2, party.size))),
                "amount_fen": amount,
                "mitigated_fen": pa.array(amount // 2, mask=~covered),
                "provider": pa.array(rng.integers(0, self.companies, party.size), mask=~covered),
            }
        )

    def capital(self) -> pa.Table:
        """Return the bank's capital."""
        return pa.table({"net_capital_fen": [10**11], "tier_1_fen": [8 * 10**10]})

    def write(self, folder: Path) -> int:
        """Write all tables, with numbers, strings and codes as ids; return the size of the largest strong component."""
        folder.mkdir(parents=True)
        tables = self.tables()
        for name, table in tables.items():
            _write(folder / f"{name}.int64.arrow", table)
            _write(folder / f"{name}.strings.arrow", named(table, self.companies))
            _write(folder / f"{name}.codes.arrow", named(table, self.companies, coded))
        holdings = tables["holdings"]
        component = strong_components(holdings["holder"].to_numpy(), holdings["held"].to_numpy(), self.companies + self.persons)
        return int(np.bincount(component).max())


def read(folder: Path, name: str, ids: str) -> pa.Table:
    """Read a table with ``int64``, ``strings`` or ``codes`` as ids, into memory of the process's own."""
    with (folder / f"{name}.{ids}.arrow").open("rb") as file:
        return ipc.open_file(file).read_all()


def _write(path: Path, table: pa.Table) -> None:
    with ipc.new_file(path, table.schema) as file:
        file.write_table(table)


def named(table: pa.Table, companies: int, names: Names | None = None) -> pa.Table:
    """Return a table with the ids that the reader of a bank's sources writes, by default in the order of the numbers."""
    ends = [name for name in ("holder", "held", "person", "company", "dependent", "on", "party", "provider") if name in table.column_names]
    return reduce(
        lambda rows, name: rows.set_column(rows.column_names.index(name), name, (names or _names)(rows[name], companies)), ends, table
    )


def coded(number: pa.ChunkedArray, companies: int) -> pa.ChunkedArray:
    """Return ids made of codes in no order: companies' of 18 signs that begin with their region, persons' tokens of 24."""
    value = number.combine_chunks().to_numpy(zero_copy_only=False)
    filled = np.nan_to_num(value).astype(np.uint64)
    mixed = (filled + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    other = (mixed ^ (mixed >> np.uint64(31))) * np.uint64(0xC2B2AE3D27D4EB4F)
    signs = np.frombuffer(b"0123456789abcdefghijklmnopqrstuv", "S1")
    shifts = np.arange(0, 60, 5).astype(np.uint64)
    digits = [signs[((word[:, np.newaxis] >> shifts) & np.uint64(31)).astype(np.int64)].view("S12").ravel() for word in (mixed, other)]
    first, second = (pa.array(part).cast(pa.string()) for part in digits)
    region = pa.array(110_000 + filled.astype(np.int64) % 3_000).cast(pa.string())
    company = pc.binary_join_element_wise("company:uscc:91", region, pc.utf8_slice_codeunits(first, 0, 10), "")
    named_ = pc.if_else(pa.array(filled >= companies), pc.binary_join_element_wise("person:cnid:", first, second, ""), company)
    return pa.chunked_array([pc.if_else(pc.is_valid(number).combine_chunks(), named_, None)])


def _names(number: pa.ChunkedArray, companies: int) -> pa.ChunkedArray:
    person = pc.greater_equal(number, companies)
    prefix = pc.if_else(person, "person:crm:", "company:crm:")
    return pc.binary_join_element_wise(prefix, pc.utf8_lpad(number.cast(pa.string()), 8, "0"), "")
