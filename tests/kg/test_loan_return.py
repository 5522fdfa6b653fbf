"""The rule loan_return: hand-worked cases, and every way there is on small random worlds."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.errors import UsageError
from kg.rules.loan_return import REQUIRES, RULE, LoanReturnParameters, find_loan_returns

T0 = datetime(2024, 3, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
BOSS, FIRM, SHOP, HELD = "person:x:boss", "company:x:firm", "company:x:shop", "company:x:held"
STAMP = pa.timestamp("us", "UTC")
COLUMNS = {
    "PAID_OUT_TO": ("id", "src", "dst", "amount_fen", "at"),
    "BORROWED": ("id", "src", "dst"),
    "OWNS_ACCOUNT": ("id", "src", "dst"),
    "TRANSFERRED_TO": ("id", "src", "dst", "amount_fen", "at", "currency"),
    "REPRESENTS": ("id", "src", "dst"),
    "HOLDS_SHARES": ("id", "src", "dst", "share_ppm", "source"),
}
TYPES = {"amount_fen": pa.int64(), "share_ppm": pa.int64(), "at": STAMP}


class World:
    """A small bank: the firm borrowed loan 1 and owns account f, the shop owns s; x, y, z, w are others'."""

    def __init__(self):
        self.rows = {name: [] for name in COLUMNS}
        self.add("BORROWED", "b", FIRM, "loan:x:1")
        for owner, account in ((FIRM, "f"), (SHOP, "s"), (HELD, "h"), (BOSS, "p")):
            self.add("OWNS_ACCOUNT", f"o{account}", owner, account)

    def add(self, name, *values):
        self.rows[name].append((*values, *[None] * (len(COLUMNS[name]) - len(values))))

    def pay_out(self, account="f", fen=10_000, at=T0, loan="loan:x:1", id_="p1"):
        self.add("PAID_OUT_TO", id_, loan, account, fen, at)
        return self

    def send(self, *hops, fen=10_000, at=T0 + DAY):
        """Send money along accounts written as ``"fxf"``, an hour between the hops."""
        for way in hops:
            for i, (payer, payee) in enumerate(pairwise(way)):
                self.add("TRANSFERRED_TO", f"t{len(self.rows['TRANSFERRED_TO'])}", payer, payee, fen, at + timedelta(hours=i))
        return self

    def tables(self):
        return {
            name: pa.table({c: pa.array([r[i] for r in rows], TYPES.get(c, pa.string())) for i, c in enumerate(COLUMNS[name])})
            for name, rows in self.rows.items()
        }

    def hits(self, **parameters):
        return find_loan_returns(self.tables(), LoanReturnParameters(**parameters)).to_pylist()

    def returned(self, **parameters):
        return {hit["entity_id"]: tuple(hit["evidence"]) for hit in self.hits(**parameters)}


def test_money_that_goes_out_and_comes_back_is_a_return_to_the_borrower():
    hits = World().pay_out().send("fxf", fen=9_000).hits()
    assert hits == [
        {
            "entity_id": FIRM,
            "root": "loan:x:1",
            "amount_fen": 9_000,
            "evidence": ["b", "p1", "t0", "t1"],
            "at": T0 + DAY + timedelta(hours=1),
        }
    ]


def test_the_amount_is_the_paid_out_one_where_more_comes_back():
    assert World().pay_out().send("fxf", fen=12_000).hits()[0]["amount_fen"] == 10_000


@pytest.mark.parametrize(("fen", "is_return"), [(8_000, True), (7_999, False)])
def test_eighty_percent_returns_and_a_fen_less_does_not(fen, is_return):
    world = World().pay_out(fen=10_000).send("fx").send("xf", fen=fen, at=T0 + 2 * DAY)
    assert bool(world.hits()) is is_return


def test_eighty_percent_of_an_odd_amount_is_rounded_up():
    assert World().pay_out(fen=10_001).send("fxf", fen=8_000).hits() == []
    assert World().pay_out(fen=10_001).send("fxf", fen=8_001).hits() != []


def test_every_transfer_on_the_way_must_carry_the_share():
    assert World().pay_out().send("fx", fen=7_999).send("xf", at=T0 + 2 * DAY).hits() == []


@pytest.mark.parametrize(("late", "is_return"), [(timedelta(0), True), (timedelta(microseconds=1), False), (DAY, False)])
def test_thirty_days_are_inclusive(late, is_return):
    world = World().pay_out().send("fx").send("xf", at=T0 + 30 * DAY + late)
    assert bool(world.hits()) is is_return


@pytest.mark.parametrize(("way", "is_return"), [("fxyzf", True), ("fxyzwf", False)])
def test_four_hops_are_followed_and_five_are_not(way, is_return):
    world = World().pay_out().send(way)
    assert bool(world.hits()) is is_return
    assert world.hits(max_hops=5) != []


