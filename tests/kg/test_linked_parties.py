"""Links besides equity: each kind of evidence worked by hand, who may be behind a company, and what must raise nothing."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from datetime import date, datetime
from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.algorithms.proceeds import Bounds, follow, payments
from kg.algorithms.sharing import shared
from kg.derivations.linked_parties import (
    Evidence,
    LinkParams,
    find_hidden_controllers,
    find_hubs,
    find_links,
    rank_links,
)
from kg.errors import UsageError


def ends(*pairs, **columns):
    """Return a relationship's rows, written as (src, dst); the id of row 3 is r3, after the name of the target."""
    rows = {"src": [pair[0] for pair in pairs], "dst": [pair[1] for pair in pairs], "id": [f"{a}-{b}" for a, b in pairs]}
    return pa.table({name: pa.array(of, pa.string()) for name, of in rows.items()} | columns)


def named(name):
    """Return the id of a party: small letters are persons, others companies."""
    return f"person:{name}" if name.islower() else f"company:{name}"


def between(*pairs, **columns):
    """Return relationships of parties by their short names."""
    return ends(*((named(a), named(b)) for a, b in pairs), **columns)


def at(*pairs, **columns):
    """Return relationships of a party to a thing."""
    return ends(*((named(a), b) for a, b in pairs), **columns)


def paid(*rows):
    """Return payments written as (payer, payee, yuan), each in a month of its own."""
    months = [date(2024, 1 + place % 12, 1) for place in range(len(rows))]
    table = between(
        *((a, b) for a, b, _ in rows), month=pa.array(months), amount_fen=pa.array([100 * yuan for *_, yuan in rows], pa.int64())
    )
    return table.set_column(2, "id", pa.array([f"p{place}" for place in range(len(rows))]))


#: Payments that link nobody, in months enough to tell wages from drawings.
STRANGERS = (("X", "Y", 10_000),) * 3


def holdings(*pairs):
    return pa.table({"holder": [named(a) for a, _ in pairs], "held": [named(b) for _, b in pairs]})


def control(*pairs):
    return pa.table({"controller": [named(a) for a, _ in pairs], "controlled": [named(b) for _, b in pairs]})


def short(party):
    return party.partition(":")[2]


def links(graph, params=None):
    return {(short(row["a"]), short(row["b"]), row["kind"]): row for row in find_links(graph, params).to_pylist()}


def kinds(graph, params=None):
    return set(links(graph, params))


def weighed(base, degree):
    return int(base * min(1, 1 / math.log(1 + degree)) + 1e-6)


# -- what is shared ------------------------------------------------------------------------------------------------

OWNS = at(("A", "a1"), ("B", "b1"), ("C", "c1"))


def test_two_companies_that_bank_from_one_device_are_linked_strongly_and_the_device_is_named():
    found = links(Evidence(owns_account=OWNS, signed_in=ends(("dev", "a1"), ("dev", "b1"))))["A", "B", "shared_device"]
    assert found["strength"] == weighed(700_000, 2)
    assert found["evidence"] == ["dev", "dev-a1", "dev-b1"]


def test_a_device_of_three_says_less_than_one_of_two():
    found = links(Evidence(owns_account=OWNS, signed_in=ends(*(("dev", of) for of in ("a1", "b1", "c1")))))
    assert {row["strength"] for row in found.values()} == {weighed(700_000, 3)}
    assert len(found) == 3


def test_a_device_above_the_cap_makes_no_pair_at_all_and_is_told_as_a_hub():
    graph = Evidence(owns_account=OWNS, signed_in=ends(*(("dev", of) for of in ("a1", "b1", "c1"))))
    params = LinkParams(caps={"device": 2})
    assert kinds(graph, params) == set()
    (hub,) = find_hubs(graph, params).to_pylist()
    assert (hub["node"], hub["type"], hub["degree"]) == ("dev", "device", 3)


def test_an_address_that_the_bank_knows_for_a_hub_makes_no_pair_and_is_told_with_the_bank_s_reason():
    known = pa.table({"id": ["park"], "reason": ["集群注册"]})
    graph = Evidence(located_at=at(("A", "park"), ("B", "park")), hubs=known)
    assert kinds(graph) == set()
    assert find_hubs(graph).to_pylist() == [{"node": "park", "type": "address", "degree": 2, "reason": "集群注册"}]


