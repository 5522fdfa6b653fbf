"""Who depends on whom: by a year's receipts and spending, and by guarantees that a call would make ruinous."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg import schema
from kg.derivations.dependence import DERIVATION, guarantee_dependence, likely, sold, trade_dependence, traded, turnover
from kg.engine import Engine
from kg.graph import Graph, columns, table_name
from kg.lake import Lake
from kg.ruleset import Threshold

DAY = date(2026, 6, 15)
STRING, NUMBER, DATE = pa.string(), pa.int64(), pa.date32()
#: The months of the year up to that day, counted from the first of 2026.
YEAR = range(-5, 7)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with Engine(tmp_path_factory.mktemp("spill"), "500MB", threads=1) as opened:
        yield opened


def first_day(number):
    """Return the first day of a month of 2026 by its number, of 2025 at 0 and below."""
    return date(2026 + (number - 1) // 12, (number - 1) % 12 + 1, 1)


def invoices(rows):
    """Make the table of (seller, buyer, month number, fen)."""
    months = pa.array([first_day(row[2]) for row in rows], DATE)
    columns = [pa.array([row[place] for row in rows], kind) for place, kind in ((0, STRING), (1, STRING), (3, NUMBER))]
    return pa.table({"src": columns[0], "dst": columns[1], "month": months, "net_fen": columns[2], "tax_fen": pa.nulls(len(rows), NUMBER)})


def payments(rows):
    """Make the table of (payer, payee, month number, fen), some with a currency behind."""
    table = invoices(rows).drop_columns("tax_fen").rename_columns(["src", "dst", "month", "amount_fen"])
    return table.append_column("currency", pa.array([row[4] if len(row) > 4 else None for row in rows], STRING))


def firms(**founded):
    """Make the table of companies founded on days, all others of these tests being old."""
    return pa.table({"id": pa.array(list(founded), STRING), "founded_on": pa.array(list(founded.values()), DATE)})


def depends(engine, rows, paid=(), old=None, **more):
    """Return who depends on whom by which test, and by how many ppm."""
    sales = engine.keep(sold(engine.arrow(invoices(rows)), DAY))
    pairs = engine.keep(traded(sales, engine.arrow(payments(list(paid))), DAY))
    turned = turnover(pairs, engine.arrow(firms() if old is None else old), DAY)
    found = engine.table(trade_dependence(pairs, turned, **more))
    assert set(found["dependent"].to_pylist()) <= set(engine.table(likely(sales, **more))["party"].to_pylist())
    return {(row["dependent"], row["on"], row["test"]): row["ppm"] for row in found.to_pylist()}


def over_the_year(seller, buyer, fen, months=YEAR):
    return [(seller, buyer, month, fen) for month in months]


def test_who_sells_half_to_one_buyer_depends_on_it_and_the_buyer_of_many_does_not_depend_on_the_seller(engine):
    rows = [
        *over_the_year("s", "core", 500),
        *over_the_year("s", "x", 250),
        *over_the_year("s", "y", 250),
        *over_the_year("o", "core", 9_000),
    ]
    found = depends(engine, rows)
    assert found[("s", "core", "receipts")] == 500_000
    assert ("core", "s", "spending") not in found
    assert ("s", "x", "receipts") not in found


def test_one_fen_less_than_half_is_no_dependence(engine):
    rows = [*over_the_year("s", "core", 499_999), *over_the_year("s", "x", 500_001)]
    found = depends(engine, rows)
    assert ("s", "core", "receipts") not in found
    assert found[("s", "x", "receipts")] == 500_001


def test_a_strict_threshold_must_be_passed(engine):
    rows = [*over_the_year("s", "core", 5), *over_the_year("s", "x", 5)]
    assert len([key for key in depends(engine, rows) if key[0] == "s"]) == 2
    assert not [key for key in depends(engine, rows, threshold=Threshold(500_000, strict=True)) if key[0] == "s"]


def test_a_single_order_makes_nobody_dependent(engine):
    rows = [("s", "b", -5, 1_000), ("s", "b", 6, 9_000), *over_the_year("s", "x", 1)]
    assert not [key for key in depends(engine, rows) if key[0] == "s"]
    assert ("s", "b", "receipts") in depends(engine, [*rows, ("s", "b", 3, 1)])


def test_what_is_older_than_a_year_or_of_tomorrow_does_not_count(engine):
    rows = [
        *over_the_year("s", "core", 100),
        *over_the_year("s", "old", 9_000, months=(-8, -7, -6)),
        *over_the_year("s", "next", 9_000, months=(7, 8, 9)),
    ]
    found = depends(engine, rows)
    assert found[("s", "core", "receipts")] == 1_000_000
    assert {on for _, on, _ in found} == {"core", "s"}


def test_credit_notes_are_taken_off(engine):
    rows = [*over_the_year("s", "core", 600), *over_the_year("s", "core", -400), *over_the_year("s", "x", 300)]
    found = depends(engine, rows)
    assert ("s", "core", "receipts") not in found
    assert found[("s", "x", "receipts")] == 600_000


def test_tax_is_part_of_what_is_got_and_spent(engine):
    rows = invoices([*over_the_year("s", "a", 500), *over_the_year("s", "b", 500)])
    taxed = rows.set_column(4, "tax_fen", pa.array([65] * 12 + [0] * 12, NUMBER))
    pairs = traded(sold(engine.arrow(taxed), DAY), engine.arrow(payments([])), DAY)
    found = engine.table(trade_dependence(pairs, turnover(pairs, engine.arrow(firms()), DAY))).to_pylist()
    assert {(row["dependent"], row["on"]): row["ppm"] for row in found if row["dependent"] == "s"} == {("s", "a"): 530_516}


def test_sums_beyond_what_a_product_of_64_bits_holds_are_counted_exactly(engine):
    large = 2 * 10**14
    rows = [*over_the_year("s", "core", large), *over_the_year("s", "x", large - 1)]
    assert depends(engine, rows)[("s", "core", "receipts")] == 500_000


# -- all receipts and spending ------------------------------------------------------------------------------------


def test_wages_and_rent_are_spending_and_sales_over_the_counter_are_receipts(engine):
    rows = over_the_year("s", "b", 600)
    assert ("b", "s", "spending") in depends(engine, rows)
    paid = [*over_the_year("b", "person:w", 601), *over_the_year("person:c", "s", 601)]
    assert depends(engine, rows, paid) == {}
    assert set(depends(engine, rows, [*paid[:12], *over_the_year("person:c", "s", 600)])) == {("s", "b", "receipts")}


def test_an_invoice_and_the_payment_for_it_count_once_and_the_greater_of_both(engine):
    rows = [*over_the_year("s", "b", 500), *over_the_year("x", "b", 400)]
    paid = [*over_the_year("b", "s", 500), *over_the_year("b", "x", 500)]
    assert depends(engine, rows, paid)[("b", "s", "spending")] == 500_000
    # what is paid beyond the invoices is spending, but says nothing of trade between the two
    assert ("b", "s", "spending") not in depends(engine, rows, [*paid, ("b", "s", 6, 1)])


def test_money_that_goes_and_comes_back_is_neither_receipt_nor_spending(engine):
    rows = over_the_year("s", "b", 600)
    pool = [*over_the_year("b", "parent", 9_000), *over_the_year("parent", "b", 8_900)]
    assert depends(engine, rows, pool)[("b", "s", "spending")] == 857_142
    assert ("s", "b", "receipts") in depends(engine, rows, [*over_the_year("z", "s", 9_000), *over_the_year("s", "z", 9_000)])


def test_what_is_paid_between_accounts_of_one_party_or_in_other_money_does_not_count(engine):
    rows = over_the_year("s", "b", 600)
    paid = [*over_the_year("b", "b", 9_000), *(("b", "x", month, 9_000, "USD") for month in YEAR)]
    assert depends(engine, rows, paid)[("b", "s", "spending")] == 1_000_000


# -- a year -------------------------------------------------------------------------------------------------------


def test_of_half_a_year_half_is_a_quarter_of_a_year(engine):
    months = range(1, 7)
    rows = [*over_the_year("s", "core", 600, months), *over_the_year("s", "x", 400, months)]
    assert ("s", "core", "receipts") not in depends(engine, rows)
    # 0.75 of eight months are half of twelve
    months = range(-1, 7)
    rows = [*over_the_year("s", "core", 750, months), *over_the_year("s", "x", 250, months)]
    assert depends(engine, rows)[("s", "core", "receipts")] == 500_000


def test_two_thirds_of_nine_months_are_half_of_a_year_exactly(engine):
    months = range(-2, 7)
    rows = [*over_the_year("s", "core", 200, months), *over_the_year("s", "x", 100, months)]
    assert depends(engine, rows)[("s", "core", "receipts")] == 500_000


def test_a_young_company_has_had_no_more_months_than_it_is_old(engine):
    rows = [*over_the_year("s", "core", 600, range(3, 7)), *over_the_year("s", "x", 400, range(3, 7))]
    assert depends(engine, rows, old=firms(s=date(2026, 3, 9)))[("s", "core", "receipts")] == 600_000
    assert ("s", "core", "receipts") not in depends(engine, rows, old=firms(s=date(2026, 1, 31)))
    assert depends(engine, rows, old=firms(s=date(2026, 5, 1)))[("s", "core", "receipts")] == 600_000
    assert ("s", "core", "receipts") not in depends(engine, rows, old=firms(s=None))


def test_the_months_of_which_anything_is_known_count_from_the_first_payment_too(engine):
    rows = over_the_year("s", "core", 600, range(1, 7))
    assert depends(engine, rows)[("s", "core", "receipts")] == 500_000
    found = depends(engine, rows, [("c", "s", -5, 100)])
    assert found[("s", "core", "receipts")] == 3600 * 10**6 // 3700


MOVES = st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd"), st.integers(-5, 6), st.integers(1, 60))


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd"), st.integers(-5, 6), st.integers(-50, 100)), max_size=20),
    st.lists(MOVES, max_size=12),
    st.sampled_from([1, 2, 3]),
)
def test_dependence_is_what_adding_up_by_hand_gives(engine, rows, paid, months):
    part, seen, moved, first = defaultdict(int), defaultdict(lambda: defaultdict(int)), defaultdict(int), {}
    for seller, buyer, month, fen in rows:
        if seller != buyer:
            part[seller, buyer] += fen
            seen[seller, buyer][month] += fen
    for payer, payee, _, fen in paid:
        if payer != payee:
            moved[payee, payer] += fen
            moved[payer, payee] -= fen
    for seller, buyer in {*part, *moved}:
        if (seller, buyer) in part:
            for key in ((seller, "receipts"), (buyer, "spending")):
                first[key] = min(first.get(key, 7), *(m for s, b, m, _ in rows if (s, b) == (seller, buyer)))
        if moved[seller, buyer] > 0:
            for key in ((seller, "receipts"), (buyer, "spending")):
                between = [m for a, b, m, _ in paid if {a, b} == {seller, buyer}]
                first[key] = min(first.get(key, 7), *between)
    whole = defaultdict(int)
    for pair in {*part, *moved}:
        most = max(part.get(pair, 0), moved.get(pair, 0), 0)
        whole[pair[0], "receipts"] += most
        whole[pair[1], "spending"] += most
    expected = {}
    for (seller, buyer), fen in part.items():
        enough = len([month for month, sum_ in seen[seller, buyer].items() if sum_]) >= months
        for of, on, test in ((seller, buyer, "receipts"), (buyer, seller, "spending")):
            if enough and fen > 0:
                ppm = fen * (7 - first[of, test]) * 10**6 // (whole[of, test] * 12)
                if ppm >= 500_000:
                    expected[of, on, test] = ppm
    assert depends(engine, rows, paid, months=months) == expected


# -- guarantees ---------------------------------------------------------------------------------------------------


def ruined(engine, given_, owed=(), capital=100, receipts=()):
    """Return who depends on whom by guarantees (guarantor, beneficiary, fen)."""
    given_ = [(*row, None) if len(row) == 2 else row for row in given_]
    columns = [pa.array([row[place] for row in given_], kind) for place, kind in ((0, STRING), (1, STRING), (2, NUMBER))]
    guaranteed = pa.table(dict(zip(("src", "dst", "amount_fen"), columns, strict=True)))
    debts = pa.table({"party": pa.array([who for who, _ in owed], STRING), "owed_fen": pa.array([fen for _, fen in owed], NUMBER)})
    givers = sorted({row[0] for row in given_})
    companies = pa.table(
        {"id": givers, "capital_fen": pa.array([capital] * len(givers), NUMBER), "founded_on": pa.array([None] * len(givers), DATE)}
    )
    pairs = traded(sold(engine.arrow(invoices(list(receipts))), DAY), engine.arrow(payments([])), DAY)
    turned = turnover(pairs, engine.arrow(companies), DAY)
    found = engine.table(guarantee_dependence(engine.arrow(guaranteed), engine.arrow(debts), engine.arrow(companies), turned))
    return {(row["dependent"], row["on"]) for row in found.to_pylist() if row["test"] == "guarantee"}


def test_who_guarantees_more_than_its_capital_for_one_party_depends_on_it(engine):
    assert ruined(engine, [("g", "b", 60), ("g", "b", 50), ("h", "b", 100)]) == {("g", "b")}


def test_guarantees_for_several_do_not_add_up_to_dependence_on_one(engine):
    assert ruined(engine, [("g", "b", 60), ("g", "c", 60)]) == set()


def test_no_more_can_be_called_than_is_still_owed(engine):
    assert ruined(engine, [("g", "b", 500)], owed=[("b", 90)]) == set()
    assert ruined(engine, [("g", "b", 500)], owed=[("b", 101)]) == {("g", "b")}
    assert ruined(engine, [("g", "b", 500)], owed=[("c", 90)]) == {("g", "b")}


def test_a_guarantee_without_an_amount_is_for_all_that_is_owed(engine):
    assert ruined(engine, [("g", "b")], owed=[("b", 101)]) == {("g", "b")}
    assert ruined(engine, [("g", "b")]) == set()


def test_a_call_that_a_year_s_receipts_bear_ruins_nobody(engine):
    assert ruined(engine, [("g", "b", 600)], receipts=over_the_year("g", "x", 101)) == set()
    assert ruined(engine, [("g", "b", 600)], receipts=over_the_year("g", "x", 100)) == {("g", "b")}
    # six months of 100 are a year of 1,200
    assert ruined(engine, [("g", "b", 599)], receipts=over_the_year("g", "x", 100, range(1, 7))) == set()


def test_members_of_an_association_who_guarantee_one_another_depend_only_where_a_call_ruins_them(engine):
    circle = [("a", "b", 300), ("b", "c", 300), ("c", "a", 300)]
    sales = [*over_the_year("a", "x", 100), *over_the_year("b", "x", 100), *over_the_year("c", "x", 10)]
    assert ruined(engine, circle, receipts=sales) == {("c", "a")}


def test_who_guarantees_for_itself_or_of_whose_capital_nothing_is_known_depends_on_nobody(engine):
    assert ruined(engine, [("g", "g", 500)]) == set()
    assert ruined(engine, [("g", "b", 500)], capital=None) == set()


# -- in the night -------------------------------------------------------------------------------------------------


def test_in_a_graph_invoices_payments_loans_and_guarantees_tell_who_depends_on_whom(engine, tmp_path):
    lake = Lake(tmp_path / "lake", engine, {})

    def put(name, *rows):
        type_ = schema.edge(name) if name.isupper() else schema.node(name)
        wanted = columns(type_).to_pyarrow()
        lake.ensure(table_name(type_), columns(type_))
        full = [
            {each: row.get(each) for each in wanted.names} | {"id": row.get("id", f"{name}{n}"), "first_run": "1"}
            for n, row in enumerate(rows)
        ]
        lake.append(table_name(type_), engine.arrow(pa.Table.from_pylist(full, wanted)), "1")

    def edge(a, b, **more):
        return {"src": a, "dst": b, **more}

    months = [{"month": first_day(month)} for month in YEAR]
    put("Company", *({"id": each, "capital_fen": 100, "founded_on": date(2001, 1, 1)} for each in ("s", "b", "x", "g", "h")))
    put(
        "INVOICED",
        *(edge("s", "b", **each, net_fen=540, tax_fen=60) for each in months),
        *(edge("s", "x", **each, net_fen=1) for each in months),
    )
    paid = [*(edge("b", "person:w", **each, amount_fen=900, currency="CNY") for each in months), edge("x", "s", **months[0], amount_fen=12)]
    # g lives on what it is paid for, of which there are no invoices
    put("PAID", *paid, *(edge("person:c", "g", **each, amount_fen=50, currency="CNY") for each in months))
    put("Loan", {"id": "loan:1", "amount_fen": 900, "balance_fen": 400}, {"id": "loan:2", "amount_fen": 900, "balance_fen": 0})
    put("BORROWED", edge("b", "loan:1"), edge("x", "loan:2"))
    put(
        "GUARANTEES",
        edge("g", "loan:1"),
        edge("h", "b", amount_fen=900),
        edge("h", "loan:2", amount_fen=900),
        edge("g", "x", amount_fen=900),
    )
    found = engine.table(DERIVATION.run(Graph(lake, DAY))).to_pylist()
    told = {(row["src"], row["dst"], row["test"], row["ppm"], row["months"]) for row in found}
    assert told == {
        ("s", "b", "receipts", 7_200 * 10**6 // 7_212, 12),
        ("x", "s", "spending", 1_000_000, 12),
        ("g", "b", "guarantee", None, None),
        ("h", "b", "guarantee", None, None),
    }
    assert len({row["id"] for row in found}) == 4
