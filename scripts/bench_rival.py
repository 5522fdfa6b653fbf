"""The rival of the benchmark: the same load as a script of pandas and the plain driver would do it.

It reads, cleans and joins whole files in memory and writes Parquet; it keeps no versions, no refused rows
and no digests, so it does less. Over Bolt it sends rows as maps, one transaction after another, to a
database with the same constraints as ours.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd  # type: ignore[import-untyped, unused-ignore]
import pyarrow.parquet
from neo4j import GraphDatabase

from kg.store import Type, name_of, schema_of
from kg.stores.server import Address

_BATCH = 10_000
_NODES = "UNWIND $rows AS row MERGE (n:Account {id: row.id}) SET n += row.properties"
_EDGES = (
    "UNWIND $rows AS row MATCH (a:Account {id: row.src}) MATCH (b:Account {id: row.dst}) "
    "MERGE (a)-[r:TRANSFERRED_TO {id: row.id}]->(b) SET r += row.properties"
)


def load(landing: Path, out: Path, key: bytes) -> int:
    """Bring the files of a landing folder to clean tables with totals by party and month; return the rows read."""
    out.mkdir(parents=True)
    companies, persons, accounts, holdings = (_whole(landing, name) for name in ("companies", "persons", "accounts", "shareholders"))
    transfers = pd.concat([_read(path) for path in sorted(landing.glob("transfers-*"))], ignore_index=True)
    rows = sum(map(len, (companies, persons, accounts, holdings, transfers)))
    tokens = _tokens(key, accounts["account"], transfers["payer"], transfers["payee"])
    for frame, names in ((accounts, ["account"]), (transfers, ["payer", "payee"])):
        for name in names:
            frame[name] = frame[name].map(tokens)
    companies["capital"] = _fen(companies["capital"])
    holdings["share"] = (pd.to_numeric(holdings["share"], errors="coerce") * 1_000_000).round()
    parties = pd.concat([companies["company"], persons["person"]])
    accounts = accounts[accounts["owner"].isin(parties)].drop_duplicates(["account", "owner"])
    holdings = holdings[holdings["holder"].isin(parties) & holdings["company"].isin(companies["company"])].drop_duplicates("holding")
    transfers = _clean_transfers(transfers, accounts["account"])
    tables = {"companies": companies, "persons": persons, "accounts": accounts, "holdings": holdings, "transfers": transfers}
    for name, frame in {**tables, "paid": _paid(transfers, accounts)}.items():
        frame.to_parquet(out / f"{name}.parquet", index=False)
    return rows


def _whole(landing: Path, name: str) -> Any:
    return _read(next(landing.glob(f"{name}.*")))


def _read(path: Path) -> Any:
    frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, dtype=str)
    for name in frame.columns:
        if pd.api.types.is_string_dtype(frame[name]):
            frame[name] = frame[name].str.strip()
    return frame


def _tokens(key: bytes, *columns: Any) -> dict[str, str]:
    numbers = pd.concat(columns).dropna().unique()
    return {number: "account:" + hmac.new(key, number.encode(), "sha256").hexdigest()[:24] for number in numbers}


def _fen(yuan: Any) -> Any:
    return (pd.to_numeric(yuan, errors="coerce") * 100).round()


def _clean_transfers(transfers: Any, known: Any) -> Any:
    transfers["amount"] = _fen(transfers["amount"])
    transfers["at"] = pd.to_datetime(transfers["at"], errors="coerce").dt.tz_localize("Asia/Shanghai").dt.tz_convert("UTC")
    good = transfers["payer"].isin(known) & transfers["payee"].isin(known) & transfers["amount"].notna() & transfers["at"].notna()
    return transfers[good].drop_duplicates("transfer")


def _paid(transfers: Any, accounts: Any) -> Any:
    """Return what one party's accounts paid to another's, by month."""
    owners = accounts[["account", "owner"]]
    joined = transfers.merge(owners.rename(columns={"account": "payer", "owner": "from"}), on="payer")
    joined = joined.merge(owners.rename(columns={"account": "payee", "owner": "to"}), on="payee")
    joined = joined[joined["from"] != joined["to"]]
    joined["month"] = joined["at"].dt.tz_convert("Asia/Shanghai").dt.strftime("%Y-%m")
    return joined.groupby(["from", "to", "month"], as_index=False).agg(amount=("amount", "sum"), count=("amount", "size"))


def send(address: Address, types: Sequence[tuple[Type, Path]], told: Callable[[str, int], None]) -> None:
    """Write nodes and relationships by UNWIND and MERGE over one connection, and tell of each batch."""
    with GraphDatabase.driver(address.uri, auth=(address.user, address.password)) as driver, driver.session() as session:
        for type_, path in types:
            _send(session, type_, path, told)


def _send(session: Any, type_: Type, path: Path, told: Callable[[str, int], None]) -> None:
    keys = [key for key in ("id", "src", "dst") if key in schema_of(type_).names]
    names = [name for name in schema_of(type_).names if name not in keys]
    statement = _EDGES if "src" in keys else _NODES
    for batch in pyarrow.parquet.ParquetFile(path).iter_batches(_BATCH):
        rows = [{**{key: row[key] for key in keys}, "properties": {name: row[name] for name in names}} for row in batch.to_pylist()]
        session.execute_write(lambda tx, rows=rows: tx.run(statement, rows=rows).consume())
        told(name_of(type_), len(rows))
