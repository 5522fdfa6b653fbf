"""Cycles of transfers that respect time, held against every way that there is."""

import dataclasses
import random
from datetime import UTC, date, datetime
from fractions import Fraction
from itertools import pairwise

import pyarrow as pa
import pytest

from kg.derivations.rings import TIERS, CycleParams, find_cycles
from kg.errors import UsageError

DAY = 86_400_000_000
COLUMNS = ("transfer_id", "payer", "payee", "amount_fen", "at")
GRAPHS = 500


def table(rows):
    return pa.table({name: [row[i] for row in rows] for i, name in enumerate(COLUMNS)})


def told(cycles):
    """The ids of each cycle's transfers, in the order of the result."""
    found = {}
    for row in cycles.table.to_pylist():
        assert row["position"] == len(found.setdefault(row["cycle_id"], []))
        found[row["cycle_id"]].append(row["transfer_id"])
    return [tuple(ids) for ids in found.values()]


def allowed(way, params):
    part = {
        name: Fraction(round((getattr(params, name) or 0) * 10**6), 10**6)
        for name in ("min_amount_ratio", "min_hop_retention", "min_total_retention")
    }
    amounts = [row[3] for row in way]
    return (
        way[-1][4] - way[0][4] <= params.window_days * DAY
        and min(amounts) >= part["min_amount_ratio"] * max(amounts)
        and all(after >= part["min_hop_retention"] * before for before, after in pairwise(amounts))
        and amounts[-1] >= part["min_total_retention"] * amounts[0]
    )


def every_cycle(rows, params):
    """Walk all ways; of those with the same transfers the one that begins first is the cycle."""
    rows = [row for row in rows if row[3] > 0 and row[1] != row[2]]
    found = {}

    def go(way):
        for row in rows:
            if row[1] != way[-1][2] or row[4] < way[-1][4]:
                continue
            longer = [*way, row]
            if row[2] == way[0][1] and allowed(longer, params):
                begin, ids = (longer[0][4], longer[0][0]), tuple(each[0] for each in longer)
                known = found.get(frozenset(ids))
                found[frozenset(ids)] = min(known, (begin, ids)) if known else (begin, ids)
            elif len(longer) < params.max_hops and all(row[2] not in each[1:3] for each in way):
                go(longer)

    for row in rows:
        go([row])
    return {ids for _, ids in found.values()}


def multigraph(seed):
    """Few accounts, many transfers: some parallel, some to oneself, many at one time or worth the same, some worth nothing."""
    rng = random.Random(seed)
    accounts, count = rng.randint(2, 7), rng.randint(2, 22)
    ids = rng.sample(range(count), count)
    amounts = rng.choice([[100], [100, 80, 79, 125], [100, 90, 64, 50, 40, 200, -5, 0], list(range(50, 160))])
    last = rng.choice([0, 1, 3, 60])
    return [
        (ids[i], rng.randrange(accounts), rng.randrange(accounts), rng.choice(amounts), rng.randint(0, last) * DAY) for i in range(count)
    ]


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("part", range(5))
def test_every_cycle_is_found_once_in_random_multigraphs(tier, part):
    some = 0
    for seed in range(part, GRAPHS, 5):
        rows = multigraph(seed)
        cycles = find_cycles(table(rows), TIERS[tier])
        mine = told(cycles)
        assert len(mine) == len(set(mine)), seed
        assert set(mine) == every_cycle(rows, TIERS[tier]), seed
        assert cycles.truncated.num_rows == 0
        assert cycles.tier == tier
        some += bool(mine)
    assert some > GRAPHS // 5 // 4


@pytest.mark.parametrize("tier", TIERS)
def test_the_search_from_a_day_on_finds_what_the_search_of_the_whole_finds_there(tier):
    some = 0
    for seed in range(150):
        rows = multigraph(seed)
        at = {row[0]: row[4] for row in rows}
        whole = told(find_cycles(table(rows), TIERS[tier]))
        for new_from in {row[4] for row in rows} | {61 * DAY}:
            new = [ids for ids in whole if at[ids[-1]] >= new_from]
            assert told(find_cycles(table(rows), TIERS[tier], new_from=new_from)) == new, (seed, new_from)
            some += 0 < len(new) < len(whole)
    assert some > 20


