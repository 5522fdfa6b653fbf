"""What FinBench's complex reads 4, 5, 8 and 11 make of tables and windows as people give them: any unit, any width, or a sentence."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from fractions import Fraction
from math import floor

import numpy as np
import pyarrow as pa
import pytest

from kg.derivations.traces import guaranteed_loans, loan_flow, traces, triangles
from kg.errors import UsageError

DAY = datetime(2024, 1, 1)
WINDOW = (DAY, datetime(2024, 1, 31))
MUCH = 2**62 - 1
TABLES = {
    "transfers": {"payer": ["a", "b", "c"], "payee": ["b", "c", "a"], "amount_fen": [9, 8, 7], "at": [DAY, DAY, DAY]},
    "withdrawals": {"payer": ["c"], "payee": ["w"], "amount_fen": [5], "at": [DAY]},
    "deposits": {"loan": ["l"], "account": ["a"], "amount_fen": [10], "at": [DAY]},
    "loans": {"loan": ["l", "m"], "amount_fen": [10, 4]},
    "owners": {"owner": ["p"], "account": ["a"]},
    "guarantees": {"guarantor": ["p", "q"], "guaranteed": ["q", "r"], "at": [DAY, DAY]},
    "borrowed": {"borrower": ["q", "r"], "loan": ["l", "m"]},
}
#: Each read with the tables that it takes.
READS = {
    "triangles": ("transfers",),
    "traces": ("transfers", "owners"),
    "loan_flow": ("deposits", "transfers", "withdrawals", "loans"),
    "guaranteed_loans": ("guarantees", "borrowed", "loans"),
}
ASKED = {"source": "a", "target": "b", "owner": "p", "loan": "l", "person": "p", "threshold_ppm": 0, "window": WINDOW}


def ask(read, tables=None, **asked):
    """What a read tells of the small tables, some of their columns put in the place of others."""
    some = {name: pa.table(TABLES[name] | (tables or {}).get(name, {})) for name in READS[read]}
    asked = ASKED | asked
    if read == "triangles":
        return triangles(some["transfers"], asked["source"], asked["target"], asked["window"]).to_pylist()
    if read == "traces":
        return traces(*some.values(), asked["owner"], asked["window"])["path"].to_pylist()
    if read == "loan_flow":
        return loan_flow(*some.values(), **{name: asked[name] for name in ("loan", "window", "threshold_ppm")}).to_pylist()
    return guaranteed_loans(*some.values(), asked["person"], asked["window"])


def refuses(read, said, tables=None, **asked):
    with pytest.raises(UsageError, match=re.escape(said)):
        ask(read, tables, **asked)


MOMENTS = [DAY + timedelta(hours=12 * half, microseconds=micro) for half in range(6) for micro in (0, 1, 1_000, 500_000, 999_999)]
UNITS = [pa.timestamp(unit) for unit in ("s", "ms", "us", "ns")] + [pa.timestamp("s", "Asia/Shanghai"), pa.date32(), pa.date64()]


@pytest.mark.parametrize("unit", UNITS, ids=str)
def test_a_window_holds_its_ends_in_any_unit(unit):
    kept = pa.array(MOMENTS).cast(unit, safe=False)
    at = kept.cast(pa.timestamp("us")).to_pylist()
    payees = [f"b{row}" for row in range(len(at))]
    many = {"payer": ["a"] * len(at), "payee": payees, "amount_fen": [1] * len(at), "at": kept}
    ends = [moment + timedelta(microseconds=micro) for moment in at[::11] for micro in (-1, 0, 1, 500_000)]
    windows = [(first, last) for first in ends for last in ends if first <= last]
    for window in windows:
        found = {path[-1] for path in ask("traces", {"transfers": many}, window=window)}
        assert found == {payee for payee, moment in zip(payees, at, strict=True) if window[0] <= moment <= window[1]}


def test_a_window_of_hours_holds_no_row_of_a_day_or_second_before_it():
    seconds = {"transfers": {"at": pa.array([DAY] * 3, pa.timestamp("s"))}}
    assert ask("traces", seconds, window=(DAY + timedelta(seconds=0.5), WINDOW[1])) == []
    days = {"guarantees": {"at": pa.array([DAY] * 2, pa.date32())}}
    assert ask("guaranteed_loans", days, window=(DAY + timedelta(hours=9), DAY + timedelta(hours=17))) == (0, 0)
    assert ask("guaranteed_loans", days, window=(DAY.date(), DAY.date())) == (14, 2)


def test_a_moment_with_a_time_zone_is_the_same_moment():
    east = timezone(timedelta(hours=8))
    there = datetime(2024, 1, 1, 8, tzinfo=east)
    kept = {"transfers": {"at": pa.array([there] * 3, pa.timestamp("us", "Asia/Shanghai"))}}
    for tables in ({}, kept):
        assert ask("triangles", tables, window=(there, datetime(2024, 1, 1, tzinfo=UTC)))
        assert ask("triangles", tables, window=(DAY, DAY))
        assert not ask("triangles", tables, window=(there + timedelta(microseconds=1), there + timedelta(days=1)))


def test_times_that_are_numbers_are_asked_for_in_numbers():
    numbers = {"transfers": {"at": [1, 2, 3]}}
    assert ask("traces", numbers, window=(1, 2)) == [["a", "b", "c"], ["a", "b"]]
    assert ask("traces", numbers, window=(0, 2**70))[0] == ["a", "b", "c"]
    assert ask("traces", numbers, window=(2**64, 2**70)) == []
    refuses("traces", "transfers row 0: at is 1, of type int64; the window is of moments, so give timestamps or dates", numbers)
    refuses("traces", "the window is of numbers", window=(1, 2))
    refuses("traces", "at holds numbers of more than 64 bits", {"transfers": {"at": pa.array([1, 2, 2**63], pa.uint64())}}, window=(1, 2))


def test_nanoseconds_may_end_long_before_a_window_does():
    at = {"transfers": {"at": pa.array([DAY] * 3, pa.timestamp("ns"))}}
    assert ask("triangles", at, window=(datetime.min, datetime.max))
    assert not ask("triangles", at, window=(datetime(2300, 1, 1), datetime.max))


NO_WINDOWS = {
    "none": (None, "window is None; give its first and its last moment"),
    "strings": (("2024-01-01", "2024-02-01"), "window is ('2024-01-01', '2024-02-01'); give its first and its last moment"),
    "one end": ((DAY,), "give its first and its last moment"),
    "open": ((DAY, None), "give its first and its last moment"),
    "truth": ((False, True), "give its first and its last moment"),
    "zones": ((DAY, datetime(2024, 2, 1, tzinfo=UTC)), "a window begins at 2024-01-01 00:00:00, without a time zone, and ends at"),
    "kinds": ((DAY, 5), "and ends at 5, a number; give both ends alike"),
    "turned": ((date(2024, 2, 1), DAY), "a window begins at 2024-02-01 and ends at 2024-01-01 00:00:00; turn it round"),
}


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize(("window", "said"), NO_WINDOWS.values(), ids=NO_WINDOWS)
def test_what_is_no_window_is_refused(read, window, said):
    refuses(read, said, window=window)


ALL = [(read, name, column) for read, names in READS.items() for name in names for column in TABLES[name]]
READ = [(read, name, column) for read, name, column in ALL if (read, column) != ("traces", "amount_fen")]


@pytest.mark.parametrize(("read", "name", "column"), READ)
def test_a_column_that_is_missing_null_or_of_another_type_is_refused(read, name, column, monkeypatch):
    values = TABLES[name][column]
    refuses(read, f"{name} row {len(values) - 1}: {column} is null", {name: {column: [*values[:-1], None]}})
    amiss = 2.5 if column == "amount_fen" else True
    refuses(read, f"{column} is ", {name: {column: [amiss] * len(values)}})
    monkeypatch.setitem(TABLES, name, {other: kept for other, kept in TABLES[name].items() if other != column})
    refuses(read, f"{name} lack the column {column}")


@pytest.mark.parametrize(("read", "name", "column"), [each for each in READ if each[2] not in ("amount_fen", "at")])
def test_ids_of_another_kind_than_those_elsewhere_are_refused(read, name, column):
    refuses(read, "make ids alike", {name: {column: list(range(len(TABLES[name][column])))}})


@pytest.mark.parametrize(
    ("read", "what"), [("triangles", "target"), ("traces", "owner"), ("loan_flow", "loan"), ("guaranteed_loans", "person")]
)
def test_an_id_that_is_asked_for_is_of_the_kind_of_those_in_the_tables(read, what):
    refuses(read, "make ids alike", **{what: 7})
    for none in (None, True, 1.5, 2**63):
        refuses(read, f"{what} is {none!r}; ids are strings or whole numbers of 64 bits", **{what: none})


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("form", [pa.large_string(), pa.dictionary(pa.int32(), pa.string()), pa.int32(), pa.uint8()], ids=str)
def test_ids_are_the_same_however_they_are_kept(read, form):
    number = {letter: place for place, letter in enumerate("abcwlmpqr")}
    wide = pa.int64() if pa.types.is_integer(form) else pa.string()
    tables, plain = {}, {}
    for place, name in enumerate(READS[read]):
        columns = {key: values for key, values in TABLES[name].items() if isinstance(values[0], str)}
        if wide == pa.int64():
            columns = {key: [number[value] for value in values] for key, values in columns.items()}
        plain[name] = {key: pa.array(values, wide) for key, values in columns.items()}
        # in every other column another form, so that no two are kept alike
        tables[name] = {
            key: pa.array(values, wide).cast(form if (place + at) % 2 else wide) for at, (key, values) in enumerate(columns.items())
        }
    asked = {key: number[value] for key, value in ASKED.items() if isinstance(value, str)} if wide == pa.int64() else {}
    assert ask(read, tables, **asked) == ask(read, plain, **asked) != []


def test_tables_without_rows_may_be_of_any_type():
    none = {"withdrawals": {"payer": [], "payee": pa.array([], pa.int64()), "amount_fen": [], "at": []}}
    assert {row["account"] for row in ask("loan_flow", none)} == {"b", "c"}
    empty = {"guarantees": {"guarantor": [], "guaranteed": [], "at": []}}
    assert ask("guaranteed_loans", empty) == (0, 0)
    assert ask("guaranteed_loans", empty | {"borrowed": {"borrower": [], "loan": []}}, person=5) == (0, 0)


@pytest.mark.parametrize(("read", "name", "column"), [each for each in READ if each[2] == "amount_fen"])
def test_more_than_all_money_is_refused(read, name, column):
    many = len(TABLES[name][column])
    refuses(read, f"{name} row {many - 1}: amount_fen is {2**62}, more than all money", {name: {column: [1] * (many - 1) + [2**62]}})
    refuses(read, f"{name} row 0: amount_fen is {-(2**62)}, more than", {name: {column: [-(2**62)] + [1] * (many - 1)}})
    huge = pa.array([1] * (many - 1) + [2**64 - 1], pa.uint64())
    refuses(read, f"{name} row {many - 1}: amount_fen is {2**64 - 1}, more than", {name: {column: huge}})


def closed(times):
    """Transfers of the most that there may be: a pays b, and so many times b pays c, and c pays a."""
    ends = {"payer": ["a", *["b"] * times, *["c"] * times], "payee": ["b", *["c"] * times, *["a"] * times]}
    return {"transfers": {**ends, "amount_fen": [MUCH] * (2 * times + 1), "at": [DAY] * (2 * times + 1)}}


def test_sums_are_exact_or_refused():
    assert [row["sum_edge3_fen"] for row in ask("triangles", closed(2))] == [2 * MUCH]
    refuses("triangles", f"transfers between two accounts add up to {3 * MUCH} fen, more than 64 bits hold", closed(3))
    refuses("loan_flow", f"transfers and deposits to one account add up to {3 * MUCH + 10} fen", closed(3))
    paid_out = {"payer": ["a"] * 3, "payee": ["w"] * 3, "amount_fen": [MUCH] * 3, "at": [DAY] * 3}
    refuses("loan_flow", f"transfers and withdrawals to one account add up to {3 * MUCH} fen", {"withdrawals": paid_out})
    loans = {"loan": ["l", "m"], "amount_fen": [MUCH] * 2}
    assert ask("guaranteed_loans", {"loans": loans}) == (2 * MUCH, 2)
    three = {"loans": {"loan": ["l", "m", "n"], "amount_fen": [MUCH] * 3}, "borrowed": {"borrower": ["q"] * 3, "loan": ["l", "m", "n"]}}
    refuses("guaranteed_loans", f"loans of those whom one person guarantees add up to {3 * MUCH} fen, more than 64 bits hold", three)


def passed_on(lent, fen):
    moved = {"payer": ["a"], "payee": ["b"], "amount_fen": [fen], "at": [DAY]}
    return {"deposits": {"amount_fen": [1]}, "transfers": moved, "loans": {"amount_fen": [lent, 1]}}


def test_the_ratio_of_a_large_loan_is_exact():
    assert ask("loan_flow", passed_on(10**16, 10**16)) == [{"account": "b", "ratio_permille": 1_000, "distance": 2}]
    rng = np.random.default_rng(8)
    for lent, fen in rng.integers(2**50, 2**62, (20, 2)).tolist():
        (row,) = ask("loan_flow", passed_on(lent, fen))
        assert row["ratio_permille"] == floor(Fraction(fen * 1_000, lent) + Fraction(1, 2))
    refuses("loan_flow", f"{MUCH * 1_000} thousandths of the loan came to one account", passed_on(1, MUCH))
    # a deposit that was taken back: less than nothing is upstream
    back = passed_on(1, -MUCH) | {"deposits": {"amount_fen": [-MUCH]}}
    refuses("loan_flow", f"{-MUCH * 1_000} thousandths of the loan came to one account", back, threshold_ppm=2_000_000)


def test_a_loan_of_nothing_has_no_parts():
    refuses(
        "loan_flow",
        "loans row 1: amount_fen is 0; the flow is told in thousandths of the loan",
        {"loans": {"amount_fen": [4, 0]}},
        loan="m",
    )
    refuses("loan_flow", "loans row 0: amount_fen is -3; the flow", {"loans": {"amount_fen": [-3, 0]}})
    assert ask("guaranteed_loans", {"loans": {"amount_fen": [0, 4]}}) == (4, 2)


@pytest.mark.parametrize("threshold", [0.5, "1", None, True, 10**10, -1])
def test_a_threshold_is_a_whole_number_of_ppm(threshold):
    refuses("loan_flow", f"threshold_ppm is {threshold!r}; a part of what came in is a whole number of ppm", threshold_ppm=threshold)


def test_the_largest_threshold_leaves_what_had_no_upstream():
    outside = {"transfers": {"payer": ["a"], "payee": ["b"], "amount_fen": [9], "at": [DAY]}, "deposits": {"amount_fen": [0]}}
    assert [row["account"] for row in ask("loan_flow", outside, threshold_ppm=np.int64(10**10 - 1))] == ["b"]


def test_a_loan_counts_once():
    twice = {"loans": {"loan": ["l", "m", "k", "m", "l"], "amount_fen": [10, 4, 1, 4, 10]}}
    for read in ("loan_flow", "guaranteed_loans"):
        refuses(read, "loans row 3: loan m stands in row 1 already; give each once", twice)
    assert ask("guaranteed_loans", {"borrowed": {"borrower": ["q", "r", "q"], "loan": ["l", "l", "l"]}}) == (10, 1)


def test_a_loan_that_is_not_listed_is_left_out():
    assert ask("guaranteed_loans", {"borrowed": {"loan": ["l", "unknown"]}}) == (10, 1)
