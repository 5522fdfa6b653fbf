"""The register as derivations read it: shares stated as money, bodies of the State, nominees claimed twice, rebuttals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from fractions import Fraction

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg import schema
from kg.engine import Engine
from kg.graph import Graph, columns, table_name
from kg.lake import Lake
from kg.ownership.nominees import sound
from kg.ownership.register import _ppm, register

DAY = date(2026, 3, 1)


@pytest.fixture
def lake(tmp_path) -> Iterator[Lake]:
    with Engine(tmp_path / "spill") as engine:
        yield Lake(tmp_path / "lake", engine, {})


def put(lake, type_, *rows):
    """Write rows to the table of a type, null where a row says nothing."""
    wanted = columns(type_).to_pyarrow()
    lake.ensure(table_name(type_), columns(type_))
    full = [{name: row.get(name) for name in wanted.names} | {"first_run": "1"} for row in rows]
    lake.append(table_name(type_), lake.engine.arrow(pa.Table.from_pylist(full, wanted)), "1")


def held(lake, *rows):
    put(lake, schema.edge("HOLDS_SHARES"), *({"id": f"h{n}", **row} for n, row in enumerate(rows)))
    return register(Graph(lake, DAY)).holdings.to_pylist()


def test_a_share_that_is_stated_as_money_alone_is_counted_of_all_that_was_subscribed(lake):
    found = held(lake, {"src": "p", "dst": "c", "subscribed_fen": 300}, {"src": "q", "dst": "c", "subscribed_fen": 700})
    assert {row["holder"]: row["share_ppm"] for row in found} == {"p": 300_000, "q": 700_000}


def test_a_stated_share_is_kept_and_one_holder_without_money_leaves_all_unknown(lake):
    found = held(
        lake,
        {"src": "p", "dst": "c", "share_ppm": 1, "subscribed_fen": 500},
        {"src": "q", "dst": "c", "subscribed_fen": 500},
        {"src": "p", "dst": "d", "subscribed_fen": 500},
        {"src": "q", "dst": "d"},
    )
    assert {(row["holder"], row["held"]): row["share_ppm"] for row in found} == {
        ("p", "c"): 1,
        ("q", "c"): 500_000,
        ("p", "d"): None,
        ("q", "d"): None,
    }


def test_what_two_sources_tell_of_one_holder_is_not_added_up_and_whom_one_alone_knows_stays(lake):
    found = held(
        lake,
        {"src": "p", "dst": "c", "share_ppm": 300_000, "source": "registry"},
        {"src": "p", "dst": "c", "share_ppm": 310_000, "source": "crm"},
        # two instalments of one source are one holding
        {"src": "q", "dst": "c", "share_ppm": 200_000, "source": "registry"},
        {"src": "q", "dst": "c", "share_ppm": 200_000, "source": "registry"},
        {"src": "q", "dst": "c", "share_ppm": 390_000, "source": "crm"},
        # a share that only one of them knows, money where no share is stated, and the name where they say as much
        {"src": "r", "dst": "c", "source": "crm"},
        {"src": "r", "dst": "c", "share_ppm": 50_000, "source": "registry"},
        {"src": "s", "dst": "d", "subscribed_fen": 700, "source": "crm"},
        {"src": "s", "dst": "d", "subscribed_fen": 300, "source": "registry"},
        {"src": "t", "dst": "d", "subscribed_fen": 300, "source": "registry"},
        {"src": "t", "dst": "d", "subscribed_fen": 300, "source": "crm"},
    )
    told = sorted((row["holder"], row["share_ppm"], row["id"]) for row in found)
    assert told == [
        ("p", 310_000, "h1"),
        ("q", 200_000, "h2"),
        ("q", 200_000, "h3"),
        ("r", 50_000, "h6"),
        ("s", 700_000, "h7"),
        ("t", 300_000, "h10"),
    ]


@given(st.integers(0, 10**15), st.integers(0, 10**15))
def test_parts_of_large_amounts_are_rounded_down_exactly(part, others):
    whole = max(part + others, 1)
    (found,) = _ppm(pa.chunked_array([[part]]), pa.chunked_array([[whole]])).to_pylist()
    assert found == Fraction(part * 1_000_000, whole).__floor__()


def test_a_body_of_the_state_is_known_by_what_a_source_says_or_else_by_its_name(lake):
    put(
        lake,
        schema.node("Company"),
        {"id": "a", "name": "杭州市人民政府国有资产监督管理委员会"},
        {"id": "b", "name": "云帆科技有限公司", "kind": "state"},
        {"id": "c", "name": "国资委招待所", "kind": "company"},
        {"id": "d", "name": "云帆科技有限公司"},
        {"id": "e", "listed": True},
    )
    rows = register(Graph(lake, DAY)).parties.to_pylist()
    assert {row["party"]: (row["kind"], row["listed"]) for row in rows} == {
        "a": ("state", False),
        "b": ("state", False),
        "e": ("company", True),
    }


def test_a_nominee_whom_two_claim_counts_as_the_holder_itself():
    claims = pa.table({"nominator": ["x", "y", "x"], "nominee": ["n", "n", "n"], "held": ["c", "c", "d"]})
    assert sound(claims).to_pylist() == [{"nominator": "x", "nominee": "n", "held": "d"}]


def test_of_some_companies_only_their_own_holdings_are_read(lake):
    put(lake, schema.edge("HOLDS_SHARES"), {"id": "h0", "src": "p", "dst": "c"}, {"id": "h1", "src": "p", "dst": "d"})
    found = register(Graph(lake, DAY), pa.array(["d"])).holdings
    assert found["id"].to_pylist() == ["h1"]
