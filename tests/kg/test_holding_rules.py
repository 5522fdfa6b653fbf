"""The rules on holdings: circles, closed circles, and shares beyond the whole."""

from __future__ import annotations

from datetime import UTC, date, datetime

import networkx as nx
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import UsageError
from kg.rules.circular_holding import CircularHoldingParameters, find_circular_holdings
from kg.rules.closed_circle import ClosedCircleParameters, find_closed_circles
from kg.rules.shares_over_whole import SharesOverWholeParameters, find_shares_over_whole

A, B, C, D = (f"company:x:{c}" for c in "abcd")
P, Q = "person:x:p", "person:x:q"


def holdings(*rows):
    """Make the table of (src, dst, ppm[, day[, source]]); the ids are h0, h1, …"""
    full = [(*row, None, None)[:5] for row in rows]
    names, types = ("src", "dst", "share_ppm", "valid_from", "source"), (pa.string(), pa.string(), pa.int64(), pa.date32(), pa.string())
    named = {name: pa.array([row[place] for row in full], types[place]) for place, name in enumerate(names)}
    return {"HOLDS_SHARES": pa.table({"id": pa.array([f"h{i}" for i in range(len(full))], pa.string()), **named})}


def circular(*rows, **parameters):
    return find_circular_holdings(holdings(*rows), CircularHoldingParameters(**parameters)).to_pylist()


def closed(*rows, **parameters):
    return find_closed_circles(holdings(*rows), ClosedCircleParameters(**parameters)).to_pylist()


def over(*rows, **parameters):
    return find_shares_over_whole(holdings(*rows), SharesOverWholeParameters(**parameters)).to_pylist()


def test_companies_that_hold_one_another_are_all_hit_with_the_holdings_of_the_circle():
    hits = circular((A, B, 300_000, date(2024, 1, 2)), (B, C, 200_000, date(2024, 5, 6)), (C, A, 150_000), (P, A, 850_000))
    assert {hit["entity_id"] for hit in hits} == {A, B, C}
    assert {hit["root"] for hit in hits} == {f"{A}>{B}>{C}"}
    assert all(hit["evidence"] == ["h0", "h1", "h2"] for hit in hits)
    assert {hit["at"] for hit in hits} == {datetime(2024, 5, 6, tzinfo=UTC)}
    assert {hit["amount_fen"] for hit in hits} == {None}


def test_a_circle_with_one_small_or_unknown_holding_in_it_is_none():
    assert circular((A, B, 300_000), (B, A, 99_999)) == []
    assert circular((A, B, 300_000), (B, A, None)) == []
    assert len(circular((A, B, 300_000), (B, A, 99_999), min_share_ppm=50_000)) == 2


def test_a_chain_a_person_in_it_and_own_shares_make_no_circle():
    assert circular((A, B, 600_000), (B, C, 600_000), (A, A, 200_000), (P, A, 800_000)) == []


def test_two_companies_that_own_one_another_entirely_are_closed():
    hits = closed((A, B, 1_000_000), (B, A, 1_000_000), (P, C, 1_000_000))
    assert [(hit["entity_id"], hit["root"], hit["evidence"]) for hit in hits] == [(c, f"closed:{A}", ["h0", "h1"]) for c in (A, B)]


def test_one_ppm_of_a_stranger_opens_a_circle_also_for_the_others():
    assert closed((A, B, 1_000_000), (B, A, 999_999), (P, A, 1)) == []
    assert closed((A, B, 1_000_000), (B, A, 999_999)) == []
    assert len(closed((A, B, 1_000_000), (B, A, 999_999), tolerance_ppm=1)) == 2


def test_who_is_stated_to_hold_nothing_opens_no_circle():
    whole = [(A, B, 1_000_000), (B, A, 1_000_000)]
    assert {hit["entity_id"] for hit in closed(*whole, (P, A, 0))} == {A, B}
    assert {hit["entity_id"] for hit in closed(*whole, (B, C, 500_000), (C, A, 0), (P, C, 500_000))} == {A, B}


def test_a_share_that_is_not_known_may_be_anybodys_and_closes_nothing():
    assert closed((A, B, None), (B, A, 1_000_000)) == []


def test_a_company_that_owns_itself_entirely_is_closed_and_those_below_it_are_not():
    assert [hit["entity_id"] for hit in closed((A, A, 1_000_000), (A, B, 1_000_000))] == [A]


def test_a_company_that_nobody_holds_is_not_closed():
    assert closed((A, B, 1_000_000)) == []
    assert closed() == []


def test_shares_beyond_the_whole_are_told_with_all_holdings():
    hits = over((P, A, 600_000), (Q, A, 500_000), (P, B, 500_000), (Q, B, 500_000), (Q, C, None))
    assert [(hit["entity_id"], hit["evidence"]) for hit in hits] == [(A, ["h0", "h1"])]


