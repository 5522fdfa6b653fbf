"""How much of a company a party owns: known answers with their sources, cases worked by hand, and dense linear algebra."""

from __future__ import annotations

from dataclasses import dataclass

import networkx as nx
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kg.derivations.ownership import OwnerIndex, integrate_ownership
from kg.errors import UsageError


def table(*rows):
    """Return holdings written as (holder, held, percent)."""
    shares = [None if row[2] is None else round(row[2] * 10_000) for row in rows]
    ends = {"holder": [row[0] for row in rows], "held": [row[1] for row in rows]}
    return pa.table({**{name: pa.array(ids, pa.string()) for name, ids in ends.items()}, "share_ppm": pa.array(shares, pa.int64())})


def shares(*rows, prune=0.0, **more):
    found = integrate_ownership(table(*rows), prune=prune, **more).shares.to_pylist()
    return {(row["owner"], row["company"]): row["share"] for row in found}


# -- cases with known answers ------------------------------------------------------------------------------------


def test_chapelle_szafarz_51_51_51_a_chain_is_13_2651_percent():
    assert shares(("P", "A", 51), ("A", "B", 51), ("B", "C", 51))["P", "C"] == pytest.approx(0.132651, abs=1e-12)


def test_ownership_md_a_loop_of_30_and_80_with_two_owners():
    found = shares(("P", "A", 70), ("B", "A", 30), ("A", "B", 80), ("Q", "B", 20))
    expected = {("P", "A"): 0.92105, ("P", "B"): 0.73684, ("Q", "A"): 0.07895, ("Q", "B"): 0.26316}
    assert found == {pair: pytest.approx(share, abs=5e-6) for pair, share in expected.items()}


def test_bods_indirect_ownership_implies_50_beside_what_is_declared():
    assert shares(("B", "A", 60), ("P", "A", 30), ("P", "B", 100))["P", "A"] == pytest.approx(0.9, abs=1e-12)
    assert shares(("B", "A", 60), ("P", "B", 50), ("P", "A", 20))["P", "A"] == pytest.approx(0.5, abs=1e-12)


def test_ownership_md_a_group_that_owns_itself_is_named_and_crashes_nothing():
    found = integrate_ownership(table(("A", "B", 100), ("B", "A", 100), ("A", "C", 40), ("P", "C", 60)), prune=0)
    assert found.closed_groups.to_pylist() == [{"component": "A", "company": "A"}, {"component": "A", "company": "B"}]
    assert [(row["owner"], row["company"], row["share"]) for row in found.shares.to_pylist()] == [("P", "C", 0.6)]


@pytest.mark.parametrize(
    "around",
    [
        # the products along these circles are 1, though some of their sums lie above the whole and others below it
        [("A", "B", 62.5), ("B", "C", 100), ("B", "C", 100), ("C", "A", 80)],
        [("A", "B", 100), ("A", "B", 25), ("B", "C", 100), ("B", "C", 60), ("C", "D", 100), ("D", "A", 50)],
    ],
    ids=["three", "four"],
)
def test_a_circle_above_100_percent_that_feeds_itself_exactly_is_named_and_crashes_nothing(around):
    rows = table(*around, ("P", "A", 0.001), ("A", "E", 50), ("Q", "E", 50))
    found = integrate_ownership(rows, prune=0)
    assert {row["component"] for row in found.closed_groups.to_pylist()} == {"A"}
    assert [(row["owner"], row["company"]) for row in found.shares.to_pylist()] == [("Q", "E")]
    assert OwnerIndex(rows).owners_of("E").to_pylist() == [{"owner": "Q", "share": 0.5}]


def test_a_company_held_by_a_closed_group_alone_is_no_ultimate_owner():
    rows = table(("A", "B", 100), ("B", "A", 100), ("A", "D", 100), ("D", "E", 60), ("P", "E", 40))
    assert [(row["owner"], row["company"]) for row in integrate_ownership(rows, prune=0).shares.to_pylist()] == [("P", "E")]
    assert OwnerIndex(rows).owners_of("E").to_pylist() == [{"owner": "P", "share": 0.4}]
    assert ("D", "E") in {(row["owner"], row["company"]) for row in integrate_ownership(rows, prune=0, owners="all").shares.to_pylist()}


# -- worked by hand ----------------------------------------------------------------------------------------------

