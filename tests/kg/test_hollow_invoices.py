"""The rule hollow_invoices."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.engine import Engine
from kg.errors import UsageError
from kg.rules.hollow_invoices import RULE, HollowInvoicesParameters, find_hollow_invoices

from .narrowing import narrowed_and_whole

A, B, C = (f"company:x:{c}" for c in "abc")
FIRST, TODAY = date(2024, 1, 1), date(2024, 6, 30)
#: Codes of 19 signs, as the tax office writes them: yarn, clothes made of it, steel, software.
YARN, CLOTHES, STEEL, SOFTWARE = (f"{head}010000000000" for head in ("1040101", "1040201", "1080201", "3040201"))
GOODS = [(YARN, None, "C17"), (CLOTHES, YARN, "C18"), (STEEL, None, "C31"), (SOFTWARE, None, "I65")]


def bill(day, fen=100, goods=STEEL, seller=A, buyer=B):
    """Return an invoice of a day counted from the first."""
    return (seller, buyer, goods, None if day is None else FIRST + timedelta(days=day), fen)


def table(need, letter, columns, rows):
    full = [
        {**dict.fromkeys(need.columns), "id": f"{letter}{place:02}", **dict(zip(columns.split(), row, strict=True))}
        for place, row in enumerate(rows)
    ]
    return pa.Table.from_pylist([{name: row[name] for name in need.columns} for row in full], schema=need.empty().schema)


def tables(bills, industry="C18", goods=GOODS, today=TODAY):
    """Return all tables; what a company bought follows from the invoices."""
    sold, (made, issued, bought, companies, _) = [bill[:1] + bill[2:] for bill in bills], RULE.requires
    known = {
        made.name: table(made, "g", "goods made_from industry", goods),
        issued.name: table(issued, "i", "seller goods issued_on net_fen", sold),
        bought.name: table(bought, "n", "dst goods net_fen", [(buyer, goods, fen) for _, buyer, goods, _, fen in bills]),
        companies.name: table(companies, "", "id industry", [(A, industry), (B, "C31"), (C, None)]),
    }
    return {**known, "as_of": pa.table({"day": pa.array([] if today is None else [today], pa.date32())})}


def found(bills, parameters=None, **more):
    return find_hollow_invoices(tables(bills, **more), HollowInvoicesParameters(**(parameters or {}))).to_pylist()


BURST = [bill(100 + place) for place in range(6)]


def test_a_tailor_who_sells_steel_for_a_week_and_then_nothing_is_hit():
    (hit,) = found(BURST)
    assert (hit["entity_id"], hit["root"], hit["amount_fen"]) == (A, A, 600)
    assert hit["evidence"] == [f"i{place:02}" for place in range(6)]
    assert hit["at"] == datetime(2024, 4, 15, tzinfo=UTC)


def test_goods_of_the_seller_s_own_industry_need_no_purchase():
    assert found(BURST, industry="C31") == []
    assert found(BURST, industry=None)


def test_goods_that_were_bought_or_are_made_from_what_was_bought_have_a_source():
    clothes = [bill(100 + place, goods=CLOTHES) for place in range(6)]
    assert found(clothes, industry="C31")
    assert found([*clothes, bill(50, 180, goods=YARN, seller=C, buyer=A)], industry="C31") == []
    assert found([*BURST, bill(50, 180, seller=C, buyer=A)]) == []


def test_a_source_of_which_too_little_was_bought_is_none():
    assert found([*BURST, bill(50, 179, seller=C, buyer=A)])
    assert found([*BURST, bill(50, 179, seller=C, buyer=A)], {"min_source_percent": 29}) == []


def test_codes_that_begin_alike_are_of_one_kind_of_goods():
    sheets = STEEL[:9] + "99" + STEEL[11:]
    assert found([*BURST, bill(50, 600, goods=sheets, seller=C, buyer=A)]) == []
    assert found([*BURST, bill(50, 600, goods=sheets, seller=C, buyer=A)], {"code_digits": 11})


def test_five_invoices_are_a_side_line():
    assert found(BURST[:5]) == []
    assert found(BURST[:5], {"min_invoices": 5})


def test_a_side_line_of_all_the_year_is_no_burst():
    steady = [bill(day) for day in range(0, 150, 5)]
    assert found(steady) == []


def test_the_burst_is_held_against_as_many_days_of_the_rest():
    # 182 days up to the 30th of June: 35 of the window and 147 others, so that 600 are twice of 1260 * 35 / 147 = 300
    usual = [bill(0, 1_260, goods=CLOTHES)]
    assert found([*usual, *BURST])
    assert found([bill(0, 1_261, goods=CLOTHES), *BURST]) == []
    assert found([bill(0, 1_261, goods=CLOTHES), *BURST], {"min_burst_percent": 199})


def test_half_of_what_is_invoiced_in_the_window_is_enough():
    assert found([*BURST, bill(101, 600, goods=CLOTHES)])
    assert found([*BURST, bill(101, 602, goods=CLOTHES)]) == []


def test_who_goes_on_soon_is_no_hit():
    # the last one is of day 105: days 106 to 125 are silent
    assert found([*BURST, bill(126, 1, goods=CLOTHES)])
    assert found([*BURST, bill(125, 1, goods=CLOTHES)]) == []


def test_silence_is_not_known_before_its_time():
    assert found(BURST, today=FIRST + timedelta(days=125))
    assert found(BURST, today=FIRST + timedelta(days=124)) == []
    assert found(BURST, today=None) == []


def test_the_window_holds_its_last_day():
    long = [bill(100), *(bill(130 + place) for place in range(5))]
    assert found(long, {"silent_days": 1})
    assert found(long, {"window_days": 34, "silent_days": 1}) == []


def test_of_two_bursts_the_larger_counts_and_of_equal_ones_the_first():
    again = [bill(20 + place) for place in range(6)]
    (hit,) = found([*BURST, *again], {"min_burst_percent": 100})
    assert hit["at"] == datetime(2024, 1, 26, tzinfo=UTC)
    (hit,) = found([*BURST, *again, bill(105, 1)], {"min_burst_percent": 100})
    assert hit["at"] == datetime(2024, 4, 15, tzinfo=UTC)


def test_invoices_before_the_look_back_or_without_goods_day_or_amount_are_left_out():
    assert found(BURST, today=FIRST + timedelta(days=100 + 366)) == []
    for broken in (bill(105, goods=None), bill(None), bill(105, None), bill(105, 0), bill(105, -100)):
        assert found([*BURST[:5], broken]) == []


def test_a_bank_that_knows_no_goods_finds_nothing():
    assert found([]) == []
    assert found([], goods=[]) == []


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with Engine(tmp_path_factory.mktemp("spill"), memory="500MB", threads=1) as engine:
        yield engine


BILLS = st.builds(
    bill,
    st.none() | st.integers(90, 110),
    st.none() | st.integers(-5, 200),
    st.sampled_from((None, STEEL, YARN, CLOTHES, SOFTWARE)),
    st.sampled_from((A, B, C)),
    st.sampled_from((A, B, C)),
)


@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_neither_the_order_of_rows_nor_leaving_out_other_sellers_changes_anything(engine, data):
    bills = data.draw(st.lists(BILLS, max_size=12))
    bursts = [bill(100 + place, goods=data.draw(st.sampled_from((STEEL, CLOTHES)))) for place in range(data.draw(st.integers(0, 7)))]
    known = tables([*bills, *bursts], industry=data.draw(st.sampled_from(("C18", "C31", None))))
    narrow, whole = narrowed_and_whole(RULE, engine, known, TODAY)
    assert narrow == whole
    mixed = {name: table.take(pa.array(data.draw(st.permutations(range(table.num_rows))), pa.int64())) for name, table in known.items()}
    one, other = (sorted(find_hollow_invoices(of, RULE.parameters).to_pylist(), key=str) for of in (known, mixed))
    assert one == other


@pytest.mark.parametrize(
    "wrong",
    [
        {"window_days": 0},
        {"min_invoices": 0},
        {"min_source_percent": 101},
        {"min_percent": 0},
        {"min_burst_percent": 99},
        {"silent_days": 0},
        {"lookback_days": 0},
        {"code_digits": 20},
    ],
    ids=str,
)
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(UsageError, match=f"{next(iter(wrong))} is"):
        HollowInvoicesParameters(**wrong)
