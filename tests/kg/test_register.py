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


def both(lake, *rows):
    """Put rows of the sources ``a`` and ``b``, and return what is read as ``holder, share_ppm, votes_ppm``."""
    found = held(lake, *({"dst": "c", **row} for row in rows))
    return sorted((row["holder"], row["share_ppm"], row["votes_ppm"]) for row in found)


def test_what_two_sources_tell_of_one_holder_is_not_added_up_and_whom_one_alone_knows_stays(lake):
    found = both(
        lake,
        {"src": "p", "share_ppm": 300_000, "source": "a"},
        {"src": "p", "share_ppm": 310_000, "source": "b"},
        # two instalments of one source are two holdings
        {"src": "q", "share_ppm": 200_000, "source": "a"},
        {"src": "q", "share_ppm": 200_000, "source": "a"},
        {"src": "q", "share_ppm": 390_000, "source": "b"},
        {"src": "r", "share_ppm": 100_000, "source": "b"},
    )
    # b knows more holders
    assert found == [("p", 310_000, None), ("q", 390_000, None), ("r", 100_000, None)]


def test_of_two_registers_that_know_as_many_holders_the_one_that_tells_of_more_shares_counts(lake):
    a = ({"src": "p", "share_ppm": 300_000}, {"src": "q", "share_ppm": 200_000}, {"src": "q", "share_ppm": 200_000})
    b = ({"src": "p", "share_ppm": 310_000}, {"src": "q", "share_ppm": 380_000})
    found = both(lake, *({**row, "source": "z"} for row in a), *({**row, "source": "b"} for row in b))
    assert found == [("p", 300_000, None), ("q", 200_000, None), ("q", 200_000, None)]


def test_a_share_that_is_not_known_yields_to_a_known_one_and_votes_that_one_source_states_stay(lake):
    unknown = (
        {"src": "p", "source": "a"},
        {"src": "q", "share_ppm": 500_000, "source": "a"},
        {"src": "p", "share_ppm": 50_000, "source": "b"},
    )
    assert both(lake, *unknown) == [("p", 50_000, None), ("q", 500_000, None)]


@pytest.mark.parametrize("share", [300_000, 350_000])
def test_votes_that_one_source_states_stay_whatever_share_the_other_says(lake, share):
    voting = {"src": "p", "share_ppm": 300_000, "votes_ppm": 600_000, "source": "b"}
    assert both(lake, voting, {"src": "p", "share_ppm": share, "source": "a"}) == [("p", 300_000, 600_000)]


def test_money_is_a_share_of_what_its_own_source_says_was_subscribed(lake):
    whole = ({"src": "p", "subscribed_fen": 40, "source": "z"}, {"src": "q", "subscribed_fen": 60, "source": "z"})
    assert both(lake, *whole, {"src": "p", "subscribed_fen": 400, "source": "b"}) == [("p", 400_000, None), ("q", 600_000, None)]


def test_a_share_beside_another_source_s_money_leaves_the_shares_of_that_money(lake):
    whole = ({"src": "p", "subscribed_fen": 30, "source": "b"}, {"src": "q", "subscribed_fen": 70, "source": "b"})
    assert both(lake, *whole, {"src": "p", "share_ppm": 300_000, "source": "a"}) == [("p", 300_000, None), ("q", 700_000, None)]


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
