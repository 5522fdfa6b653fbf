"""The rule paper_financed_twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.engine import Engine
from kg.errors import UsageError
from kg.rules.paper_financed_twice import RULE, PaperFinancedTwiceParameters, find_papers_financed_twice

from .narrowing import narrowed_and_whole

A, B, C = (f"company:x:{c}" for c in "abc")
ONE, TWO, THREE = (f"company:x:bank{n}" for n in "123")
FIRST = datetime(2024, 3, 1, 2, tzinfo=UTC)
FINANCED = ("lender", "borrower", "paper_kind", "paper_number", "amount_fen", "at", "due_on")


def lent(lender, number, fen, day=0, term=90, borrower=A, kind="invoice"):
    """Return a financing of a day and for a term in days, None where no due day is stated."""
    due = None if term is None else FIRST.date() + timedelta(days=day + term)
    return (lender, borrower, kind, number, fen, FIRST + timedelta(days=day), due)


def tables(financings, invoices=(), contracts=()):
    """Return the records; invoices are (number, seller, buyer, gross) or contracts likewise. Ids are f0, i0, c0, …"""
    types = RULE.requires[0].empty().schema
    rows = [{"id": f"f{place}", **dict(zip(FINANCED, row, strict=True))} for place, row in enumerate(financings)]
    bills = [
        {"id": f"i{n}", "number": b[0], "seller": b[1], "buyer": b[2], "gross_fen": b[3], "net_fen": None, "tax_fen": None}
        for n, b in enumerate(invoices)
    ]
    signed = [{"id": f"c{n}", "number": b[0], "seller": b[1], "buyer": b[2], "amount_fen": b[3]} for n, b in enumerate(contracts)]
    made = (rows, types), (bills, RULE.requires[1].empty().schema), (signed, RULE.requires[2].empty().schema)
    return {need.name: pa.Table.from_pylist(part, schema=schema) for need, (part, schema) in zip(RULE.requires, made, strict=True)}


def found(financings, invoices=(), contracts=(), **parameters):
    return find_papers_financed_twice(tables(financings, invoices, contracts), PaperFinancedTwiceParameters(**parameters)).to_pylist()


BILL = ("FP0012", A, B, 1_000)


def test_one_invoice_at_two_lenders_beyond_its_amount_is_hit():
    (hit,) = found([lent(ONE, "FP0012", 700), lent(TWO, "FP0012", 650, day=20)], [BILL])
    assert (hit["entity_id"], hit["root"], hit["amount_fen"]) == (A, "i0", 350)
    assert hit["evidence"] == ["f0", "f1", "i0"]
    assert hit["at"] == FIRST + timedelta(days=20)


@pytest.mark.parametrize("spelt", ["fp0012", "FP-0012", "0012", "12", "FPOOl2"])
def test_a_number_spelt_otherwise_and_a_sum_off_by_little_are_the_same_paper(spelt):
    assert found([lent(ONE, "FP0012", 700), lent(TWO, spelt, 712)], [BILL])


def test_a_contract_is_a_paper_too():
    (hit,) = found([lent(ONE, "HT7", 700, kind="contract"), lent(TWO, "HT7", 700, kind="receivable")], contracts=[("HT7", A, B, 1_000)])
    assert hit["root"] == "c0"


def test_two_lenders_who_each_take_a_part_are_no_hit():
    halves = [lent(ONE, "FP0012", 500), lent(TWO, "FP0012", 500)]
    assert found(halves, [BILL]) == []
    assert found([halves[0], lent(TWO, "FP0012", 501)], [BILL])


def test_one_that_follows_when_the_first_fell_due_is_no_hit():
    assert found([lent(ONE, "FP0012", 800), lent(TWO, "FP0012", 800, day=90)], [BILL]) == []
    assert found([lent(ONE, "FP0012", 800), lent(TWO, "FP0012", 800, day=89)], [BILL])


def test_renewals_and_instalments_of_one_lender_are_no_hit():
    assert found([lent(ONE, "FP0012", 800), lent(ONE, "FP0012", 800, day=10)], [BILL]) == []
    assert found([lent(ONE, "FP0012", 800), lent(ONE, "FP0012", 800, day=90)], [BILL]) == []


def test_other_papers_of_the_same_parties_are_no_hit():
    assert found([lent(ONE, "FP0012", 800), lent(TWO, "FP0013", 800)], [BILL, ("FP0013", A, B, 1_000)]) == []


def test_a_paper_that_no_register_holds_is_hit_as_soon_as_two_lend():
    (hit,) = found([lent(ONE, "R-7", 500, kind="warehouse_receipt"), lent(TWO, "r7", 400, kind="warehouse_receipt")])
    assert (hit["root"], hit["amount_fen"]) == (f"{A}|warehouse_receipt|7", 400)


def test_numbers_of_other_borrowers_that_no_register_holds_are_other_papers():
    assert found([lent(ONE, "7", 500), lent(TWO, "7", 500, borrower=C)]) == []


def test_seller_and_buyer_who_both_finance_the_invoice_are_both_hit():
    hits = found([lent(ONE, "FP0012", 800), lent(TWO, "FP0012", 800, borrower=B)], [BILL])
    assert {(hit["entity_id"], hit["root"]) for hit in hits} == {(A, "i0"), (B, "i0")}


def test_where_a_number_may_mean_several_papers_all_of_them_count():
    both = [("1", A, B, 500), ("1", A, C, 500)]
    lending = [lent(ONE, "1", 450), lent(TWO, "1", 450)]
    assert found(lending, both) == []
    assert found([*lending, lent(THREE, "1", 450)], both)


def test_without_a_due_day_a_financing_runs_for_the_days_that_are_usual():
    pair = [lent(ONE, "FP0012", 800, term=None), lent(TWO, "FP0012", 800, day=180)]
    assert found(pair, [BILL]) == []
    assert found(pair, [BILL], unstated_days=181)


def test_a_placeholder_that_many_financings_name_is_no_number():
    many = [lent(f"company:x:bank{n}", "NA0", 100) for n in range(4)]
    assert found(many, max_financings=3) == []
    assert found(many, max_financings=4)


def test_what_was_lent_more_than_the_bound_is_told_even_where_a_third_lender_is_needed():
    pair = [lent(ONE, "FP0012", 800), lent(TWO, "FP0012", 800)]
    assert found(pair, [BILL], min_lenders=3) == []
    assert found(pair, [BILL], max_percent=160) == []
    assert found(pair, [BILL], max_percent=159)


def test_lines_without_a_sum_or_a_time_and_an_empty_table_are_left_out():
    broken = [(ONE, A, "invoice", "FP0012", None, FIRST, None), (TWO, A, "invoice", "FP0012", 800, FIRST, None)]
    assert found(broken, [BILL]) == []
    assert found([], [BILL]) == []


@settings(deadline=None, max_examples=30)
@given(st.data())
def test_the_order_of_rows_changes_nothing(data):
    lending = st.builds(
        lent, st.sampled_from((ONE, TWO)), st.sampled_from(("FP1", "1", "fp-1", "FP2")), st.integers(1, 900), st.integers(0, 99)
    )
    known = tables(data.draw(st.lists(lending, max_size=8)), [("FP1", A, B, 500), ("FP2", A, B, 800), ("FP1", A, C, 10)])
    mixed = {name: table.take(pa.array(data.draw(st.permutations(range(table.num_rows))), pa.int64())) for name, table in known.items()}
    one, other = (sorted(find_papers_financed_twice(of, RULE.parameters).to_pylist(), key=str) for of in (known, mixed))
    assert one == other


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with Engine(tmp_path_factory.mktemp("spill"), memory="500MB", threads=1) as engine:
        yield engine


@settings(deadline=None, max_examples=15)
@given(data=st.data())
def test_leaving_out_papers_of_others_changes_nothing(engine, data):
    parties, numbers = st.sampled_from((A, B, C)), st.sampled_from(("FP1", "1", "2"))
    lending = st.builds(lent, st.sampled_from((ONE, TWO)), numbers, st.integers(1, 900), st.integers(0, 99), borrower=parties)
    papers = st.lists(st.tuples(numbers, parties, parties, st.integers(1, 900)), max_size=5)
    narrow, whole = narrowed_and_whole(RULE, engine, tables(data.draw(st.lists(lending, max_size=6)), data.draw(papers), data.draw(papers)))
    assert narrow == whole


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.sampled_from((ONE, TWO, THREE)), st.integers(1, 900), st.integers(0, 200)), max_size=7))
def test_it_is_found_exactly_where_a_look_at_each_day_finds_it(rows):
    lending = [lent(lender, "FP0012", fen, day=day) for lender, fen, day in rows]
    too_much = False
    for _, _, day in rows:
        running = [(lender, fen) for lender, fen, begin in rows if begin <= day < begin + 90]
        too_much |= len({lender for lender, _ in running}) > 1 and sum(fen for _, fen in running) > 1_000
    assert bool(found(lending, [BILL])) == too_much


@pytest.mark.parametrize(
    "wrong", [{"min_lenders": 1}, {"max_percent": 0}, {"max_percent": 1_001}, {"unstated_days": 0}, {"max_financings": 1}], ids=str
)
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(UsageError, match=f"{next(iter(wrong))} is"):
        PaperFinancedTwiceParameters(**wrong)
