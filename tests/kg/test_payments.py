"""Payments between parties: summed by month, and joined with the owners of accounts one side after the other."""

from __future__ import annotations

from collections import Counter
from datetime import date

import ibis
import numpy as np
import pyarrow as pa
import pytest

from kg.derivations.payments import paid
from kg.engine import Engine

ACCOUNTS, TRANSFERS = 300, 8_000


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with Engine(tmp_path_factory.mktemp("spill"), memory="500MB", threads=1) as engine:
        yield engine


@pytest.fixture(scope="module")
def tables(engine):
    """Transfers and owners on the disk, as a night has them; every third account is a joint one, and the last of all have no owner."""
    rng = np.random.default_rng(1)
    ends = {end: pa.array(rng.integers(0, ACCOUNTS, TRANSFERS)).cast(pa.string()) for end in ("src", "dst")}
    months = pa.array(rng.integers(1, 4, TRANSFERS).tolist()).cast(pa.string())
    month = pa.array([date(2024, int(number.as_py()), 1) for number in months])
    currency = pa.array([None if n % 5 else "USD" for n in range(TRANSFERS)], pa.string())
    transfers = pa.table({**ends, "amount_fen": rng.integers(1, 10**6, TRANSFERS), "currency": currency, "month": month})
    owned = [(f"p{n % 90}", str(n)) for n in range(ACCOUNTS - 10)] + [("wife", str(n)) for n in range(0, ACCOUNTS - 10, 3)]
    owners = pa.table({"src": [party for party, _ in owned], "dst": [account for _, account in owned]})
    return transfers, owners, engine.keep(engine.arrow(transfers)), engine.keep(engine.arrow(owners))


def test_payments_are_summed_by_owners_month_and_currency_and_none_is_to_oneself(engine, tables):
    transfers, owners, *kept = tables
    of = {}
    for party, account in zip(*(owners[name].to_pylist() for name in ("src", "dst")), strict=True):
        of.setdefault(account, []).append(party)
    sums, counts = Counter(), Counter()
    for row in transfers.to_pylist():
        for payer in of.get(row["src"], []):
            for payee in of.get(row["dst"], []):
                if payer != payee:
                    key = (payer, payee, row["month"], row["currency"] or "CNY")
                    sums[key] += row["amount_fen"]
                    counts[key] += 1
    rows = engine.table(paid(*kept)).to_pylist()
    told = {(row["src"], row["dst"], row["month"], row["currency"]): (row["amount_fen"], row["count"]) for row in rows}
    assert told == {key: (sums[key], counts[key]) for key in sums}
    assert len({row["id"] for row in rows}) == len(rows)


def test_owners_are_never_joined_with_owners(engine, tables):
    plan = engine._backend.con.execute(f"EXPLAIN (FORMAT json) {ibis.to_sql(paid(*tables[2:]), dialect='duckdb')}").fetchall()[0][1]
    assert plan.count('"name": "HASH_JOIN"') == 2
    assert "NESTED_LOOP" not in plan
    assert "CROSS" not in plan