def test_a_party_that_the_bank_knows_for_a_hub_is_linked_to_nobody():
    known = pa.table({"id": [named("P")], "reason": ["platform"]})
    graph = Evidence(located_at=at(("A", "x"), ("P", "x")), hubs=known)
    assert kinds(graph) == set()
    assert find_hubs(graph)["type"].to_pylist() == ["known"]


def test_companies_of_one_person_share_by_right_and_count_once():
    graph = Evidence(
        holdings=holdings(("p", "A"), ("p", "B"), ("q", "C")),
        control=control(("p", "A"), ("p", "B"), ("q", "C")),
        reached_at=at(("A", "phone"), ("B", "phone"), ("C", "phone")),
    )
    found = links(graph)
    assert {key for key in found if key[2] == "same_contact"} == {("A", "C", "same_contact"), ("B", "C", "same_contact")}
    assert found["A", "C", "same_contact"]["strength"] == weighed(600_000, 2)
    assert found["A", "B", "same_controller"]["evidence"] == [named("p")]


def test_a_phone_of_many_is_an_agent_s():
    graph = Evidence(reached_at=at(*((name, "phone") for name in "ABCDE")))
    assert {key[2] for key in kinds(graph)} == {"same_agent"}


def test_the_phone_of_a_person_outside_the_register_links_it_and_that_of_the_representative_does_not():
    graph = Evidence(reached_at=at(("A", "1"), ("p", "1"), ("A", "2"), ("q", "2")), represents=between(("q", "A")))
    assert kinds(graph) == {("A", "p", "same_contact")}


def test_one_officer_in_common_is_chance_and_two_are_evidence():
    one = between(("p", "A"), ("p", "B"))
    assert kinds(Evidence(officers=one)) == set()
    two = between(("p", "A"), ("p", "B"), ("q", "A"), ("q", "B"))
    found = links(Evidence(officers=two))["A", "B", "common_officers"]
    assert {named("p"), named("q")} <= set(found["evidence"])


def test_the_same_representative_is_evidence_that_the_register_tells():
    ranked = rank_links(find_links(Evidence(represents=between(("p", "A"), ("p", "B")))))
    assert (ranked["kinds"].to_pylist(), ranked["disclosed"].to_pylist()) == ([["same_representative"]], [True])


def test_officers_of_one_rare_name_are_weak_evidence_and_the_name_stands_nowhere():
    persons = pa.table({"id": [named("p"), named("q")], "name": ["欧阳雪", "欧阳雪"]})
    graph = Evidence(persons=persons, officers=between(("p", "A"), ("q", "B")))
    assert kinds(graph) == {("A", "B", "same_officer_name")}
    assert "欧阳雪" not in str(find_links(graph).to_pylist())


def companies(*rows, names=None):
    columns = {"id": [named(row[0]) for row in rows], "uscc": [row[1] for row in rows], "founded_on": pa.array([row[2] for row in rows])}
    return pa.table(columns | ({"name": names} if names else {}))


def test_numbers_that_follow_one_another_at_one_place_are_evidence():
    day = date(2020, 1, 1), date(2021, 6, 1), date(2022, 9, 1)
    rows = ("A", "9133010600000001AX", day[0]), ("B", "9133010600000003BX", day[1]), ("C", "9144010600000002CX", day[2])
    assert kinds(Evidence(companies=companies(*rows))) == {("A", "B", "sequential_registration")}


def test_days_that_follow_one_another_at_one_place_are_evidence():
    rows = (
        ("A", "91330106AAAAAAAAAX", date(2020, 1, 1)),
        ("B", "91330106BBBBBBBBBX", date(2020, 1, 2)),
        ("C", "91330106CCCCCCCCCX", date(2020, 1, 4)),
    )
    assert kinds(Evidence(companies=companies(*rows))) == {("A", "B", "sequential_registration")}


def test_names_that_differ_in_place_and_form_alone_are_similar():
    names = ["杭州云帆电子商务有限公司", "北京云帆电子商务商行", "杭州海星贸易有限公司"]
    rows = [("A", None, date(2001, 1, 1)), ("B", None, date(2005, 1, 1)), ("C", None, date(2010, 1, 1))]
    assert kinds(Evidence(companies=companies(*rows, names=names))) == {("A", "B", "similar_names")}


