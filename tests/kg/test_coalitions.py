"""Who holds together: families over relatives who hold nothing, agreements with the families of their parties, nominees of nominees."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.algorithms.kinship import KINSHIPS, relatives
from kg.derivations.beneficial_owners import find_beneficial_owners
from kg.derivations.control import find_control
from kg.errors import UsageError
from kg.ownership.nominees import nominated, sound
from kg.rulesets import RULESETS, get

GROUP, LAW, LISTED, OWNERS = get("CN-GROUP-2010"), get("CN-COLAW-2023"), get("CN-CSRC-84"), get("CN-UBO-2024")


def holdings(words):
    """Return holdings written as ``A 30 T``, in percent."""
    rows = [word.split() for word in words.split(",")]
    return pa.table({"holder": [r[0] for r in rows], "held": [r[2] for r in rows], "share_ppm": [int(r[1]) * 10_000 for r in rows]})


def kin(words):
    """Return kinship written as ``F M spouse``: M is F's spouse."""
    rows = [word.split() for word in words.split(",")]
    return pa.table({name: [row[place] for row in rows] for place, name in enumerate(("a", "b", "kinship"))})


def agreed(words):
    rows = [word.split("~") for word in words.split()]
    return pa.table({"a": [a for a, _ in rows], "b": [b for _, b in rows]})


def controls(words, rules=GROUP, **more):
    found = find_control(holdings(words), rules, **more)
    return {f"{row['controller']}>{row['controlled']}" for row in found.to_pylist() if row["certain"]}


# -- families -----------------------------------------------------------------------------------------------------

FAMILIES = [
    ("father and child are tied over a mother who holds nothing", "F M spouse,M C child", True),
    ("so they are where the mother is told from the child's side", "F M spouse,C M parent", True),
    ("brother and sister over a parent who holds nothing", "M F child,M C child", True),
    ("grandfather and grandson over a father who holds nothing", "F X child,X C child", True),
    ("a father and his child's husband", "F X child,X C spouse", True),
    ("a wife's father", "F X spouse,X C parent", True),
    ("a great-grandfather is a fourth generation", "F X child,X Y child,Y C child", False),
    ("an uncle is a third generation of the collateral line", "F X sibling,X C child", False),
    ("so he is when he is stated as one", "C F uncle_aunt", False),
    ("cousins", "F X parent,X Y sibling,Y C child", False),
    ("a brother's wife", "F X sibling,X C spouse", False),
    ("who has only a child in common", "F X child,C X child", False),
    ("two sons-in-law", "X F child_in_law,X C child_in_law", False),
    ("four steps back to a brother", "F X spouse,X Y child,Y Z sibling,Z C sibling", True),
    ("a word that no rule set knows", "F C second_cousin", False),
]


@pytest.mark.parametrize(("said", "stated", "together"), FAMILIES, ids=[case[0] for case in FAMILIES])
def test_a_family_is_the_direct_line_of_three_generations_and_brothers_and_sisters(said, stated, together):
    assert controls("F 30 T,C 30 T", kin=kin(stated)) == ({"C＋F>T"} if together else set()), said


def test_a_narrower_rule_set_follows_kinship_too_and_counts_only_those_it_knows():
    assert controls("F 30 T,C 30 T", LISTED, kin=kin("F M spouse,M C child")) == {"C＋F>T"}
    assert controls("F 30 T,C 30 T", LISTED, kin=kin("F X child,X C child")) == set()


def test_a_family_is_whose_centre_holds_something():
    # the mother of one and daughter-in-law of the other holds nothing, and ties them; they are grandparent and grandchild
    assert controls("G 30 T,C 30 T", kin=kin("X G parent_in_law,X C child,X F spouse")) == {"C＋G>T"}
    # brother and husband of one who holds nothing are no close relatives of one another
    assert controls("B 30 T,H 30 T", kin=kin("X B sibling,X H spouse")) == set()


def test_a_relative_who_is_stated_twice_is_one():
    assert controls("F 30 T,C 30 T,M 10 T", kin=kin("F M spouse,M F spouse,M C child,F C child,C F parent")) == {"C＋F＋M>T"}


def test_all_kinship_that_a_rule_set_counts_is_followed():
    assert {word for rules in RULESETS for word in rules.family} == set(KINSHIPS)


@st.composite
def trees(draw):
    """Couples with children who marry strangers: the parents of each, and who is married to whom."""
    parents, spouse, count = {}, {0: 1, 1: 0}, 2
    for _ in range(draw(st.integers(1, 6))):
        couple = draw(st.sampled_from(sorted(pair for pair in spouse.items() if pair[0] < pair[1])))
        child, count = count, count + 1
        parents[child] = couple
        if draw(st.booleans()):
            spouse[child], spouse[count], count = count, child, count + 1
    return parents, spouse, count


