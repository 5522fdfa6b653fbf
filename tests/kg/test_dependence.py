"""Who depends on whom: by the invoices of a year, and by guarantees beyond the capital."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

import ibis
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.derivations.dependence import guarantee_dependence, trade_dependence
from kg.ruleset import Threshold

DAY = date(2026, 6, 15)


@pytest.fixture(scope="module")
def engine():
    return ibis.duckdb.connect()


def invoices(*rows):
    """Make the table of (seller, buyer, month number of 2026, or of 2025 below one, fen)."""
    months = [date(2026 + (number - 1) // 12, (number - 1) % 12 + 1, 1) for _, _, number, _ in rows]
    columns = {
        "src": [r[0] for r in rows],
        "dst": [r[1] for r in rows],
        "month": pa.array(months, pa.date32()),
        "net_fen": [r[3] for r in rows],
    }
    return ibis.memtable(pa.table(columns))


def depends(engine, *rows, **more):
    found = engine.to_pyarrow(trade_dependence(invoices(*rows), DAY, **more)).to_pylist()
    return {(r["dependent"], r["on"], r["test"]): r["ppm"] for r in found}


def traded(seller, buyer, fen, months=(4, 5, 6)):
    return [(seller, buyer, month, fen) for month in months]


def test_who_sells_half_to_one_buyer_depends_on_it_and_the_buyer_of_many_does_not_depend_on_the_seller(engine):
    rows = [*traded("s", "core", 500), *traded("s", "x", 250), *traded("s", "y", 250), *traded("o", "core", 9_000)]
    found = depends(engine, *rows)
    assert found[("s", "core", "receipts")] == 500_000
    assert ("core", "s", "spending") not in found
    assert ("s", "x", "receipts") not in found


def test_one_fen_less_than_half_is_no_dependence(engine):
    rows = [*traded("s", "core", 499_999), *traded("s", "x", 500_001)]
    assert ("s", "core", "receipts") not in depends(engine, *rows)
    assert depends(engine, *rows)[("s", "x", "receipts")] == 500_001


def test_a_strict_threshold_must_be_passed(engine):
    rows = [*traded("s", "core", 5), *traded("s", "x", 5)]
    assert len([key for key in depends(engine, *rows) if key[0] == "s"]) == 2
    assert not [key for key in depends(engine, *rows, threshold=Threshold(500_000, strict=True)) if key[0] == "s"]


def test_a_single_order_makes_nobody_dependent(engine):
    assert depends(engine, *traded("s", "b", 100, months=(5, 6))) == {}


def test_what_is_older_than_a_year_or_of_tomorrow_does_not_count(engine):
    rows = [
        *traded("s", "core", 100),
        *traded("s", "old", 9_000, months=(4 - 12, 5 - 12, 6 - 12)),
        *traded("s", "next", 9_000, months=(7, 8, 9)),
    ]
    found = depends(engine, *rows)
    assert found[("s", "core", "receipts")] == 1_000_000
    assert {on for _, on, _ in found} == {"core", "s"}


def test_credit_notes_are_taken_off(engine):
    rows = [*traded("s", "core", 600), *traded("s", "core", -400), *traded("s", "x", 300)]
    found = depends(engine, *rows)
    assert ("s", "core", "receipts") not in found
    assert found[("s", "x", "receipts")] == 600_000


def test_sums_beyond_what_a_product_of_64_bits_holds_are_counted_exactly(engine):
    large = 10**15
    rows = [*traded("s", "core", large), *traded("s", "x", large - 1)]
    assert depends(engine, *rows)[("s", "core", "receipts")] == 500_000


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("cde"), st.integers(1, 6), st.integers(-50, 100)), min_size=1, max_size=25)
)
def test_dependence_is_what_adding_up_by_hand_gives(engine, rows):
    expected = {}
    for of, on, test in ((0, 1, "receipts"), (1, 0, "spending")):
        whole, part, months = defaultdict(int), defaultdict(int), defaultdict(set)
        for row in rows:
            whole[row[of]] += row[3]
            part[row[of], row[on]] += row[3]
            months[row[of], row[on]].add(row[2])
        for (dependent, other), fen in part.items():
            if whole[dependent] > 0 and fen > 0 and len(months[dependent, other]) >= 3 and 2 * fen >= whole[dependent]:
                expected[dependent, other, test] = min(fen * 1_000_000 // whole[dependent], 1_000_000)
    assert depends(engine, *rows) == expected


def test_who_guarantees_more_than_its_capital_for_one_party_depends_on_it(engine):
    given_ = ibis.memtable(pa.table({"src": ["g", "g", "h"], "dst": ["b", "b", "b"], "amount_fen": [60, 50, 100]}))
    firms = ibis.memtable(pa.table({"id": ["g", "h"], "capital_fen": [100, 100]}))
    found = engine.to_pyarrow(guarantee_dependence(given_, firms)).to_pylist()
    assert [(r["dependent"], r["on"], r["test"]) for r in found] == [("g", "b", "guarantee")]