@pytest.mark.parametrize("ratio", [0.8, 0.7])
def test_a_day_among_thirty_finds_what_the_search_of_the_whole_finds_on_it(ratio):
    rng, some = random.Random(7), set()
    for hops in range(2, 10):
        params = CycleParams(max_hops=hops, min_amount_ratio=ratio)
        # hubs on both sides, sums of all sizes, ids that are far from one another
        ends = [[10**12 * min(int(3 * rng.paretovariate(1.5)), 300) for _ in range(1_000)] for _ in range(2)]
        rows = [(i, *pair, int(rng.lognormvariate(9, 1)), rng.randrange(31 * DAY)) for i, pair in enumerate(zip(*ends, strict=True))]
        at = {row[0]: row[4] for row in rows}
        new = [ids for ids in told(find_cycles(table(rows), params)) if at[ids[-1]] >= 30 * DAY]
        assert told(find_cycles(table(rows), params, new_from=30 * DAY)) == new
        named = table([(row[0], f"a{row[1]}", f"a{row[2]}", *row[3:]) for row in rows])
        assert told(find_cycles(named, params, new_from=30 * DAY)) == new
        some |= {len(ids) for ids in new}
    assert some >= set(range(2, 7))


@pytest.mark.parametrize("tier", TIERS)
def test_neither_the_order_of_rows_nor_the_names_of_accounts_and_transfers_matter(tier):
    for seed in range(60):
        rng, rows = random.Random(seed), multigraph(seed)
        # ids keep their order, by which equal times are told apart
        renamed = [(f"t{row[0]:03}", f"{9 - row[1]}!", f"{9 - row[2]}!", *row[3:]) for row in rng.sample(rows, len(rows))]
        mine = [tuple(f"t{id:03}" for id in ids) for ids in told(find_cycles(table(rows), TIERS[tier]))]
        assert told(find_cycles(table(renamed), TIERS[tier])) == mine, seed


