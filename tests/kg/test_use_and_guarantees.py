"""The rules forbidden_use and over_guaranteed: hand-worked cases, bounds, look-alikes; narrowing and order change nothing."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.engine import Engine
from kg.errors import UsageError
from kg.rules import forbidden_use, over_guaranteed
from kg.rules.forbidden_use import ForbiddenUseParameters, find_forbidden_uses
from kg.rules.over_guaranteed import OverGuaranteedParameters, find_over_guaranteed

T0 = datetime(2024, 3, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
A, HOME, SHOP = "company:x:a", "company:x:home", "company:x:shop"
COLUMNS = {
    "PAID_OUT_TO": ("id", "src", "dst", "amount_fen", "at"),
    "BORROWED": ("id", "src", "dst"),
    "OWNS_ACCOUNT": ("id", "src", "dst"),
    "TRANSFERRED_TO": ("id", "src", "dst", "amount_fen", "at", "purpose", "currency"),
    "Company": ("id", "industry", "capital_fen"),
    "HOLDS_SHARES": ("id", "src", "dst", "valid_from"),
    "GUARANTEES": ("id", "src", "dst", "amount_fen", "valid_from", "source"),
}
TYPES = {"amount_fen": pa.int64(), "capital_fen": pa.int64(), "at": pa.timestamp("us", "UTC"), "valid_from": pa.date32()}


class World:
    """The company a has borrowed 1,000 fen; home deals in property (K70), shop in goods."""

    def __init__(self, industry="C13"):
        self.rows = {name: [] for name in COLUMNS}
        for name, of in ((A, industry), (HOME, "K7010"), (SHOP, "F52")):
            self.add("Company", name, of, 100)
            self.add("OWNS_ACCOUNT", f"o{name[10:]}", name, name[10:])
        self.add("BORROWED", "b", A, "loan:x:1").add("PAID_OUT_TO", "p", "loan:x:1", "a", 1_000, T0)

    def add(self, name, *values):
        self.rows[name].append((*values, *[None] * (len(COLUMNS[name]) - len(values))))
        return self

    def pay(self, payee, fen, day=1.0, purpose=None, payer="a"):
        id_ = f"t{len(self.rows['TRANSFERRED_TO'])}"
        return self.add("TRANSFERRED_TO", id_, payer, payee, fen, T0 + day * DAY, purpose)

    def stand(self, dst, fen, day=None, src=A, source=None):
        return self.add("GUARANTEES", f"g{len(self.rows['GUARANTEES'])}", src, dst, fen, day, source)

    def tables(self):
        return {
            name: pa.table({c: pa.array([r[i] for r in rows], TYPES.get(c, pa.string())) for i, c in enumerate(COLUMNS[name])})
            for name, rows in self.rows.items()
        }

    def used(self, **parameters):
        return find_forbidden_uses(self.tables(), ForbiddenUseParameters(**parameters)).to_pylist()

    def over(self, **parameters):
        parameters = {"min_fen": 1, **parameters}
        return find_over_guaranteed(self.tables(), OverGuaranteedParameters(**parameters)).to_pylist()


def test_money_that_goes_to_a_developer_is_told():
    assert World().pay("home", 200).pay("home", 200, 3).pay("shop", 600).used() == [
        {"entity_id": A, "root": "loan:x:1", "amount_fen": 400, "evidence": ["b", "p", "t0", "t1"], "at": T0 + 3 * DAY}
    ]


@pytest.mark.parametrize(("fen", "is_hit"), [(300, True), (299, False)])
def test_rent_that_is_a_small_part_of_the_loan_is_no_hit(fen, is_hit):
    assert bool(World().pay("home", fen).used()) is is_hit


@pytest.mark.parametrize(("day", "is_hit"), [(30, True), (30 + 1e-6, False), (0, True), (-1e-6, False)])
def test_thirty_days_after_the_pay_out_are_inclusive(day, is_hit):
    assert bool(World().pay("home", 900, day).used()) is is_hit


@pytest.mark.parametrize(("purpose", "is_hit"), [("支付购房首付款", True), ("增资款", True), ("货款", False), (None, False)])
def test_purposes_tell_it_too(purpose, is_hit):
    assert bool(World().pay("shop", 900, purpose=purpose).used()) is is_hit
    assert World().pay("shop", 900, purpose=purpose).used(words=()) == []


@pytest.mark.parametrize(
    ("since", "is_hit"), [(date(2024, 3, 20), True), (date(2024, 3, 1), True), (date(2023, 3, 1), False), (None, False)]
)
def test_capital_paid_into_a_company_that_is_held_since_then_is_told(since, is_hit):
    hits = World().pay("shop", 900).add("HOLDS_SHARES", "h", A, SHOP, since).used()
    assert [hit["evidence"] for hit in hits] == ([["b", "p", "t0", "h"]] if is_hit else [])


def test_a_developer_s_own_loan_and_money_of_others_are_no_hit():
    assert World("K70").pay("home", 900).used() == []
    assert World().pay("home", 900, payer="shop").used() == []


def test_more_than_the_loan_is_told_as_the_loan():
    assert World().pay("home", 5_000).used()[0]["amount_fen"] == 1_000


# Over-guaranteed


def test_guarantees_of_more_than_ten_times_the_capital_are_told():
    world = World().stand(HOME, 500, date(2024, 1, 1)).stand(SHOP, 500, date(2024, 2, 1)).stand("person:x:p", 1)
    midnight = datetime(2024, 2, 1, tzinfo=UTC)
    assert world.over() == [
        {"entity_id": A, "root": f"guarantees:{A}", "amount_fen": 1_001, "evidence": ["g0", "g1", "g2"], "at": midnight}
    ]
    assert world.over(max_times=11) == []


def test_exactly_ten_times_is_allowed():
    assert World().stand(HOME, 500).stand(SHOP, 499).stand("person:x:p", 1).over() == []


def test_two_of_the_own_group_and_small_sums_are_no_hit():
    world = World().stand(HOME, 9_000).stand(SHOP, 9_000)
    assert world.over() == []
    assert world.over(min_beneficiaries=2) != []
    assert world.over(min_beneficiaries=2, min_fen=18_001) == []


def test_persons_and_companies_whose_capital_is_not_known_are_no_hit():
    world = World()
    for dst in (A, HOME, SHOP):
        world.stand(dst, 9_000, src="person:x:boss").stand(dst, 9_000, src="company:x:new")
    assert world.over() == []


def test_a_guarantee_of_a_loan_counts_once_for_all_its_borrowers():
    world = World().add("BORROWED", "b2", SHOP, "loan:x:1").stand("loan:x:1", 600, src=HOME).stand("person:x:p", 400, src=HOME)
    assert world.over() == []
    world.stand("person:x:q", 1, src=HOME)
    assert [(hit["amount_fen"], hit["evidence"]) for hit in world.over()] == [(1_001, ["g0", "g1", "g2", "b", "b2"])]


def test_guarantees_that_two_registers_tell_are_not_added_up():
    world = World()
    for source in ("bank", "court"):
        world.stand(HOME, 500, source=source).stand(SHOP, 300, source=source).stand("person:x:p", 200, source=source)
    assert world.over() == []
    world.stand(HOME, 1, source="court")
    assert [(hit["amount_fen"], hit["evidence"]) for hit in world.over()] == [(1_001, ["g1", "g2", "g3", "g6"])]


def test_a_guarantee_of_a_loan_is_that_of_its_borrowers_which_another_register_tells():
    world = World().add("BORROWED", "b2", SHOP, "loan:x:1").stand("loan:x:1", 900, src=HOME, source="bank")
    world.stand(A, 900, src=HOME, source="court").stand("person:x:p", 100, src=HOME, source="court")
    assert world.over() == []
    assert [hit["amount_fen"] for hit in world.stand("person:x:q", 1, src=HOME, source="court").over()] == [1_001]


def test_amounts_that_are_none_count_for_nothing():
    assert World().stand(HOME, None).stand(SHOP, -5).stand("person:x:p", 2_000).over() == []


# Both


@pytest.mark.parametrize("name", ["industries", "words"])
def test_what_is_no_tuple_of_words_is_refused(name):
    for wrong in (None, "K70", ["K70"]):
        with pytest.raises(UsageError, match=f"{name} is .*; give a tuple of words"):
            ForbiddenUseParameters(**{name: wrong})
    for wrong in ("", " ", None, 7):
        with pytest.raises(UsageError, match=f"{name} has {wrong!r} in it; give words"):
            ForbiddenUseParameters(**{name: ("K70", wrong)})


def test_signs_in_a_word_mean_themselves():
    world = World().pay("shop", 900, purpose="货款(股)")
    for word, is_hit in (("(", True), ("(股)", True), ("货.股", False), ("货款|房", False), ("\\", False)):
        assert bool(world.used(words=(word,))) is is_hit


@pytest.mark.parametrize(
    ("kind", "name", "low", "high"),
    [
        (ForbiddenUseParameters, "within_days", 0, 366),
        (ForbiddenUseParameters, "least_percent", 1, 100),
        (OverGuaranteedParameters, "max_times", 1, 1_000),
        (OverGuaranteedParameters, "min_beneficiaries", 1, 1_000_000),
        (OverGuaranteedParameters, "min_fen", 1, 2**62),
    ],
)
def test_parameters_out_of_range_are_refused(kind, name, low, high):
    for value in (low - 1, high + 1):
        with pytest.raises(UsageError, match=f"{name} is {value}; it must lie between {low} and {high}"):
            kind(**{name: value})


@pytest.mark.parametrize("rule", [forbidden_use.RULE, over_guaranteed.RULE])
def test_tables_that_are_absent_are_empty(rule):
    assert rule.find({}, rule.parameters).num_rows == 0


@st.composite
def worlds(draw):
    world = World()
    moves = st.tuples(st.sampled_from(("home", "shop")), st.sampled_from((100, 400)), st.integers(-2, 40), st.sampled_from((None, "房款")))
    for move in draw(st.lists(moves, max_size=8)):
        world.pay(*move)
    stands = st.tuples(st.sampled_from((HOME, SHOP, "loan:x:1")), st.sampled_from((400, 900)), st.sampled_from((None, "bank", "court")))
    for dst, fen, source in draw(st.lists(stands, max_size=5)):
        world.stand(dst, fen, source=source)
    return world.stand(HOME, 400, src=SHOP).add("HOLDS_SHARES", "h", A, SHOP, draw(st.sampled_from((date(2024, 3, 2), None))))


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with Engine(tmp_path_factory.mktemp("spill"), memory="500MB", threads=1) as engine:
        yield engine


def naive(table):
    """Return a table with times as the engine has them: in UTC, without the mark."""
    place = table.column_names.index("at") if "at" in table.column_names else None
    return table if place is None else table.set_column(place, "at", table["at"].cast(pa.timestamp("us")))


RUNS = (
    (forbidden_use.RULE, ForbiddenUseParameters()),
    (over_guaranteed.RULE, OverGuaranteedParameters(max_times=1, min_beneficiaries=1, min_fen=1)),
)


@settings(deadline=None, max_examples=40)
@given(worlds(), st.randoms(), st.sampled_from(RUNS))
def test_neither_narrowing_nor_the_order_of_rows_changes_anything(engine, world, random, run):
    rule, parameters = run
    tables = world.tables()
    graph = SimpleNamespace(engine=engine, as_of=date(2024, 5, 1), edges=lambda name: engine.arrow(naive(tables[name])))
    narrow = {
        need.name: engine.table(need.narrow(engine.arrow(naive(tables[need.name])), graph, parameters))
        for need in rule.requires
        if need.narrow
    }
    shuffled = {n: t.take(pa.array(random.sample(range(t.num_rows), t.num_rows), pa.int64())) for n, t in tables.items()}
    one, *others = (sorted(map(str, rule.find(rows, parameters).to_pylist())) for rows in (tables, {**tables, **narrow}, shuffled))
    assert others == [one, one]