def test_time_never_goes_back():
    assert World().pay_out().send("xf", at=T0 + DAY).send("fx", at=T0 + 2 * DAY).hits() == []
    assert World().pay_out().send("fxf", at=T0 - DAY).hits() == []


def test_equal_times_are_in_order():
    assert World().pay_out().send("xf", at=T0).send("fx", at=T0).returned() == {FIRM: ("b", "p1", "t1", "t0")}


def test_moving_money_between_own_accounts_is_no_return():
    world = World().pay_out().send("fgf")
    world.add("OWNS_ACCOUNT", "og", FIRM, "g")
    assert world.hits() == []


def test_money_paid_to_a_supplier_that_sends_it_to_the_borrower_is_a_return():
    assert World().pay_out(account="x").send("xf").returned() == {FIRM: ("b", "p1", "t0")}


def of_boss():
    world = World().pay_out(account="p", loan="loan:x:2")
    world.add("BORROWED", "b2", BOSS, "loan:x:2")
    return world


def test_money_that_reaches_a_company_the_borrower_represents_flags_both():
    world = of_boss().send("pxs")
    assert world.hits() == []
    world.add("REPRESENTS", "r", BOSS, SHOP)
    evidence = ("b2", "p1", "t0", "t1", "r")
    assert world.returned() == {SHOP: evidence, BOSS: evidence}


def test_money_passed_straight_to_the_own_company_counts():
    world = of_boss().send("ps")
    world.add("REPRESENTS", "r", BOSS, SHOP)
    assert world.returned() == {SHOP: ("b2", "p1", "t0", "r"), BOSS: ("b2", "p1", "t0", "r")}


def test_back_from_the_own_company_alone_is_no_return_to_the_borrower():
    world = of_boss().send("psp")
    world.add("REPRESENTS", "r", BOSS, SHOP)
    assert [h["evidence"] for h in world.hits()] == [["b2", "p1", "t0", "r"]] * 2


@pytest.mark.parametrize(("ppm", "is_return"), [(500_001, True), (500_000, False), (None, False)])
def test_a_company_counts_where_more_than_half_is_held(ppm, is_return):
    world = World().pay_out().send("fxh")
    world.add("HOLDS_SHARES", "s", FIRM, HELD, ppm, "register")
    assert bool(world.hits()) is is_return


def test_holdings_of_one_source_are_added_up_and_those_of_two_are_not():
    world = World().pay_out().send("fxh")
    world.add("HOLDS_SHARES", "s1", FIRM, HELD, 300_000, "register")
    world.add("HOLDS_SHARES", "s2", FIRM, HELD, 300_000, "crm")
    assert world.hits() == []
    world.add("HOLDS_SHARES", "s3", FIRM, HELD, 300_000, "crm")
    assert world.returned()[HELD] == ("b", "p1", "t0", "t1", "s2", "s3")


def test_a_company_of_a_company_held_is_not_in_the_circle():
    world = World().pay_out().send("fxs")
    world.add("HOLDS_SHARES", "s1", FIRM, HELD, 600_000, "register")
    world.add("HOLDS_SHARES", "s2", HELD, SHOP, 600_000, "register")
    assert world.hits() == []


def test_transfers_in_other_currencies_or_without_an_amount_or_time_are_left_out():
    for column, value in ((5, "USD"), (3, None), (4, None)):
        world = World().pay_out().send("fxf")
        row = list(world.rows["TRANSFERRED_TO"][1])
        row[column] = value
        world.rows["TRANSFERRED_TO"][1] = tuple(row)
        assert world.hits() == []


@pytest.mark.parametrize("payout", [{"fen": 0}, {"fen": None}, {"at": None}, {"account": None}, {"loan": "loan:x:9"}, {"fen": -5}])
def test_pay_outs_that_cannot_be_followed_are_left_out(payout):
    assert World().pay_out(**payout).send("fxf").hits() == []


def test_a_loan_paid_out_twice_gives_two_hits_of_one_root():
    world = World().pay_out().pay_out(id_="p2", at=T0 + timedelta(minutes=1)).send("fxf")
    assert [(h["root"], h["evidence"][1]) for h in world.hits()] == [("loan:x:1", "p1"), ("loan:x:1", "p2")]


def test_tables_that_are_absent_are_empty():
    assert find_loan_returns({}, RULE.parameters).num_rows == 0


def test_a_table_without_a_needed_column_is_refused():
    with pytest.raises(UsageError, match="the table BORROWED lacks dst; a rule reads id, src, dst"):
        find_loan_returns({"BORROWED": pa.table({"id": ["b"], "src": [FIRM]})}, RULE.parameters)


@pytest.mark.parametrize(
    ("name", "value"),
    [("max_hops", 0), ("max_hops", 9), ("window_days", -1), ("window_days", 367), ("min_percent", 0), ("min_percent", 101)],
)
def test_parameters_out_of_range_are_refused(name, value):
    with pytest.raises(UsageError, match=f"{name} is {value}; it must lie between"):
        LoanReturnParameters(**{name: value})


