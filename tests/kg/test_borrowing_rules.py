"""The rules many_lenders, loans_passed_on, borrowed_for_one and guarantees_serve_one: hand-worked cases, bounds, look-alikes.

Narrowing changes nothing.
"""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.algorithms.windows import crowded
from kg.engine import Engine
from kg.errors import UsageError
from kg.rules import borrowed_for_one, guarantees_serve_one, loans_passed_on, many_lenders
from kg.rules.borrowed_for_one import BorrowedForOneParameters, find_borrowed_for_one
from kg.rules.guarantees_serve_one import GuaranteesServeOneParameters, find_guarantees_that_serve_one
from kg.rules.loans_passed_on import LoansPassedOnParameters, find_loans_passed_on
from kg.rules.many_lenders import ManyLendersParameters, find_many_lenders

T0 = datetime(2024, 3, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
COLUMNS = {
    "GUARANTEES": ("id", "src", "dst", "amount_fen", "valid_from"),
    "BORROWED": ("id", "src", "dst", "amount_fen", "at"),
    "PAID_OUT_TO": ("id", "src", "dst", "amount_fen", "at"),
    "OWNS_ACCOUNT": ("id", "src", "dst"),
    "INVOICED": ("id", "src", "dst"),
    "TRANSFERRED_TO": ("id", "src", "dst", "amount_fen", "currency", "at"),
}
TYPES = {"amount_fen": pa.int64(), "at": pa.timestamp("us", "UTC"), "valid_from": pa.date32()}


def firm(name):
    return f"company:x:{name}"


class World:
    """Companies a to e and x, y own accounts of their names."""

    def __init__(self):
        self.rows = {name: [] for name in COLUMNS}
        for name in "abcdexy":
            self.add("OWNS_ACCOUNT", f"o{name}", firm(name), name)

    def add(self, name, *values):
        self.rows[name].append((*values, *[None] * (len(COLUMNS[name]) - len(values))))
        return self

    def lend(self, who, day=0.0, fen=1_000):
        number = len(self.rows["BORROWED"])
        self.add("BORROWED", f"b{number}", firm(who), f"loan:x:{number}", fen, T0 + day * DAY)
        return self.add("PAID_OUT_TO", f"p{number}", f"loan:x:{number}", who, fen, T0 + day * DAY)

    def send(self, payer, payee, fen, day):
        return self.add("TRANSFERRED_TO", f"t{len(self.rows['TRANSFERRED_TO'])}", payer, payee, fen, None, T0 + day * DAY)

    def stand(self, names):
        """Let each guarantee the next, the last the first."""
        for one, other in pairwise([*names, names[0]]):
            self.add("GUARANTEES", f"g{one}{other}", firm(one), firm(other), 5)
        return self

    def tables(self):
        return {
            name: pa.table({c: pa.array([r[i] for r in rows], TYPES.get(c, pa.string())) for i, c in enumerate(COLUMNS[name])})
            for name, rows in self.rows.items()
        }

    def lenders(self, **parameters):
        return find_many_lenders(self.tables(), ManyLendersParameters(**parameters)).to_pylist()

    def passed(self, **parameters):
        return find_loans_passed_on(self.tables(), LoansPassedOnParameters(**parameters)).to_pylist()

    def buy(self, names, seller="d"):
        """Let the seller invoice some."""
        for name in names:
            self.add("INVOICED", f"i{seller}{name}", firm(seller), firm(name))
        return self

    def for_one(self, **parameters):
        return find_borrowed_for_one(self.tables(), BorrowedForOneParameters(**parameters)).to_pylist()

    def served(self, **parameters):
        return find_guarantees_that_serve_one(self.tables(), GuaranteesServeOneParameters(**parameters)).to_pylist()


# Many lenders


def test_three_loans_within_a_month_are_many():
    assert World().lend("a", 0).lend("a", 30).lend("a", 9, 500).lend("a", 61).lenders() == [
        {"entity_id": firm("a"), "root": f"lenders:{firm('a')}", "amount_fen": 2_500, "evidence": ["b0", "b2", "b1"], "at": T0 + 30 * DAY}
    ]


@pytest.mark.parametrize(("day", "is_hit"), [(30, True), (30 + 1e-6, False)])
def test_thirty_days_are_inclusive(day, is_hit):
    assert bool(World().lend("a", 0).lend("a", 1).lend("a", day).lenders()) is is_hit


def test_loans_of_three_borrowers_and_one_loan_drawn_in_parts_are_not_many():
    assert World().lend("a").lend("b").lend("c").lenders() == []
    parts = World().lend("a").lend("a", 2)
    assert parts.add("PAID_OUT_TO", "p9", "loan:x:1", "a", 400, T0 + 3 * DAY).lenders() == []


def test_a_loan_without_a_time_counts_from_its_pay_out_and_one_without_both_does_not():
    world = World().lend("a").lend("a", 1)
    world.add("BORROWED", "b7", firm("a"), "loan:x:7")
    assert world.lenders() == []
    assert world.add("PAID_OUT_TO", "p7", "loan:x:7", "a", 300, T0 + 2 * DAY).lenders()[0]["amount_fen"] == 2_300


def test_an_amount_that_is_none_does_not_count():
    assert World().lend("a").lend("a", 1).lend("a", 2, fen=0).lenders() == []
    assert World().lend("a").lend("a", 1).lend("a", 2, fen=None).lenders()[0]["amount_fen"] == 2_000


# Loans passed on


def gone(second=900, day=3.0):
    return World().lend("a").lend("a", 2).send("a", "x", 900, 1).send("a", "y", second, day)


def test_two_loans_that_go_whole_to_somebody_else_are_passed_on():
    assert gone().passed() == [
        {
            "entity_id": firm("a"),
            "root": f"passed:{firm('a')}",
            "amount_fen": 1_800,
            "evidence": ["b0", "b1", "p0", "p1", "t0", "t1"],
            "at": T0 + 3 * DAY,
        }
    ]


@pytest.mark.parametrize(("second", "is_hit"), [(880, True), (879, False), (2_000, True), (2_001, False)])
def test_nearly_all_and_no_more_than_was_lent(second, is_hit):
    assert bool(gone(second).passed()) is is_hit


@pytest.mark.parametrize(("day", "is_hit"), [(12, True), (12 + 1e-6, False), (1.9, False)])
def test_within_ten_days_of_the_pay_out(day, is_hit):
    assert bool(World().lend("a").lend("a", 2).send("a", "x", 900, 0.5).send("a", "y", 900, day).passed()) is is_hit


def test_two_loans_that_go_to_one_friend_are_passed_on():
    assert World().lend("a").lend("a", 2).send("a", "x", 900, 1).send("a", "x", 900, 3).passed()[0]["amount_fen"] == 1_800
    assert World().lend("a").lend("a", 2).send("a", "x", 900, 3).passed() == []  # enough for one of them only


@pytest.mark.parametrize(("apart", "is_hit"), [(14, True), (14 + 1e-6, False)])
def test_pay_outs_lie_within_fourteen_days(apart, is_hit):
    world = World().lend("a").lend("a", apart).send("a", "x", 900, 1).send("a", "y", 900, apart + 1)
    assert bool(world.passed()) is is_hit


def test_one_loan_for_one_machine_and_suppliers_paid_in_parts_are_no_hit():
    assert World().lend("a").send("a", "x", 1_000, 1).passed() == []
    assert World().lend("a").lend("a", 2).send("a", "x", 500, 3).send("a", "y", 500, 3).send("a", "b", 900, 4).passed() == []


def test_own_accounts_are_nobody_else():
    world = World().lend("a").lend("a", 2)
    world.add("OWNS_ACCOUNT", "oz", firm("a"), "z")
    assert world.send("a", "z", 900, 1).send("a", "z", 900, 3).passed() == []


# Borrowed for one


def straws(names="abc", fen=500, apart=15.0):
    """Return borrowers who send much of their loans to x at once, and buy of d."""
    world = World().buy(names)
    for place, name in enumerate(names):
        world.lend(name, place * apart).send(name, "x", fen, place * apart + 1)
    return world


def test_three_who_pass_half_of_their_loans_to_one_borrowed_for_it():
    found = {row["entity_id"]: row for row in straws().for_one()}
    assert set(found) == {firm(name) for name in "abcx"}
    assert {row["root"] for row in found.values()} == {f"one:{firm('x')}"}
    whole = ["b0", "b1", "b2", "p0", "p1", "p2", "t0", "t1", "t2"]
    assert found[firm("x")] == {
        "entity_id": firm("x"),
        "root": f"one:{firm('x')}",
        "amount_fen": 1_500,
        "evidence": whole,
        "at": T0 + 31 * DAY,
    }
    assert (found[firm("b")]["amount_fen"], found[firm("b")]["evidence"]) == (500, ["b1", "p1", "t1"])


@pytest.mark.parametrize(("fen", "is_hit"), [(499, False), (500, True), (1_000, True), (1_001, False)])
def test_the_greater_part_of_a_loan_and_no_more_than_it_serves_another(fen, is_hit):
    assert bool(straws(fen=fen).for_one()) is is_hit


@pytest.mark.parametrize(("apart", "is_hit"), [(30, True), (30 + 1e-6, False)])
def test_those_who_borrow_for_one_do_so_within_sixty_days(apart, is_hit):
    assert bool(straws(apart=apart).for_one()) is is_hit


def test_who_gets_the_money_and_borrows_in_that_time_is_one_of_three():
    assert straws("ab").for_one() == []
    assert {row["entity_id"] for row in straws("ab").lend("x", 3).for_one()} == {firm(name) for name in "abx"}
    assert straws("ab").lend("x", 90).for_one() == []
    assert straws("a").lend("x", 3).for_one(min_parties=2) == []  # one who lends a friend his loan is no straw


def test_customers_of_one_supplier_and_borrowers_of_whom_no_purchase_is_known_are_no_straws():
    assert straws().buy("a", seller="x").for_one() == []
    assert straws("abce").buy("a", seller="x").for_one(window_days=50) != []
    world = straws()
    world.rows["INVOICED"] = []
    assert world.for_one() == []


def test_who_gets_loans_at_all_times_or_sells_to_many_is_a_supplier():
    late = straws()
    for place, name in enumerate("dey"):
        late.buy(name, seller="c").lend(name, 200 + 100 * place).send(name, "x", 500, 201 + 100 * place)
    assert late.for_one() == []
    assert {row["entity_id"] for row in late.for_one(min_percent=50)} == {firm(name) for name in "abcx"}
    sells = straws().buy("de", seller="x").lend("d", 300).lend("e", 300)
    assert sells.for_one(max_customers=1) == []
    assert sells.for_one(max_customers=2) != []
    assert straws().buy("fg", seller="x").for_one(max_customers=1) != []  # who never borrowed is no customer that counts


def test_an_old_loan_of_who_gets_the_money_hides_nothing():
    late = straws()
    for place, name in enumerate("de"):
        late.buy(name, seller="c").lend(name, 200 + 100 * place).send(name, "x", 500, 201 + 100 * place)
    assert late.for_one() != []
    assert late.lend("x", -400).for_one() != []


# Guarantees that serve one


def circle(*payments):
    world = World().stand("abcd")
    for who in "bcd":
        world.lend(who)
    for payer, payee, fen in payments:
        world.send(payer, payee, fen, 2)
    return world


def test_a_circle_whose_members_pass_their_loans_to_one_is_told_whole():
    hits = circle(("b", "a", 350), ("c", "a", 400)).served()
    assert {h["entity_id"] for h in hits} == {firm(name) for name in "abc"}
    assert {k: hits[0][k] for k in ("root", "amount_fen", "at", "evidence")} == {
        "root": f"served:{firm('a')}",
        "amount_fen": 750,
        "at": T0 + 2 * DAY,
        "evidence": ["gab", "gbc", "gcd", "gda", "b0", "b1", "p0", "p1", "t0", "t1"],
    }


@pytest.mark.parametrize(("fen", "is_hit"), [(350, True), (349, False)])
def test_a_third_of_the_loan_and_a_fen_less(fen, is_hit):
    assert bool(circle(("b", "a", 350), ("c", "a", fen)).served()) is is_hit


def test_an_association_that_spends_in_its_own_trade_is_no_hit():
    assert circle(("b", "x", 900), ("c", "y", 900), ("d", "x", 900)).served() == []
    assert circle(("b", "a", 900), ("c", "b", 900), ("d", "c", 900)).served() == []  # each another one
    assert circle(("b", "a", 900)).served() == []


def test_less_than_half_of_the_others_is_not_the_circle():
    assert circle(("b", "a", 400), ("c", "a", 400)).served(min_part_percent=66) != []
    assert circle(("b", "a", 400), ("c", "a", 400)).served(min_part_percent=67) == []


def test_a_star_of_guarantees_is_no_circle():
    world = World().lend("b").lend("c").send("b", "a", 900, 1).send("c", "a", 900, 1)
    for name in "bc":
        world.add("GUARANTEES", f"g{name}", firm("a"), firm(name), 5)
    assert world.served() == []


def test_guarantees_of_loans_close_a_circle_too():
    world = World().lend("b").lend("c").send("b", "a", 900, 1).send("c", "a", 900, 1)
    for one, dst in (("a", "loan:x:0"), ("b", "loan:x:1"), ("c", firm("a"))):
        world.add("GUARANTEES", f"g{one}", firm(one), dst, 5)
    assert {h["entity_id"] for h in world.served()} == {firm(name) for name in "abc"}


@pytest.mark.parametrize(("day", "is_hit"), [(14, True), (14 + 1e-6, False), (-1, False)])
def test_fourteen_days_after_the_pay_out(day, is_hit):
    assert bool(circle(("b", "a", 400)).send("c", "a", 400, day).served()) is is_hit


# All of them


@pytest.mark.parametrize(
    ("kind", "name", "low", "high"),
    [
        (ManyLendersParameters, "min_lenders", 2, 1_000),
        (ManyLendersParameters, "window_days", 0, 366),
        (LoansPassedOnParameters, "min_loans", 1, 1_000),
        (LoansPassedOnParameters, "window_days", 0, 366),
        (LoansPassedOnParameters, "within_days", 0, 366),
        (LoansPassedOnParameters, "least_percent", 1, 100),
        (LoansPassedOnParameters, "most_percent", 88, 1_000),
        (BorrowedForOneParameters, "min_parties", 2, 1_000),
        (BorrowedForOneParameters, "window_days", 0, 366),
        (BorrowedForOneParameters, "within_days", 0, 366),
        (BorrowedForOneParameters, "least_percent", 1, 100),
        (BorrowedForOneParameters, "most_percent", 50, 1_000),
        (GuaranteesServeOneParameters, "min_members", 1, 1_000),
        (GuaranteesServeOneParameters, "min_part_percent", 1, 100),
        (GuaranteesServeOneParameters, "least_percent", 1, 100),
        (GuaranteesServeOneParameters, "within_days", 0, 366),
    ],
)
def test_parameters_out_of_range_are_refused(kind, name, low, high):
    for value in (low - 1, high + 1):
        with pytest.raises(UsageError, match=f"{name} is {value}; it must lie between {low} and {high}"):
            kind(**{name: value})


RUNS = (
    (many_lenders.RULE, ManyLendersParameters(min_lenders=2, window_days=5)),
    (loans_passed_on.RULE, LoansPassedOnParameters(least_percent=50, most_percent=150, within_days=4)),
    (borrowed_for_one.RULE, BorrowedForOneParameters(min_parties=2, within_days=4)),
    (guarantees_serve_one.RULE, GuaranteesServeOneParameters(within_days=4)),
)


@pytest.mark.parametrize("run", RUNS)
def test_tables_that_are_absent_are_empty(run):
    assert run[0].find({}, run[1]).num_rows == 0


@st.composite
def worlds(draw):
    world = World().stand("abc").buy("abcx")
    for who, day in draw(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 8)), max_size=5)):
        world.lend(who, day)
    moves = st.tuples(st.sampled_from("abcx"), st.sampled_from("abcx"), st.sampled_from((200, 500, 900)), st.integers(0, 12))
    for move in draw(st.lists(moves, max_size=12)):
        world.send(*move)
    return world


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with Engine(tmp_path_factory.mktemp("spill"), memory="500MB", threads=1) as engine:
        yield engine


def naive(table):
    """Return a table with times as the engine has them: in UTC, without the mark."""
    names = [name for name in table.column_names if name == "at"]
    for name in names:
        table = table.set_column(table.column_names.index(name), name, table[name].cast(pa.timestamp("us")))
    return table


@settings(deadline=None, max_examples=60)
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


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 9)), max_size=15), st.integers(0, 5), st.integers(1, 4))
def test_crowded_rows_are_those_found_by_trying_every_window(rows, window, least):
    party, other, at = np.array(rows, np.int64).reshape(-1, 3).T
    expected = [0] * len(rows)
    for who in range(3):
        for begin in range(10):
            inside = [i for i, row in enumerate(rows) if row[0] == who and begin <= row[2] <= begin + window]
            if len({rows[i][1] for i in inside}) >= least:
                for i in inside:
                    expected[i] = 1
    assert crowded(party, other, at, window=window, least=least).tolist() == expected