# -- kin -----------------------------------------------------------------------------------------------------------


def test_companies_of_husband_and_wife_are_linked_and_so_are_those_of_two_with_a_relative_in_common():
    graph = Evidence(
        holdings=holdings(("h", "A"), ("w", "B"), ("s", "C")),
        control=control(("h", "A"), ("w", "B"), ("s", "C")),
        kin=between(("h", "w"), ("w", "s")),
    )
    found = links(graph)
    assert found["h", "w", "relatives"]["strength"] == found["A", "B", "relatives"]["strength"] == 900_000
    assert found["A", "C", "relatives"]["strength"] == 675_000
    assert ("h", "s", "relatives") not in found


# -- money ---------------------------------------------------------------------------------------------------------


def test_a_person_outside_the_register_who_draws_money_and_brings_some_is_linked():
    found = links(Evidence(paid=paid(("A", "p", 20_000), ("p", "A", 50_000), *STRANGERS)))["A", "p", "drawings"]
    assert (found["strength"], found["evidence"]) == (600_000, ["p0", "p1"])


def test_who_only_draws_is_linked_less():
    assert links(Evidence(paid=paid(("A", "p", 20_000), *STRANGERS)))["A", "p", "drawings"]["strength"] == 510_000


def test_in_less_than_three_months_wages_and_drawings_look_alike_so_neither_links():
    assert kinds(Evidence(paid=paid(("A", "p", 20_000), ("p", "A", 50_000)))) == set()


def test_a_holder_s_drawings_are_no_news():
    assert kinds(Evidence(paid=paid(("A", "p", 20_000)), holdings=holdings(("p", "A")))) == set()


def test_wages_are_no_drawings():
    assert kinds(Evidence(paid=paid(*[("A", "p", yuan) for yuan in (6_000, 6_100, 12_000)]))) == set()


def test_the_owner_of_a_company_that_deals_with_this_one_may_be_paid_for_that():
    deals = paid(("A", "p", 20_000), ("A", "B", 10_000), ("C", "B", 10_000), ("B", "D", 10_000))
    with_own = Evidence(paid=deals, represents=between(("p", "B")))
    assert links(with_own)["A", "p", "drawings"]["strength"] == int(600_000 * 0.85 * 0.35 + 1e-6)


def test_a_shop_with_many_payers_has_none_that_draws():
    assert not any(kind == "drawings" for *_, kind in kinds(Evidence(paid=paid(*[(name, "A", 900) for name in "pqrst"]))))


def test_about_as_much_to_as_fro_is_a_round_trip_and_a_third_of_it_is_none():
    assert ("A", "B", "round_trip") in kinds(Evidence(paid=paid(("A", "B", 100), ("B", "A", 90))))
    assert ("A", "B", "round_trip") not in kinds(Evidence(paid=paid(("A", "B", 100), ("B", "A", 30))))


def test_half_of_the_spending_is_dependence_and_a_fen_less_is_none():
    half = paid(*[("A", "B", 50)] * 3, ("A", "C", 150))
    assert links(Evidence(paid=half))["A", "B", "trade_dependence"]["strength"] >= 350_000
    less = paid(*[("A", "B", 50)] * 3, ("A", "C", 151), *[("D", "B", 500)] * 3)
    assert ("A", "B", "trade_dependence") not in kinds(Evidence(paid=less))


def test_the_main_supplier_and_the_main_customer_in_common_link_two_companies():
    rows = [("S", "A", 10), ("S", "B", 10), ("A", "K", 10), ("B", "K", 10)]
    found = links(Evidence(invoiced=paid(*rows).rename_columns(["src", "dst", "id", "month", "net_fen"])))
    assert sorted(found["A", "B", "common_partners"]["evidence"]) == [named("K"), named("S")]


# -- loans and guarantees --------------------------------------------------------------------------------------------


def lent(*moves, fen=100):
    """Return a loan of A, paid out on the first of January, and transfers written as (from, to, fen, day)."""
    when = [datetime(2024, 1, day) for *_, day in moves]
    return Evidence(
        borrowed=at(("A", "loan")),
        paid_out=ends(("loan", "a"), amount_fen=pa.array([fen], pa.int64()), at=pa.array([datetime(2024, 1, 1)])),
        transfers=ends(*((a, b) for a, b, *_ in moves), amount_fen=pa.array([move[2] for move in moves], pa.int64()), at=pa.array(when)),
        owns_account=at(("A", "a"), ("B", "b"), ("C", "c"), ("p", "p")),
    )


