"""Which transfers rules look at: those that clients of the bank have a part in."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from kg.engine import Engine
from kg.payments.transfers import around_clients, aside, seen_whole

from .narrowing import ArrowGraph


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with Engine(tmp_path_factory.mktemp("spill"), memory="500MB", threads=1) as engine:
        yield engine


def bank(engine, owners, refs, pairs, borrowed=()):
    """Return the graph of a bank: who owns which account, the numbers of clients, transfers written as two accounts each."""
    companies = sorted({owner for owner, _ in owners})
    tables = {
        "TRANSFERRED_TO": pa.table({"id": [a + b for a, b in pairs], "src": [a for a, _ in pairs], "dst": [b for _, b in pairs]}),
        "OWNS_ACCOUNT": pa.table({"id": [a + b for a, b in owners], "src": [a for a, _ in owners], "dst": [b for _, b in owners]}),
        "Company": pa.table({"id": companies, "customer_ref": pa.array([refs.get(each) for each in companies], pa.string())}),
        "BORROWED": pa.table({"id": list(borrowed), "src": list(borrowed), "dst": ["loan"] * len(borrowed)}),
    }
    return ArrowGraph(engine, date(2024, 5, 6), {name: table for name, table in tables.items() if table.num_rows})


def seen(engine, *given, **more):
    """Return the transfers that are looked at."""
    graph = bank(engine, *given, **more)
    return sorted(engine.table(around_clients(graph.edges("TRANSFERRED_TO"), graph, None))["id"].to_pylist())


CHAIN = [("a", "b"), ("b", "c"), ("c", "d"), ("d", "e"), ("e", "f")]


def test_transfers_of_clients_and_of_those_they_pay_or_are_paid_by_are_looked_at_and_no_others(engine):
    assert seen(engine, [("company:b:1", "a"), ("company:b:2", "f")], {"company:b:1": "K1"}, CHAIN) == ["ab", "bc"]


def test_who_borrows_is_a_client_without_a_number(engine):
    assert seen(engine, [("company:b:2", "f")], {}, CHAIN, borrowed=["company:b:2"]) == ["de", "ef"]


def test_a_bank_without_clients_looks_at_none(engine):
    assert seen(engine, [("company:b:1", "a")], {}, CHAIN) == []


def judged(engine, owners, refs, pairs):
    """Return the owners of accounts of whom something may be told."""
    graph = bank(engine, owners, refs, pairs)
    parties = engine.arrow(pa.table({"entity_id": sorted({owner for owner, _ in owners})}))
    return engine.table(seen_whole(parties, graph))["entity_id"].to_pylist()


def test_nobody_is_judged_by_a_part_of_his_transfers(engine):
    owners = [("company:b:1", "a"), ("company:b:2", "b"), ("company:b:3", "c"), ("company:b:4", "b2"), ("company:b:4", "c")]
    assert judged(engine, owners[:3], {"company:b:1": "K1"}, CHAIN) == ["company:b:1", "company:b:2"]
    assert judged(engine, [*owners[:1], *owners[3:]], {"company:b:1": "K1"}, [*CHAIN, ("a", "b2")]) == ["company:b:1"]
    assert judged(engine, owners[:3], {}, CHAIN) == []


def test_accounts_of_which_not_all_transfers_are_there_bear_names_that_nobody_owns(engine):
    graph = bank(engine, [("company:b:1", "b")], {}, [*CHAIN, ("c", "b")])
    whole = engine.arrow(pa.table({"account": ["b"]}))
    rows = engine.table(aside(graph.edges("TRANSFERRED_TO"), whole)).to_pylist()
    assert {(row["id"], row["src"], row["dst"]) for row in rows} == {
        ("ab", "elsewhere:a", "b"),
        ("bc", "b", "elsewhere:c"),
        ("cb", "elsewhere:c", "b"),
    }
