"""Rules about one account's behaviour: fan_in, fan_out, pass_through, below_threshold, round_amounts, dormant_then_active."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace

import networkx as nx
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.algorithms.holding import held
from kg.algorithms.temporal_paths import flow
from kg.algorithms.windows import Gap, after_gaps
from kg.engine import Engine
from kg.errors import UsageError
from kg.rule import Reading, evaluate
from kg.rules import below_threshold, dormant_then_active, fan, pass_through, round_amounts
from kg.rules.below_threshold import BelowThresholdParameters
from kg.rules.dormant_then_active import DormantParameters
from kg.rules.fan import FanParameters
from kg.rules.pass_through import PassThroughParameters
from kg.rules.round_amounts import RoundAmountsParameters

from .narrowing import ArrowGraph

T0 = datetime(2024, 3, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
YUAN = 100
TYPES = {"amount_fen": pa.int64(), "at": pa.timestamp("us", "UTC")}
COLUMNS = ("id", "src", "dst", "amount_fen", "currency", "at")
ME = "company:x:me"


class World:
    """The company me owns the account m; every other account is a stranger's of its own name."""

    def __init__(self, *others):
        self.moved, self.owned = [], [("om", ME, "m"), *((f"o{name}", f"person:x:{name}", name) for name in others)]

    def send(self, payer, payee, yuan, day=0.0, currency=None):
        at = None if day is None else T0 + day * DAY
        self.moved.append((f"t{len(self.moved):03}", payer, payee, None if yuan is None else round(yuan * YUAN), currency, at))
        return self

    def tables(self):
        moved = {c: pa.array([row[i] for row in self.moved], TYPES.get(c, pa.string())) for i, c in enumerate(COLUMNS)}
        owned = {c: pa.array([row[i] for row in self.owned], pa.string()) for i, c in enumerate(("id", "src", "dst"))}
        return {"TRANSFERRED_TO": pa.table(moved), "OWNS_ACCOUNT": pa.table(owned)}

    def hits(self, rule, parameters=None):
        return rule.find(self.tables(), parameters or rule.parameters).to_pylist()


# Fans


def collected(count=10, days=7.0, world=None):
    world = world or World()
    for place in range(count):
        world.send(f"s{place}", "m", 6_000, days * place / (count - 1))
    return world


def test_ten_strangers_within_a_week_are_a_fan():
    hits = collected().hits(fan.IN)
    assert hits == [
        {"entity_id": ME, "root": ME, "amount_fen": 60_000 * YUAN, "evidence": [f"t{n:03}" for n in range(10)], "at": T0 + 7 * DAY}
    ]
    assert collected().hits(fan.OUT) == []
    away = World()
    for place in range(10):
        away.send("m", f"s{place}", 5_000, place / 2)
    assert [hit["entity_id"] for hit in away.hits(fan.OUT)] == [ME]


@pytest.mark.parametrize(("count", "days", "is_hit"), [(9, 7, False), (10, 7, True), (10, 7 + 1e-6, False)])
def test_nine_or_a_moment_more_than_a_week_are_none(count, days, is_hit):
    assert bool(collected(count, days).hits(fan.IN)) is is_hit


def test_small_payments_and_customers_who_come_again_are_no_fan():
    small = World()
    for place in range(12):
        small.send(f"s{place}", "m", 4_999.99)
    assert small.hits(fan.IN) == []
    again = collected()
    for day in (40, 80):
        again.send("s0", "m", 6_000, day)
    assert again.hits(fan.IN) == []


def test_a_shop_whom_strangers_pay_week_after_week_is_no_fan():
    shop = World()
    for place in range(60):
        shop.send(f"s{place}", "m", 6_000, place / 2)
    assert shop.hits(fan.IN) == []
    mixed = collected()
    for place in range(11):
        mixed.send(f"o{place}", "m", 6_000, 30 + 20 * place)
    assert mixed.hits(fan.IN) == []  # most of its strangers come one by one


# Pass-through


def through(count=5, stays=0.0, hours=48.0, yuan=70_000):
    world = World()
    for place in range(count):
        world.send(f"s{place}", "m", yuan, 3 * place)
        world.send("m", f"r{place}", yuan * (1 - stays), 3 * place + hours / 24)
    return world


def test_an_account_that_holds_nothing_for_more_than_two_days_is_told():
    hits = through().hits(pass_through.RULE)
    assert [(hit["entity_id"], hit["root"], hit["amount_fen"], hit["at"]) for hit in hits] == [(ME, "m", 350_000 * YUAN, T0 + 14 * DAY)]
    assert hits[0]["evidence"] == [f"t{n:03}" for n in (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)]


