"""The rule hidden_control: whose money ends with whom, which signs tie the two, and who is no stranger."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.engine import Engine
from kg.errors import UsageError
from kg.rules.hidden_control import RULE, HiddenControlParameters, find_hidden_control

from .narrowing import narrowed_and_whole

T0 = datetime(2024, 3, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
A, B, C, H, S = (f"company:x:{c}" for c in "abchs")
P, Q, R, STRAW = (f"person:x:{c}" for c in ("p", "q", "r", "straw"))
YUAN = 100
TYPES = {name: need.empty().schema for need in RULE.requires for name in (need.name,)}


class World:
    """A borrows and stands in a straw person's name; B is P's, C is Q's. Everybody has an account of its own name."""

    def __init__(self):
        self.rows = {name: [] for name in TYPES}
        for party in (A, B, C, H, S, P, Q, R, STRAW):
            self.add("OWNS_ACCOUNT", src=party, dst=party[-1])
        for person, company in ((STRAW, A), (P, B), (Q, C), (R, S)):
            self.add("REPRESENTS", src=person, dst=company)

    def add(self, name, **values):
        self.rows[name].append({**dict.fromkeys(TYPES[name].names), "id": f"{name[0].lower()}{len(self.rows[name])}", **values})
        return self

    def lend(self, day=0, fen=100_000 * YUAN, who=A):
        number = len(self.rows["BORROWED"])
        self.add("BORROWED", src=who, dst=f"loan:x:{number}")
        return self.add("PAID_OUT_TO", src=f"loan:x:{number}", dst=who[-1], amount_fen=fen, at=T0 + day * DAY)

    def send(self, *parties, day=0.0, yuan=100_000, each=1.0):
        """Send a sum on from one to the next, so many days apart."""
        for place, (payer, payee) in enumerate(pairwise(parties)):
            at = T0 + (day + each * (place + 1)) * DAY
            self.add("TRANSFERRED_TO", src=payer[-1], dst=payee[-1], amount_fen=yuan * YUAN, at=at)
        return self

    def link(self, a, b, kind="shared_device", strength=640_000, disclosed=False):
        return self.add("LINKED_TO", src=a, dst=b, kind=kind, strength=strength, disclosed=disclosed)

    def tables(self):
        return {
            name: pa.Table.from_pylist([{c: row[c] for c in TYPES[name].names} for row in rows], schema=TYPES[name])
            for name, rows in self.rows.items()
        }

    def found(self, **parameters):
        rows = find_hidden_control(self.tables(), HiddenControlParameters(**parameters)).to_pylist()
        return [(row["entity_id"], row["root"]) for row in rows]


def test_a_loan_that_ends_with_a_stranger_s_company_on_whose_device_the_borrower_banks_is_hit():
    (hit,) = find_hidden_control(World().lend().send(A, H, B).link(A, B).tables(), RULE.parameters).to_pylist()
    assert (hit["entity_id"], hit["root"], hit["amount_fen"], hit["at"]) == (A, P, 100_000 * YUAN, T0)
    assert hit["evidence"] == ["p0", "t1", "l0"]


def test_the_stranger_may_get_the_money_himself():
    assert World().lend().send(A, P).link(P, A, "same_contact").found() == [(A, P)]


def test_one_loan_to_a_friend_without_a_sign_is_no_hit_nor_is_a_sign_without_money():
    assert World().lend().send(A, H, B).found() == []
    assert World().lend().link(A, B).found() == []


def test_a_second_loan_to_the_same_friend_is_no_sign():
    assert World().lend().send(A, B).lend(60).send(A, B, day=60).found() == []


def test_a_supplier_on_the_same_device_is_hit_though_it_writes_invoices():
    assert World().lend().send(A, B).add("INVOICED", src=B, dst=A).link(A, B).found() == [(A, P)]


def test_control_over_other_companies_is_a_sign():
    world = World().lend().send(A, H, B)
    world.add("HOLDS_SHARES", src=H, dst=A).add("HOLDS_SHARES", src=P, dst=H).add("CONTROLS", src=P, dst=A)
    (hit,) = find_hidden_control(world.tables(), RULE.parameters).to_pylist()
    assert (hit["entity_id"], hit["root"]) == (A, P)
    assert "c0" in hit["evidence"]


def test_joint_control_is_no_sign_of_one():
    assert World().lend().send(A, B).add("CONTROLS", src=P, dst=A, jointly="x+y").found() == []


def test_money_that_goes_up_the_holdings_and_on_to_a_stranger_is_hit_and_what_stays_with_the_parent_is_not():
    above = lambda: World().lend().add("HOLDS_SHARES", src=S, dst=A).add("HOLDS_SHARES", src=H, dst=S)  # noqa: E731
    assert above().send(A, S, H, B).found() == [(A, P)]
    assert above().send(A, S, H, B).add("INVOICED", src=H, dst=S).found() == []
    assert above().send(A, S, H, B, yuan=39_999).found() == []
    assert above().send(A, S).found() == []
    assert above().send(A, C, B).found() == []


def test_money_of_one_s_own_that_comes_back_over_the_company_is_hit_with_a_sign():
    assert World().send(B, A, P).found() == []
    assert World().send(B, A, P).link(A, B).found() == [(A, P)]


@pytest.mark.parametrize(("yuan", "expected"), [(25_000, [(A, P)]), (24_999, [])])
def test_a_quarter_of_the_loan_is_enough_beside_a_sign(yuan, expected):
    assert World().lend().send(A, B, yuan=yuan).link(A, B).found() == expected


