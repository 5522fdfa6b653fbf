"""How evidence of links adds up to a score, and the paths of evidence between two parties."""

from __future__ import annotations

import networkx as nx
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.derivations.linked_parties import KINDS, paths_between, rank_links
from kg.errors import UsageError

# -- adding up -------------------------------------------------------------------------------------------------------


def evidence(*rows):
    """Return links written as (a, b, kind, strength)."""
    columns = {name: [row[place] for row in rows] for place, name in enumerate(("a", "b", "kind", "strength"))}
    return pa.table({**columns, "evidence": pa.array([[f"e{place}"] for place in range(len(rows))], pa.list_(pa.string()))})


def test_independent_families_combine_and_of_one_family_the_strongest_counts():
    rows = evidence(("A", "B", "shared_device", 600_000), ("A", "B", "same_contact", 500_000), ("A", "B", "drawings", 400_000))
    (row,) = rank_links(rows).to_pylist()
    assert (row["score"], row["families"], row["kinds"][0]) == (760_000, 2, "shared_device")
    assert row["evidence"] == ["e0", "e1", "e2"]


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS if kind.grade == "weak"])
def test_one_weak_family_alone_gives_nothing(kind):
    assert rank_links(evidence(("A", "B", kind, 200_000))).num_rows == 0


def test_two_kinds_of_one_weak_family_are_still_one():
    assert rank_links(evidence(("A", "B", "same_address", 200_000), ("A", "B", "same_agent", 200_000))).num_rows == 0


def test_two_weak_families_give_a_weak_link():
    (row,) = rank_links(evidence(("A", "B", "same_address", 200_000), ("A", "B", "similar_names", 100_000))).to_pylist()
    assert (row["score"], row["level"]) == (280_000, "weak")


def test_a_weak_family_adds_to_a_firm_one():
    (row,) = rank_links(evidence(("A", "B", "same_address", 200_000), ("A", "B", "drawings", 500_000))).to_pylist()
    assert row["score"] == 600_000


def test_medium_evidence_alone_never_makes_a_strong_link():
    rows = evidence(*(("A", "B", kind, 900_000) for kind in ("drawings", "same_contact", "guarantor", "round_trip")))
    assert rank_links(rows)["level"].to_pylist() == ["medium"]


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 1_000_000)), min_size=1, max_size=8))
def test_more_evidence_never_lowers_a_score_and_none_passes_the_whole(rows):
    def score(some):
        ranked = rank_links(evidence(*(("A", "B", kind.name, strength) for kind, strength in some)))
        return ranked["score"][0].as_py() if ranked.num_rows else 0

    assert score(rows[:-1]) <= score(rows) <= 1_000_000 if rows[:-1] else score(rows) <= 1_000_000


# -- paths -----------------------------------------------------------------------------------------------------------

SQUARE = evidence(
    ("A", "B", "shared_device", 600_000),
    ("B", "C", "shared_device", 600_000),
    ("A", "D", "guarantor", 500_000),
    ("C", "D", "guarantor", 500_000),
    ("A", "C", "same_address", 200_000),
    ("C", "E", "same_address", 200_000),
)


def test_paths_come_strongest_first_and_weak_evidence_between_the_two_themselves_last():
    found = paths_between(SQUARE, "A", "C").to_pylist()
    assert [(row["path"], row["strength"], row["src"], row["dst"]) for row in found] == [
        (1, 360_000, "A", "B"),
        (1, 360_000, "B", "C"),
        (2, 250_000, "A", "D"),
        (2, 250_000, "D", "C"),
        (3, 0, "A", "C"),
    ]


def test_no_path_leads_over_weak_evidence_of_one_family():
    assert paths_between(SQUARE, "B", "E").num_rows == 0


def test_a_path_back_is_the_same_path_the_other_way_round():
    there, back = (paths_between(SQUARE, *way)["strength"].to_pylist() for way in (("A", "C"), ("C", "A")))
    assert there == back


def test_somebody_of_whom_there_is_no_evidence_has_no_path():
    assert paths_between(SQUARE, "A", "Z").num_rows == 0


@settings(deadline=None)
@given(st.sets(st.tuples(st.integers(0, 5), st.integers(0, 5)).filter(lambda pair: pair[0] < pair[1]), min_size=1), st.integers(1, 4))
def test_all_simple_paths_are_found_as_networkx_finds_them(pairs, hops):
    rows = evidence(*((f"P{a}", f"P{b}", "drawings", 500_000) for a, b in sorted(pairs)))
    graph = nx.Graph((f"P{a}", f"P{b}") for a, b in pairs)
    expected = nx.all_simple_paths(graph, "P0", "P5", hops) if {"P0", "P5"} <= set(graph) else []
    found = paths_between(rows, "P0", "P5", hops=hops, limit=1_000).to_pylist()
    ways = {}
    for row in found:
        ways.setdefault(row["path"], ["P0"]).append(row["dst"])
    assert sorted(ways.values()) == sorted(expected)


# -- refusals --------------------------------------------------------------------------------------------------------

REFUSED = [
    (lambda: rank_links(evidence(("A", "B", "shared_devise", 1))), r"links row 0: kind is shared_devise"),
    (lambda: rank_links(evidence(("A", "B", "drawings", 1_000_001))), r"links row 0: strength is 1000001"),
    (lambda: rank_links(pa.table({"a": ["x"]})), r"links lack the column b"),
    (lambda: rank_links(evidence((None, "B", "drawings", 1))), r"links row 0: a is null"),
    (lambda: paths_between(SQUARE, "A", "A"), r"two different ids"),
    (lambda: paths_between(SQUARE, "A", "B", hops=7), r"hops must be between 1 and 6"),
]


@pytest.mark.parametrize(("wrong", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_refused(wrong, said):
    with pytest.raises(UsageError, match=said):
        wrong()
