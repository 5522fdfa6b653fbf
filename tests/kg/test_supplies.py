"""Who supplies whom, by invoices, payments and contracts."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.derivations.supplies import supplies

DAY = date(2026, 6, 15)
STRING, NUMBER = pa.string(), pa.int64()


@pytest.fixture(scope="module")
def engine():
    return ibis.duckdb.connect()


def month(number):
    """Return the first day of a month of 2026, or of 2025 where the number is below one."""
    return date(2026 + (number - 1) // 12, (number - 1) % 12 + 1, 1)


def table(rows, names, day="month"):
    """Make a table of (one end, other end, month number, fen)."""
    columns = [pa.array([row[place] for row in rows], STRING) for place in (0, 1)]
    days = pa.array([month(row[2]) for row in rows], pa.date32())
    return ibis.memtable(
        pa.table({names[0]: columns[0], names[1]: columns[1], day: days, names[2]: pa.array([r[3] for r in rows], NUMBER)})
    )


def found(engine, invoiced=(), paid=(), contracts=(), day=DAY):
    rows = supplies(
        table(invoiced, ("src", "dst", "net_fen")),
        table(paid, ("src", "dst", "amount_fen")),
        table(contracts, ("seller", "buyer", "amount_fen"), "signed_on"),
        day,
    )
    told = engine.to_pyarrow(rows).to_pylist()
    assert len({row["id"] for row in told}) == len(told)
    return {(row["src"], row["dst"]): row for row in told}


def test_invoices_make_a_supplier_with_its_part_of_both_sides_its_months_and_its_beginning(engine):
    rows = [("s", "b", 4, 100), ("s", "b", 5, 200), ("s", "c", 5, 700), ("t", "b", 6, 900), ("s", "b", -20, 5)]
    told = found(engine, rows)
    assert told.keys() == {("s", "b"), ("s", "c"), ("t", "b")}
    of = told["s", "b"]
    assert (of["amount_fen"], of["sales_ppm"], of["purchases_ppm"], of["months"]) == (300, 300_000, 250_000, 2)
    assert (of["since"], of["measure"], of["said_by"]) == (month(-20), "invoices", "invoices")


def test_a_payment_goes_from_the_buyer_to_the_supplier_and_what_went_back_is_taken_off(engine):
    rows = [("b", "s", 2, 500), ("b", "s", 3, 500), ("s", "b", 4, 300), ("x", "y", 3, 100), ("y", "x", 5, 100)]
    told = found(engine, paid=rows)
    assert told.keys() == {("s", "b")}
    of = told["s", "b"]
    assert (of["amount_fen"], of["months"], of["since"], of["measure"]) == (700, 2, month(2), "payments")


def test_an_invoice_is_believed_before_a_payment_and_this_before_a_contract_and_all_that_tell_are_named(engine):
    told = found(
        engine,
        [("s", "b", 5, 100)],
        [("b", "s", 6, 113), ("c", "s", 6, 50)],
        [("s", "b", 4, 999), ("s", "c", 1, 888), ("s", "d", 1, 40)],
    )
    assert {pair: (row["amount_fen"], row["measure"], row["said_by"]) for pair, row in told.items()} == {
        ("s", "b"): (100, "invoices", "contracts, invoices, payments"),
        ("s", "c"): (50, "payments", "contracts, payments"),
        ("s", "d"): (40, "contracts", "contracts"),
    }
    assert told["s", "b"]["since"] == month(4)


def test_trade_that_was_taken_back_or_is_older_than_a_year_or_of_tomorrow_is_none(engine):
    rows = [("s", "b", 3, 100), ("s", "b", 4, -100), ("s", "old", 5 - 12, 100), ("s", "old", 6 - 12, 100), ("s", "next", 7, 100)]
    assert found(engine, rows) == {}
    rows.append(("s", "old", 7 - 12, 1))
    told = found(engine, rows)
    assert {pair: (row["amount_fen"], row["months"], row["since"]) for pair, row in told.items()} == {("s", "old"): (1, 1, month(5 - 12))}


def test_nobody_supplies_itself_and_a_contract_without_day_or_amount_says_nothing(engine):
    assert found(engine, [("s", "s", 5, 100)], [("s", "s", 5, 100)], [("s", "s", 5, 7)]) == {}
    contracts = ibis.memtable(
        pa.table(
            {
                "seller": ["s", "s"],
                "buyer": ["b", "c"],
                "signed_on": pa.array([None, month(5)], pa.date32()),
                "amount_fen": pa.array([5, None], NUMBER),
            }
        )
    )
    nothing = table([], ("src", "dst", "net_fen")), table([], ("src", "dst", "amount_fen"))
    assert engine.to_pyarrow(supplies(*nothing, contracts, DAY)).num_rows == 0


def test_parts_of_sums_beyond_what_a_product_of_64_bits_holds_are_counted_exactly(engine):
    large = 10**15
    told = found(engine, [("s", "b", 5, large), ("s", "c", 5, large + 1)])
    assert told["s", "b"]["sales_ppm"] == 499_999
    assert told["s", "c"]["sales_ppm"] == 500_000


ROWS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abcd"), st.integers(-8, 8), st.integers(-50, 100)), max_size=12)


@settings(deadline=None, max_examples=40)
@given(ROWS, ROWS, ROWS)
def test_all_is_what_adding_up_by_hand_gives(engine, invoiced, paid, contracts):
    first, last = month(7 - 12), month(6)
    sums, months, tells, since = defaultdict(int), defaultdict(set), defaultdict(set), {}
    trade = [("invoices", *row) for row in invoiced] + [("contracts", *row) for row in contracts]
    trade += [("payments", payee, payer, number, fen) for payer, payee, number, fen in paid]
    for name, supplier, buyer, number, fen in trade:
        pair, at = (supplier, buyer), month(number)
        if supplier == buyer or at > last:
            continue
        since[pair] = min(since.get(pair, at), at)
        if at >= first:
            sums[pair, name] += fen
            tells[pair].add(name)
            if fen:
                months[pair, name].add(at)
            if name == "payments":
                sums[(buyer, supplier), name] -= fen
    expected = {}
    for pair in {pair for pair, _ in sums}:
        for name in ("invoices", "payments", "contracts"):
            # a payment that was booked back is no supply the other way
            if sums[pair, name] > 0 and name in tells[pair]:
                expected[pair] = (sums[pair, name], name, len(months[pair, name]), since[pair], ", ".join(sorted(tells[pair])))
                break
    told = found(engine, invoiced, paid, contracts)
    assert {p: (r["amount_fen"], r["measure"], r["months"], r["since"], r["said_by"]) for p, r in told.items()} == expected
    for (supplier, buyer), row in told.items():
        sold, bought = (sum(fen for pair, (fen, *_) in expected.items() if pair[side] == end) for side, end in ((0, supplier), (1, buyer)))
        assert row["sales_ppm"] == row["amount_fen"] * 1_000_000 // sold
        assert row["purchases_ppm"] == row["amount_fen"] * 1_000_000 // bought
