"""The rule related_trade."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.engine import Engine
from kg.errors import UsageError
from kg.rules.related_trade import MINOR, RULE, RelatedTradeParameters, find_minor_related_trade, find_related_trade

from .narrowing import narrowed_and_whole

A, B, C, D, H, M = (f"company:x:{c}" for c in "abcdhm")
P, Q, R = (f"person:x:{c}" for c in "pqr")
MAY, TODAY = date(2024, 5, 1), date(2024, 6, 30)
YUAN = 100_000


def table(name, letter, columns, rows):
    (need,) = (each for each in RULE.requires if each.name == name)
    full = [{**dict.fromkeys(need.columns), **dict(zip(columns.split(), row, strict=True))} for row in rows]
    named = [{**row, **({"id": f"{letter}{place}"} if "id" in need.columns else {})} for place, row in enumerate(full)]
    return pa.Table.from_pylist(named, schema=need.empty().schema)


def tables(sold, controls=(), links=(), holds=(), kin=(), hubs=(), today=TODAY):
    """Return the tables: sales (seller, buyer, month, fen), control (person, company), links (a, b, kind, score, disclosed)."""
    return {
        "INVOICED": table("INVOICED", "i", "src dst month net_fen", sold),
        "CONTROLS": table("CONTROLS", "c", "src dst jointly", [(*row, None)[:3] for row in controls]),
        "LINKED_TO": table("LINKED_TO", "l", "src dst kind score disclosed", [(*row, *DEVICE[len(row) - 2 :]) for row in links]),
        "HOLDS_SHARES": table("HOLDS_SHARES", "h", "src dst", holds),
        "KIN_OF": table("KIN_OF", "k", "src dst", kin),
        "records/hubs": table("records/hubs", "u", "party", [(hub,) for hub in hubs]),
        "as_of": pa.table({"day": pa.array([today] if today else [], pa.date32())}),
    }


DEVICE = ("shared_device", 640_000, False)
#: A sells to B for 30 of 100.
SOLD = [(A, B, MAY, 30 * YUAN), (A, C, MAY, 70 * YUAN)]
LAYERED = {"controls": [(P, A), (P, B), (P, H)], "holds": [(P, A), (P, H), (H, B)]}


def found(*args, parameters=None, **more):
    return find_related_trade(tables(*args, **more), RelatedTradeParameters(**(parameters or {}))).to_pylist()


def test_a_seller_whose_buyer_its_owner_holds_over_another_company_is_hit():
    (hit,) = found(SOLD, **LAYERED)
    assert (hit["entity_id"], hit["root"], hit["amount_fen"], hit["at"]) == (A, A, 30 * YUAN, None)
    assert hit["evidence"] == ["c0", "c1", "i0"]


def test_a_part_below_the_bound_is_no_hit_and_the_bound_itself_is():
    assert found([(A, B, MAY, 30 * YUAN - 1), (A, C, MAY, 70 * YUAN)], **LAYERED) == []
    assert found([(A, B, MAY, 30 * YUAN - 1), (A, C, MAY, 70 * YUAN)], **LAYERED, parameters={"min_percent": 29})


def test_a_tenth_of_the_revenue_is_told_with_less_weight_and_only_where_it_is_not_told_already():
    def lesser(fen):
        return find_minor_related_trade(tables([(A, B, MAY, fen), (A, C, MAY, 90 * YUAN)], **LAYERED), MINOR.parameters).to_pylist()

    assert [hit["entity_id"] for hit in lesser(10 * YUAN)] == [A]
    assert lesser(10 * YUAN - 1) == []
    assert lesser(39 * YUAN) == []


def test_small_sums_inflate_no_revenue():
    assert found([(A, B, MAY, YUAN - 1)], **LAYERED) == []
    assert found([(A, B, MAY, YUAN)], **LAYERED)


@pytest.mark.parametrize("kind", ["shared_device", "same_contact"])
def test_a_link_that_no_register_tells_is_a_tie_of_one_step(kind):
    (hit,) = found(SOLD, links=[(B, A, kind)])
    assert hit["evidence"] == ["l0", "i0"]


@pytest.mark.parametrize(
    "link",
    [
        (A, B, "trade_dependence"),
        (A, B, "guarantor"),
        (A, B, "loan_proceeds"),
        (A, B, "same_address"),
        (A, B, "shared_device", 399_999),
        (A, B, "shared_device", 640_000, True),
    ],
    ids=["trade", "a guarantee", "a loan", "a house", "weak", "disclosed"],
)
def test_what_comes_of_trade_itself_or_is_weak_or_open_is_no_tie(link):
    assert found(SOLD, links=[link]) == []


def test_a_link_to_a_company_of_the_buyer_s_or_of_the_seller_s_controller_makes_three_steps():
    (hit,) = found(SOLD, links=[(A, M)], controls=[(Q, M), (Q, B)])
    assert hit["evidence"] == ["c0", "c1", "l0", "i0"]
    assert [hit["entity_id"] for hit in found(SOLD, links=[(M, B)], controls=[(Q, M), (Q, A)])] == [A]
    assert found(SOLD, links=[(A, M), (M, D), (D, B)]) == []


@pytest.mark.parametrize(
    "holds",
    [[(A, B)], [(B, A)], [(M, A), (M, B)], [(P, A), (P, B)]],
    ids=["the seller holds the buyer", "the buyer the seller", "a parent holds both", "one person holds both in his own name"],
)
def test_what_the_register_shows_at_a_glance_is_no_hit(holds):
    assert found(SOLD, controls=[(P, A), (P, B)], holds=holds) == []
    assert found(SOLD, links=[(A, B)], holds=holds) == []


def test_relatives_companies_that_share_a_phone_are_no_hit():
    family = {"links": [(A, B, "same_contact")], "holds": [(P, A), (Q, B)]}
    assert found(SOLD, **family)
    assert found(SOLD, **family, kin=[(P, Q)]) == []
    assert found(SOLD, **family, kin=[(P, R), (Q, R)]) == []
    assert found(SOLD, **family, kin=[(P, R)])


def test_a_relative_of_who_controls_both_changes_nothing():
    assert found(SOLD, **LAYERED, kin=[(P, Q)])


def test_control_with_others_only_is_no_tie():
    joint = {"controls": [(P, A, "P+Q"), (P, B, "P+Q")], "holds": []}
    assert found(SOLD, **joint) == []


def test_hubs_are_tied_to_nobody():
    assert found(SOLD, **LAYERED, hubs=[B]) == []


def test_the_revenue_is_that_of_a_year():
    # 12 months before June 2024 begin with June 2023
    for month, expected in ((date(2023, 6, 1), True), (date(2023, 5, 1), False), (date(2024, 7, 1), False)):
        assert bool(found([(A, B, month, 30 * YUAN)], **LAYERED)) == expected
    assert found(SOLD, **LAYERED, today=None) == []


def test_sales_to_several_tied_buyers_add_up_and_credit_notes_count():
    both = [(A, B, MAY, 20 * YUAN), (A, D, MAY, 10 * YUAN), (A, C, MAY, 70 * YUAN)]
    assert found(both, links=[(A, B), (A, D)])
    assert found([*both, (A, D, MAY, -1)], links=[(A, B), (A, D)]) == []
    assert found([], **LAYERED) == []


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with Engine(tmp_path_factory.mktemp("spill"), memory="500MB", threads=1) as engine:
        yield engine


FIRMS, PEOPLE = st.sampled_from((A, B, C, M)), st.sampled_from((P, Q))


@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_neither_the_order_of_rows_nor_leaving_out_others_changes_anything(engine, data):
    many = lambda *parts: data.draw(st.lists(st.tuples(*parts), max_size=6))  # noqa: E731
    known = tables(
        many(FIRMS, FIRMS, st.sampled_from((MAY, date(2020, 1, 1))), st.sampled_from((YUAN, 5 * YUAN))),
        controls=many(PEOPLE, FIRMS, st.sampled_from((None, "P+Q"))),
        links=many(FIRMS, FIRMS, st.sampled_from(("shared_device", "guarantor")), st.sampled_from((640_000, 1)), st.just(False)),
        holds=many(FIRMS, FIRMS),
        kin=many(PEOPLE, PEOPLE),
    )
    narrow, whole = narrowed_and_whole(RULE, engine, known, TODAY)
    assert narrow == whole
    mixed = {name: table.take(pa.array(data.draw(st.permutations(range(table.num_rows))), pa.int64())) for name, table in known.items()}
    one, other = (sorted(find_related_trade(of, RULE.parameters).to_pylist(), key=str) for of in (known, mixed))
    assert one == other


@pytest.mark.parametrize("wrong", [{"min_percent": 0}, {"min_score_ppm": 0}, {"min_fen": 0}, {"months": 0}], ids=str)
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(UsageError, match=f"{next(iter(wrong))} is"):
        RelatedTradeParameters(**wrong)