def test_amounts_are_compared_exactly_however_large():
    for huge in (10**17, 10**17 + 3, 2**62 - 1):
        least = -(-huge * 4 // 5)
        for amount, some in ((least, 1), (least - 1, 0)):
            rows = [(1, 1, 2, huge, 0), (2, 2, 1, amount, 0)]
            assert len(told(find_cycles(table(rows), TIERS["A"]))) == some
            rows = [(1, 1, 2, huge, 0), (2, 2, 1, amount, 1)]
            assert len(told(find_cycles(table(rows), TIERS["B"]))) == some


def test_the_last_moment_of_the_window_is_within_it():
    for over, some in ((0, 1), (1, 0)):
        rows = [(1, 1, 2, 100, 7), (2, 2, 1, 100, 7 + 30 * DAY + over)]
        assert len(told(find_cycles(table(rows), TIERS["A"]))) == some
        assert len(told(find_cycles(table(rows), TIERS["B"], new_from=8))) == some


def test_money_that_joins_on_the_way_makes_a_cycle_of_the_second_tier_alone():
    rows = [(1, 1, 2, 100, 0), (2, 2, 3, 300, 1), (3, 3, 1, 250, 2)]
    assert [len(told(find_cycles(table(rows), TIERS[tier]))) for tier in "ABC"] == [0, 1, 1]


def test_the_step_from_the_last_transfer_to_the_first_is_no_hop():
    rows = [(1, 1, 2, 100, 0), (2, 2, 3, 80, 1), (3, 3, 1, 64, 2)]
    assert len(told(find_cycles(table(rows), TIERS["B"]))) == 1
    assert not told(find_cycles(table([*rows[:2], (3, 3, 1, 63, 2)]), TIERS["B"]))


def test_hubs_are_left_out_by_name_and_accounts_with_many_payers_and_payees_by_their_fan():
    rows = [(1, "a", "b", 100, 0), (2, "b", "a", 100, 1), (3, "b", "c", 100, 2), (4, "c", "b", 100, 3), (5, "c", "a", 90, 4)]
    assert len(told(find_cycles(table(rows), TIERS["A"]))) == 3
    named = find_cycles(table(rows), dataclasses.replace(TIERS["A"], hubs=("b", "unknown")))
    assert not told(named)
    assert named.truncated.num_rows == 0
    fanned = find_cycles(table(rows), dataclasses.replace(TIERS["A"], max_fan=1))
    assert not told(fanned)
    assert fanned.truncated.to_pylist() == [{"transfer_id": None, "account": "b", "because": "more than max_fan"}]
    assert len(told(find_cycles(table(rows), dataclasses.replace(TIERS["A"], max_fan=2)))) == 3
    # b makes its two transfers, and gets its two, within three days
    assert len(told(find_cycles(table([(*row[:4], row[4] * DAY) for row in rows]), CycleParams(window_days=1, max_fan=1)))) == 2


@pytest.mark.parametrize("limit", ["max_steps", "max_all_steps"])
def test_where_the_search_stops_for_its_length_is_told(limit):
    rows = [(place, place % 8, (place + 1 + place // 8) % 8, 100, place // 8) for place in range(56)]
    cycles = find_cycles(table(rows), dataclasses.replace(TIERS["C"], **{limit: 40}))
    whole = set(told(find_cycles(table(rows), TIERS["C"])))
    stopped = set(cycles.truncated["transfer_id"].to_pylist())
    assert stopped
    assert set(told(cycles)) <= whole
    assert {ids for ids in whole if ids[0] not in stopped} <= set(told(cycles))


def test_times_may_be_timestamps_or_days_and_come_back_as_they_were():
    moments = [datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 31, tzinfo=UTC)]
    for at, new_from in (
        (pa.array(moments, pa.timestamp("us", "UTC")), moments[1]),
        (pa.array(moments, pa.timestamp("s", "UTC")), date(2024, 1, 31)),
        (pa.array([each.date() for each in moments]), date(2024, 1, 31)),
    ):
        rows = table([(1, 1, 2, 5, 0), (2, 2, 1, 5, 0)]).set_column(4, "at", at)
        for cycles in (find_cycles(rows, TIERS["A"]), find_cycles(rows, TIERS["A"], new_from=new_from)):
            assert cycles.table["at"].to_pylist() == at.to_pylist()
            assert cycles.table.column_names == ["cycle_id", "position", "transfer_id", "payer", "payee", "at", "amount_fen"]


def test_no_transfers_make_no_cycles():
    empty = pa.table({name: pa.array([], pa.string() if name in COLUMNS[:3] else pa.int64()) for name in COLUMNS})
    cycles = find_cycles(empty, TIERS["A"])
    assert cycles.table.num_rows == cycles.truncated.num_rows == 0
    assert not told(find_cycles(table([(1, 1, 1, 5, 0), (2, 1, 2, 0, 0), (3, 2, 1, -5, 1)]), TIERS["C"]))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("max_hops", 1, "a cycle has 2 to 32 hops"),
        ("window_days", 0, "a window has 1 to 36525 days"),
        ("min_amount_ratio", 1.1, "a ratio lies between 0 and 1"),
        ("min_hop_retention", -0.1, "a ratio lies between 0 and 1"),
        ("min_total_retention", float("nan"), "a ratio lies between 0 and 1"),
        ("max_fan", 0, "give a number from 1 to"),
        ("max_steps", 0, "give a number from 1 to"),
    ],
)
def test_parameters_out_of_range_are_refused(name, value, said):
    with pytest.raises(UsageError, match=f"{name} is .*{said}"):
        CycleParams(**{name: value})


@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        ("amount_fen", [5, None], "transfers row 1: amount_fen is null"),
        ("amount_fen", [5, 2**62], "transfers row 1: amount_fen is 4611686018427387904, more than all money"),
        ("amount_fen", [0.5, 1.5], "amount_fen must hold whole fen"),
        ("at", [None, 1], "transfers row 0: at is null"),
        ("at", ["yesterday", "today"], "at must hold timestamps or dates"),
        ("payee", [None, 2], "transfers row 0: payee is null"),
        ("payee", ["a", "b"], "ids are numbers in one table and strings in another"),
    ],
)
def test_rows_that_cannot_be_are_refused_with_a_sentence(column, values, said):
    rows = table([(1, 1, 2, 5, 0), (2, 2, 1, 5, 0)])
    with pytest.raises(UsageError, match=said):
        find_cycles(rows.set_column(COLUMNS.index(column), column, pa.array(values)), TIERS["A"])


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("max_hops", 2.5, "max_hops is 2.5; give an integer"),
        ("window_days", "30", "window_days is '30'; give an integer"),
        ("max_parts", None, "max_parts is None; give an integer"),
        ("max_steps", True, "max_steps is True; give an integer"),
        ("min_amount_ratio", "0.8", "min_amount_ratio is '0.8'; give a number, or none"),
        ("max_hop_gain", True, "max_hop_gain is True; give a number, or none"),
        ("hubs", "ab", "hubs is 'ab'; give a tuple of ids"),
        ("hubs", None, "hubs is None; give a tuple of ids"),
        ("hubs", (2**70,), "hubs is .*; give a tuple of ids"),
        ("max_wait_days", 10**9, "max_wait_days is 1000000000; give a number from 1 to 36525"),
        ("max_steps", 10**30, "max_steps is 1000000000000000000000000000000; give a number from 1 to"),
        ("hubs", ("a", 1), "hubs is \\('a', 1\\); give a tuple of ids, all strings or all numbers"),
    ],
)
def test_parameters_of_another_type_are_refused(name, value, said):
    with pytest.raises(UsageError, match=said):
        CycleParams(**{name: value})


