"""Folds hold both classes, and keep together what is alike."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnn.splits import alike, folds
from kg.errors import GateError


@given(st.integers(0, 2**32 - 1))
def test_groups_stay_whole_and_classes_are_spread_evenly(seed):
    dice = np.random.default_rng(seed)
    label = (dice.random(200) < 0.3).astype(np.int8)
    label[:10] = 1
    fold = folds(label, np.arange(200) // 2, 5, dice)
    assert (fold[::2] == fold[1::2]).all()
    guilty = label.reshape(-1, 2).any(axis=1)
    for kind in (False, True):
        sizes = np.bincount(fold[::2][guilty == kind], minlength=5)
        assert sizes.max() - sizes.min() <= 1


def test_one_seed_deals_one_way():
    label = np.tile(np.array([0, 1], np.int8), 20)
    one, same, other = (folds(label, np.arange(40), 4, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert (one == same).all()
    assert (one != other).any()


def test_rows_with_the_same_figures_are_alike():
    values = np.array([[1.0, 2], [1, np.nan], [1, 2], [1, np.nan]])
    group = alike(values)
    assert group[0] == group[2] != group[1] == group[3]


def test_too_few_of_a_class_are_refused():
    with pytest.raises(GateError, match="2 rows of label 1 cannot be dealt into 5 folds"):
        folds(np.array([0] * 20 + [1] * 2, np.int8), np.arange(22), 5, np.random.default_rng(0))
