"""Columns as quantiles of the rows that were learnt from."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm, rankdata

from gnn.quantiles import MISSING, Quantiles


def test_ranks_within_the_rows_learnt_from_are_their_middle_ranks():
    values = np.random.default_rng(1).integers(0, 9, (50, 2)).astype(float)
    ranks = Quantiles.of(values, np.arange(50)).ranks(values)
    for column in range(2):
        assert ranks[:, column] == pytest.approx((rankdata(values[:, column]) - 0.5) / 50)


def test_other_rows_do_not_move_the_quantiles():
    values = np.arange(10.0)[:, None]
    moved = values.copy()
    moved[5:] *= 1000
    rows = np.arange(5)
    assert (Quantiles.of(values, rows).ranks(values[:5]) == Quantiles.of(moved, rows).ranks(values[:5])).all()


def test_any_rising_change_of_a_column_changes_nothing():
    values = np.random.default_rng(1).lognormal(size=(40, 1))
    rows = np.arange(30)
    assert (Quantiles.of(values, rows).normal(values) == Quantiles.of(np.log(values), rows).normal(np.log(values))).all()


def test_missing_values_stand_below_all_others_or_in_the_middle_with_a_mark():
    values = np.array([[1.0], [np.nan], [3.0]])
    quantiles = Quantiles.of(values, np.arange(3))
    assert quantiles.filled(values).ravel() == pytest.approx([0.25, MISSING, 0.75])
    assert quantiles.normal(values) == pytest.approx(np.array([[norm.ppf(0.25), 0], [0, 1], [norm.ppf(0.75), 0]]))


@pytest.mark.parametrize("later", [[[5.0, 5.0]], [[np.nan, np.nan]], [[np.nan, 1.0], [2.0, np.nan]]])
def test_later_rows_have_the_columns_that_were_learnt_whatever_they_lack(later):
    learnt = np.array([[1.0, 1.0], [np.nan, 2.0], [3.0, 3.0]])
    quantiles = Quantiles.of(learnt, np.arange(3))
    assert quantiles.normal(np.array(later)).shape[1] == quantiles.normal(learnt).shape[1] == 3
