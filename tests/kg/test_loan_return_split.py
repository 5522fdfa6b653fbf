"""The rules loan_return_split and loan_return_far: hand-worked cases, bounds, look-alikes; narrowing changes nothing."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.engine import Engine
from kg.errors import UsageError
from kg.rules.loan_return_split import FAR, REQUIRES, SPLIT, SplitReturnParameters, find_split_returns

T0 = datetime(2024, 3, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
BOSS, FIRM, HELD, SHOP = "person:x:boss", "company:x:firm", "company:x:held", "company:x:shop"
COLUMNS = {need.name: need.columns for need in REQUIRES}
TYPES = {"amount_fen": pa.int64(), "share_ppm": pa.int64(), "at": pa.timestamp("us", "UTC")}


class World:
    """The firm borrowed loan 1, paid out as 10,000 fen to its account f; the boss owns p, a held company h; x, y, z, w are others'."""

    def __init__(self, account="f", fen=10_000):
        self.rows = {name: [] for name in COLUMNS}
        self.add("BORROWED", "b", FIRM, "loan:x:1")
        self.add("PAID_OUT_TO", "p1", "loan:x:1", account, fen, T0)
        for owner, own in ((FIRM, "f"), (FIRM, "g"), (BOSS, "p"), (HELD, "h"), (SHOP, "s")):
            self.add("OWNS_ACCOUNT", f"o{own}", owner, own)

    def add(self, name, *values):
        self.rows[name].append((*values, *[None] * (len(COLUMNS[name]) - len(values))))
        return self

    def send(self, ends, *amounts, day=1.0):
        """Send amounts from an account to another, an hour between them."""
        for i, fen in enumerate(amounts):
            at = T0 + day * DAY + i * timedelta(hours=1)
            self.add("TRANSFERRED_TO", f"t{len(self.rows['TRANSFERRED_TO'])}", *ends, fen, None, at)
        return self

    def tables(self):
        return {
            name: pa.table({c: pa.array([r[i] for r in rows], TYPES.get(c, pa.string())) for i, c in enumerate(COLUMNS[name])})
            for name, rows in self.rows.items()
        }

    def hits(self, **parameters):
        return find_split_returns(self.tables(), SplitReturnParameters(**parameters)).to_pylist()


def test_money_split_on_the_way_out_and_back_is_a_return_in_sum():
    assert World().send("fx", 4_000, 5_000).send("xf", 3_500, 3_500, 1_500, day=2).hits() == [
        {
            "entity_id": FIRM,
            "root": "loan:x:1",
            "amount_fen": 8_500,
            "evidence": ["b", "p1", "t0", "t1", "t2", "t3", "t4"],
            "at": T0 + 2 * DAY + timedelta(hours=2),
        }
    ]


def test_payments_bundled_on_the_way_count():
    assert World().send("fx", 3_000, 3_000, 3_000).send("xy", 9_000, day=2).send("yf", 9_000, day=3).hits()[0]["amount_fen"] == 9_000


def test_money_over_three_hands_is_added_up():
    world = World()
    for place, hand in enumerate("xyz"):
        world.send(("f", hand), 3_200, day=1 + place).send((hand, "f"), 3_100, day=5 + place)
    assert [h["amount_fen"] for h in world.hits()] == [9_300]
    assert world.hits(hop_percent=40) == []  # no hand got as much


@pytest.mark.parametrize(("fen", "is_return"), [(4_000, True), (3_999, False)])
def test_eighty_percent_in_sum_and_a_fen_less(fen, is_return):
    assert bool(World().send("fx", 10_000).send("xf", 4_000, fen, day=2).hits()) is is_return


def test_eighty_percent_of_an_odd_amount_is_rounded_up():
    assert World(fen=10_001).send("fx", 10_001).send("xf", 4_000, 4_000, day=2).hits() == []
    assert World(fen=10_001).send("fx", 10_001).send("xf", 4_000, 4_001, day=2).hits() != []


@pytest.mark.parametrize(("late", "is_return"), [(0, True), (1e-6, False)])
def test_thirty_days_are_inclusive(late, is_return):
    assert bool(World().send("fx", 9_000).send("xf", 9_000, day=30 + late).hits()) is is_return


@pytest.mark.parametrize(("late", "is_return"), [(0, True), (1e-6, False)])
def test_the_money_sets_out_within_fourteen_days(late, is_return):
    assert bool(World().send("fx", 9_000, day=14 + late).send("xf", 9_000, day=20).hits()) is is_return


@pytest.mark.parametrize(("fen", "day", "is_return"), [(6_000, 20, True), (5_999, 20, False), (6_000, 20 + 1e-6, False)])
def test_the_far_rule_asks_for_three_fifths_that_set_out_within_twenty_days(fen, day, is_return):
    world = World().send("fx", fen, day=day).send("xf", fen, day=30)
    assert world.hits() == []
    assert bool(find_split_returns(world.tables(), FAR.parameters).num_rows) is is_return


def test_four_hops_are_followed_and_more_by_the_far_rule_alone():
    world = World()
    for place, ends in enumerate(("fx", "xy", "yz", "zf")):
        world.send(ends, 4_500, 4_500, day=1 + place)
    assert world.hits() != []
    longer = World()
    for place, ends in enumerate(("fx", "xy", "yz", "zw", "wf")):
        longer.send(ends, 4_500, 4_500, day=1 + place)
    assert longer.hits() == []
    assert find_split_returns(longer.tables(), FAR.parameters).num_rows == 1


