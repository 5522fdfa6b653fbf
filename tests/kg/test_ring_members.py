"""Which rings of money a night tells of: those around clients, of a year, over all accounts of a party, and not within one group."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pyarrow as pa
import pytest

from kg.derivations import ring_members
from kg.derivations.ring_members import MEMBERS, RINGS, rings_now
from kg.engine import Engine
from kg.rule import Reading, evaluate
from kg.rules import payment_ring

from .narrowing import ArrowGraph

DAY = date(2024, 6, 1)
T0 = datetime(2024, 5, 1, 9)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with Engine(tmp_path_factory.mktemp("spill"), memory="500MB", threads=1) as engine:
        yield engine


def company(name):
    return f"company:b:{name}"


def rounds(path="abc", count=3, fen=5_000_000, start=T0, number=0):
    """Return payments that go round a path, a day for each, each holder keeping a hundredth."""
    moved = []
    for place in range(count):
        for step, (payer, payee) in enumerate(zip(path, path[1:] + path[0], strict=True)):
            at = start + timedelta(days=10 * place + step)
            moved.append((f"t{number + len(moved):03}", payer, payee, fen * (100 - step) // 100, at))
    return moved


def graph_of(engine, moved, *, owners=None, groups=(), earlier=None, as_of=DAY):
    """Return the graph of a bank whose client is a; by default each account is owned by the company of its name."""
    owners = {name: [company(name)] for _, payer, payee, *_ in moved for name in (payer, payee)} if owners is None else owners
    owned = [(company_, account) for account, each in owners.items() for company_ in each]
    tables = {
        "TRANSFERRED_TO": {
            "id": [row[0] for row in moved],
            "src": [f"account:{row[1]}" for row in moved],
            "dst": [f"account:{row[2]}" for row in moved],
            "amount_fen": [row[3] for row in moved],
            "at": pa.array([row[4] for row in moved], pa.timestamp("us")),
        },
        "OWNS_ACCOUNT": {"id": [a + b for a, b in owned], "src": [a for a, _ in owned], "dst": [f"account:{b}" for _, b in owned]},
        "Company": {"id": [company("a")], "customer_ref": ["K1"]},
        "MEMBER_OF": {
            "id": [f"{party}{group}" for party, group in groups],
            "src": [party for party, _ in groups],
            "dst": [group for _, group in groups],
        },
        "IN_RING": {"id": [], "src": [], "dst": []} if earlier is None else earlier,
    }
    return ArrowGraph(engine, as_of, {name: pa.table(rows) for name, rows in tables.items() if len(rows["id"])})


def told(engine, *args, **more):
    """Return the members of each ring."""
    table = rings_now(graph_of(engine, *args, **more)).rings.table
    rings = {}
    for row in table.to_pylist():
        rings.setdefault(row["ring_id"], set()).add(row["member"])
    return sorted(map(sorted, rings.values()))


ABC = [[company(name) for name in "abc"]]


def test_money_that_goes_round_three_times_among_three_is_a_ring_and_twice_is_what_friends_do(engine):
    assert told(engine, rounds(count=3)) == ABC
    assert told(engine, rounds(count=2)) == []


def test_what_comes_back_within_hours_is_no_ring_however_often(engine):
    quick = [(*row[:4], T0 + timedelta(days=10 * (place // 3), hours=place % 3)) for place, row in enumerate(rounds())]
    assert told(engine, quick) == []


def test_money_that_goes_round_once_among_five_or_twice_through_a_private_account_is_a_ring(engine):
    assert told(engine, rounds("abcde", 1)) == [[company(name) for name in "abcde"]]
    assert told(engine, rounds("abcd", 1)) == []
    owners = {"a": [company("a")], "b": ["person:b:p"], "c": [company("c")]}
    assert told(engine, rounds(count=2), owners=owners) == [[company("a"), company("c"), "person:b:p"]]


def test_a_party_is_one_member_with_all_its_accounts(engine):
    moved = [*rounds("abc", 2), *rounds("xbc", 1, start=T0 + timedelta(days=20), number=10)]
    owners = {"a": [company("a")], "x": [company("a")], "b": [company("b")], "c": [company("c")]}
    assert told(engine, moved, owners=owners) == ABC


def test_an_account_that_nobody_or_several_own_is_a_member_by_itself_and_bears_no_flag(engine):
    owners = {"a": [company("a")], "b": [], "c": [company("c"), company("d")]}
    graph = graph_of(engine, rounds(), owners=owners)
    assert set(rings_now(graph).rings.table["member"].to_pylist()) == {"account:b", "account:c", company("a")}
    rows = engine.table(MEMBERS.run(graph)).to_pylist()
    assert [row["src"] for row in rows] == [company("a")]
    assert engine.table(RINGS.run(graph))["members"].to_pylist() == [3]


def test_what_a_group_pays_within_itself_is_no_ring(engine):
    parties = [company(name) for name in "abc"]
    assert told(engine, rounds(), groups=[(party, "g") for party in parties]) == []
    assert told(engine, rounds(), groups=[(party, "g") for party in parties[:2]]) == ABC


def test_members_who_pay_one_another_much_beside_the_cycles_are_no_ring(engine):
    beside = [(f"u{n}", "a", "b", 3_000_000 + n, T0 - timedelta(days=40 + n)) for n in range(20)]
    assert told(engine, [*rounds(), *beside]) == []
    assert told(engine, [*rounds("abcde", 1), *beside]) == []
    assert told(engine, [*rounds("abcde", 2), *beside[:10]]) == [[company(name) for name in "abcde"]]


@pytest.mark.parametrize("gap", [4, 8, 10, 12, 20])
def test_money_that_goes_round_more_than_three_times_is_a_ring_however_close_the_rounds(engine, gap):
    def moved(count):
        return [row for place in range(count) for row in rounds("abc", 1, start=T0 - timedelta(days=100 - gap * place), number=3 * place)]

    assert told(engine, moved(2)) == []
    assert [told(engine, moved(count)) for count in (3, 6)] == [ABC, ABC]


def test_loans_paid_back_between_two_of_a_circle_are_no_rounds_of_it(engine):
    back = [(f"u{n}", *ends, 4_000_000, T0 + timedelta(days=40 + n)) for n, ends in enumerate(["ab", "ba"] * 3)]
    assert told(engine, [*rounds("abcd", 1), *back]) == []


def test_small_change_and_what_is_older_than_a_year_are_not_looked_at(engine):
    assert told(engine, rounds(fen=90_000)) == []
    assert told(engine, rounds(), as_of=date(2025, 6, 1)) == []
    assert told(engine, rounds(), as_of=date(2025, 5, 31)) == ABC


def test_money_that_goes_round_where_no_client_is_near_is_not_looked_at(engine):
    assert told(engine, [*rounds("xyz"), ("w", "a", "q", 1_000_000, T0)]) == []
    assert told(engine, rounds("abcdef", 2)) == [[company(name) for name in "abcdef"]]


def test_each_member_has_the_transfers_that_it_made_or_got_as_evidence(engine):
    graph = graph_of(engine, rounds())
    rows = {row["src"]: row for row in engine.table(MEMBERS.run(graph)).to_pylist()}
    assert rows[company("a")]["evidence"] == '["t000","t002","t003","t005","t006","t008"]'
    assert rows[company("b")]["amount_fen"] == 3 * 5_000_000
    (ring,) = engine.table(RINGS.run(graph)).to_pylist()
    assert (ring["members"], ring["support"], ring["event"], ring["earlier"]) == (3, 3, "new", None)
    assert (ring["first_at"], ring["last_at"]) == (T0, T0 + timedelta(days=22))
    assert ring["amount_fen"] == 3 * (5_000_000 + 4_950_000 + 4_900_000)


def test_a_ring_that_gets_a_member_keeps_its_id_and_says_so(engine):
    before = {"id": ["1", "2", "3"], "src": ABC[0], "dst": ["ring:old"] * 3}
    graph = graph_of(engine, rounds("abcd"), earlier=before)
    (ring,) = engine.table(RINGS.run(graph)).to_pylist()
    assert (ring["id"], ring["members"], ring["event"], ring["earlier"]) == ("ring:old", 4, "kept", '["ring:old"]')


def test_no_transfers_make_no_rings(engine):
    graph = ArrowGraph(engine, DAY, {"Company": pa.table({"id": [company("a")], "customer_ref": ["K1"]})})
    assert engine.table(MEMBERS.run(graph)).num_rows == 0
    assert engine.table(RINGS.run(graph)).num_rows == 0


# The rule


def flagged(engine, graph, **more):
    """Return what the rule tells of a graph in whose tables the rings lie."""
    members, rings = engine.table(MEMBERS.run(graph)), engine.table(RINGS.run(graph))
    known = ArrowGraph(engine, graph.as_of, {"IN_RING": members, "Ring": rings})
    return evaluate((payment_ring.RULE,), Reading(known)).to_pylist()


def test_the_members_of_a_ring_are_flagged_with_what_each_got_and_did(engine):
    hits = flagged(engine, graph_of(engine, rounds()))
    assert [hit["entity_id"] for hit in hits] == ABC[0]
    assert {hit["root"] for hit in hits} == {rings_now(graph_of(engine, rounds())).rings.table["ring_id"][0].as_py()}
    assert hits[1]["evidence"] == ["t000", "t001", "t003", "t004", "t006", "t007"]
    assert hits[1]["amount_fen"] == 15_000_000
    assert hits[0]["at"].replace(tzinfo=None) == T0 + timedelta(days=22)


def test_a_ring_that_moved_little_or_ended_long_ago_bears_no_flag(engine):
    assert flagged(engine, graph_of(engine, rounds(fen=1_000_000))) == []
    assert flagged(engine, graph_of(engine, rounds(), as_of=date(2024, 12, 1))) == []
    assert len(flagged(engine, graph_of(engine, rounds(), as_of=date(2024, 11, 1)))) == 3


def test_parameters_out_of_range_and_absent_tables():
    assert payment_ring.find_payment_rings({}, payment_ring.PaymentRingParameters()).num_rows == 0
    with pytest.raises(Exception, match="recent_days is 0; it must lie between"):
        payment_ring.PaymentRingParameters(recent_days=0)


def test_hubs_that_were_left_out_and_searches_that_were_stopped_are_noted(engine, monkeypatch):
    partners = [(f"h{n}{way}", *(("q", f"p{n}") if way else (f"p{n}", "q")), 1_000_000, T0) for n in range(5) for way in (0, 1)]
    graph = graph_of(engine, [*rounds("aqb"), *partners])
    rings_now(graph)
    assert graph.notes == []
    monkeypatch.setattr(ring_members, "SOUGHT", replace(ring_members.SOUGHT, max_fan=4))
    graph = graph_of(engine, [*rounds("aqb"), *partners])
    rings_now(graph)
    assert graph.notes == ["rings: 1 who pay or are paid by more than 4 others were left out"]
    monkeypatch.setattr(ring_members, "SOUGHT", replace(ring_members.SOUGHT, max_fan=None, max_steps=1))
    graph = graph_of(engine, rounds("abcdef", 6))
    rings_now(graph)
    assert len(graph.notes) == 1
    assert "transfers was stopped before its end; rings may be missing" in graph.notes[0]