@pytest.mark.parametrize(
    ("change", "is_hit"),
    [({"stays": 0.1}, True), ({"stays": 0.11}, False), ({"hours": 48.01}, False), ({"count": 4}, False), ({"yuan": 59_000}, False)],
)
def test_what_stays_for_longer_is_little(change, is_hit):
    assert bool(through(**{"yuan": 80_000, **change}).hits(pass_through.RULE)) is is_hit


def test_a_shop_that_pays_the_same_suppliers_at_once_is_none():
    shop = World()
    for place in range(20):
        shop.send(f"platform{place % 5}", "m", 20_000, 3 * place).send("m", f"supplier{place % 5}", 19_500, 3 * place + 1)
    assert shop.hits(pass_through.RULE) == []
    assert shop.hits(pass_through.RULE, PassThroughParameters(most_payments=4)) != []


def test_an_account_that_pays_more_than_came_lives_on_something_else():
    assert through().send("m", "r9", 35_000, 30).hits(pass_through.RULE) != []
    assert through().send("m", "r9", 35_001, 30).hits(pass_through.RULE) == []


# Just below an amount, and round


def series(*yuan, days=7.0):
    world = World()
    for place, one in enumerate(yuan):
        world.send("m", f"r{place}", one, days * place / max(len(yuan) - 1, 1))
    return world


def test_four_payments_just_below_an_amount_are_told():
    assert series(49_999.99, 47_500, 49_000, 48_000).hits(below_threshold.RULE) == [
        {
            "entity_id": ME,
            "root": f"below:5000000:{ME}",
            "amount_fen": 19_449_999,
            "evidence": ["t000", "t001", "t002", "t003"],
            "at": T0 + 7 * DAY,
        }
    ]


@pytest.mark.parametrize("yuan", [(49_000,) * 3, (49_000, 49_000, 49_000, 50_000), (49_000, 49_000, 49_000, 47_499.99)])
def test_fewer_the_amount_itself_and_payments_further_below_are_none(yuan):
    assert series(*yuan).hits(below_threshold.RULE) == []


def test_a_week_is_inclusive_and_no_longer():
    assert series(*[490_000] * 4, days=7).hits(below_threshold.RULE) != []
    assert series(*[490_000] * 4, days=7.0001).hits(below_threshold.RULE) == []


def test_a_payer_of_all_sizes_is_none():
    world = series(*[199_000] * 4)
    assert world.send("m", "q", 200_000).hits(below_threshold.RULE) != []
    assert world.send("m", "q", 209_999).hits(below_threshold.RULE) == []


def test_round_payments_to_several_are_told():
    (hit,) = series(*[10_000, 20_000] * 4, days=30).hits(round_amounts.RULE)
    assert (hit["entity_id"], hit["root"], hit["amount_fen"], len(hit["evidence"])) == (ME, f"round:{ME}", 12_000_000, 8)


@pytest.mark.parametrize(
    "world",
    [
        series(*[10_000] * 7, days=30),
        series(*[10_000] * 8, days=30.1),
        series(*[10_000] * 7, 10_000.01, days=30),
        series(*[10_000] * 8, *[12_345] * 6, days=30),
        series(*[9_000] * 9, days=30),
    ],
)
def test_fewer_later_or_uneven_amounts_are_none(world):
    assert world.hits(round_amounts.RULE) == []


def test_round_instalments_to_one_party_are_none():
    world = World()
    for place in range(9):
        world.send("m", "bank", 10_000, place)
    assert world.hits(round_amounts.RULE) == []


# Dormant, then active


def woken(silence=180.0, yuan=125_000, count=4, days=7.0):
    world = World().send("m", "r", 500, -silence)
    for place in range(count):
        ends = ("s", "m") if place % 2 else ("m", "r")
        world.send(*ends, yuan, days * place / (count - 1))
    return world


def test_an_account_that_wakes_up_and_moves_much_is_told():
    assert woken().hits(dormant_then_active.RULE) == [
        {
            "entity_id": ME,
            "root": "m",
            "amount_fen": 500_000 * YUAN,
            "evidence": ["t001", "t002", "t003", "t004"],
            "at": T0 + 7 * DAY,
        }
    ]


@pytest.mark.parametrize("change", [{"silence": 179.99}, {"yuan": 124_999}, {"count": 3}, {"days": 7.01}])
def test_a_shorter_silence_and_less_money_are_none(change):
    assert woken(**change).hits(dormant_then_active.RULE) == []


