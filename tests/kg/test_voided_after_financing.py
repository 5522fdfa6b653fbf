"""The rule voided_after_financing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.engine import Engine
from kg.errors import UsageError
from kg.rules.voided_after_financing import RULE, VoidedAfterFinancingParameters, find_voided_after_financing

from .narrowing import narrowed_and_whole

A, B, C = (f"company:x:{c}" for c in "abc")
FIRST = date(2024, 3, 1)


def bill(number, void=None, seller=A, buyer=B):
    """Return an invoice and the day from the first on which it was made void, None where it was not."""
    return (number, seller, buyer, None if void is None else FIRST + timedelta(days=void))


def lent(number, fen=100, day=0, borrower=A, kind="invoice"):
    return (borrower, kind, number, fen, datetime(2024, 3, 1, 2, tzinfo=UTC) + timedelta(days=day))


def tables(financings, bills, today=date(2024, 12, 31)):
    """Return the records; ids are f0, i0, …"""
    names = [[name for name in need.columns if name != "id"] for need in RULE.requires]
    order = ("borrower", "paper_kind", "paper_number", "amount_fen", "at"), ("number", "seller", "buyer", "void_on")
    rows = [
        [{"id": f"{letter}{place}", **dict(zip(columns, row, strict=True))} for place, row in enumerate(part)]
        for letter, columns, part in zip("fi", order, (financings, bills), strict=True)
    ]
    assert [set(columns) for columns in order] == [set(columns) for columns in names[:2]]
    made = [pa.Table.from_pylist(part, schema=need.empty().schema) for part, need in zip(rows, RULE.requires, strict=False)]
    return {**{need.name: table for need, table in zip(RULE.requires, made, strict=False)}, "as_of": pa.table({"day": [today]})}


def found(financings, bills, today=date(2024, 12, 31), **parameters):
    """Return what is found where two invoices are enough."""
    parameters = VoidedAfterFinancingParameters(**{"min_invoices": 2, **parameters})
    return find_voided_after_financing(tables(financings, bills, today), parameters).to_pylist()


TWO_VOID = [bill("FP1", 5), bill("FP2", 9), bill("FP3")]
THREE_LENT = [lent("FP1"), lent("fp-2", 70), lent("3")]


def test_a_seller_who_takes_back_two_of_three_financed_invoices_is_hit():
    (hit,) = found(THREE_LENT, TWO_VOID)
    assert (hit["entity_id"], hit["root"], hit["amount_fen"]) == (A, A, 170)
    assert hit["evidence"] == ["f0", "f1", "i0", "i1"]
    assert hit["at"] == datetime(2024, 3, 10, tzinfo=UTC)


def test_one_invoice_made_void_is_no_hit():
    assert found(THREE_LENT, [bill("FP1", 5), bill("FP2"), bill("FP3")]) == []
    assert found(THREE_LENT, [bill("FP1", 5), bill("FP2"), bill("FP3")], min_invoices=1)


def test_two_may_have_been_wrong_and_three_are_too_many_unless_told_otherwise():
    usual = VoidedAfterFinancingParameters()
    assert find_voided_after_financing(tables(THREE_LENT, TWO_VOID), usual).num_rows == 0
    assert find_voided_after_financing(tables(THREE_LENT, [bill("FP1", 5), bill("FP2", 9), bill("FP3", 9)]), usual).num_rows == 1


def test_a_few_of_many_are_no_hit():
    many = [bill(f"FP{n}", 5 if n < 2 else None) for n in range(11)]
    assert found([lent(f"FP{n}") for n in range(11)], many) == []
    assert found([lent(f"FP{n}") for n in range(10)], many)


def test_what_was_void_before_it_was_financed_is_another_matter():
    assert found([lent("FP1", day=6), lent("FP2", day=10)], TWO_VOID) == []
    assert found([lent("FP1", day=5), lent("FP2", day=9)], TWO_VOID)


def test_the_last_day_counts():
    late = [bill("FP1", 90), bill("FP2", 90)]
    assert found([lent("FP1"), lent("FP2")], late)
    assert found([lent("FP1"), lent("FP2")], late, within_days=89) == []


def test_what_is_to_be_void_after_the_business_date_is_not_known_yet():
    assert found(THREE_LENT, TWO_VOID, today=date(2024, 3, 10))
    assert found(THREE_LENT, TWO_VOID, today=date(2024, 3, 9)) == []


def test_a_buyer_who_shows_the_invoice_takes_nothing_back():
    assert found([lent("FP1", borrower=B), lent("FP2", borrower=B)], TWO_VOID) == []


def test_contracts_and_unclear_numbers_are_left_out():
    assert found([lent("FP1", kind="contract"), lent("FP2", kind="contract")], TWO_VOID) == []
    twice = [bill("FP1", 5), bill("FP1", 5, buyer=C), bill("FP2", 5), bill("FP2", 5, buyer=C)]
    assert found([lent("FP1"), lent("FP2")], twice) == []


def test_an_invoice_financed_twice_is_one_invoice_and_both_sums_are_at_stake():
    (hit,) = found([lent("FP1"), lent("FP1", 60), lent("FP2")], TWO_VOID)
    assert (hit["amount_fen"], hit["evidence"]) == (260, ["f0", "f1", "f2", "i0", "i1"])
    assert found([lent("FP1"), lent("FP1")], TWO_VOID) == []


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with Engine(tmp_path_factory.mktemp("spill"), memory="500MB", threads=1) as engine:
        yield engine


@settings(deadline=None, max_examples=20)
@given(data=st.data())
def test_neither_the_order_of_rows_nor_leaving_out_other_sellers_changes_anything(engine, data):
    parties, numbers = st.sampled_from((A, B, C)), st.sampled_from(("FP1", "fp1", "FP2", "3"))
    lending = data.draw(st.lists(st.builds(lent, numbers, st.integers(1, 9), st.integers(0, 9), borrower=parties), max_size=6))
    bills = data.draw(st.lists(st.builds(bill, numbers, st.none() | st.integers(0, 9), parties, parties), max_size=6))
    known = tables(lending, bills)
    narrow, whole = narrowed_and_whole(RULE, engine, known)
    assert narrow == whole
    mixed = {name: table.take(pa.array(data.draw(st.permutations(range(table.num_rows))), pa.int64())) for name, table in known.items()}
    one, other = (sorted(find_voided_after_financing(of, RULE.parameters).to_pylist(), key=str) for of in (known, mixed))
    assert one == other


@pytest.mark.parametrize("wrong", [{"min_invoices": 0}, {"min_percent": 0}, {"min_percent": 101}, {"within_days": -1}], ids=str)
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(UsageError, match=f"{next(iter(wrong))} is"):
        VoidedAfterFinancingParameters(**wrong)
