"""The rules scatter_gather and gather_scatter: hand-worked cases, bounds, look-alikes; narrowing and order change nothing."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.engine import Engine
from kg.errors import UsageError
from kg.rules.gather_scatter import REQUIRES as GATHER_REQUIRES
from kg.rules.gather_scatter import GatherScatterParameters, find_gather_scatter
from kg.rules.scatter_gather import REQUIRES, ScatterGatherParameters, find_scatter_gather

T0 = datetime(2024, 3, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
YUAN = 100_000
COLUMNS = {need.name: need.columns for need in REQUIRES}
TYPES = {"amount_fen": pa.int64(), "share_ppm": pa.int64(), "at": pa.timestamp("us", "UTC")}
SOURCE, SINK = "company:x:s", "company:x:t"


class World:
    """Accounts s, t, a to e and i belong to companies of their names; amounts are in thousands of yuan."""

    def __init__(self):
        self.rows = {name: [] for name in COLUMNS}
        for name in "stabcdei":
            self.add("OWNS_ACCOUNT", f"o{name}", f"company:x:{name}", name)

    def add(self, name, *values):
        self.rows[name].append((*values, *[None] * (len(COLUMNS[name]) - len(values))))
        return self

    def send(self, payer, payee, thousand=10, day=0.0):
        id_ = f"t{len(self.rows['TRANSFERRED_TO']):02}"
        return self.add("TRANSFERRED_TO", id_, payer, payee, round(thousand * YUAN), None, T0 + day * DAY)

    def scattered(self, hands="abc", end="t", came=10, went=9, day=0.0, later=5.0):
        for place, hand in enumerate(hands):
            self.send("s", hand, came, day + place / 10)
        for place, hand in enumerate(hands):
            self.send(hand, end, went, day + later + place / 10)
        return self

    def tables(self):
        return {
            name: pa.table({c: pa.array([r[i] for r in rows], TYPES.get(c, pa.string())) for i, c in enumerate(COLUMNS[name])})
            for name, rows in self.rows.items()
        }

    def scatter(self, **parameters):
        return find_scatter_gather(self.tables(), ScatterGatherParameters(**parameters)).to_pylist()

    def gather(self, **parameters):
        return find_gather_scatter(self.tables(), GatherScatterParameters(**parameters)).to_pylist()


def test_three_hands_between_two_accounts_flag_all_of_them():
    hits = World().scattered().scatter()
    assert {h["entity_id"] for h in hits} == {f"company:x:{name}" for name in "stabc"}
    assert {k: hits[0][k] for k in ("root", "amount_fen", "at", "evidence")} == {
        "root": f"{SOURCE}>{SINK}",
        "amount_fen": 27 * YUAN,
        "at": T0 + 5.2 * DAY,
        "evidence": ["t00", "t01", "t02", "t03", "t04", "t05"],
    }


def test_two_hands_are_no_hit():
    assert World().scattered("ab").scatter() == []
    assert World().scattered("ab").scatter(min_hands=2) != []


@pytest.mark.parametrize(("went", "is_hit"), [(8.9, True), (8.89, False), (10, True), (10.01, False)])
def test_what_goes_on_is_what_came_less_a_little(went, is_hit):
    assert bool(World().scattered(went=went).scatter()) is is_hit


@pytest.mark.parametrize(("later", "is_hit"), [(29.8, True), (29.8 + 1e-6, False), (0.2, True)])
def test_thirty_days_hold_the_whole_of_it(later, is_hit):
    assert bool(World().scattered(later=later).scatter()) is is_hit


def test_nothing_goes_on_before_it_has_come_and_the_same_moment_will_do():
    assert World().scattered(later=-1).scatter() == []
    assert World().scattered(later=0).scatter() != []


def test_money_that_comes_home_must_come_soon():
    assert World().scattered(end="s", later=4.8).scatter() != []
    assert World().scattered(end="s", later=4.9).scatter() == []
    assert World().scattered(end="t", later=4.9).add("REPRESENTS", "r", SOURCE, SINK).scatter() == []
    assert World().scattered(end="t", later=4.9).add("HOLDS_SHARES", "h", SINK, SOURCE, 500_001, "x").scatter() == []
    assert World().scattered(end="t", later=4.9).add("HOLDS_SHARES", "h", SINK, SOURCE, 500_000, "x").scatter() != []


def test_a_cash_pool_that_is_swept_day_by_day_is_no_hit():
    pool = World()
    for day in range(9):
        pool.scattered(end="s", day=day, later=0.4)
    assert pool.scatter() == []
    assert pool.scatter(most_payments=9) != []


def test_small_change_and_hubs_are_no_hit():
    assert World().scattered(came=1, went=1).scatter() != []
    assert World().scattered(came=0.99, went=0.99).scatter() == []
    assert World().scattered().scatter(max_fan=3) != []
    assert World().scattered().scatter(max_fan=2) == []


def test_accounts_of_one_owner_are_one_hand():
    world = World()
    world.rows["OWNS_ACCOUNT"] = [(f"o{a}", "company:x:one" if a in "ab" else f"company:x:{a}", a) for a in "stabc"]
    assert world.scattered().scatter() == []


def test_other_currencies_and_amounts_that_are_none_count_for_nothing():
    world = World().scattered()
    for change in ((3, -1), (3, None), (4, "USD"), (5, None)):
        row = list(world.rows["TRANSFERRED_TO"][0])
        row[change[0]] = change[1]
        assert find_scatter_gather({**world.tables(), "TRANSFERRED_TO": altered(world, row)}, ScatterGatherParameters()).num_rows == 0


def altered(world, row):
    rows = [tuple(row), *world.rows["TRANSFERRED_TO"][1:]]
    columns = enumerate(COLUMNS["TRANSFERRED_TO"])
    return pa.table({c: pa.array([r[i] for r in rows], TYPES.get(c, pa.string())) for i, c in columns})


# Gathered and scattered


def through(came=(10, 10, 10), went=(9, 9, 9), later=5.0):
    world = World()
    for place, thousand in enumerate(came):
        world.send("abcde"[place], "i", thousand, place / 10)
    for place, thousand in enumerate(went):
        world.send("i", "stde"[place], thousand, later + place / 10)
    return world


def test_an_account_that_gathers_and_scatters_is_flagged_with_all_parts():
    assert through().gather() == [
        {
            "entity_id": "company:x:i",
            "root": "company:x:i",
            "amount_fen": 27 * YUAN,
            "evidence": ["t00", "t01", "t02", "t03", "t04", "t05"],
            "at": T0 + 5.2 * DAY,
        }
    ]


@pytest.mark.parametrize("sides", [{"came": (10, 10)}, {"went": (9, 9)}])
def test_two_on_a_side_are_no_hit(sides):
    assert through(**sides).gather() == []


@pytest.mark.parametrize(
    ("came", "went", "is_hit"),
    [((10, 10, 9.5), (9, 9, 9), True), ((10, 10, 9.49), (9, 9, 9), False), ((10,) * 3, (8.5,) * 3, True), ((10,) * 3, (9, 9, 8.49), False)],
)
def test_parts_are_of_one_size(came, went, is_hit):
    assert bool(through(came, went).gather()) is is_hit


@pytest.mark.parametrize(("later", "is_hit"), [(29.8, True), (29.8 + 1e-6, False), (0.2, True), (0.1, False)])
def test_all_in_at_or_before_all_out_within_thirty_days(later, is_hit):
    assert bool(through(later=later).gather()) is is_hit


def test_a_shop_with_many_payments_or_the_same_partners_is_no_hit():
    assert through().gather(max_fan=2) == []
    trader = through()
    for day in range(40, 43):
        trader.send("a", "i", 10, day)
    assert trader.gather() == []
    assert trader.gather(most_payments=4) != []


# Both


@pytest.mark.parametrize(
    ("kind", "name", "low", "high"),
    [
        (ScatterGatherParameters, "min_hands", 2, 1_000),
        (ScatterGatherParameters, "window_days", None, 366),
        (ScatterGatherParameters, "home_days", 0, 30),
        (ScatterGatherParameters, "least_percent", 1, 100),
        (ScatterGatherParameters, "most_percent", 89, 1_000),
        (ScatterGatherParameters, "most_payments", 1, 1_000_000),
        (ScatterGatherParameters, "max_fan", 1, 1_000_000),
        (ScatterGatherParameters, "min_fen", 1, 2**62),
        (GatherScatterParameters, "min_parties", 2, 1_000),
        (GatherScatterParameters, "window_days", 0, 366),
        (GatherScatterParameters, "in_percent", 1, 100),
        (GatherScatterParameters, "out_percent", 1, 100),
        (GatherScatterParameters, "most_payments", 1, 1_000_000),
        (GatherScatterParameters, "max_fan", 1, 1_000_000),
        (GatherScatterParameters, "min_fen", 1, 2**62),
    ],
)
def test_parameters_out_of_range_are_refused(kind, name, low, high):
    for value in ([] if low is None else [low - 1]) + [high + 1]:
        with pytest.raises(UsageError, match=f"{name} is {value}; it must lie between"):
            kind(**{name: value})


def test_tables_that_are_absent_are_empty():
    assert find_scatter_gather({}, ScatterGatherParameters()).num_rows == 0
    assert find_gather_scatter({}, GatherScatterParameters()).num_rows == 0


@st.composite
def worlds(draw):
    world = World()
    ends, sizes = st.sampled_from("stabci"), st.sampled_from((0.5, 9, 9.5, 10))
    for payer, payee, thousand, day in draw(st.lists(st.tuples(ends, ends, sizes, st.integers(0, 12)), max_size=24)):
        world.send(payer, payee, thousand, day)
    return world


RUNS = (
    (REQUIRES, find_scatter_gather, ScatterGatherParameters(min_hands=2, most_payments=2)),
    (GATHER_REQUIRES, find_gather_scatter, GatherScatterParameters(min_parties=2, most_payments=2)),
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with Engine(tmp_path_factory.mktemp("spill"), memory="500MB", threads=1) as engine:
        yield engine


@settings(deadline=None, max_examples=60)
@given(worlds(), st.randoms(), st.sampled_from(RUNS))
def test_neither_narrowing_nor_the_order_of_rows_changes_anything(engine, world, random, run):
    requires, find, parameters = run
    tables = world.tables()
    graph = SimpleNamespace(engine=engine, as_of=date(2024, 5, 1))
    moved = tables["TRANSFERRED_TO"]
    narrow = engine.table(requires[0].narrow(engine.arrow(moved), graph, parameters))
    shuffled = moved.take(pa.array(random.sample(range(moved.num_rows), moved.num_rows), pa.int64()))
    one, *others = (
        sorted(map(str, find({**tables, "TRANSFERRED_TO": rows}, parameters).to_pylist())) for rows in (moved, narrow, shuffled)
    )
    assert others == [one, one]
