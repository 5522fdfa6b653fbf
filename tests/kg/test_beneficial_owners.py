"""The natural persons behind a company, by the tests of a rule set in their order."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest

from kg.derivations.beneficial_owners import find_beneficial_owners
from kg.errors import UsageError
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


def test_a_company_of_which_no_holder_is_known_has_its_manager():
    assert owners([("P", "B", 100)], ("Q", "A", "经理")) == [("Q", "manager", None, None, 0)]


def test_owners_through_a_circle_of_companies_are_found_with_all_their_chains():
    rows = [("P", "A", 70), ("B", "A", 30), ("A", "B", 80), ("Q", "B", 20)]
    assert owners(rows) == [("P", "capital", 921_053, 921_053, 1)]
    assert owners(rows, company="B") == [("P", "capital", 736_842, 736_842, 1), ("Q", "capital", 263_158, 263_158, 1)]


def test_a_rule_set_without_beneficial_owners_is_refused():
    with pytest.raises(UsageError, match="CN-COLAW-2023 names no beneficial owners"):
        owners([("P", "A", 100)], rules=get("CN-COLAW-2023"))
