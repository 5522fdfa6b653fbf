"""The rule shell_cluster."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.engine import Engine
from kg.errors import UsageError
from kg.rules.shell_cluster import RULE, ShellClusterParameters, find_shell_clusters

from .narrowing import narrowed_and_whole

A, B, C, D, E, F = (f"company:x:{c}" for c in "abcdef")
P, Q = "person:x:p", "person:x:q"
FIRST, TODAY = date(2024, 1, 1), date(2024, 12, 31)
ROOM, PHONE, MAIL, MOBILE = "address:text:r", "contact:phone:1", "contact:email:1", "device:x:1"
JAN, FEB, MAR = (date(2024, month, 1) for month in (1, 2, 3))


def pairs(rows):
    return pa.table({"src": pa.array([r[0] for r in rows], pa.string()), "dst": pa.array([r[1] for r in rows], pa.string())})


def tables(founded, at=(), reached=(), led=(), signed=(), paid=(), hubs=(), today=TODAY):
    """Return the tables; ``founded`` are days from the first by company, the others (company, what), ``paid`` (from, to, month, fen)."""
    days = pa.array([None if day is None else FIRST + timedelta(days=day) for day in founded.values()], pa.date32())
    money = [(*row, "CNY")[:5] for row in paid]
    columns = {name: [row[place] for row in money] for place, name in enumerate(("src", "dst", "month", "amount_fen", "currency"))}
    empty = {need.name: need.empty() for need in RULE.requires}
    moved = pa.table({"id": [f"p{place}" for place in range(len(money))], **columns}) if money else empty["PAID"]
    return {
        "Company": pa.table({"id": list(founded), "founded_on": days}),
        "LOCATED_AT": pairs(at),
        "REACHED_AT": pairs(reached),
        "REPRESENTS": pairs([(person, company) for company, person in led]),
        "SIGNED_IN": pairs([(device, f"account:{company}") for company, device in signed]),
        "OWNS_ACCOUNT": pairs([(company, f"account:{company}") for company in sorted({company for company, _ in signed})]),
        "PAID": moved.cast(empty["PAID"].schema),
        "records/hubs": pa.table(
            {"id": pa.array([f"h{n}" for n in range(len(hubs))], pa.string()), "party": pa.array(list(hubs), pa.string())}
        ),
        "as_of": pa.table({"day": pa.array([today] if today else [], pa.date32())}),
    }


def found(*args, parameters=None, **more):
    return find_shell_clusters(tables(*args, **more), ShellClusterParameters(**(parameters or {}))).to_pylist()


def hit(*args, **more):
    return {row["entity_id"] for row in found(*args, **more)}


THREE = {A: 0, B: 10, C: 30}


def all_at(what, *companies):
    return [(company, what) for company in companies or (A, B, C)]


def test_three_companies_of_a_month_at_one_address_with_one_phone_are_hit():
    hits = found(THREE, at=all_at(ROOM), reached=all_at(PHONE))
    assert [(row["entity_id"], row["root"], row["amount_fen"], row["evidence"]) for row in hits] == [
        (company, f"batch:{A}", None, [ROOM, PHONE]) for company in (A, B, C)
    ]
    assert hits[1]["at"] == datetime(2024, 1, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    "shared",
    [
        {"at": all_at(ROOM), "signed": all_at(MOBILE)},
        {"reached": all_at(PHONE), "led": all_at(P)},
        {"led": all_at(P), "signed": all_at(MOBILE)},
    ],
    ids=["address and device", "phone and representative", "representative and device"],
)
def test_any_two_kinds_of_attributes_are_enough(shared):
    assert hit(THREE, **shared) == {A, B, C}


def test_one_attribute_or_two_of_one_kind_are_not_enough():
    assert found(THREE, at=all_at(ROOM)) == []
    assert found(THREE, reached=[*all_at(PHONE), *all_at(MAIL)]) == []


def test_two_companies_are_no_batch_nor_are_three_over_more_than_thirty_days():
    both = {"reached": all_at(PHONE), "at": all_at(ROOM)}
    assert found({A: 0, B: 10}, **both) == []
    assert found({**THREE, C: 31}, **both) == []
    assert hit({**THREE, C: 31}, **both, parameters={"within_days": 31}) == {A, B, C}


def test_who_was_registered_long_before_with_the_same_hands_is_not_of_the_batch():
    four = {"reached": all_at(PHONE, A, B, C, D), "at": all_at(ROOM, A, B, C, D)}
    assert hit({**THREE, D: -200}, **four) == {A, B, C}


def test_tenants_who_came_at_all_times_are_no_batch():
    tenants = [f"company:x:t{place}" for place in range(4)]
    old = dict.fromkeys(tenants, -5000)
    shared = {"reached": all_at(PHONE, A, B, C, *tenants), "at": all_at(ROOM, A, B, C, *tenants)}
    assert found({**THREE, **old}, **shared) == []
    fewer = {name: [row for row in rows if row[0] != tenants[0]] for name, rows in shared.items()}
    assert hit({**THREE, **old}, **fewer) == {A, B, C}
    assert hit({**THREE, **old}, **shared, parameters={"min_percent": 42}) == {A, B, C}


def test_a_park_of_more_than_fifty_is_suppressed_even_where_all_came_at_once():
    for count, expected in ((50, 50), (51, 0)):
        park = {f"company:x:t{place:02}": 0 for place in range(count)}
        assert len(hit(park, reached=all_at(PHONE, *park), at=all_at(ROOM, *park))) == expected


def test_persons_who_share_a_phone_are_no_companies():
    assert found(THREE, reached=[*all_at(PHONE), (P, PHONE)], at=[*all_at(ROOM), (Q, ROOM)], parameters={"min_percent": 100})


def test_companies_older_than_five_years_or_of_an_unknown_day_are_left_out():
    shared = {"reached": all_at(PHONE), "at": all_at(ROOM)}
    age = (TODAY - FIRST).days
    assert hit({A: age - 1_825, B: age - 1_825, C: age - 1_825}, **shared)
    assert found({A: age - 1_826, B: age - 1_825, C: age - 1_825}, **shared) == []
    assert found({**THREE, C: None}, **shared) == []
    assert found({**THREE, C: age + 1}, **shared, parameters={"within_days": 366}) == []
    assert found(THREE, **shared, today=None) == []


# -- money --------------------------------------------------------------------------------------------------------


def fan(source, sink, *hands, sent=100, back=98, months=(JAN, JAN)):
    return [step for hand in hands for step in ((source, hand, months[0], sent), (hand, sink, months[1], back))]


def test_one_party_s_money_that_goes_through_a_batch_and_comes_together_counts_as_two_attributes():
    hits = found(THREE, paid=fan(D, P, A, B, C))
    assert [(row["entity_id"], row["amount_fen"], row["evidence"]) for row in hits] == [
        (company, 100, [D, P, f"p{place}", f"p{place + 1}"]) for company, place in ((A, 0), (B, 2), (C, 4))
    ]


def test_it_may_come_back_to_who_sent_it_and_in_the_next_month():
    assert hit(THREE, paid=fan(D, D, A, B, C)) == {A, B, C}
    assert hit(THREE, paid=fan(D, P, A, B, C, months=(JAN, FEB))) == {A, B, C}
    assert found(THREE, paid=fan(D, P, A, B, C, months=(JAN, MAR))) == []
    assert found(THREE, paid=fan(D, P, A, B, C, months=(FEB, JAN))) == []


def test_hands_through_which_it_goes_at_different_times_are_no_batch():
    at = {name: fan(D, P, name, months=(month, month)) for name, month in ((A, JAN), (B, FEB), (C, MAR))}
    assert found(THREE, paid=[*at[A], *at[B], *at[C]]) == []
    assert hit(THREE, paid=[*at[A], *at[B], *fan(D, P, C, months=(FEB, FEB))]) == {A, B, C}


def test_half_of_the_money_must_come_together_and_no_more_than_was_sent():
    for back, expected in ((50, True), (49, False), (100, True), (101, False)):
        assert bool(found(THREE, paid=fan(D, P, A, B, C, back=back))) == expected


def test_customers_of_one_who_buy_of_different_ones_are_no_hit():
    assert found(THREE, paid=[*fan(D, P, A, B), *fan(D, Q, C)]) == []
    assert found(THREE, paid=[*fan(D, P, A, B), *fan(E, P, C)]) == []


def test_who_sends_may_be_of_the_batch_where_three_others_pass_it_on():
    later = {A: 0, B: 40, C: 40, D: 20}
    assert found(later, paid=fan(D, P, A, B, C), parameters={"within_days": 30}) != []
    assert hit(later, paid=fan(D, P, A, B, C)) == {B, C, D}
    assert found({B: 40, C: 40, D: 20}, paid=fan(D, P, B, C)) == []


def test_hubs_other_currencies_and_too_many_hands_tell_nothing():
    assert found(THREE, paid=fan(D, P, A, B, C), hubs=[D]) == []
    assert found(THREE, paid=fan(D, P, A, B, C), hubs=[P]) == []
    assert found(THREE, paid=[(*row, "USD") for row in fan(D, P, A, B, C)]) == []
    assert found(THREE, paid=fan(D, P, A, B, C), parameters={"max_sharing": 3})
    assert found({**THREE, E: 1}, paid=fan(D, P, A, B, C, E), parameters={"max_sharing": 3}) == []


def test_batches_with_a_company_in_common_are_one_and_others_are_not():
    founded = {A: 0, B: 0, C: 0, D: 0, E: 0, F: 0}
    one = {"at": all_at(ROOM, A, B, C), "reached": all_at(PHONE, A, B, C)}
    assert {row["root"] for row in found(founded, **one, paid=fan(P, Q, C, D, E))} == {f"batch:{A}"}
    assert {row["root"] for row in found(founded, **one, paid=fan(P, Q, D, E, F))} == {f"batch:{A}", f"batch:{D}"}


# -- order and steps ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with Engine(tmp_path_factory.mktemp("spill"), memory="500MB", threads=1) as engine:
        yield engine


COMPANIES = st.sampled_from((A, B, C, D))


def test_many_hands_at_different_times_are_not_counted_together(engine):
    hands = [f"company:b:h{n:02}" for n in range(60)]
    paid = [*fan(D, P, *hands[:30]), *fan(D, P, *hands[30:], months=(date(2024, 6, 1), date(2024, 6, 1)))]
    narrow, whole = narrowed_and_whole(RULE, engine, tables(dict.fromkeys(hands, 0), paid=paid), TODAY)
    assert narrow == whole
    assert {row["entity_id"] for row in narrow} == set(hands)


@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_neither_the_order_of_rows_nor_leaving_out_others_changes_anything(engine, data):
    founded = {each: data.draw(st.sampled_from((None, -2_000, 0, 20, 40))) for each in (A, B, C, D)}
    some = st.lists(COMPANIES, max_size=4, unique=True)
    parties = st.sampled_from((A, B, C, D, E, P))
    money = st.tuples(parties, parties, st.sampled_from((JAN, FEB, MAR)), st.sampled_from((50, 90, 100)))
    known = tables(
        founded,
        at=[*all_at(ROOM, *data.draw(some)), *all_at("address:text:s", *data.draw(some))],
        reached=all_at(PHONE, *data.draw(some)),
        led=all_at(P, *data.draw(some)),
        signed=[*all_at(MOBILE, *data.draw(some))] * 2,
        paid=[*fan(E, P, *data.draw(some)), *data.draw(st.lists(money, max_size=6))],
        hubs=data.draw(st.sampled_from(((), (P,)))),
    )
    narrow, whole = narrowed_and_whole(RULE, engine, known, TODAY)
    assert narrow == whole
    mixed = {name: table.take(pa.array(data.draw(st.permutations(range(table.num_rows))), pa.int64())) for name, table in known.items()}
    one, other = (sorted(find_shell_clusters(of, RULE.parameters).to_pylist(), key=str) for of in (known, mixed))
    assert one == other


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_companies": 2},
        {"within_days": -1},
        {"max_sharing": 2},
        {"min_percent": 0},
        {"max_age_days": 0},
        {"min_returned_percent": 101},
    ],
    ids=str,
)
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(UsageError, match=f"{next(iter(wrong))} is"):
        ShellClusterParameters(**wrong)