@pytest.mark.parametrize(
    ("moment", "said"),
    [(2**63, "counts microseconds since 1970"), (True, "new_from is True; give a date"), ("2024-01-01", "new_from is '2024-01-01'; give")],
)
def test_what_is_no_moment_is_refused(moment, said):
    with pytest.raises(UsageError, match=said):
        find_cycles(table([(1, 1, 2, 5, 0)]), TIERS["A"], new_from=moment)


def test_more_cycles_than_can_be_told_are_cut_off_and_the_table_says_where():
    hops = [(h * 100 + i, h, (h + 1) % 6, 200_000, h * 5 * DAY + i * 3_600_000_000) for h in range(6) for i in range(7)]
    whole = find_cycles(table(hops), CycleParams(max_hops=6, window_days=40))
    assert (whole.table.num_rows, whole.truncated.num_rows) == (6 * 7**6, 0)
    found = find_cycles(table(hops), CycleParams(max_hops=6, window_days=40, max_told=10_000))
    assert found.table.num_rows == pytest.approx(10_000, rel=0.2)
    assert set(found.truncated["because"].to_pylist()) == {"more than max_told"}
    assert found.truncated["transfer_id"].to_pylist()


@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        ("at", [0, 2**63 - 1], "transfers row 1: at is 9223372036854775807, before or after all time"),
        ("at", [-(2**62), 0], "transfers row 0: at is -4611686018427387904"),
        ("amount_fen", ["5", "5"], "amount_fen must hold whole fen, not string"),
        ("amount_fen", [True, True], "amount_fen must hold whole fen, not bool"),
    ],
)
def test_times_out_of_time_and_amounts_that_are_none_are_refused(column, values, said):
    rows = table([(1, 1, 2, 5, 0), (2, 2, 1, 5, 0)])
    with pytest.raises(UsageError, match=said):
        find_cycles(rows.set_column(COLUMNS.index(column), column, pa.array(values)), TIERS["A"])


@pytest.mark.parametrize("kept", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())])
def test_ids_may_be_strings_of_any_kind(kept):
    rows = table([("t1", "a", "b", 5, 0), ("t2", "b", "a", 5, 0)])
    for place, name in enumerate(COLUMNS[:3]):
        rows = rows.set_column(place, name, rows[name].cast(pa.string()).cast(kept))
    assert told(find_cycles(rows, TIERS["A"])) == told(find_cycles(rows, TIERS["A"], new_from=0)) == [("t1", "t2")]


def test_ids_may_be_negative_but_are_no_fractions_and_no_larger_than_64_bits_hold():
    rows = table([(1, -1, 2, 5, 0), (2, 2, -1, 5, 0)])
    assert told(find_cycles(rows, TIERS["A"])) == [(1, 2)]
    with pytest.raises(UsageError, match="transfers row 1: payee is 9223372036854775808; ids that are numbers are at most"):
        find_cycles(rows.set_column(2, "payee", pa.array([2, 2**63], pa.uint64())), TIERS["A"])
    with pytest.raises(UsageError, match="payer is of type double; ids are strings or whole numbers"):
        find_cycles(rows.set_column(1, "payer", pa.array([1.0, 2.0])), TIERS["A"])


def test_a_table_without_a_column_and_names_of_another_kind_are_refused():
    rows = table([(1, 1, 2, 5, 0), (2, 2, 1, 5, 0)])
    with pytest.raises(UsageError, match="transfers lack the column at"):
        find_cycles(rows.drop_columns(["at"]), TIERS["A"])
    with pytest.raises(UsageError, match="hubs are string, but accounts are int64"):
        find_cycles(rows, CycleParams(hubs=("a",)))
    with pytest.raises(UsageError, match="give a number too"):
        find_cycles(rows, TIERS["A"], new_from=date(2024, 1, 1))