def test_each_parameter_says_why_and_each_table_is_known():
    assert {p.name for p in RULE.describe()} == {"max_hops", "window_days", "min_percent"}
    assert all(p.why and p.unit for p in RULE.describe())
    assert {need.name for need in REQUIRES} == set(COLUMNS)


# Every way there is

PEOPLE, ACCOUNTS, LOANS = ("person:x:0", "company:x:1", "company:x:2"), "abcde", ("loan:x:0", "loan:x:1")


@st.composite
def worlds(draw):
    world = World()
    world.rows = {name: [] for name in COLUMNS}

    def rows(name, *columns, most):
        for i, row in enumerate(draw(st.lists(st.tuples(*columns), max_size=most))):
            world.add(name, f"{name}{i:02}", *row)

    moment = st.integers(0, 8).map(lambda n: T0 + n * DAY)
    people, account, loan, fen = (st.sampled_from(x) for x in (PEOPLE, ACCOUNTS, LOANS, (7, 8, 9, 10)))
    company = st.sampled_from(PEOPLE[1:])
    rows("PAID_OUT_TO", loan, account, st.sampled_from((9, 10)), moment, most=3)
    rows("BORROWED", people, loan, most=3)
    rows("OWNS_ACCOUNT", people, account, most=5)
    rows("TRANSFERRED_TO", account, account, fen, moment, st.sampled_from((None, "CNY", "USD")), most=16)
    rows("REPRESENTS", st.just(PEOPLE[0]), company, most=2)
    rows("HOLDS_SHARES", people, company, st.sampled_from((None, 400_000, 600_000)), st.sampled_from(("u", "v")), most=3)
    return world


def circle_of(world, loan):
    """Return {party: {borrower: links}} of a loan."""
    circle = {}
    for _, borrower, to in world.rows["BORROWED"]:
        if to != loan:
            continue
        circle.setdefault(borrower, {})[borrower] = set()
        ties = [(link, company) for link, person, company in world.rows["REPRESENTS"] if person == borrower]
        for link, holder, company, _, source in world.rows["HOLDS_SHARES"]:
            total = sum(r[3] or 0 for r in world.rows["HOLDS_SHARES"] if (r[1], r[2], r[4]) == (holder, company, source))
            if holder == borrower and total > 500_000:
                ties.append((link, company))
        for link, company in ties:
            circle.setdefault(company, {}).setdefault(borrower, set()).add(link)
    return circle


def ways(world, account, start, fen):
    """Yield every way from a pay-out as a list of transfers."""
    open_ways = [([], account, start)]
    while open_ways:
        way, here, since = open_ways.pop()
        for row in world.rows["TRANSFERRED_TO"]:
            _, payer, payee, amount, at, currency = row
            goes_on = payer == here and payee != here and since <= at <= start + 4 * DAY and 100 * amount >= 80 * fen
            if goes_on and currency != "USD" and len(way) < 4:
                yield [*way, row]
                open_ways.append(([*way, row], payee, at))


def by_hand(world):
    hits = set()
    for payout, loan, account, fen, start in world.rows["PAID_OUT_TO"]:
        circle = circle_of(world, loan)
        owned = {p: {a for _, owner, a in world.rows["OWNS_ACCOUNT"] if owner == p} for p in circle}
        everything = set().union(*owned.values())
        for party, borrowers in circle.items():
            returns = [
                ((way[-1][4], len(way), [(t[4], t[0]) for t in reversed(way)]), way)
                for way in ways(world, account, start, fen)
                if way[-1][2] in owned[party] and (account not in owned[party] or {t[1] for t in way} - everything)
            ]
            if returns:
                (at, _, _), way = min(returns)
                names = {r[0] for r in world.rows["BORROWED"] if r[1] in borrowers and r[2] == loan}
                links = set().union(*borrowers.values())
                evidence = (*sorted(names), payout, *(t[0] for t in way), *sorted(links))
                hits |= {(who, loan, min(fen, *(t[3] for t in way)), evidence, at) for who in {party, *borrowers}}
    return hits


def as_set(table):
    return {(h["entity_id"], h["root"], h["amount_fen"], tuple(h["evidence"]), h["at"]) for h in table.to_pylist()}


@settings(deadline=None, max_examples=300)
@given(worlds(), st.randoms())
def test_the_rule_finds_what_trying_every_way_finds_in_any_order_of_rows(world, random):
    parameters = LoanReturnParameters(window_days=4)
    tables = world.tables()
    found = find_loan_returns(tables, parameters)
    assert as_set(found) == by_hand(world)
    shuffled = {n: t.take(pa.array(random.sample(range(t.num_rows), t.num_rows), pa.int64())) for n, t in tables.items()}
    again = find_loan_returns(shuffled, parameters)
    assert sorted(map(str, again.to_pylist())) == sorted(map(str, found.to_pylist()))