def test_loan_money_that_ends_with_a_person_over_two_companies_links_the_borrower_with_it():
    found = links(lent(("a", "b", 100, 2), ("b", "c", 90, 4), ("c", "p", 80, 6)))["A", "p", "loan_proceeds"]
    assert found["strength"] == int(800_000 * 0.8 * 0.95**2 + 1e-6)
    assert found["evidence"] == ["loan", "c-p"]


def test_loan_money_that_lies_longer_than_the_window_is_not_followed():
    assert ("A", "p", "loan_proceeds") not in kinds(lent(("a", "b", 100, 2), ("b", "p", 90, 20)))


def test_what_came_before_the_loan_is_not_its_money():
    assert kinds(lent(("b", "p", 90, 1), ("a", "b", 100, 2))) == {("A", "B", "loan_proceeds")}


def test_a_supplier_by_invoice_is_what_a_loan_is_for():
    sold = paid(("B", "A", 1)).rename_columns(["src", "dst", "id", "month", "net_fen"])
    assert kinds(replace(lent(("a", "b", 100, 2)), invoiced=sold)) == set()


def test_parts_of_a_loan_add_up_and_less_than_two_fifths_are_left_out():
    assert kinds(lent(("a", "p", 20, 2), ("a", "p", 20, 3))) == {("A", "p", "loan_proceeds")}
    assert kinds(lent(("a", "p", 20, 2), ("a", "p", 19, 3))) == set()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(1, 90), st.integers(0, 30)), max_size=30),
    st.integers(1, 4),
)
def test_no_account_gets_more_of_a_loan_than_there_is_nor_before_it_was_paid_out_nor_over_too_many_hands(moves, hops):
    payer, payee, fen, day = (np.array([move[i] for move in moves], np.int64) for i in range(4))
    flow = payments((payer, payee), day, fen, np.arange(len(moves)), 6)
    found = follow(flow, np.array([0]), np.array([10]), np.array([100]), Bounds(8, hops, 30_000))
    assert ((found.fen > 0) & (found.fen <= 100) & (found.hops >= 1) & (found.hops <= hops)).all()
    assert (day[found.row] >= 10).all()
    assert (payee[found.row] == found.account).all()
    assert 0 not in found.account.tolist()


def test_who_stands_for_a_loan_stands_for_its_borrower():
    graph = replace(lent(("a", "a", 1, 2)), guarantees=at(("q", "loan")))
    assert links(graph)["A", "q", "guarantor"]["evidence"] == ["person:q-loan"]


def test_three_who_guarantee_one_another_in_a_circle_are_all_linked():
    found = links(Evidence(guarantees=between(("A", "B"), ("B", "C"), ("C", "A"))))
    circle = {key[:2]: row for key, row in found.items() if key[2] == "guarantee_circle"}
    assert set(circle) == {("A", "B"), ("A", "C"), ("B", "C")}
    assert circle["A", "C"]["strength"] == weighed(700_000, 2)
    assert set(circle["A", "C"]["evidence"]) == {"company:A-company:B", "company:B-company:C", "company:C-company:A"}


def test_a_chain_of_guarantees_is_no_circle():
    assert {key[2] for key in kinds(Evidence(guarantees=between(("A", "B"), ("B", "C"))))} == {"guarantor"}


# -- who may be behind -----------------------------------------------------------------------------------------------


def behind(graph):
    return {(short(row["company"]), short(row["person"])): row for row in find_hidden_controllers(graph, find_links(graph)).to_pylist()}


FRONT = Evidence(
    holdings=holdings(("straw", "F"), ("boss", "B")),
    control=control(("straw", "F"), ("boss", "B")),
    owns_account=at(("F", "f"), ("B", "b")),
    signed_in=ends(("dev", "f"), ("dev", "b")),
)


def test_who_controls_the_company_with_the_same_device_may_be_behind_a_front():
    found = behind(FRONT)
    assert found["F", "boss"]["score"] == weighed(700_000, 2) * 85 // 100
    assert found["F", "boss"]["alarm"]
    assert found["F", "boss"]["evidence"] == ["dev", "dev-b", "dev-f"]
    assert ("F", "straw") not in found


