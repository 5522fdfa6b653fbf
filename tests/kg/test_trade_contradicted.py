"""The rules filings_contradicted and contracts_passed."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.engine import Engine
from kg.errors import UsageError
from kg.rules import contracts_passed, filings_contradicted
from kg.rules.contracts_passed import ContractsPassedParameters, find_passed_contracts
from kg.rules.filings_contradicted import FilingsContradictedParameters, find_contradicted_filings

from .narrowing import narrowed_and_whole

A, B, C = (f"company:x:{c}" for c in "abc")
JAN, FEB, MAR = (date(2024, month, 1) for month in (1, 2, 3))
M = 100_000_000  # a million yuan, in fen


def made(requires, name, letter, columns, rows):
    """Make the table of a need from rows with these columns, null in all others; ids are the letter and the place."""
    (need,) = (each for each in requires if each.name == name)
    named = [{"id": f"{letter}{place}", **dict(zip(columns.split(), row, strict=True))} for place, row in enumerate(rows)]
    full = [{**dict.fromkeys(need.columns), **row} for row in named]
    return pa.Table.from_pylist(full, schema=need.empty().schema)


def filings_tables(filings, invoiced, industry="C34"):
    """Return filings (company, month, months, fen) and what was invoiced (seller, month, net)."""
    needs = filings_contradicted.REQUIRES
    companies = [{"id": each, "industry": industry} for each in (A, B, C)]
    return {
        "records/tax_filings": made(needs, "records/tax_filings", "f", "company period months sales_fen", filings),
        "INVOICED": made(needs, "INVOICED", "i", "src month net_fen", invoiced),
        "Company": pa.Table.from_pylist(companies, schema=needs[2].empty().schema),
    }


def filings(*args, industry="C34", **parameters):
    return find_contradicted_filings(filings_tables(*args, industry), FilingsContradictedParameters(**parameters)).to_pylist()


def test_who_invoices_far_more_than_it_declares_is_hit_with_the_filings_and_the_invoices():
    (hit,) = filings([(A, JAN, 1, M), (A, FEB, 1, M)], [(A, JAN, 2 * M), (A, FEB, 2 * M), (B, FEB, M)])
    assert (hit["entity_id"], hit["root"], hit["amount_fen"], hit["at"]) == (A, A, 2 * M, None)
    assert hit["evidence"] == ["f0", "f1", "i0", "i1"]


def test_half_as_much_again_is_still_within():
    assert filings([(A, JAN, 1, 2 * M)], [(A, JAN, 3 * M)]) == []
    assert filings([(A, JAN, 1, 2 * M)], [(A, JAN, 3 * M + 1)])


def test_a_small_gap_is_no_hit_however_large_it_is_as_a_part():
    assert filings([(A, JAN, 1, 0)], [(A, JAN, M // 2 - 1)]) == []
    assert filings([(A, JAN, 1, 0)], [(A, JAN, M // 2)])


def test_what_is_declared_with_the_next_month_evens_out():
    assert filings([(A, JAN, 1, 0), (A, FEB, 1, 2 * M)], [(A, JAN, M), (A, FEB, M)]) == []


def test_who_declares_many_times_what_it_invoices_is_hit_unless_it_sells_to_people():
    rows = [(A, JAN, 1, 10 * M + 1)], [(A, JAN, M)]
    assert filings(*rows)
    assert filings([(A, JAN, 1, 10 * M)], [(A, JAN, M)]) == []
    for industry in ("F52", "F5211", "H62", "O80"):
        assert filings(*rows, industry=industry) == []


def test_months_of_which_the_bank_knows_no_invoices_say_nothing():
    assert filings([(A, JAN, 1, 100 * M), (A, FEB, 1, M)], [(A, FEB, M)]) == []


def test_of_monthly_and_quarterly_filings_the_monthly_ones_count():
    assert filings([(A, JAN, 1, M), (A, FEB, 1, M), (A, JAN, 3, 100 * M)], [(A, JAN, M), (A, FEB, M)]) == []


def test_a_quarter_s_filing_holds_three_months():
    assert filings([(A, JAN, 3, 3 * M)], [(A, JAN, M), (A, FEB, M), (A, MAR, M)]) == []
    assert filings([(A, JAN, 3, M)], [(A, JAN, M), (A, FEB, M), (A, MAR, M)])


def test_of_two_filings_of_a_month_that_which_declares_more_counts():
    assert filings([(A, JAN, None, 1), (A, JAN, 1, 2 * M)], [(A, JAN, 2 * M)]) == []


def test_filings_without_sales_or_a_length_above_nothing_are_left_out():
    assert filings([(A, JAN, 1, None), (A, JAN, 0, 1)], [(A, JAN, 9 * M)]) == []


# -- contracts ----------------------------------------------------------------------------------------------------


def contract_tables(contracts, invoiced):
    """Return contracts (seller, buyer, fen, signed, due) and what was invoiced (seller, buyer, month, net, tax)."""
    needs = contracts_passed.REQUIRES
    return {
        "records/contracts": made(needs, "records/contracts", "c", "seller buyer amount_fen signed_on due_on", contracts),
        "INVOICED": made(needs, "INVOICED", "i", "src dst month net_fen tax_fen", invoiced),
    }


def contracts(*args, **parameters):
    return find_passed_contracts(contract_tables(*args), ContractsPassedParameters(**parameters)).to_pylist()


SIGNED, DUE = date(2024, 1, 10), date(2024, 12, 31)


def test_seller_and_buyer_whose_invoices_pass_their_contract_are_hit():
    hits = contracts([(A, B, M, SIGNED, DUE)], [(A, B, JAN, 2 * M, 0), (A, B, FEB, 3 * M, 1), (B, A, FEB, 9 * M, 0)])
    assert [(hit["entity_id"], hit["root"], hit["amount_fen"], hit["evidence"]) for hit in hits] == [
        (party, f"{A}>{B}", 4 * M + 1, ["c0", "i0", "i1"]) for party in (A, B)
    ]


def test_five_times_the_amount_is_still_within():
    assert contracts([(A, B, M, SIGNED, DUE)], [(A, B, FEB, 5 * M, 0)]) == []


def test_all_contracts_of_the_pair_count_together():
    assert contracts([(A, B, M, SIGNED, DUE), (A, B, M, SIGNED, DUE)], [(A, B, FEB, 10 * M, 0)]) == []
    assert contracts([(A, B, M, SIGNED, DUE), (A, C, M, SIGNED, DUE)], [(A, B, FEB, 10 * M, 0)])


def test_a_contract_for_several_years_may_state_the_amount_of_one():
    assert contracts([(A, B, M, SIGNED, date(2025, 1, 11))], [(A, B, FEB, 10 * M, 0)]) == []  # the day that begins a second year
    assert contracts([(A, B, M, SIGNED, date(2025, 1, 10))], [(A, B, FEB, 10 * M, 0)])


@pytest.mark.parametrize(
    ("signed", "due", "years"),
    [
        (date(2023, 3, 1), date(2024, 3, 1), 1),
        (date(2023, 3, 1), date(2024, 3, 2), 2),
        (date(2020, 1, 1), date(2025, 1, 1), 5),
        (date(2020, 2, 29), date(2021, 2, 28), 1),
        (date(2020, 2, 29), date(2021, 3, 1), 2),
        (date(2023, 12, 31), date(2024, 1, 1), 1),
        (date(2024, 1, 2), date(2024, 1, 1), 1),
        (date(2024, 1, 2), None, 1),
    ],
)
def test_a_leap_day_begins_no_further_year(signed, due, years):
    month = signed.replace(day=1)
    assert contracts([(A, B, M, signed, due)], [(A, B, month, 5 * years * M, 0)]) == []
    assert contracts([(A, B, M, signed, due)], [(A, B, month, 5 * years * M + 1, 0)])


def test_a_contract_without_an_amount_agrees_on_prices_and_tells_nothing():
    assert contracts([(A, B, M, SIGNED, DUE), (A, B, None, SIGNED, DUE)], [(A, B, FEB, 99 * M, 0)]) == []
    assert contracts([(A, B, M, None, DUE)], [(A, B, FEB, 99 * M, 0)]) == []


def test_invoices_before_the_signature_and_after_the_end_rest_on_something_else():
    ends = date(2024, 2, 20)
    assert contracts([(A, B, M, date(2024, 2, 1), ends)], [(A, B, JAN, 9 * M, 0), (A, B, MAR, 9 * M, 0)]) == []
    assert contracts([(A, B, M, date(2024, 2, 1), None)], [(A, B, MAR, 9 * M, 0)])


def test_a_small_gap_between_contract_and_invoices_is_no_hit():
    assert contracts([(A, B, 1, SIGNED, DUE)], [(A, B, FEB, M // 2, 0)]) == []
    assert contracts([(A, B, 1, SIGNED, DUE)], [(A, B, FEB, M // 2 + 1, 0)])


# -- both ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with Engine(tmp_path_factory.mktemp("spill"), memory="500MB", threads=1) as engine:
        yield engine


PARTIES, MONTHS, SUMS = st.sampled_from((A, B, C)), st.sampled_from((JAN, FEB, MAR)), st.integers(0, 9).map(lambda n: n * M)


def changes_nothing(rule, engine, known, data):
    narrow, whole = narrowed_and_whole(rule, engine, known)
    assert narrow == whole
    mixed = {name: table.take(pa.array(data.draw(st.permutations(range(table.num_rows))), pa.int64())) for name, table in known.items()}
    one, other = (sorted(rule.find(of, rule.parameters).to_pylist(), key=str) for of in (known, mixed))
    assert one == other


@settings(deadline=None, max_examples=15)
@given(data=st.data())
def test_order_and_narrowing_change_nothing_of_filings(engine, data):
    filed = data.draw(st.lists(st.tuples(PARTIES, MONTHS, st.sampled_from((None, 1, 3)), SUMS), max_size=5))
    sold = data.draw(st.lists(st.tuples(PARTIES, MONTHS, SUMS), max_size=6))
    changes_nothing(filings_contradicted.RULE, engine, filings_tables(filed, sold), data)


@settings(deadline=None, max_examples=15)
@given(data=st.data())
def test_order_and_narrowing_change_nothing_of_contracts(engine, data):
    signed = data.draw(st.lists(st.tuples(PARTIES, PARTIES, SUMS, MONTHS, st.none() | MONTHS), max_size=5))
    sold = data.draw(st.lists(st.tuples(PARTIES, PARTIES, MONTHS, SUMS, SUMS), max_size=6))
    changes_nothing(contracts_passed.RULE, engine, contract_tables(signed, sold), data)


@pytest.mark.parametrize(
    ("parameters", "wrong"),
    [
        (FilingsContradictedParameters, {"max_invoiced_percent": 99}),
        (FilingsContradictedParameters, {"max_declared_percent": 99}),
        (FilingsContradictedParameters, {"min_gap_fen": 0}),
        (ContractsPassedParameters, {"max_percent": 99}),
        (ContractsPassedParameters, {"min_gap_fen": 0}),
    ],
    ids=str,
)
def test_parameters_out_of_range_are_refused(parameters, wrong):
    with pytest.raises(UsageError, match=f"{next(iter(wrong))} is"):
        parameters(**wrong)
