"""Metrics held against scikit-learn, and against what can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as known

from gnn.metrics import (
    at_first,
    auc,
    average_precision,
    best_threshold,
    brier,
    calibration_error,
    interval,
    macro_f1,
    paired,
    tied,
)
from kg.errors import GateError


def drawn(seed, n=60, levels=12):
    dice = np.random.default_rng(seed)
    label = (dice.random(n) < 0.3).astype(np.int8)
    label[:2] = 0, 1
    return label, dice.integers(0, levels, n) / levels


@given(st.integers(0, 2**32 - 1))
def test_auc_and_average_precision_are_those_of_scikit_learn_ties_included(seed):
    label, score = drawn(seed)
    assert auc(label, score) == pytest.approx(known.roc_auc_score(label, score))
    assert average_precision(label, score) == pytest.approx(known.average_precision_score(label, score))


@given(st.integers(0, 2**32 - 1))
def test_macro_f1_and_brier_are_those_of_scikit_learn(seed):
    label, score = drawn(seed)
    assert macro_f1(label, score > 0.5) == pytest.approx(known.f1_score(label, score > 0.5, average="macro", zero_division=0))
    assert brier(label, score) == pytest.approx(known.brier_score_loss(label, score))


@given(st.integers(0, 2**32 - 1))
def test_no_other_threshold_that_flags_anybody_has_a_greater_macro_f1(seed):
    label, score = drawn(seed)
    best = macro_f1(label, score >= best_threshold(label, score))
    assert best == pytest.approx(max(macro_f1(label, score >= at) for at in score))


def test_precision_and_recall_among_the_first():
    label = np.array([1, 0, 1, 0, 1], np.int8)
    assert at_first(label, np.array([5.0, 4, 3, 2, 1]), 3) == pytest.approx((2 / 3, 2 / 3))


def test_calibration_error_is_the_gap_between_what_is_said_and_what_happens():
    label = np.array([0] * 8 + [1] * 2 + [0] * 5 + [1] * 5, np.int8)
    said = np.array([0.1] * 10 + [0.6] * 10)
    assert calibration_error(label, said, bins=2) == pytest.approx((0.1 + 0.1) / 2)


def test_rows_that_share_a_score_are_tied_unless_nothing_tells_them_apart():
    score, apart = np.array([1.0, 1.0, 2.0, 3.0]), np.arange(4, dtype=np.uint64)
    assert tied(score, apart) == 0.5
    assert tied(np.arange(4.0), apart) == 0
    assert tied(score, np.array([7, 7, 8, 9], np.uint64)) == 0


def test_one_class_alone_ranks_nothing():
    with pytest.raises(GateError, match="all 3 rows have the label 1"):
        auc(np.ones(3, np.int8), np.arange(3.0))


def test_an_interval_holds_its_value_and_narrows_with_more_rows():
    widths = []
    for n in (100, 1600):
        label, score = drawn(3, n, 997)
        found = interval(auc, label, score + label * 0.2, np.random.default_rng(0))
        assert found["low"] <= found["value"] <= found["high"]
        widths.append(found["high"] - found["low"])
    assert widths[1] < widths[0] / 2


def test_a_score_is_no_better_than_itself_and_better_than_chance():
    label, score = drawn(5, 400, 997)
    good = score + label
    same = paired(auc, label, good, good, np.random.default_rng(0))
    assert same == {"value": 0, "low": 0, "high": 0}
    better = paired(auc, label, good, score, np.random.default_rng(0))
    assert better["low"] > 0