def test_a_relative_of_the_register_raises_no_alarm():
    row = behind(replace(FRONT, kin=between(("straw", "boss"))))["F", "boss"]
    assert (row["relative"], row["alarm"]) == (True, False)


def test_a_device_of_two_companies_with_a_holder_in_common_is_that_holder_s():
    in_common = replace(FRONT, holdings=holdings(("straw", "F"), ("boss", "B"), ("z", "F"), ("z", "B")))
    assert behind(in_common) == {}


def test_who_stands_in_the_register_of_a_company_above_is_not_hidden():
    above = Evidence(holdings=holdings(("p", "H"), ("H", "F")), guarantees=between(("p", "F")))
    assert behind(above) == {}


def test_trade_alone_makes_nobody_a_candidate():
    graph = replace(FRONT, signed_in=None, paid=paid(*[("F", "B", 50)] * 3))
    assert ("B", "F", "trade_dependence") in kinds(graph)
    assert behind(graph) == {}


# -- refusals --------------------------------------------------------------------------------------------------------

REFUSED = [
    (lambda: find_links(Evidence(kin=pa.table({"src": ["p"]}))), r"kin lack the column dst"),
    (lambda: find_links(Evidence(kin=pa.table({"src": ["p", None], "dst": ["q", "r"]}))), r"kin row 1: src is null"),
    (lambda: find_links(Evidence(paid=paid(("A", "B", 1), ("A", "B", -1)))), r"paid row 1: amount_fen is -100"),
    (lambda: LinkParams(caps={"devise": 3}), r"no attribute 'devise' has a cap; did you mean 'device'"),
    (lambda: LinkParams(caps={"device": 1}), r"the cap of device is 1"),
    (lambda: LinkParams(alarm_ppm=0), r"alarm_ppm is 0"),
    (lambda: LinkParams(proceeds_days=0), r"proceeds_days"),
    (lambda: shared(np.array([1]), np.array([0]), np.array([0]), cap=1), r"a cap of 1"),
]