@given(trees(), st.randoms())
def test_relatives_are_those_of_the_family_tree_whatever_side_tells_of_them(tree, dice):
    parents, spouse, count = tree
    rows = [(child, parent, "parent") for child, couple in parents.items() for parent in couple]
    rows += [(one, other, "spouse") for one, other in spouse.items() if one < other]
    turned = {"parent": "child", "spouse": "spouse"}
    rows = [(b, a, turned[word]) if dice.random() < 0.5 else (a, b, word) for a, b, word in dice.sample(rows, len(rows))]
    a, b, word = (np.array(column) for column in zip(*((a, b, KINSHIPS.index(word)) for a, b, word in rows), strict=True))
    one, other, kinship = relatives(a, b, word, count)
    close = np.isin(kinship, [KINSHIPS.index(each) for each in GROUP.family])
    found = set(zip(one[close].tolist(), other[close].tolist(), strict=True))

    def of(x):
        up = set(parents.get(x, ()))
        down = {child for child, couple in parents.items() if x in couple}
        grand = {each for parent in up for each in parents.get(parent, ())} | {c for child in down for c in of_children(child)}
        siblings = {child for child, couple in parents.items() if up and set(couple) == up}
        married = {spouse[x]} if x in spouse else set()
        by_marriage = {p for each in married for p in parents.get(each, ())} | {spouse[child] for child in down if child in spouse}
        return (up | down | grand | siblings | married | by_marriage) - {x}

    def of_children(x):
        return {child for child, couple in parents.items() if x in couple}

    assert found == {(x, y) for x in range(count) for y in of(x)}


# -- agreements and families --------------------------------------------------------------------------------------


def test_those_who_act_in_concert_count_with_their_families_where_the_rules_do():
    words, more = "A 20 T,B 20 T,W 20 T", {"concert": agreed("A~B"), "kin": kin("B W spouse")}
    assert controls(words, **more) == {"A＋B＋W>T"}
    assert controls(words, LAW, **more) == set()
    assert controls("A 26 T,B 26 T,W 20 T", LAW, **more) == {"A＋B>T"}


def test_a_party_to_an_agreement_that_holds_nothing_brings_its_family():
    assert controls("A 30 T,H 30 T", concert=agreed("A~W"), kin=kin("H W spouse")) == {"A＋H>T"}


def test_the_families_of_both_sides_of_an_agreement_are_one_coalition():
    found = controls("A 13 T,V 13 T,B 13 T,W 13 T", concert=agreed("A~B"), kin=kin("A V spouse,B W spouse"))
    assert found == {"A＋B＋V＋W>T"}


def test_a_family_of_which_nobody_has_agreed_stays_apart_from_those_who_have():
    found = controls("A 26 T,B 25 T,C 30 U,D 30 U", concert=agreed("A~B"), kin=kin("C D spouse"))
    assert found == {"A＋B>T", "C＋D>U"}


# -- who takes part -----------------------------------------------------------------------------------------------


def together(words, kinship, **more):
    """Return who controls what, only those who take part being told of coalitions."""
    return {each for each in controls(words, kin=kin(kinship), taking_part=True, **more) if "＋" in each}


TAKING_PART = [
    ("a couple's brother with a firm of his own", "H 30 T,W 30 T,B 100 F", "H W spouse,H B sibling", "H＋W>T"),
    ("relatives each with a firm of their own", "H 100 F,W 100 G", "H W spouse", ""),
    ("a brother whose firm has votes in it", "H 20 T,W 20 T,B 100 F,F 20 T", "H W spouse,H B sibling", "B＋H＋W>F B＋H＋W>T"),
    ("a wife with a few votes in what the husband controls alone", "H 90 T,W 10 T", "H W spouse", ""),
    ("two couples of siblings, each with a firm", "A 30 T,B 30 T,C 30 U,D 30 U", "A B spouse,A C sibling,C D spouse", "A＋B>T C＋D>U"),
    # T is the couple's, and with it the brother has U
    ("a brother who joins through a firm of the couple's", "H 30 T,W 30 T,T 30 U,B 30 U", "H W spouse,H B sibling", "B＋H＋W>T B＋H＋W>U"),
]


@pytest.mark.parametrize(("said", "words", "kinship", "expected"), TAKING_PART, ids=[case[0] for case in TAKING_PART])
def test_of_a_family_those_are_told_who_take_part_in_what_they_control_only_together(said, words, kinship, expected):
    assert together(words, kinship) == set(expected.split()), said


@st.composite
def families(draw):
    """Holdings of five firms by up to four siblings and by one another, and nobody else: whole tenths."""
    rows = []
    for held in "FGJK":
        left = 10
        for holder in draw(st.permutations("ABCDFGJK")):
            share = draw(st.sampled_from([0, 0, 0, 2, 3, 4, 6]))
            if holder != held and 0 < share <= left:
                rows.append(f"{holder} {share * 10} {held}")
                left -= share
    return rows


