"""A plain world for benchmarks: companies, persons, holdings, accounts and daily files of transfers.

Everything is drawn column by column from a seed, so that a night can be written again with a small part
of it changed. Companies are among the busier account owners, and an account pays the same few others
again and again, as real ones do; nothing in the world is suspicious.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv, parquet

from kg.privacy import Keyring
from kg.schema import edge, node
from kg.store import conform

FIRST_DAY = date(2026, 1, 1)
DAYS = 90
_COUNTERPARTIES = 4
_MIX = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))
_TOWNS = ("杭州", "宁波", "温州", "苏州", "南京", "成都", "武汉", "长沙")
_TRADES = ("贸易", "纺织", "机械", "食品", "物流", "建材", "电子", "包装")
_FAMILY = ("王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴")
_GIVEN = ("伟", "芳", "娜", "敏", "静", "强", "磊", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超", "霞")
_PURPOSES = ("货款", "工资", "房租", "服务费", "运费", "还款", "往来款", "报销")
_TWO_DIGITS = pa.array([f"{number:02d}" for number in range(100)])

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class World:
    """How much there is of everything, and where its files lie.

    Parameters
    ----------
    changed
        Fraction of companies and holdings that read otherwise than in the world of the same seed without it.
    """

    folder: Path
    companies: int
    seed: int = 1
    form: str = "csv"
    changed: float = 0.0

    @property
    def persons(self) -> int:
        """One and a half for each company."""
        return self.companies * 3 // 2

    @property
    def accounts(self) -> int:
        """One for each party."""
        return self.companies + self.persons

    @property
    def holdings(self) -> int:
        """Three for each company."""
        return self.companies * 3

    @property
    def transfers(self) -> int:
        """Of one day; twenty for each company in all ninety."""
        return self.companies * 20 // DAYS

    def write(self) -> dict[str, int]:
        """Write the full files and ninety days of transfers; return the number of rows by kind."""
        rows = self.write_full()
        rows["transfers"] = sum(self.write_day(day) for day in range(DAYS))
        return rows

    def write_full(self) -> dict[str, int]:
        """Write the files that are delivered whole every night."""
        tables = {
            "companies": self._companies(),
            "persons": self._persons(),
            "accounts": self._accounts(),
            "shareholders": self._holdings(),
        }
        for name, table in tables.items():
            self._write(name, table)
        return {name: table.num_rows for name, table in tables.items()}

    def write_day(self, day: int) -> int:
        """Write the transfers of one day, numbered from 0."""
        self._write(f"transfers-{FIRST_DAY + timedelta(days=day):%Y%m%d}", self.transfers_of(day))
        return self.transfers

    def forget_days(self) -> None:
        """Take the files of transfers away, as a bank does once they were delivered."""
        for path in self.folder.glob("transfers-*"):
            path.unlink()

    def sources(self) -> Iterator[str]:
        """Yield the tables of ``kgfraud.toml`` under which the files are read."""
        yield _source("companies", f"companies.{self.form}", "full", ["company"], {"capital_fen": "capital"})
        yield _source("persons", f"persons.{self.form}", "full", ["person"], {})
        yield _source("accounts", f"accounts.{self.form}", "full", ["account", "owner"], {})
        yield _source("shareholders", f"shareholders.{self.form}", "full", ["holding"], {"share_ppm": "share"})
        yield _source("transfers", f"transfers-*.{self.form}", "append", ["transfer"], {"amount_fen": "amount"})

    def _rng(self, *stream: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, *stream])

    def _companies(self) -> pa.Table:
        number, rng = np.arange(self.companies), self._rng(0)
        capital = rng.integers(1, 5_000, self.companies) * 10_000
        capital[self._touched(self.companies)] += 1
        name = pc.binary_join_element_wise(
            _drawn(rng, _TOWNS, number.size), _digits(number, 7), _drawn(rng, _TRADES, number.size), "有限公司", ""
        )
        columns = {"company": _id("C", number, 8), "name": name, "region": _drawn(rng, ("330100", "330200", "320500"), number.size)}
        founded = np.datetime64("2005-01-01") + rng.integers(0, 7000, number.size)
        return pa.table({**columns, "founded_on": pa.array(founded), "capital": _yuan(capital * 100)})

    def _persons(self) -> pa.Table:
        number, rng = np.arange(self.persons), self._rng(1)
        name = pc.binary_join_element_wise(*(_drawn(rng, words, number.size) for words in (_FAMILY, _GIVEN, _GIVEN)), "")
        return pa.table({"person": _id("P", number, 8), "name": name})

    def _accounts(self) -> pa.Table:
        """Return an account for each party, and a second owner, a person, for every twelfth."""
        joint = np.arange(0, self.accounts, 12)
        second = self.companies + self._rng(2).integers(0, self.persons, joint.size)
        account, owner = np.concatenate([np.arange(self.accounts), joint]), np.concatenate([np.arange(self.accounts), second])
        again = np.arange(account.size) >= self.accounts
        keep = ~(again & (account == owner))
        opened = np.datetime64("2015-01-01") + (account * 7 % 3650)
        columns = {
            "account": _account(account),
            **self._party("owner", owner),
            "type": _drawn(self._rng(3), ("基本户", "一般户"), account.size),
        }
        return pa.table({**columns, "opened_on": pa.array(opened)}).filter(pa.array(keep))

    def _holdings(self) -> pa.Table:
        """Return three holders of each company; a changed holding has another holder."""
        number, rng = np.arange(self.holdings), self._rng(4)
        held = number // 3
        by_person = rng.random(number.size) < 0.8
        person, company = rng.integers(0, self.persons, number.size), rng.integers(0, self.companies, number.size)
        person[self._touched(number.size)] += 1
        company = np.where(company == held, (company + 1) % self.companies, company)
        holder = np.where(by_person, self.companies + person % self.persons, company)
        share = pa.array(["0.5", "0.3", "0.2"]).take(pa.array(number % 3))
        return pa.table({"holding": _id("H", number, 8), **self._party("holder", holder), "company": _id("C", held, 8), "share": share})

    def transfers_of(self, day: int) -> pa.Table:
        """Return the transfers of one day, in the order of time."""
        count, rng = self.transfers, self._rng(5, day)
        payer = (self.accounts * rng.random(count) ** 2).astype(np.int64)
        slot = (_COUNTERPARTIES * rng.random(count) ** 2).astype(np.int64)
        payee = self._counterparty(payer, slot)
        at = np.datetime64(FIRST_DAY, "s") + np.timedelta64(day, "D") + np.sort(rng.integers(0, 86_400, count)).astype("timedelta64[s]")
        return pa.table(
            {
                "transfer": _id(f"T{day:03d}", np.arange(count), 9),
                "payer": _account(payer),
                "payee": _account(payee),
                "amount": _yuan(np.exp(rng.normal(13.0, 2.0, count)).astype(np.int64) + 1),
                "at": pa.array(at),
                "purpose": _drawn(rng, _PURPOSES, count),
                "channel": _drawn(rng, ("网银", "手机", "柜面"), count),
            }
        )

    def _counterparty(self, payer: Ints, slot: Ints) -> Ints:
        """Return the account that a payer pays from one of its few habits; never its own."""
        mixed = payer.astype(np.uint64) * _MIX[0] + slot.astype(np.uint64) * _MIX[1]
        mixed = (mixed ^ (mixed >> np.uint64(29))) * _MIX[1]
        payee = (self.accounts * ((mixed >> np.uint64(11)).astype(np.float64) / 2.0**53) ** 2).astype(np.int64)
        other: Ints = np.where(payee == payer, (payee + 1) % self.accounts, payee)
        return other

    def _party(self, name: str, number: Ints) -> dict[str, pa.Array]:
        """Return the columns that name parties: companies first, persons behind them."""
        is_company = pa.array(number < self.companies)
        own = pc.if_else(is_company, _id("C", number, 8), _id("P", number - self.companies, 8))
        return {name: own, f"{name}_kind": pc.if_else(is_company, "company", "person")}

    def _touched(self, count: int) -> Ints:
        return self._rng(6).choice(count, int(count * self.changed), replace=False)

    def _write(self, name: str, table: pa.Table) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{name}.{self.form}"
        if self.form == "parquet":
            parquet.write_table(table, path)
        else:
            csv.write_csv(table, path, csv.WriteOptions(quoting_style="none"))


def write_graph_rows(folder: Path, accounts: int, transfers: int) -> tuple[Path, Path]:
    """Write accounts and transfers between them as they travel to a store, every column of their type filled or null."""
    world = World(folder, accounts * 2 // 5)
    moved = pa.concat_tables([world.transfers_of(day) for day in range(-(-transfers // world.transfers))]).slice(0, transfers)
    keyring = Keyring.create(folder / "keys")
    ends = {end: _tokens(keyring, moved[name]) for end, name in (("src", "payer"), ("dst", "payee"))}
    amount = pc.cast(pc.multiply(pc.cast(moved["amount"], pa.float64()), 100.0), pa.int64(), safe=False)
    edges = {
        "id": pc.binary_join_element_wise("bench.transfers/", moved["transfer"], ""),
        **ends,
        "amount_fen": amount,
        "at": moved["at"].cast(pa.timestamp("us", "UTC")),
        **{name: moved[name] for name in ("purpose", "channel")},
    }
    ids = pc.unique(pa.concat_arrays(list(ends.values())))
    folder.mkdir(parents=True, exist_ok=True)
    files = folder / "nodes.parquet", folder / "edges.parquet"
    for path, type_, columns in ((files[0], node("Account"), {"id": ids}), (files[1], edge("TRANSFERRED_TO"), edges)):
        count = len(columns["id"])
        common = {name: pa.repeat(value, count) for name, value in (("source", "bench.transfers"), ("first_run", "20260401T000000Z"))}
        record = moved["transfer"] if "src" in columns else columns["id"]
        known = pa.table({**columns, **common, "record_id": record}).combine_chunks().to_batches()
        parquet.write_table(pa.Table.from_batches([conform(batch, type_) for batch in known]), path)
    return files


def _tokens(keyring: Keyring, numbers: pa.ChunkedArray) -> pa.Array:
    return pc.binary_join_element_wise("account:-:", keyring.tokens("account", numbers.combine_chunks()), "")


def _source(kind: str, path: str, mode: str, record_id: list[str], columns: Mapping[str, str]) -> str:
    mapped = "".join(f'{name} = "{head}"\n' for name, head in columns.items())
    ids = ", ".join(f'"{name}"' for name in record_id)
    return (
        f'[[sources]]\nname = "bench.{kind}"\nkind = "{kind}"\npath = "landing/{path}"\nmode = "{mode}"\n'
        f"record_id = [{ids}]\n[sources.columns]\n{mapped}"
    )


def _digits(number: Ints, width: int) -> pa.Array:
    return pc.utf8_lpad(pa.array(number).cast(pa.string()), width, "0")


def _id(letter: str, number: Ints, width: int) -> pa.Array:
    return pc.binary_join_element_wise(letter, _digits(number, width), "")


def _account(number: Ints) -> pa.Array:
    return pc.binary_join_element_wise("6222", _digits(number * 9973 % 10**12, 12), "")


def _yuan(fen: Ints) -> pa.Array:
    cents = _TWO_DIGITS.take(pa.array(fen % 100))
    return pc.binary_join_element_wise(pa.array(fen // 100).cast(pa.string()), cents, ".")


def _drawn(rng: np.random.Generator, words: tuple[str, ...], count: int) -> pa.Array:
    return pa.array(words).take(pa.array(rng.integers(0, len(words), count)))