@pytest.mark.parametrize(("wrong", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_refused(wrong, said):
    with pytest.raises(UsageError, match=said):
        wrong()


# -- properties ------------------------------------------------------------------------------------------------------


def everything(rng):
    """Return a small world with something of all kinds."""
    firms, people = [f"F{i}" for i in range(8)], [f"p{c}" for c in "abcdefgh"]

    def some(one, other, count):
        return [(one[i], other[j]) for i, j in zip(rng.integers(0, len(one), count), rng.integers(0, len(other), count), strict=True)]

    money = [(a, b, int(fen)) for (a, b), fen in zip(some(firms + people, firms + people, 40), rng.integers(1, 99, 40), strict=True)]
    own = [(name, f"acc{name}") for name in firms + people]
    accounts = [account for _, account in own]
    moves = [(a, b, int(rng.integers(1, 99)), int(rng.integers(1, 20))) for a, b in some(accounts, accounts, 40)]
    when = pa.array([datetime(2024, 1, day) for *_, day in moves])
    transfers = ends(*((a, b) for a, b, *_ in moves), amount_fen=pa.array([move[2] for move in moves], pa.int64()), at=when)
    loans = [(name, f"loan{name}") for name in firms]
    begin = pa.array([datetime(2024, 1, 3)] * 8)
    return Evidence(
        holdings=holdings(*some(people, firms, 6)),
        kin=between(*[pair for pair in some(people, people, 3) if pair[0] != pair[1]]),
        represents=between(*some(people, firms, 6)),
        officers=between(*some(people, firms, 12)),
        owns_account=at(*own),
        signed_in=ends(*some(["d1", "d2", "d3"], accounts, 9)),
        paid=paid(*money),
        borrowed=at(*loans),
        paid_out=ends(*((loan, f"acc{name}") for name, loan in loans), amount_fen=pa.array([60] * 8, pa.int64()), at=begin),
        transfers=transfers.set_column(2, "id", pa.array([f"t{i:02}" for i in range(40)])),
        guarantees=between(*[pair for pair in some(firms, firms, 12) if pair[0] != pair[1]]),
        located_at=at(*some(firms + people, ["x", "y", "z"], 12)),
        reached_at=at(*some(firms + people, ["1", "2", "3"], 12)),
    )


def mapped(graph, change):
    return Evidence(**{field.name: None if (of := getattr(graph, field.name)) is None else change(of) for field in fields(Evidence)})


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_the_order_of_rows_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    graph = everything(rng)
    turned = mapped(graph, lambda table: table.take(pa.array(rng.permutation(table.num_rows))))
    assert find_links(turned).equals(find_links(graph))
    assert find_hubs(turned).equals(find_hubs(graph))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_other_names_give_the_same_links_of_the_others(seed):
    graph = everything(np.random.default_rng(seed))

    def renamed(table):
        for name in {"src", "dst", "holder", "held"} & set(table.column_names):
            text = [party.replace("company:F", "company:z").replace("person:p", "person:0") for party in table[name].to_pylist()]
            table = table.set_column(table.column_names.index(name), name, pa.array(text, pa.string()))
        return table

    def told(rows):
        # which of several equal ones is named first may change with the names, the links may not
        back = {"company:z": "company:F", "person:0": "person:p"}
        pairs = [[back.get(party[:-1], party[:-1]) + party[-1] for party in (row["a"], row["b"])] for row in rows]
        return {(*sorted(pair), row["kind"], row["strength"]) for pair, row in zip(pairs, rows, strict=True)}

    assert told(find_links(mapped(graph, renamed)).to_pylist()) == told(find_links(graph).to_pylist())


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 7)), max_size=25),
    st.lists(st.integers(0, 3), min_size=8, max_size=8),
    st.integers(2, 5),
)
def test_sharers_are_those_that_a_look_at_every_pair_finds(rows, house, cap):
    found = shared(*(np.array([row[i] for row in rows], np.int64) for i in (0, 1)), np.array(house), cap=cap)
    having = {what: {party for other, party in rows if other == what} for what in {row[0] for row in rows}}
    degree = {what: len({house[party] for party in parties}) for what, parties in having.items()}
    expected = {
        (a, b, what, degree[what])
        for what, parties in having.items()
        for a, b in combinations(sorted(parties), 2)
        if degree[what] <= cap and house[a] != house[b]
    }
    assert set(zip(*(column.tolist() for column in found[:4]), strict=True)) == expected
    assert dict(zip(found.hub.tolist(), found.hub_degree.tolist(), strict=True)) == {w: d for w, d in degree.items() if d > cap}


def test_whole_numbers_serve_as_ids_as_well():
    graph = Evidence(
        companies=pa.table({"id": [1, 2]}),
        persons=pa.table({"id": [7]}),
        located_at=pa.table({"src": [1, 2, 7], "dst": [100, 100, 101]}),
        reached_at=pa.table({"src": [1, 7], "dst": [5, 5]}),
    )
    found = find_links(graph)
    assert list(zip(found["a"].to_pylist(), found["b"].to_pylist(), found["kind"].to_pylist(), strict=True)) == [
        (1, 2, "same_address"),
        (1, 7, "same_contact"),
    ]
    assert pa.types.is_integer(found["a"].type)
    assert find_hidden_controllers(graph, found)["person"].to_pylist() == [7]


def test_no_tables_give_no_links():
    assert find_links(Evidence()).num_rows == 0
    assert rank_links(find_links(Evidence())).num_rows == 0
    assert find_hubs(Evidence()).num_rows == 0
    assert find_hidden_controllers(Evidence(), find_links(Evidence())).num_rows == 0


def test_each_pair_and_kind_is_told_once_though_invoices_and_payments_both_tell_it():
    months = [date(2024, month, 1) for month in range(1, 7)]
    ends = {"src": ["A"] * 6, "dst": ["B"] * 6, "month": pa.array(months)}
    graph = Evidence(
        paid=pa.table({**ends, "id": [f"p{n}" for n in range(6)], "amount_fen": [100_000] * 6}),
        invoiced=pa.table({**ends, "id": [f"i{n}" for n in range(6)], "net_fen": [100_000] * 6}),
    )
    table = find_links(graph)
    rows = list(zip(table["a"].to_pylist(), table["b"].to_pylist(), table["kind"].to_pylist(), strict=True))
    assert "trade_dependence" in {kind for *_, kind in rows}
    assert len(rows) == len(set(rows))