def test_money_that_reaches_the_owner_flags_both():
    world = World().send("fx", 9_000).send("xp", 5_000, 4_000, day=2)
    assert world.hits() == []
    world.add("REPRESENTS", "r", BOSS, FIRM)
    told = {h["entity_id"]: h["evidence"] for h in world.hits()}
    assert told == {who: ["b", "p1", "t0", "t1", "t2", "r"] for who in (BOSS, FIRM)}


@pytest.mark.parametrize(("ends", "ppm", "is_return"), [("xh", 500_001, True), ("xh", 500_000, False), ("xs", 500_001, False)])
def test_a_company_held_above_one_half_is_in_the_circle(ends, ppm, is_return):
    world = World().send("fx", 9_000).send(ends, 9_000, day=2)
    world.add("HOLDS_SHARES", "h1", FIRM, HELD, ppm, "register")
    assert bool(world.hits()) is is_return


def test_a_supplier_paid_directly_who_passes_it_to_the_borrower_is_a_return():
    assert World(account="x").send("xf", 4_500, 4_500).hits()[0]["amount_fen"] == 9_000


def test_money_moved_within_the_circle_is_none():
    world = World().send("fg", 9_000).send("gf", 9_000, day=2).send("fp", 9_000, day=3).send("pf", 9_000, day=4)
    assert world.add("REPRESENTS", "r", BOSS, FIRM).hits() == []


def test_a_refund_is_none():
    assert World().send("fx", 10_000).send("xf", 7_900, day=2).hits() == []


def test_trade_with_a_supplier_who_also_buys_is_none():
    back_and_forth = World().send("fx", 9_000).send("xf", 8_500, day=9)
    assert back_and_forth.hits() != []
    for day in (-60, -30, 40):
        back_and_forth.send("xf", 700, day=day)
    assert back_and_forth.hits() == []
    assert back_and_forth.hits(most_others=3) != []


def test_more_than_was_paid_out_between_two_accounts_is_trade():
    assert World().send("fx", 9_000, 1_000).send("xf", 9_000, day=2).hits() != []
    assert World().send("fx", 9_000, 1_001).send("xf", 9_000, day=2).hits() == []


def test_small_change_is_not_followed():
    assert World().send("fx", 10_000).send("xf", *[499] * 20, day=2).hits() == []
    assert World().send("fx", 10_000).send("xf", *[500] * 20, day=2).hits() != []


def test_time_never_goes_back_and_amounts_that_are_none_count_for_nothing():
    assert World().send("xf", 9_000, day=1).send("fx", 9_000, day=2).hits() == []
    assert World(fen=0).send("fx", 9_000).send("xf", 9_000, day=2).hits() == []
    assert World().send("fx", -9_000).send("xf", -9_000, day=2).hits() == []


def test_tables_that_are_absent_are_empty():
    assert find_split_returns({}, SPLIT.parameters).num_rows == 0


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("max_hops", 1, 8),
        ("window_days", 0, 366),
        ("start_days", 0, 366),
        ("min_percent", 1, 100),
        ("part_percent", 1, 100),
        ("hop_percent", 1, 100),
        ("most_percent", 1, 10_000),
        ("most_others", 0, 1_000_000),
        ("around_days", 0, 3_660),
    ],
)
def test_parameters_out_of_range_are_refused(name, low, high):
    for value in (low - 1, high + 1):
        with pytest.raises(UsageError, match=f"{name} is {value}; it must lie between {low} and {high}"):
            SplitReturnParameters(**{name: value})


# Any order, and narrowed


@st.composite
def worlds(draw):
    world = World(fen=draw(st.sampled_from((20, 100))))
    world.add("PAID_OUT_TO", "p2", "loan:x:1", "f", draw(st.sampled_from((40, None, 0))), T0 + 2 * DAY)
    accounts = st.sampled_from("fgxyp")
    for payer, payee, fen, day in draw(st.lists(st.tuples(accounts, accounts, st.integers(1, 100), st.integers(0, 20)), max_size=24)):
        world.send((payer, payee), fen, day=day)
    return world.add("REPRESENTS", "r", BOSS, FIRM)


PARAMETERS = SplitReturnParameters(hop_percent=10, most_percent=300, most_others=9, min_percent=50)


@settings(deadline=None, max_examples=60)
@given(worlds(), st.randoms())
def test_the_order_of_rows_changes_nothing(world, random):
    tables = world.tables()
    shuffled = {n: t.take(pa.array(random.sample(range(t.num_rows), t.num_rows), pa.int64())) for n, t in tables.items()}
    one, other = (sorted(map(str, find_split_returns(t, PARAMETERS).to_pylist())) for t in (tables, shuffled))
    assert one == other


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with Engine(tmp_path_factory.mktemp("spill"), memory="500MB", threads=1) as engine:
        yield engine


@settings(deadline=None, max_examples=40)
@given(worlds())
def test_leaving_out_small_transfers_changes_nothing(engine, world):
    tables = world.tables()
    graph = SimpleNamespace(edges=lambda name: engine.arrow(tables[name]), engine=engine, as_of=date(2024, 5, 1))
    (need,) = (need for need in REQUIRES if need.narrow)
    narrow = engine.table(need.narrow(engine.arrow(tables[need.name]), graph, PARAMETERS))
    found = [find_split_returns({**tables, need.name: rows}, PARAMETERS) for rows in (tables[need.name], narrow)]
    assert found[0].equals(found[1])