HAND = [
    ("one holder", [("P", "A", 60)], {("P", "A"): 0.6}),
    ("parallel rows add up", [("P", "A", 30), ("P", "A", 20)], {("P", "A"): 0.5}),
    ("a diamond adds its two ways", [("P", "A", 50), ("P", "B", 40), ("A", "C", 50), ("B", "C", 50)], {("P", "C"): 0.45}),
    ("direct and indirect add up", [("P", "A", 50), ("A", "B", 50), ("P", "B", 10)], {("P", "B"): 0.35}),
    ("a firm that holds a part of itself", [("P", "A", 75), ("A", "A", 25)], {("P", "A"): 1.0}),
    ("a firm that holds all of itself", [("A", "A", 100)], {}),
    (
        "three in a loop",
        [("P", "A", 50), ("C", "A", 50), ("A", "B", 100), ("B", "C", 100)],
        {("P", "A"): 1.0, ("P", "B"): 1.0, ("P", "C"): 1.0},
    ),
    ("an unknown share counts as nothing", [("P", "A", None), ("Q", "A", 40)], {("Q", "A"): 0.4}),
    ("nothing held is no row", [("P", "A", 0), ("Q", "A", 10)], {("Q", "A"): 0.1}),
    ("above the whole is computed as it stands", [("P", "A", 80), ("Q", "A", 80)], {("P", "A"): 0.8, ("Q", "A"): 0.8}),
]


@pytest.mark.parametrize(("said", "rows", "expected"), HAND, ids=[case[0] for case in HAND])
def test_by_hand(said, rows, expected):
    found = shares(*rows)
    assert {pair: found.get(pair) for pair in expected} == {pair: pytest.approx(share, abs=1e-12) for pair, share in expected.items()}, said
    assert expected or not found


def test_companies_on_the_way_are_owners_too_where_all_are_asked_for():
    rows = [("P", "A", 50), ("A", "B", 50), ("B", "C", 50)]
    assert shares(*rows, owners="all").keys() - shares(*rows).keys() == {("A", "B"), ("A", "C"), ("B", "C")}


def test_without_loops_a_part_through_oneself_does_not_count():
    rows = [("P", "A", 40), ("B", "A", 60), ("A", "B", 50), ("Q", "B", 50)]
    # A owns 0.5 of B, and through B 0.3 of itself: Y[A, A] = 1 / 0.7, Y[A, B] = 0.5 / 0.7
    integrated, delooped = (shares(*rows, owners="all", method=method)["A", "B"] for method in ("integrated", "delooped"))
    assert (integrated, delooped) == (pytest.approx(0.5 / 0.7), pytest.approx(0.5))


# -- against dense linear algebra --------------------------------------------------------------------------------


@dataclass(frozen=True)
class World:
    """Random holdings with loops: numbers below ``companies`` are companies."""

    companies: int
    matrix: np.ndarray

    def table(self):
        holder, held = np.nonzero(self.matrix)
        return pa.table({"holder": holder, "held": held, "share_ppm": self.matrix[holder, held]})


def world(seed, companies=None, people=None):
    dice = np.random.default_rng(seed)
    companies, people = companies or int(dice.integers(2, 150)), people or int(dice.integers(1, 50))
    matrix = np.zeros((companies + people, companies + people), np.int64)
    for held in range(companies):
        holders = dice.choice(companies + people, min(int(dice.integers(1, 7)), companies), replace=False)
        part = dice.dirichlet(np.ones(holders.size + 1))[:-1] if dice.random() < 0.7 else dice.dirichlet(np.ones(holders.size))
        matrix[holders, held] = (part * 1_000_000).astype(np.int64)
    return World(companies, matrix)


def dense(of, method="integrated"):
    """Return Z by inverting the whole matrix, where no group is closed or nearly so."""
    whole = of.matrix / 1e6
    assume(np.linalg.cond(np.eye(len(whole)) - whole) < 1e5)
    inverse = np.linalg.inv(np.eye(len(whole)) - whole)
    if method == "delooped":
        return inverse / np.diag(inverse)[:, None]
    return whole @ inverse