@given(families())
def test_who_takes_no_part_changes_nothing_of_what_the_family_controls(rows):
    if not rows:
        return
    words, siblings = ",".join(rows), "A B sibling,B C sibling,C D sibling"
    whole, told = controls(words, kin=kin(siblings)), controls(words, kin=kin(siblings), taking_part=True)
    alone = {each for each in whole if "＋" not in each}
    by_one = {each.split(">")[1] for each in alone if each[0] in "ABCD"}
    assert alone == {each for each in told if "＋" not in each}
    jointly = {each.split(">")[1] for each in whole if "＋" in each} - by_one
    parts = [each.split(">") for each in told if "＋" in each]
    assert jointly == {company for _, company in parts} - by_one
    # what joins two parts makes one of them
    members = [set(name.split("＋")) for name in {name for name, _ in parts}]
    assert sum(map(len, members)) == len(set().union(*members))


def test_numbers_as_ids_give_what_strings_give():
    rows = pa.table({"holder": [1, 3], "held": [9, 9], "share_ppm": [300_000, 300_000]})
    ties = pa.table({"a": [1, 2], "b": [2, 3], "kinship": ["spouse", "child"]})
    assert find_control(rows, GROUP, kin=ties)["controller"].to_pylist() == ["1＋3"]


# -- nominees -----------------------------------------------------------------------------------------------------


def nominations(words):
    """Return nominations written as ``N for P in T``."""
    rows = [word.split() for word in words.split(",")]
    return pa.table({"nominator": [r[2] for r in rows], "nominee": [r[0] for r in rows], "held": [r[4] for r in rows]})


def test_the_nominee_of_a_nominee_holds_for_who_is_behind_both():
    chain = nominations("N for M in T,M for K in T,K for P in T")
    assert controls("N 60 T,M 10 T,Q 30 T", LAW, nominations=chain) == {"P>T"}
    assert find_control(holdings("N 60 T,M 10 T"), LAW, nominations=chain)["votes_ppm"].to_pylist() == [700_000]


def test_a_chain_of_nominees_is_followed_in_its_company_alone():
    chain = nominations("N for M in T,M for P in U")
    assert controls("N 60 T,M 60 U", LAW, nominations=chain) == {"M>T", "P>U"}


def test_a_chain_is_as_long_as_its_links_hold_on_the_day():
    days = {"valid_from": pa.array([None, date(2024, 1, 1)], pa.date32()), "valid_to": pa.array([None, None], pa.date32())}
    chain = nominations("N for M in T,M for P in T")
    chain = chain.append_column("valid_from", days["valid_from"]).append_column("valid_to", days["valid_to"])
    assert controls("N 60 T", LAW, nominations=chain, as_of=date(2023, 6, 1)) == {"M>T"}
    assert controls("N 60 T", LAW, nominations=chain, as_of=date(2024, 6, 1)) == {"P>T"}


CIRCLES = [
    ("N for M in T,M for N in T", "nominations row 0: N holds T for M, and so on in a circle; say who is behind it in the end"),
    ("N for N in T", "nominations row 0: N holds T for N, and so on in a circle"),
    ("A for P in U,N for M in T,M for K in T,K for M in U,K for M in T", "nominations row 1: N holds T for M, and so on in a circle"),
]


@pytest.mark.parametrize(("words", "said"), CIRCLES, ids=["two", "oneself", "behind a first"])
def test_nominees_in_a_circle_are_refused_with_a_sentence_that_names_the_row(words, said):
    officers = pa.table({name: pa.array([], pa.string()) for name in ("person", "company", "position")})
    with pytest.raises(UsageError, match=said):
        find_control(holdings("N 60 T"), LAW, nominations=nominations(words))
    with pytest.raises(UsageError, match=said):
        find_beneficial_owners(holdings("N 60 T"), officers, OWNERS, nominations=nominations(words))


def test_a_row_that_has_ended_is_counted_when_another_is_named():
    rows = nominations("N for P in T,M for P in T,M for Q in T").append_column("valid_to", pa.array([date(2020, 1, 1), None, None]))
    with pytest.raises(UsageError, match="nominations row 2: M's holding of T has another nominator in row 1"):
        find_control(holdings("N 60 T"), LAW, nominations=rows)


@given(st.lists(st.tuples(*[st.sampled_from("ABCDE")] * 2, st.sampled_from("XY")), max_size=8, unique_by=lambda row: (row[0], row[2])))
def test_who_is_behind_is_found_step_by_step(rows):
    behind = {(nominee, held): nominator for nominee, nominator, held in rows}

    def followed(holder, held):
        seen = []
        while (holder, held) in behind and holder not in seen:
            seen.append(holder)
            holder = behind[holder, held]
        return None if holder in seen else holder

    kept = sound(pa.table({"nominator": [r[1] for r in rows], "nominee": [r[0] for r in rows], "held": [r[2] for r in rows]}, NAMES))
    assert {(r["nominee"], r["held"]) for r in kept.to_pylist()} == {key for key in behind if followed(*key)}
    pairs = [(holder, held) for holder in "ABCDE" for held in "XY"]
    table = pa.table({"holder": [holder for holder, _ in pairs], "held": [held for _, held in pairs]})
    expected = [followed(*pair) or pair[0] for pair in pairs]
    assert nominated(table, kept)["holder"].to_pylist() == expected


NAMES = pa.schema([(name, pa.string()) for name in ("nominator", "nominee", "held")])