def test_fees_do_not_wake_an_account_and_payments_in_between_do():
    assert woken().send("m", "fee", 99, -90).hits(dormant_then_active.RULE) != []
    assert woken().send("m", "fee", 100, -90).hits(dormant_then_active.RULE) == []


def test_a_new_account_was_never_still():
    world = woken()
    world.moved = world.moved[1:]
    assert world.hits(dormant_then_active.RULE) == []


# All of them

RULES = (fan.IN, fan.OUT, pass_through.RULE, below_threshold.RULE, round_amounts.RULE, dormant_then_active.RULE)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_tables_that_are_absent_are_empty_and_broken_rows_count_for_nothing(rule):
    assert rule.find({}, rule.parameters).num_rows == 0
    world = World().send("m", "m", 60_000).send("m", "r", -5).send("m", "r", None).send("m", "r", 9, day=None)
    assert world.send("m", "r", 60_000, currency="USD").hits(rule) == []


@pytest.mark.parametrize(
    ("kind", "name", "low", "high"),
    [
        (FanParameters, "min_parties", 2, 1_000_000),
        (FanParameters, "window_days", 0, 22),
        (FanParameters, "burst_days", 7, 3_660),
        (FanParameters, "least_percent", 1, 100),
        (FanParameters, "most_payments", 1, 1_000_000),
        (FanParameters, "min_fen", 1, 2**62),
        (PassThroughParameters, "window_hours", 0, 8_784),
        (PassThroughParameters, "least_percent", 50, 100),
        (PassThroughParameters, "min_fen", 1, 2**62),
        (PassThroughParameters, "min_parties", 1, 1_000_000),
        (PassThroughParameters, "most_payments", 1, 1_000_000),
        (PassThroughParameters, "stranger_percent", 1, 100),
        (BelowThresholdParameters, "band_percent", 1, 50),
        (BelowThresholdParameters, "min_payments", 2, 1_000_000),
        (BelowThresholdParameters, "window_days", 0, 366),
        (BelowThresholdParameters, "times_above", 1, 1_000_000),
        (RoundAmountsParameters, "step_fen", 100, 2**55),
        (RoundAmountsParameters, "min_payments", 2, 1_000_000),
        (RoundAmountsParameters, "min_parties", 1, 1_000_000),
        (RoundAmountsParameters, "window_days", 0, 366),
        (RoundAmountsParameters, "least_percent", 1, 100),
        (DormantParameters, "dormant_days", 1, 3_660),
        (DormantParameters, "active_days", 0, 366),
        (DormantParameters, "min_payments", 1, 1_000_000),
        (DormantParameters, "min_total_fen", 1, 2**62),
        (DormantParameters, "min_fen", 1, 2**62),
    ],
)
def test_parameters_out_of_range_are_refused(kind, name, low, high):
    for value in (low - 1, high + 1):
        with pytest.raises(UsageError, match=r" is -?\d+; it must lie between"):
            kind(**{name: value})


def test_a_threshold_that_is_none_is_refused():
    with pytest.raises(UsageError, match="thresholds_fen is 99; it must lie between"):
        BelowThresholdParameters(thresholds_fen=(99,))
    with pytest.raises(UsageError, match="the number of thresholds_fen is 0; it must lie between"):
        BelowThresholdParameters(thresholds_fen=())
    for wrong in (5, None, [5_000_000], "5000000"):
        with pytest.raises(UsageError, match=r"thresholds_fen is .*; give a tuple of amounts in fen"):
            BelowThresholdParameters(thresholds_fen=wrong)


def test_a_threshold_that_is_named_twice_is_refused():
    with pytest.raises(UsageError, match="thresholds_fen names 5000000 twice; name each amount once"):
        BelowThresholdParameters(thresholds_fen=(5_000_000, 20_000_000, 5_000_000))


#: Bounds that small worlds pass.
EASY = (
    (fan.IN, FanParameters(min_parties=2, most_payments=2, min_fen=1, least_percent=20)),
    (fan.OUT, FanParameters(min_parties=2, most_payments=2, min_fen=1, least_percent=20)),
    (pass_through.RULE, PassThroughParameters(least_percent=50, min_fen=1, min_parties=1, most_payments=9, stranger_percent=1)),
    (below_threshold.RULE, BelowThresholdParameters(thresholds_fen=(10_001,), min_payments=2, times_above=1)),
    (round_amounts.RULE, RoundAmountsParameters(step_fen=1_000, min_payments=2, min_parties=1, least_percent=10)),
    (dormant_then_active.RULE, DormantParameters(dormant_days=4, min_payments=2, min_total_fen=1, min_fen=9_600)),
)


