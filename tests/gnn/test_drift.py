"""Drift of features and scores, and companies unlike all that a model learnt from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gnn.abstain import Range
from gnn.drift import MUCH, Shares, drift, learnt

DICE = np.random.default_rng(3)
NUMBERS = st.one_of(st.floats(-1e6, 1e6), st.just(np.nan), st.just(0.0))


@given(arrays(float, st.integers(1, 60), elements=NUMBERS), arrays(float, st.integers(1, 60), elements=NUMBERS))
def test_the_index_is_never_below_nought_and_nought_for_the_same_rows(then, now):
    shares = Shares.of(then)
    assert shares.parts.sum() == pytest.approx(1)
    assert shares.index(then) == 0
    assert shares.index(now) >= 0
    assert Shares.read(shares.told()).index(now) == shares.index(now)


def test_the_index_is_that_of_two_tables_of_shares():
    then, now = np.repeat([1.0, 2.0], [50, 50]), np.repeat([1.0, 2.0], [20, 80])
    assert Shares.of(then).index(now) == pytest.approx((0.2 - 0.5) * np.log(0.2 / 0.5) + (0.8 - 0.5) * np.log(0.8 / 0.5))


def test_values_that_are_missing_are_a_share_too():
    then = np.array([1.0] * 90 + [np.nan] * 10)
    assert Shares.of(then).index(np.array([1.0] * 50 + [np.nan] * 50)) > MUCH


def test_columns_that_moved_are_named_the_greatest_first_and_still_ones_are_not():
    then = DICE.normal(size=(2000, 3))
    kept = learnt(("a", "b", "c"), then, then[:, 0])
    now = DICE.normal(size=(2000, 3)) + np.array([0.0, 1.0, 3.0])
    found = drift(kept, ("a", "b", "c"), now, now[:, 2])
    assert list(found["columns"]) == ["c", "b"]
    assert found["alerts"][0].startswith("scores have moved since training (PSI ")
    assert found["alerts"][1].startswith("2 of 3 features have moved since training (PSI 0.25 or more): c ")
    still = drift(kept, ("a", "b", "c"), DICE.normal(size=(2000, 3)), DICE.normal(size=2000))
    assert (still["columns"], still["alerts"]) == ({}, [])


def test_hardly_any_row_that_was_learnt_from_is_a_stranger_and_one_beyond_all_of_them_is():
    rows = DICE.lognormal(size=(3000, 8))
    of = Range.of(rows, np.arange(6), rows)
    assert of.outside(rows).mean() <= 0.005
    assert of.outside(np.full((1, 8), 1e9)).all()
    middle = np.median(rows, axis=0, keepdims=True)
    only_unread = middle.copy()
    only_unread[0, 6:] = 1e9
    assert not of.outside(np.vstack([middle, only_unread])).any()


def test_who_moved_with_all_others_is_no_stranger():
    rows = DICE.normal(size=(1000, 4))
    later = rows + 5
    assert Range.of(rows, np.arange(4), rows).outside(later).mean() > 0.9
    of = Range.of(rows, np.arange(4), later)
    assert of.outside(later).mean() <= 0.005


def test_a_value_where_all_rows_lacked_one_is_strange_and_a_missing_one_is_not():
    rows = np.column_stack([DICE.normal(size=500), np.full(500, np.nan)])
    of = Range.of(rows, np.arange(2), rows)
    assert of.beyond(np.array([[0.0, 1.0], [np.nan, np.nan]])).tolist() == [[False, True], [False, False]]
    assert Range.read(of.told()).told() == of.told()
