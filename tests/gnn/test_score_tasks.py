"""The measuring of pairs and rings against a city's truth: what counts as linked, as hard, and as found."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

from city_columns import InMemory
from linked_scores import against_hard
from linked_truth import KINDS, NAME, Pairs, pairs
from ring_scores import Truth, by_evidence, caught, of_companies
from scheme_hits import Part

from gnn.pairs.candidates import AND
from gnn.rings.units import Rings
from gnn.snapshot import Named
from loaders.city import Params


@pytest.fixture(scope="module")
def source():
    return InMemory(Params(companies=600, days=120, seed=3))


def test_linked_pairs_have_one_controller_and_different_majorities_in_the_register(source):
    control = {row["company"]: row for row in source.truth("controllers").to_pylist()}
    major = {}
    for row in source.rows("shareholders", "holder", "company", "share_ppm").to_pylist():
        if (row["share_ppm"] or 0) > 500_000:
            major[row["company"]] = row["holder"]
    found = pairs(source).linked
    assert any("person:" in pair for pair in found)
    for pair in found:
        one, other = (end.split(":")[1] for end in pair.split(AND))
        mine = control[one]
        if other.startswith("P"):
            assert (mine["controller"], mine["nominee"], mine["disclosed"]) == (other, True, False)
            assert major.get(one) != other
        else:
            assert mine["controller"] == control[other]["controller"]
            assert major.get(one, one) != major.get(other, other)
            assert major.get(one) != other != one != major.get(other)


def test_hard_pairs_share_what_they_are_said_to_and_nobody_controls_both(source):
    found = pairs(source)
    control = {row["company"]: row["controller"] for row in source.truth("controllers").to_pylist()}
    numbers = {row["number"]: row["kind"] for row in source.truth("lookalikes").to_pylist()}
    within = {}
    for row in source.truth("lookalike_members").to_pylist():
        within.setdefault(row["company"], set()).add((numbers[row["number"]], row["number"]))
    assert set(found.hard.values()) == {"park", "agent", NAME}
    assert not set(found.hard) & set(found.linked)
    for pair, kind in found.hard.items():
        one, other = (end.split(":")[1] for end in pair.split(AND))
        assert control[one] != control[other]
        if kind != NAME:
            assert any(KINDS.get(name) == kind for name, _ in within[one] & within[other])


def test_the_threshold_is_the_lowest_at_which_half_of_those_told_are_guilty():
    scores = {"a": 5.0, "x": 4.0, "b": 3.0, "y": 2.0, "z": 1.0, "c": 0.0}
    found = caught({"a", "b", "c", "d"}, {"a", "b", "c", "d"}, scores)
    assert (found.found.found, found.found.of, found.right.of) == (3, 4, 6)
    assert caught({"c", "d"}, {"c", "d"}, scores).found.found == 0
    # ties are taken together
    assert caught({"a"}, {"a"}, {"a": 1.0, "x": 1.0, "y": 1.0}).found.found == 0


def test_who_is_guilty_of_something_else_does_no_harm_and_is_no_member():
    found = caught({"b"}, {"b", "x"}, {"x": 3.0, "y": 2.0, "b": 1.0})
    assert (found.found, found.right, found.members) == (Part(1, 1), Part(2, 3), Part(1, 3))
    assert caught({"b"}, {"b"}, {"x": 3.0, "y": 2.0, "b": 1.0}).found == Part(0, 1)


def rings(values):
    """Three rings of two companies each, with what is told of them, how often money went round, and how many they are."""
    names = [Named(f"shape.{name}", "", "", "", "", "") for name in ("told", "support", "members")]
    row, company = np.repeat([0, 1, 2], 2), pa.array(list("abbccd"))
    nothing = np.full(3, np.datetime64("NaT"), "datetime64[D]")
    return Rings(date(2024, 6, 1), pa.array(["x", "y", "z"]), np.array(values, np.float64), tuple(names), 3, row, company, nothing, None)


def test_a_company_is_as_guilty_as_the_guiltiest_ring_that_it_is_in():
    assert of_companies(rings(np.zeros((3, 3))), np.array([1.0, 3.0, 2.0]), {"d"}) == {"a": 1.0, "b": 3.0, "c": 3.0}


def test_where_nothing_was_learnt_rings_that_the_night_tells_come_first_then_those_of_many_cycles_then_long_ones():
    assert by_evidence(rings([[0, 9, 9], [1, 2, 3], [0, 9, 8]])).tolist() == [1.0, 2.0, 0.0]
    assert by_evidence(rings([[0, 2, 3], [0, 3, 3], [0, 3, 3]])).tolist() == [0.0, 1.0, 1.0]


def test_members_of_planted_rings_are_those_of_the_truth_whose_case_the_bank_does_not_know_by_the_day(source):
    schemes = {row["number"]: row for row in source.truth("schemes").to_pylist()}
    cases = {row["entity"]: row["known_on"] for row in source.rows("cases", "entity", "known_on").to_pylist()}
    ring = {
        row["company"]
        for row in source.truth("members").to_pylist()
        if "payment_ring" in (schemes[row["number"]]["kind"], schemes[row["number"]]["also"])
    }
    early, late = (Truth.of(source, day) for day in (date(2023, 1, 1), date(2030, 1, 1)))
    assert early.planted == {f"company:{company}" for company in ring}
    assert late.planted == {f"company:{company}" for company in ring if company not in cases}
    assert early.planted < early.guilty
    assert not late.guilty & set(late.known)


@dataclass
class Seen:
    ids: pa.Array


def test_a_pair_of_which_nothing_is_found_has_the_lowest_score():
    linked = [f"company:c{n}{AND}person:p{n}" for n in range(10)]
    hard = [f"company:x{n}{AND}company:y{n}" for n in range(20)]
    truth = Pairs(dict.fromkeys(linked, "honest"), dict.fromkeys(hard, "park"), {pair: pair for pair in linked})
    found = against_hard(truth, Seen(pa.array(linked[:4] + hard[:1])), np.array([0.5, 0.4, 0.3, 0.2, 0.1]), {})
    # four above all, six beside the nineteen of which nothing is found either
    assert found["auc"]["value"] == pytest.approx(0.4 + 0.6 * 19 / 20 / 2)
    assert found["reached"] == pytest.approx(0.4)


def test_a_pair_is_as_strong_as_the_strongest_between_the_two_houses():
    truth = Pairs({f"company:c{AND}company:y": "honest", f"company:c{AND}person:p": "honest"}, {f"company:y{AND}company:z": "park"}, {})
    seen = Seen(pa.array([f"company:c{AND}person:p"]))
    found = against_hard(truth, seen, np.array([0.3]), {"company:y": "person:p", "company:z": "company:z"})
    assert (found["auc"]["value"], found["reached"]) == (1.0, 1.0)
