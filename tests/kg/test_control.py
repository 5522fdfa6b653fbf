"""Who controls whom: known answers with their sources, cases worked by hand, and brute force on small worlds."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import product

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.derivations.control import JOINT, find_control
from kg.errors import UsageError
from kg.ruleset import Threshold
from kg.rulesets import get

LAW = get("CN-COLAW-2023")
HALF_INCLUSIVE = replace(LAW, control=Threshold(500_000, strict=False))


def table(*rows, **columns):
    """Return holdings written as (holder, held, percent), percent None where it is unknown."""
    shares = [None if row[2] is None else round(row[2] * 10_000) for row in rows]
    return pa.table(
        {
            "holder": pa.array([row[0] for row in rows], pa.string()),
            "held": pa.array([row[1] for row in rows], pa.string()),
            "share_ppm": pa.array(shares, pa.int64()),
            **columns,
        }
    )


def found(holdings, rules=LAW, **more):
    return {(row["controller"], row["controlled"]): row for row in find_control(holdings, rules, **more).to_pylist()}


def certain(holdings, rules=LAW, **more):
    return {pair for pair, row in found(holdings, rules, **more).items() if row["certain"]}


def possible(holdings, rules=LAW, **more):
    return {pair for pair, row in found(holdings, rules, **more).items() if not row["certain"]}


def pairs(words):
    return {tuple(word.split(">")) for word in words.split()}


# -- cases with known answers ------------------------------------------------------------------------------------


def test_hmrc_greit02118_votes_of_a_wholly_owned_company_are_the_owner_s():
    holdings = table(("A", "C", 8), ("A", "B", 100), ("B", "C", 4), ("X", "C", 88))
    third = replace(LAW, control=Threshold(120_000, strict=False))
    assert found(holdings, third)["A", "C"]["votes_ppm"] == 120_000


def test_chapelle_szafarz_51_51_51_a_chain_controls_the_bottom():
    assert certain(table(("P", "A", 51), ("A", "B", 51), ("B", "C", 51))) == pairs("P>A P>B P>C A>B A>C B>C")


def test_ownership_md_two_firms_that_hold_60_of_each_other_control_each_other_and_the_minority_nothing():
    assert certain(table(("A", "B", 60), ("B", "A", 60), ("P", "A", 40))) == pairs("A>B B>A")


def test_ownership_md_17_28_5_through_three_controlled_firms_is_half_and_no_control():
    holdings = table(*(("P", f, 100) for f in "ABC"), ("A", "T", 17), ("B", "T", 28), ("C", "T", 5), ("Q", "T", 50))
    assert ("P", "T") not in certain(holdings)
    assert found(holdings, HALF_INCLUSIVE)["P", "T"]["votes_ppm"] == 500_000


def test_ownership_md_a_holder_of_unknown_share_makes_nobody_certain_and_a_pair_possible():
    holdings = table(("P", "C", 45), ("Q", "C", 30), ("R", "C", None))
    assert found(holdings) == {}
    together = pa.table({"a": ["P"], "b": ["R"]})
    row = found(holdings, concert=together)["P＋R", "C"]
    assert (row["certain"], row["votes_ppm"]) == (False, 700_000)


def test_ownership_md_husband_and_wife_with_30_each_control_where_the_family_rule_is_on():
    holdings = table(("H", "C", 30), ("W", "C", 30), ("S", "C", 40))
    kin = pa.table({"a": ["H"], "b": ["W"], "kinship": ["spouse"]})
    assert certain(holdings, get("CN-GROUP-2010"), kin=kin) == pairs("H＋W>C")
    assert certain(holdings, LAW, kin=kin) == set()


def test_two_closed_firms_that_own_each_other_control_each_other_without_end():
    assert certain(table(("A", "B", 100), ("B", "A", 100))) == pairs("A>B B>A")


# -- worked by hand ----------------------------------------------------------------------------------------------

HAND = [
    ("exactly one half is not more than one half", [("P", "A", 50), ("Q", "A", 50)], ""),
    ("a millionth above one half is", [("P", "A", 50.0001), ("Q", "A", 49.9999)], "P>A"),
    ("the whole", [("P", "A", 100)], "P>A"),
    ("nothing at all", [("P", "A", 0)], ""),
    ("a diamond adds up", [("P", "A", 60), ("P", "B", 60), ("A", "C", 30), ("B", "C", 30)], "P>A P>B P>C"),
    ("a diamond with one weak side does not", [("P", "A", 60), ("P", "B", 50), ("A", "C", 30), ("B", "C", 30)], "P>A"),
    ("own votes and those of a subsidiary add up", [("P", "A", 51), ("P", "C", 26), ("A", "C", 25)], "P>A P>C"),
    ("a minority through a subsidiary does not reach", [("P", "A", 51), ("A", "C", 50)], "P>A"),
    ("parallel rows add up", [("P", "A", 30), ("P", "A", 21)], "P>A"),
    ("shares are not multiplied along a chain", [("P", "A", 51), ("A", "B", 51)], "P>A P>B A>B"),
    ("a firm that holds itself has no vote", [("A", "A", 40), ("P", "A", 45), ("Q", "A", 15)], ""),
    ("a firm that holds itself is controlled by who has more than half", [("A", "A", 40), ("P", "A", 51)], "P>A"),
    ("three in a loop", [("A", "B", 51), ("B", "C", 51), ("C", "A", 51)], "A>B A>C B>A B>C C>A C>B"),
    ("a loop held from outside", [("P", "A", 60), ("A", "B", 60), ("B", "A", 40)], "P>A P>B A>B"),
    ("a loop makes control where the outside holds less", [("P", "A", 40), ("P", "B", 60), ("B", "A", 20), ("A", "B", 20)], "P>A P>B"),
    ("a pyramid of minorities", [("P", "A", 51), ("P", "B", 51), ("A", "C", 26), ("B", "C", 25)], "P>A P>B P>C"),
    ("control is lost one layer down", [("P", "A", 51), ("A", "B", 49), ("P", "B", 1)], "P>A"),
    ("two holders of the same firm", [("P", "A", 60), ("Q", "A", 40), ("A", "B", 100)], "P>A P>B A>B"),
    ("a late firm opens an early one", [("P", "A", 30), ("P", "B", 51), ("B", "C", 51), ("C", "A", 21)], "P>B P>C P>A B>C"),
    ("a subsidiary's shares in its parent count for who holds both", [("P", "A", 45), ("P", "B", 55), ("B", "A", 6)], "P>B P>A"),
    ("of a company over 100 % nobody is sure whose majority is the surplus", [("P", "A", 60), ("Q", "A", 60)], ""),
    ("a majority that stands without all of the surplus is sure", [("P", "A", 80), ("Q", "A", 40)], "P>A"),
    ("what a majority in doubt opens is in doubt too", [("P", "A", 60), ("Q", "A", 60), ("A", "B", 60)], "A>B"),
    ("rounding to whole ppm puts nobody in doubt", [("P", "A", 50.0001), ("Q", "A", 50)], "P>A"),
    ("three ppm too much of two holders are more than rounding", [("P", "A", 50.0002), ("Q", "A", 50.0001)], ""),
]


@pytest.mark.parametrize(("said", "rows", "expected"), HAND, ids=[case[0] for case in HAND])
def test_by_hand(said, rows, expected):
    assert certain(table(*rows)) == pairs(expected), said


def test_a_company_whose_shares_sum_above_the_whole_is_told_as_it_stands_with_control_that_is_possible():
    rows = found(table(("P", "A", 60), ("Q", "A", 60), ("A", "B", 60)))
    assert {pair: (row["votes_ppm"], row["certain"]) for pair, row in rows.items()} == {
        ("P", "A"): (600_000, False),
        ("Q", "A"): (600_000, False),
        ("P", "B"): (600_000, False),
        ("Q", "B"): (600_000, False),
        ("A", "B"): (600_000, True),
    }


def test_own_shares_too_may_be_the_surplus_of_a_company():
    assert certain(table(("A", "A", 40), ("P", "A", 60), ("Q", "A", 10))) == set()
    assert possible(table(("A", "A", 40), ("P", "A", 60), ("Q", "A", 10))) == pairs("P>A")
    assert certain(table(("A", "A", 40), ("P", "A", 60))) == pairs("P>A")


def test_a_listed_company_over_100_percent_is_won_only_without_its_surplus():
    law = get("CN-CSRC-84")
    kinds = pa.table({"party": ["L"], "kind": ["company"], "listed": [True]})
    rows = [(f"S{number}", "L", 9) for number in range(7)]
    assert certain(table(("P", "L", 35), *rows), law, parties=kinds) == pairs("P>L")
    assert certain(table(("P", "L", 38), *rows), law, parties=kinds) == pairs("P>L")
    assert certain(table(("P", "L", 38), ("Q", "L", 9), *rows), law, parties=kinds) == set()


def test_own_shares_are_no_part_of_the_whole_where_the_rules_say_so():
    holdings = table(("A", "A", 20), ("P", "A", 45), ("Q", "A", 35))
    assert certain(holdings) == set()
    rescaled = found(holdings, replace(LAW, treasury="rescaled"))
    assert {pair: row["votes_ppm"] for pair, row in rescaled.items()} == {("P", "A"): 450_000}


def test_votes_go_before_shares_where_they_are_stated():
    holdings = table(("P", "A", 20), ("Q", "A", 80), votes_ppm=pa.array([700_000, 300_000], pa.int64()))
    assert certain(holdings) == pairs("P>A")


def test_a_nominee_votes_as_the_nominator_says_and_only_in_that_company():
    holdings = table(("N", "A", 60), ("N", "B", 60), ("P", "A", 10))
    nominations = pa.table({"nominator": ["P"], "nominee": ["N"], "held": ["A"]})
    rows = found(holdings, nominations=nominations)
    assert {pair: row["votes_ppm"] for pair, row in rows.items()} == {("P", "A"): 700_000, ("N", "B"): 600_000}


def test_bounds_of_an_unknown_share_make_control_certain_or_impossible():
    low = pa.array([510_000, None], pa.int64())
    high = pa.array([None, 400_000], pa.int64())
    holdings = table(("P", "A", None), ("Q", "B", None), share_low_ppm=low, share_high_ppm=high)
    assert (certain(holdings), possible(holdings)) == (pairs("P>A"), set())


def test_an_unknown_share_can_be_no_more_than_what_the_others_leave():
    assert possible(table(("P", "A", None), ("Q", "A", 49.9999))) == pairs("P>A")
    assert possible(table(("P", "A", None), ("Q", "A", 50))) == set()


def test_possible_control_opens_further_possible_control():
    holdings = table(("P", "A", None), ("A", "B", 60), ("P", "C", 30), ("B", "C", 30))
    assert certain(holdings) == pairs("A>B")
    assert possible(holdings) == pairs("P>A P>B P>C")


def test_certain_votes_are_those_of_who_is_certainly_commanded():
    holdings = table(("P", "A", 60), ("P", "B", None), ("A", "C", 51), ("B", "C", 20))
    assert found(holdings)["P", "C"] == {"controller": "P", "controlled": "C", "votes_ppm": 510_000, "certain": True}


def test_holdings_hold_from_their_first_day_to_the_day_before_their_last():
    holdings = table(
        ("P", "A", 60),
        ("Q", "A", 60),
        valid_from=pa.array([None, date(2024, 1, 1)], pa.date32()),
        valid_to=pa.array([date(2024, 1, 1), None], pa.date32()),
    )
    assert certain(holdings) == pairs("Q>A")
    assert certain(holdings, as_of=date(2023, 12, 31)) == pairs("P>A")
    assert certain(holdings, as_of=date(2024, 1, 1)) == pairs("Q>A")


def test_numbers_as_ids_give_what_strings_give():
    rows = pa.table({"holder": [10**12, 7, 7], "held": [7, 8, 9], "share_ppm": [510_000, 300_000, 900_000]})
    expected = [(7, 9, 900_000), (10**12, 7, 510_000), (10**12, 9, 900_000)]
    assert [tuple(row.values())[:3] for row in find_control(rows, LAW).to_pylist()] == expected


def test_a_family_within_a_larger_one_is_told_once():
    holdings = table(*((who, "C", 20) for who in "ABD"), ("S", "C", 40))
    kin = pa.table({"a": ["A", "B"], "b": ["B", "D"], "kinship": ["spouse", "sibling"]})
    assert certain(holdings, get("CN-GROUP-2010"), kin=kin) == pairs("A＋B＋D>C")


def test_ties_of_a_kind_that_the_rules_do_not_know_make_no_family():
    holdings = table(("A", "C", 30), ("B", "C", 30))
    kin = pa.table({"a": ["A"], "b": ["B"], "kinship": ["second_cousin"]})
    assert certain(holdings, get("CN-GROUP-2010"), kin=kin) == set()


@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        ("share_ppm", [1, -5], "holdings row 1: share_ppm is -5; a share lies between 0 and 1000000 ppm"),
        ("share_ppm", [1_000_001, 1], "holdings row 0: share_ppm is 1000001"),
        ("holder", ["P", None], "holdings row 1: holder is null"),
        ("held", [None, "A"], "holdings row 0: held is null"),
        ("valid_to", [date(2020, 1, 1), date(2024, 1, 1)], "holdings row 0: valid_from 2021-01-01 does not lie before valid_to 2020-01-01"),
    ],
)
def test_a_wrong_row_is_refused_with_a_sentence_that_names_it(column, values, said):
    columns = {"holder": ["P", "Q"], "held": ["A", "A"], "share_ppm": [1, 2], "valid_from": [date(2021, 1, 1)] * 2}
    with pytest.raises(UsageError, match=said):
        find_control(pa.table({**columns, column: values}), LAW)


def test_an_unknown_rule_set_is_told_with_the_nearest():
    with pytest.raises(UsageError, match="no rule set 'CN-COLAW'; did you mean 'CN-COLAW-2023'"):
        get("CN-COLAW")


# -- by brute force ----------------------------------------------------------------------------------------------

PARTIES = "ABCDEFGH"


@st.composite
def worlds(draw):
    """Holdings of at most eight firms, none held above the whole, some of them unknown."""
    size = draw(st.integers(2, 8))
    rows = []
    for held in PARTIES[:size]:
        left = 1_000_000
        for holder in draw(st.permutations(PARTIES[:size])):
            share = draw(st.sampled_from([0, 0, 0, 100_000, 250_000, 250_001, 500_000, 500_001, 1_000_000, None]))
            if share is None:
                rows.append((holder, held, None))
            elif 0 < share <= left:
                rows.append((holder, held, share / 10_000))
                left -= share
    return rows


def commanded(rows, seed, threshold=500_000):
    """Return the smallest set with the seed that is closed under control, by looking at all subsets: no fixpoint is computed."""
    names = sorted({row[0] for row in rows} | {row[1] for row in rows} | {seed})
    known = [(holder, held, round(share * 10_000)) for holder, held, share in rows if share is not None and holder != held]
    closed = []
    for chosen in product((False, True), repeat=len(names)):
        members = {name for name, there in zip(names, chosen, strict=True) if there}
        if seed in members and all(sum(s for h, c, s in known if c == y and h in members) <= threshold for y in names if y not in members):
            closed.append(members)
    return min(closed, key=len) - {seed}


@settings(deadline=None, max_examples=60)
@given(worlds())
def test_certain_control_is_the_smallest_closed_set(rows):
    got = certain(table(*rows))
    for seed in {row[0] for row in rows}:
        assert {y for x, y in got if x == seed} == commanded(rows, seed), seed


@settings(deadline=None, max_examples=60)
@given(worlds(), st.randoms())
def test_order_and_names_change_nothing(rows, dice):
    shuffled = dice.sample(rows, len(rows))
    names = dict(zip(PARTIES, dice.sample(PARTIES, len(PARTIES)), strict=True))
    renamed = [(names[holder], names[held], share) for holder, held, share in shuffled]
    back = {v: k for k, v in names.items()}
    one = {pair: (row["votes_ppm"], row["certain"]) for pair, row in found(table(*rows)).items()}
    other = {(back[x], back[y]): (row["votes_ppm"], row["certain"]) for (x, y), row in found(table(*renamed)).items()}
    assert one == other


@settings(deadline=None, max_examples=60)
@given(worlds(), st.sampled_from(PARTIES), st.sampled_from(PARTIES))
def test_another_holding_never_takes_certain_control_from_its_holder(rows, holder, held):
    before = {y for x, y in certain(table(*rows)) if x == holder}
    after = {y for x, y in certain(table(*rows, (holder, held, 10))) if x == holder}
    assert before - {held} <= after or holder == held


@st.composite
def overfull(draw):
    """Holdings in steps of a fifth, of which more than the whole of some company is held."""
    names = PARTIES[: draw(st.integers(2, 3))]
    rows = draw(
        st.lists(
            st.tuples(st.sampled_from(names + "PQ"), st.sampled_from(names), st.sampled_from([20, 40, 60, 80])),
            min_size=2,
            max_size=6,
            unique_by=lambda row: row[:2],
        ).filter(lambda rows: any(sum(share for _, held, share in rows if held == name) > 100 for name in names))
    )
    return [row for row in rows if row[0] != row[1]]


def readings(rows):
    """Yield all ways to bring each company down to the whole: the surplus taken off its holders in steps of a fifth, or all scaled down."""
    ways = []
    for name in sorted({held for _, held, _ in rows}):
        mine = [row for row in rows if row[1] == name]
        total = sum(share for *_, share in mine)
        if total <= 100:
            ways.append([mine])
            continue
        parts = product(*(range(0, share + 1, 20) for *_, share in mine))
        kept = [[(a, b, share) for (a, b, _), share in zip(mine, part, strict=True)] for part in parts if sum(part) == 100]
        ways.append([*kept, [(a, b, share * 100 / total) for a, b, share in mine]])
    for chosen in product(*ways):
        yield [row for part in chosen for row in part]


@settings(deadline=None, max_examples=40)
@given(overfull())
def test_certain_control_of_companies_over_100_percent_is_what_every_consistent_reading_gives(rows):
    got, maybe = certain(table(*rows)), possible(table(*rows))
    for seed in {row[0] for row in rows}:
        told = [commanded(reading, seed) for reading in readings(rows)]
        assert {y for x, y in got if x == seed} == set.intersection(*told), seed
        assert set.union(*told) <= {y for x, y in got | maybe if x == seed}, seed


def test_agreements_and_nominees_count_on_the_days_on_which_they_hold():
    rules = get("CN-GROUP-2010")
    held = pa.table({"holder": ["n", "a", "b"], "held": ["t", "u", "u"], "share_ppm": [600_000, 300_000, 300_000]})
    days = {"valid_from": pa.array([date(2019, 1, 1)]), "valid_to": pa.array([date(2020, 1, 1)])}
    ties = {
        "nominations": pa.table({"nominator": ["p"], "nominee": ["n"], "held": ["t"], **days}),
        "concert": pa.table({"a": ["a"], "b": ["b"], **days}),
    }
    then, now = (find_control(held, rules, as_of=day, **ties) for day in (date(2019, 6, 1), date(2024, 1, 1)))
    assert set(then["controller"].to_pylist()) == {"p", f"a{JOINT}b"}
    assert now["controller"].to_pylist() == ["n"]