def as_matrix(found, size):
    matrix = np.zeros((size, size))
    rows = found.shares
    matrix[rows["owner"].to_numpy(), rows["company"].to_numpy()] = rows["share"].to_numpy()
    return matrix


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from(["integrated", "delooped"]))
def test_all_shares_are_those_of_the_inverted_matrix(seed, method):
    of = world(seed)
    expected = dense(of, method)
    np.fill_diagonal(expected, 0)
    found = integrate_ownership(of.table(), prune=0, owners="all", method=method)
    got = as_matrix(found, len(expected))
    inside = np.ix_(*[np.flatnonzero(of.matrix.any(axis=0) | of.matrix.any(axis=1))] * 2)
    np.testing.assert_allclose(got[inside], expected[inside], atol=1e-9)
    assert (found.shares["error_bound"].to_numpy() == 0).all()


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from([1e-3, 1e-2, 0.1]))
def test_what_is_left_out_is_within_the_bounds_that_are_told(seed, prune):
    of = world(seed)
    exact = as_matrix(integrate_ownership(of.table(), prune=0), len(of.matrix))
    found = integrate_ownership(of.table(), prune=prune)
    near, bound = as_matrix(found, len(exact)), np.zeros(len(exact))
    np.maximum.at(bound, found.shares["company"].to_numpy(), found.shares["error_bound"].to_numpy())
    assert (np.abs(near - exact) <= bound[None, :] + 1e-12).all()
    assert near[near > 0].size <= exact[exact > 0].size


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.sampled_from([1e-3, 1e-2, 0.1]), st.sampled_from(["integrated", "delooped"]))
def test_bounds_hold_for_owners_on_the_way_too(seed, prune, method):
    of = world(seed, companies=30, people=5)
    exact = as_matrix(integrate_ownership(of.table(), prune=0, owners="all", method=method), len(of.matrix))
    assume(exact.max() < 100)
    found = integrate_ownership(of.table(), prune=prune, owners="all", method=method)
    bound = np.zeros(len(exact))
    np.maximum.at(bound, found.shares["company"].to_numpy(), found.shares["error_bound"].to_numpy())
    assert (np.abs(as_matrix(found, len(exact)) - exact) <= bound[None, :] + 1e-9).all()


@pytest.mark.parametrize("prune", [0.01, 0.9])
def test_a_company_that_owns_most_of_itself_still_has_an_owner_and_a_bound(prune):
    rows = [("A", "A", 99.9), ("P", "B", 0.0001), ("B", "A", 0.0001)]
    found = integrate_ownership(table(*rows), prune=prune, owners="all").shares.to_pylist()
    assert [(row["owner"], row["company"]) for row in found] == [("B", "A"), ("P", "B")]


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6))
def test_order_and_names_change_nothing(seed):
    of = world(seed, companies=20, people=10)
    dice = np.random.default_rng(seed)
    names = dice.permutation(len(of.matrix)) * 7 + 3
    rows = of.table()
    shuffled = rows.take(pa.array(dice.permutation(rows.num_rows)))
    renamed = shuffled.set_column(0, "holder", pa.array(names[shuffled["holder"].to_numpy()])).set_column(
        1, "held", pa.array(names[shuffled["held"].to_numpy()])
    )
    one = {(names[r["owner"]], names[r["company"]]): r["share"] for r in integrate_ownership(rows, prune=0).shares.to_pylist()}
    other = {(r["owner"], r["company"]): r["share"] for r in integrate_ownership(renamed, prune=0).shares.to_pylist()}
    assert one.keys() == other.keys()
    assert all(abs(one[pair] - other[pair]) < 1e-12 for pair in one)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6))
def test_one_company_alone_has_the_owners_that_it_has_among_all(seed):
    of = world(seed, companies=30, people=10)
    every, index = integrate_ownership(of.table(), prune=0).shares, OwnerIndex(of.table())
    for company in sorted(set(of.table()["held"].to_pylist())):
        mine = {row["owner"]: row["share"] for row in every.to_pylist() if row["company"] == company}
        alone = {row["owner"]: row["share"] for row in index.owners_of(company).to_pylist()}
        assert alone == {owner: pytest.approx(share, abs=1e-9) for owner, share in mine.items()}


def test_a_company_of_which_nothing_is_known_is_told():
    with pytest.raises(UsageError, match="no holding names X"):
        OwnerIndex(table(("P", "A", 1))).owners_of("X")


def test_a_component_that_is_too_large_to_invert_is_solved_owner_by_owner(monkeypatch):
    of = world(5, companies=120, people=40)
    expected = as_matrix(integrate_ownership(of.table(), prune=0, owners="all"), len(of.matrix))
    monkeypatch.setattr("kg.algorithms.ownership._DENSE", 3)
    graph = nx.DiGraph([(int(a), int(b)) for a, b in zip(*np.nonzero(of.matrix), strict=True)])
    assert max(map(len, nx.strongly_connected_components(graph))) > 3
    np.testing.assert_allclose(as_matrix(integrate_ownership(of.table(), prune=0, owners="all"), len(of.matrix)), expected, atol=1e-9)


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"prune": -1}, "prune is a fraction"),
        ({"method": "best"}, "method is integrated or delooped"),
        ({"owners": "some"}, "owners is ultimate"),
    ],
)
def test_a_wrong_choice_is_refused_with_a_sentence(choices, said):
    with pytest.raises(UsageError, match=said):
        integrate_ownership(table(("P", "A", 1)), **choices)