def test_shares_that_two_registers_tell_are_not_added_up():
    one, other = date(2024, 1, 2), date(2024, 5, 6)
    told = [(P, A, 600_000, one, "tax"), (Q, A, 400_000, one, "tax"), (P, A, 600_000, other, "court"), (Q, A, 400_000, other, "court")]
    assert over(*told) == []
    (hit,) = over(*told, (B, A, 100_000, one, "tax"))
    assert (hit["evidence"], hit["at"]) == (["h0", "h1", "h4"], datetime(2024, 1, 2, tzinfo=UTC))


def test_of_two_registers_that_say_too_much_alike_the_first_by_name_is_told():
    rows = [(P, A, 1_200_000, None, "tax"), (P, A, 1_200_000, None, "court"), (P, A, 5, None, None)]
    assert [hit["evidence"] for hit in over(*rows)] == [["h1"]]
    assert [hit["evidence"] for hit in over(*rows[::-1])] == [["h1"]]


sourced = st.tuples(*map(st.sampled_from, ("pq", "ab", [None, 0, 400_000, 700_000], "xyz")))


@given(st.lists(sourced))
def test_a_company_is_told_where_one_source_alone_says_too_much(rows):
    rows = [(f"person:x:{a}", f"company:x:{b}", ppm, None, source) for a, b, ppm, source in rows]
    sums = {key: sum(ppm or 0 for _, dst, ppm, _, source in rows if (dst, source) == key) for key in {(r[1], r[4]) for r in rows}}
    assert {hit["entity_id"] for hit in over(*rows)} == {company for (company, _), whole in sums.items() if whole > 1_001_000}


def test_two_registers_that_each_tell_of_a_half_close_no_circle():
    half = [(A, B, 500_000, None, "tax"), (B, A, 1_000_000, None, "tax")]
    assert closed(*half, (A, B, 500_000, None, "court")) == []
    hits = closed(*half, (A, B, 1_000_000, None, "court"))
    assert [(hit["entity_id"], hit["evidence"]) for hit in hits] == [(A, ["h1", "h2"]), (B, ["h1", "h2"])]
    assert len(closed(*half, (A, B, 500_000, None, "tax"))) == 2
    assert closed(*half, (A, B, 1_000_000, None, "court"), (P, A, 1, None, "land")) == []


def test_what_rounding_adds_is_not_told():
    assert over((P, A, 333_334), (Q, A, 333_334), (B, A, 333_334)) == []
    assert len(over((P, A, 333_334), (Q, A, 333_334), (B, A, 333_334), tolerance_ppm=0)) == 1


@pytest.mark.parametrize(
    ("parameters", "wrong"),
    [
        (CircularHoldingParameters, {"min_share_ppm": -1}),
        (CircularHoldingParameters, {"max_companies": 1}),
        (ClosedCircleParameters, {"tolerance_ppm": 20_000}),
        (SharesOverWholeParameters, {"tolerance_ppm": -1}),
        (SharesOverWholeParameters, {"tolerance_ppm": 60.5}),
        (CircularHoldingParameters, {"max_companies": True}),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused_by_its_name(parameters, wrong):
    with pytest.raises(UsageError, match=next(iter(wrong))):
        parameters(**wrong)


edges = st.lists(
    st.tuples(st.sampled_from("abcde"), st.sampled_from("abcde"), st.sampled_from([0, 400_000, 600_000, 1_000_000])), max_size=12
)


@given(edges)
def test_every_company_on_a_circle_of_large_holdings_is_hit_and_no_other(rows):
    rows = [(f"company:x:{a}", f"company:x:{b}", ppm) for a, b, ppm in rows]
    graph = nx.DiGraph([(a, b) for a, b, ppm in rows if ppm >= 100_000 and a != b])
    on_circles = {node for component in nx.strongly_connected_components(graph) if len(component) > 1 for node in component}
    assert {hit["entity_id"] for hit in circular(*rows)} == on_circles


@given(edges)
def test_a_closed_set_is_one_of_which_every_part_is_held_inside(rows):
    rows = [(f"company:x:{a}", f"company:x:{b}", ppm) for a, b, ppm in rows]
    graph = nx.MultiDiGraph([(a, b, {"ppm": ppm}) for a, b, ppm in rows if ppm > 0])
    expected = set()
    for component in nx.strongly_connected_components(graph):
        inside = all(a in component for node in component for a, _ in graph.in_edges(node))
        whole = all(sum(d["ppm"] for _, _, d in graph.in_edges(node, data=True)) >= 1_000_000 for node in component)
        expected |= component if inside and whole else set()
    assert {hit["entity_id"] for hit in closed(*rows)} == expected
