"""Which transfers rules look at: those that clients of the bank have a part in."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from kg.engine import Engine
from kg.transfers import around_clients

from .narrowing import ArrowGraph


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with Engine(tmp_path_factory.mktemp("spill"), memory="500MB", threads=1) as engine:
        yield engine


def seen(engine, owners, refs, pairs, borrowed=()):
    """Return the transfers, written as two accounts each, that are looked at."""
    companies = sorted({owner for owner, _ in owners})
    tables = {
        "TRANSFERRED_TO": pa.table({"id": [a + b for a, b in pairs], "src": [a for a, _ in pairs], "dst": [b for _, b in pairs]}),
        "OWNS_ACCOUNT": pa.table({"id": [a + b for a, b in owners], "src": [a for a, _ in owners], "dst": [b for _, b in owners]}),
        "Company": pa.table({"id": companies, "customer_ref": pa.array([refs.get(each) for each in companies], pa.string())}),
        "BORROWED": pa.table({"id": list(borrowed), "src": list(borrowed), "dst": ["loan"] * len(borrowed)}),
    }
    graph = ArrowGraph(engine, date(2024, 5, 6), {name: table for name, table in tables.items() if table.num_rows})
    return sorted(engine.table(around_clients(graph.edges("TRANSFERRED_TO"), graph, None))["id"].to_pylist())


CHAIN = [("a", "b"), ("b", "c"), ("c", "d"), ("d", "e"), ("e", "f")]


def test_transfers_of_clients_and_of_those_they_pay_or_are_paid_by_are_looked_at_and_no_others(engine):
    assert seen(engine, [("company:b:1", "a"), ("company:b:2", "f")], {"company:b:1": "K1"}, CHAIN) == ["ab", "bc"]


def test_who_borrows_is_a_client_without_a_number(engine):
    assert seen(engine, [("company:b:2", "f")], {}, CHAIN, borrowed=["company:b:2"]) == ["de", "ef"]


def test_a_bank_without_clients_looks_at_none(engine):
    assert seen(engine, [("company:b:1", "a")], {}, CHAIN) == []