@st.composite
def worlds(draw):
    world, ends = World("a", "b"), st.sampled_from("mabc")
    moves = st.tuples(ends, ends, st.sampled_from((95, 96, 100, 100.01, 105)), st.integers(0, 30), st.sampled_from((None, "CNY", "USD")))
    for move in draw(st.lists(moves, max_size=20)):
        world.send(*move)
    return world


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with Engine(tmp_path_factory.mktemp("spill"), memory="500MB", threads=1) as engine:
        yield engine


@settings(deadline=None, max_examples=120)
@given(worlds(), st.randoms(), st.sampled_from(EASY))
def test_neither_narrowing_nor_the_order_of_rows_changes_anything(engine, world, random, run):
    rule, parameters = run
    tables = world.tables()
    moved = tables["TRANSFERRED_TO"]
    naive = moved.set_column(5, "at", moved["at"].cast(pa.timestamp("us")))
    graph = SimpleNamespace(engine=engine, as_of=date(2024, 5, 1))
    narrow = engine.table(rule.requires[0].narrow(engine.arrow(naive), graph, parameters))
    shuffled = moved.take(pa.array(random.sample(range(moved.num_rows), moved.num_rows), pa.int64()))
    one, *others = (
        sorted(map(str, rule.find({**tables, "TRANSFERRED_TO": rows}, parameters).to_pylist())) for rows in (moved, narrow, shuffled)
    )
    assert others == [one, one]


def test_who_is_two_payments_away_from_a_client_is_not_judged_by_the_part_of_his_payments_that_is_looked_at(engine):
    world = World("f")
    for place in range(10):
        world.send("m", f"p{place}", 1)
        world.send(*((f"p{place}", "f") if place < 5 else ("f", f"p{place}")), 100_000, 1)
    world.send("g", "f", 10_000_000, 1)
    clients = {"Company": pa.table({"id": [ME], "customer_ref": ["K1"]})}
    reading = Reading(ArrowGraph(engine, date(2024, 5, 1), {**world.tables(), **clients}))
    first, *others = pass_through.RULE.requires
    partly = replace(pass_through.RULE, requires=(replace(first, judged=None), *others))
    told = [evaluate((rule,), reading)["entity_id"].to_pylist() for rule in (pass_through.RULE, partly)]
    assert told == [[], ["person:x:f"]]


TRANSFERS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 9), st.integers(1, 5)), max_size=14)


@settings(deadline=None, max_examples=200)
@given(TRANSFERS, st.integers(0, 4))
def test_what_passes_is_the_greatest_part_that_can(transfers, window):
    transfers = sorted((t for t in transfers if t[0] != t[1]), key=lambda t: t[2])
    columns = np.array(transfers, np.int64).reshape(-1, 4).T
    ids = pa.chunked_array([pa.array([f"t{i:02}" for i in range(len(transfers))], pa.string())])
    found = held(flow(*columns, row=np.arange(len(transfers)), ids=ids, n_accounts=4), window)
    for account in range(4):
        graph = nx.DiGraph()
        graph.add_nodes_from(("in", "out"))
        for i, (payer, payee, at, amount) in enumerate(transfers):
            graph.add_edge("in", i, capacity=amount * (payee == account))
            graph.add_edge(i, "out", capacity=amount * (payer == account))
            for j, (_, _, later, _) in enumerate(transfers):
                if payee == account == transfers[j][0] and at <= later <= at + window:
                    graph.add_edge(i, j)
        assert found.passed[account] == nx.maximum_flow_value(graph, "in", "out")
        assert found.came[account] == sum(t[3] for t in transfers if t[1] == account)
        assert found.went[account] == sum(t[3] for t in transfers if t[0] == account)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 12), st.integers(1, 5)), max_size=14).map(sorted), st.integers(1, 4))
def test_rows_after_a_silence_are_those_found_by_trying_every_row(rows, silence):
    expected = [0] * len(rows)
    for who in range(3):
        times = [row[1] for row in rows if row[0] == who]
        for before, first in pairwise(times):
            inside = [i for i, row in enumerate(rows) if row[0] == who and first <= row[1] <= first + 2]
            if first - before >= silence and len(inside) >= 2 and sum(rows[i][2] for i in inside) >= 6:
                for i in inside:
                    expected[i] = 1
    party, at, amount = np.array(rows, np.int64).reshape(-1, 3).T.copy()
    assert after_gaps(party, at, amount, Gap(silence, 2, 2, 6)).tolist() == expected