@pytest.mark.parametrize("table", ["HOLDS_SHARES", "REPRESENTS", "OFFICER_OF"])
def test_who_stands_in_the_register_hides_nothing(table):
    assert World().lend().send(A, P).link(A, P).add(table, src=P, dst=A).found() == []


@pytest.mark.parametrize("kin", [[(P, STRAW)], [(P, R), (R, STRAW)]], ids=["a relative", "a relative's relative"])
def test_relatives_lend_one_another_money(kin):
    world = World().lend().send(A, B).link(A, B)
    for one, other in kin:
        world.add("KIN_OF", src=one, dst=other)
    assert world.found() == []


@pytest.mark.parametrize(
    ("src", "dst"), [(B, A), (A, B), (STRAW, B)], ids=["it holds the borrower", "the borrower holds it", "one person holds both"]
)
def test_a_company_that_the_register_ties_to_the_borrower_is_no_stranger_s(src, dst):
    assert World().lend().send(A, B).link(A, B).add("HOLDS_SHARES", src=src, dst=dst).found() == []


@pytest.mark.parametrize(
    "link",
    [("guarantor", 600_000, False), ("shared_device", 249_999, False), ("shared_device", 640_000, True)],
    ids=["a guarantee", "an agent's device", "the register tells it"],
)
def test_a_link_is_no_sign_where(link):
    assert World().lend().send(A, B).link(A, B, *link).found() == []


@pytest.mark.parametrize(
    ("said", "expected"),
    [([("rebut", 0)], []), ([("rebut", 0), ("restore", 1)], [(A, P)]), ([("restore", 0), ("rebut", 1)], [])],
    ids=["rebutted", "restored", "rebutted again"],
)
def test_whom_a_person_has_cleared_is_no_hit(said, expected):
    world = World().lend().send(A, B).link(A, B).add("as_of", day=date(2024, 6, 30))
    for action, day in said:
        world.add("records/rebuttals", a=P, b=A, action=action, decided_at=T0 + day * DAY, until_on=date(2024, 7, 1))
    assert world.found() == expected
    assert world.add("as_of", day=date(2024, 7, 1)).found() == [(A, P)]


def test_a_known_hub_passes_nothing_on():
    assert World().lend().send(A, H, B).link(A, B).add("records/hubs", party=H).found() == []


def test_money_is_not_followed_through_a_hand_that_keeps_it_for_long():
    assert World().lend().send(A, H, B, each=8).link(A, B).found() == [(A, P)]
    assert World().lend().send(A, H, B, each=8.1).link(A, B).found() == []


@pytest.mark.parametrize("lacking", [{"at": None, "amount_fen": 60_000 * YUAN}, {"at": T0, "amount_fen": None}], ids=["time", "amount"])
def test_a_payment_without_a_time_or_an_amount_is_left_out(lacking):
    world = World().lend().send(A, H, B).link(A, B).add("TRANSFERRED_TO", src="h", dst="c", **lacking)
    (hit,) = find_hidden_control(world.tables(), RULE.parameters).to_pylist()
    assert (hit["root"], hit["amount_fen"], hit["evidence"]) == (P, 100_000 * YUAN, ["p0", "t1", "l0"])


def test_nothing_is_found_where_nothing_is():
    assert World().found() == []
    assert find_hidden_control({}, RULE.parameters).num_rows == 0


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with Engine(tmp_path_factory.mktemp("spill"), memory="500MB", threads=1) as engine:
        yield engine


FIRMS, EVERYBODY = st.sampled_from((A, B, C, H)), st.sampled_from((A, B, C, H, P, Q))


@settings(deadline=None, max_examples=20)
@given(data=st.data())
def test_neither_the_order_of_rows_nor_leaving_out_others_changes_anything(engine, data):
    many = lambda *parts: data.draw(st.lists(st.tuples(*parts), max_size=8))  # noqa: E731
    world = World()
    for who in many(FIRMS):
        world.lend(who=who[0])
    for payer, payee, day, yuan in many(EVERYBODY, EVERYBODY, st.integers(0, 9), st.sampled_from((5, 60_000, 100_000))):
        world.send(payer, payee, day=day, yuan=yuan)
    for a, b in many(FIRMS, FIRMS):
        world.link(a, b)
    for a, b in many(FIRMS, FIRMS):
        world.add("HOLDS_SHARES", src=a, dst=b)
    known = world.tables()
    narrow, whole = narrowed_and_whole(RULE, engine, known, date(2024, 6, 30))
    assert narrow == whole
    mixed = {name: table.take(pa.array(data.draw(st.permutations(range(table.num_rows))), pa.int64())) for name, table in known.items()}
    one, other = (sorted(find_hidden_control(of, RULE.parameters).to_pylist(), key=str) for of in (known, mixed))
    assert one == other


def test_what_is_left_out_before_reading_is_not_what_is_hit(engine):
    narrow, whole = narrowed_and_whole(RULE, engine, World().lend().send(A, H, B).link(A, B).tables(), date(2024, 6, 30))
    assert narrow == whole
    assert [(hit["entity_id"], hit["root"]) for hit in narrow] == [(A, P)]


@pytest.mark.parametrize("wrong", [{"loan_percent": 0}, {"min_fen": 0}, {"max_hops": 13}, {"min_strength_ppm": 0}], ids=str)
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(UsageError, match=f"{next(iter(wrong))} is"):
        HiddenControlParameters(**wrong)
