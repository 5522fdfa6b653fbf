"""The natural persons behind a company, by the tests of a rule set in their order."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.algorithms.chains import count_chains
from kg.algorithms.csr import Csr
from kg.derivations.beneficial_owners import find_beneficial_owners
from kg.errors import UsageError
from kg.ruleset import Threshold
from kg.rulesets import get

CHINA, EUROPE, BRITAIN = get("CN-UBO-2024"), get("EU-AMLR"), get("UK-PSC")


def table(*rows):
    """Return holdings written as (holder, held, percent); capital letters P to Z are persons, others companies."""
    named = [(name(a), name(b), None if share is None else round(share * 10_000)) for a, b, share in rows]
    return pa.table({column: [row[place] for row in named] for place, column in enumerate(("holder", "held", "share_ppm"))})


def name(letter):
    return f"{'person' if letter[0] >= 'P' else 'company'}:t:{letter}"


def officers(*rows):
    found = {"person": [name(row[0]) for row in rows], "company": [name(row[1]) for row in rows], "position": [row[2] for row in rows]}
    return pa.table({column: pa.array(values, pa.string()) for column, values in found.items()})


def owners(rows, *people, rules=CHINA, company="A", **more):
    found = find_beneficial_owners(table(*rows), officers(*people), rules, **more).to_pylist()
    return [
        (row["person"][-1], row["test"], row["low_ppm"], row["high_ppm"], row["path_count"])
        for row in found
        if row["company"] == name(company)
    ]


def test_a_quarter_of_the_capital_is_enough_in_china_and_the_union_and_not_in_britain():
    rows = [("P", "A", 25), ("Q", "A", 24.9999), ("B", "A", 50.0001)]
    assert owners(rows) == owners(rows, rules=EUROPE) == [("P", "capital", 250_000, 250_000, 1)]
    assert owners(rows, rules=BRITAIN) == []


def test_shares_are_multiplied_along_chains_and_added_over_them():
    rows = [("P", "B", 50), ("B", "A", 40), ("P", "C", 50), ("C", "A", 20), ("Q", "A", 40)]
    assert owners(rows) == [("P", "capital", 300_000, 300_000, 2), ("Q", "capital", 400_000, 400_000, 1)]


def test_who_has_too_little_capital_may_have_the_votes_through_a_company_that_it_controls():
    rows = [("P", "B", 60), ("Q", "B", 40), ("B", "A", 30), *((person, "A", 14) for person in "RSTUV")]
    assert owners(rows) == [("P", "income_or_votes", 300_000, 300_000, 1)]


def test_relatives_who_hold_together_are_owners_jointly():
    rows = [("P", "A", 20), ("Q", "A", 20), *((person, "A", 12) for person in "RSTUV")]
    kin = pa.table({"a": [name("P")], "b": [name("Q")], "kinship": ["spouse"]})
    family = [("P", "income_or_votes", 400_000, 400_000, 1), ("Q", "income_or_votes", 400_000, 400_000, 1)]
    assert owners(rows, kin=kin, rules=replace(CHINA, family=("spouse",))) == family
    assert owners(rows, kin=kin) == []


def test_a_nominee_s_capital_is_the_nominator_s():
    rows = [("P", "A", 80), ("Q", "A", 20)]
    nominations = pa.table({"nominator": [name("R")], "nominee": [name("P")], "held": [name("A")]})
    assert owners(rows, nominations=nominations) == [("R", "capital", 800_000, 800_000, 1)]


def test_an_unknown_share_makes_a_possible_owner_and_leaves_the_question_open():
    rows = [("P", "A", None), ("Q", "A", 10)]
    people = [("S", "A", "总经理")]
    found = owners(rows, *people)
    assert ("P", "capital", 0, 900_000, 1) in found
    assert ("S", "manager", None, None, 0) in found


def test_the_manager_is_named_where_no_test_names_anybody():
    rows = [(person, "A", 10) for person in "PQRSTUVWXY"]
    people = [("Z", "A", "执行董事"), ("Z", "A", "法定代表人"), ("P", "A", "监事")]
    assert owners(rows, *people) == [("Z", "manager", None, None, 0)]


def test_who_managed_a_company_is_its_manager_as_of_a_day_on_which_the_office_was_held():
    spans = {"valid_from": pa.array([None, date(2020, 1, 1)]), "valid_to": pa.array([date(2020, 1, 1), None])}
    people = officers(("P", "A", "经理"), ("Q", "A", "经理"))
    people = pa.table({**{column: people[column] for column in people.column_names}, **spans})
    for day, person in ((date(2019, 12, 31), "P"), (date(2020, 1, 1), "Q"), (None, "Q")):
        assert find_beneficial_owners(table(("A", "B", 100)), people, CHINA, as_of=day)["person"].to_pylist() == [name(person)], day


def test_a_company_of_which_no_holder_is_known_has_its_manager():
    assert owners([("P", "B", 100)], ("Q", "A", "经理")) == [("Q", "manager", None, None, 0)]


def test_owners_through_a_circle_of_companies_are_found_with_all_their_chains():
    rows = [("P", "A", 70), ("B", "A", 30), ("A", "B", 80), ("Q", "B", 20)]
    assert owners(rows) == [("P", "capital", 921_053, 921_053, 1)]
    assert owners(rows, company="B") == [("P", "capital", 736_842, 736_842, 1), ("Q", "capital", 263_158, 263_158, 1)]


def test_a_rule_set_without_beneficial_owners_is_refused():
    with pytest.raises(UsageError, match="CN-COLAW-2023 names no beneficial owners"):
        owners([("P", "A", 100)], rules=get("CN-COLAW-2023"))


# -- who is sure, and who is on the bar ---------------------------------------------------------------------------


def certain(rows, *people, rules=CHINA, company="A", **more):
    found = find_beneficial_owners(table(*rows), officers(*people), rules, **more).to_pylist()
    return {(row["person"][-1], row["test"]): row["certain"] for row in found if row["company"] == name(company)}


def test_votes_through_a_company_that_is_only_possibly_controlled_make_a_possible_owner_and_leave_the_manager_in_doubt():
    # P has 51 of B at most: 0.51 x 0.6 x 0.375 = 11.5 % of the capital, but then 37.5 % of the votes
    rows = [("S", "B", 49), ("B", "C", 60), ("C", "A", 37.5), *((who, "C", 20) for who in "TU"), *((who, "A", 12.5) for who in "TUVWX")]
    people = [("Z", "A", "经理")]
    assert certain([("P", "B", None), *rows], *people) == {("P", "income_or_votes"): False, ("Z", "manager"): False}
    assert certain([("P", "B", 51), *rows], *people) == {("P", "income_or_votes"): True}
    assert certain([("P", "B", None), ("Q", "B", 1), *rows], *people) == {("Z", "manager"): True}


CHAINS = [
    # all round to 250,000 ppm, or to the next
    ("a half of a half is a quarter", (50, 50), True, False),
    ("less than a millionth below a quarter", (49.9999, 50), False, False),
    ("less than a millionth above a quarter", (50.0001, 49.99995), True, True),
    ("through wholly owned companies", (100, 100, 25, 100, 100), True, False),
    ("five halves and fifths", (50, 100, 62.5, 100, 80), True, False),
    # 0.499998 x 0.500002 x 1 = 0.249999999996
    ("four billionths of a millionth below", (49.9998, 50.0002, 100), False, False),
    # 0.999999 x 0.25 x 1 x 1
    ("a quarter of nearly the whole", (99.9999, 25, 100, 100), False, False),
]


@pytest.mark.parametrize(("said", "shares", "inclusive", "strict"), CHAINS, ids=[case[0] for case in CHAINS])
def test_a_share_is_held_against_the_bar_exactly_and_told_rounded(said, shares, inclusive, strict):
    names = ["P", *(f"{number}" for number in range(len(shares) - 1, 0, -1)), "A"]
    rows = [(one, other, share) for one, other, share in zip(names, names[1:], shares, strict=False)]
    assert (certain(rows) == {("P", "capital"): True}) == inclusive, said
    assert (certain(rows, rules=BRITAIN).get(("P", "capital")) is True) == strict, said


def test_a_third_of_three_quarters_is_told_apart_from_a_quarter():
    assert certain([("P", "B", 33.3333), ("B", "A", 75)]) == {}
    assert certain([("P", "B", 33.3334), ("B", "A", 75)]) == {("P", "capital"): True}


def test_a_share_on_the_bar_round_a_circle_reaches_it():
    # 0.2 / (1 - 0.2)
    assert certain([("P", "A", 20), ("B", "A", 20), ("A", "B", 100)]) == {("P", "capital"): True}
    assert certain([("P", "A", 20), ("B", "A", 20), ("A", "B", 99.9999)]) == {}
    assert certain([("P", "A", 20), ("B", "A", 20), ("A", "B", 100)], rules=replace(CHINA, beneficial=Threshold(250_000))) == {}


def test_a_share_next_to_the_bar_round_a_circle_of_very_many_is_decided_by_doubles():
    ring = [f"{number}" for number in range(70)]
    rows = [(one, other, 20) for one, other in zip(ring, ring[1:] + ring[:1], strict=True)]
    holders = [("P", each, 20) for each in ring] + [("Q", each, 60) for each in ring]
    # P has 0.2 / (1 - 0.2) of each
    assert certain([*rows, *holders], company="7") == {("P", "capital"): True, ("Q", "capital"): True}


@st.composite
def nets(draw):
    """Up to four companies and two persons, shares in quarters, fifths and halves, so that thresholds are met exactly."""
    firms = "ABCD"[: draw(st.integers(1, 4))]
    rows = []
    for held in firms:
        left = 100
        for holder in draw(st.permutations([*firms, "P", "Q"])):
            share = draw(st.sampled_from([0, 0, 20, 25, 50, 75, 80, 100, 33.3333]))
            if 0 < share <= left:
                rows.append((holder, held, share))
                left -= share
    return rows


def integrated(rows):
    """Return the share of each person in each company in fractions: (I - C) is turned round as a whole. None where it cannot be."""
    firms = sorted({held for _, held, _ in rows})
    part = {(a, b): Fraction(round(share * 10_000), 1_000_000) for a, b, share in rows}
    matrix = [
        [int(i == j) - part.get((j, i), Fraction(0)) for j in firms] + [part.get((who, i), Fraction(0)) for who in "PQ"] for i in firms
    ]
    for place in range(len(firms)):
        pivot = next((row for row in range(place, len(firms)) if matrix[row][place]), None)
        if pivot is None:
            return None
        matrix[place], matrix[pivot] = matrix[pivot], matrix[place]
        matrix[place] = [each / matrix[place][place] for each in matrix[place]]
        for row in range(len(firms)):
            if row != place:
                matrix[row] = [a - matrix[row][place] * b for a, b in zip(matrix[row], matrix[place], strict=True)]
    return {(who, firm): matrix[row][len(firms) + at] for row, firm in enumerate(firms) for at, who in enumerate("PQ")}


@settings(deadline=None, max_examples=80)
@given(nets(), st.sampled_from([200_000, 250_000, 500_000]), st.booleans())
def test_owners_by_capital_are_those_that_fractions_give(rows, ppm, strict):
    exact = integrated(rows)
    if exact is None or not rows:
        return
    rules = replace(CHINA, beneficial=Threshold(ppm, strict=strict), tests=("capital",))
    found = find_beneficial_owners(table(*rows), officers(), rules).to_pylist()
    bar = Fraction(ppm, 1_000_000)
    expected = {pair for pair, share in exact.items() if (share > bar if strict else share >= bar)}
    assert {(row["person"][-1], row["company"][-1]) for row in found if row["certain"]} == expected
    assert all(row["certain"] for row in found)


@pytest.mark.parametrize("rules", [CHINA, EUROPE, BRITAIN], ids=lambda rules: rules.id)
def test_a_test_asks_each_person_so_that_who_has_the_votes_is_named_beside_who_has_the_capital(rules):
    # P controls C by way of B, and with it 60 % of A, of which only 15.6 % of the capital is P's
    rows = [("P", "B", 51), ("S", "B", 49), ("B", "C", 51), ("T", "C", 49), ("C", "A", 60), ("Q", "A", 40)]
    found = {row[:2] for row in owners(rows, ("M", "A", "总经理"), rules=rules)}
    assert found == {("P", "income_or_votes"), ("Q", "capital"), ("T", "capital")}


def test_a_manager_is_named_only_where_nobody_else_is():
    assert {row[:2] for row in owners([("P", "A", 20)], ("M", "A", "总经理"))} == {("M", "manager")}
    assert {row[:2] for row in owners([("P", "A", 30)], ("M", "A", "总经理"))} == {("P", "capital")}


def test_who_may_be_an_owner_is_told_apart_from_who_is():
    rows = [("P", "A", None), ("Q", "A", 10), ("R", "A", 40)]
    assert certain(rows) == {("P", "capital"): False, ("R", "capital"): True}


def test_the_most_that_an_unknown_share_can_be_is_held_against_the_bar_exactly_too():
    assert certain([("P", "A", None), ("Q", "B", 75), ("R", "B", 25), ("B", "A", 75)]) == {
        ("P", "capital"): False,
        ("Q", "capital"): True,
    }
    assert ("P", "capital") not in certain([("P", "A", None), ("Q", "B", 75), ("R", "B", 25), ("B", "A", 75.0001)])


def test_nobody_comes_for_certain_after_one_who_may_be_an_owner():
    rows = [("P", "A", None), ("Q", "A", 10)]
    assert certain(rows, ("S", "A", "总经理")) == {("P", "capital"): False, ("S", "manager"): False}
    assert certain([("Q", "A", 10), ("B", "A", 90)], ("S", "A", "总经理")) == {("S", "manager"): True}


def test_who_holds_an_unknown_share_of_a_company_on_the_way_may_own_what_lies_below():
    assert owners([("Q", "A", 40), ("B", "A", 60), ("R", "B", None)]) == [
        ("Q", "capital", 400_000, 400_000, 1),
        ("R", "capital", 0, 600_000, 1),
    ]


def test_what_is_stated_of_a_company_beyond_the_whole_makes_no_certain_owner():
    assert owners([("P", "A", 30), ("Q", "A", 80)]) == [("P", "capital", 200_000, 300_000, 1), ("Q", "capital", 700_000, 800_000, 1)]
    assert certain([("P", "A", 30), ("Q", "A", 80)]) == {("P", "capital"): False, ("Q", "capital"): True}
    # 60 - 20 of B, and 40 % of that
    assert certain([("P", "B", 60), ("R", "B", 60), ("B", "A", 60), ("Q", "A", 40)], company="A") == {
        ("P", "capital"): False,
        ("R", "capital"): False,
        ("Q", "capital"): True,
    }


@pytest.mark.parametrize("last", [False, True], ids=["first", "last"])
def test_where_chains_cannot_be_counted_a_thousand_are_told_whatever_the_order_of_the_holders(last):
    # twelve firms hold one another; 12 holds firm 0 and 13 nobody, and no firm knows them from the others
    holders = [[each for each in range(12) if each != firm] for firm in range(12)] + [[], []]
    holders[0] = [*holders[0], 12] if last else [12, *holders[0]]
    start = np.cumsum([0, *map(len, holders)])
    above = Csr(start, np.array([each for row in holders for each in row]))
    assert count_chains(above, np.array([12, 13]), np.array([11, 11])).tolist() == [1_000, 0]
