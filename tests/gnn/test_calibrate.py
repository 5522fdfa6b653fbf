"""Probabilities mean what they say, and keep the order of the scores."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from gnn.calibrate import CURVES, Beta, Isotonic, calibrate
from gnn.metrics import calibration_error
from gnn.reliability import line
from kg.errors import GateError


def told(n=4000, seed=2):
    dice = np.random.default_rng(seed)
    odds = dice.normal(-1, 1.5, n)
    return odds, (dice.random(n) < expit(odds)).astype(np.int8)


@pytest.mark.parametrize("curve", CURVES)
def test_overconfident_scores_become_the_rates_that_happen(curve):
    odds, label = told()
    fitted = curve.fit(3 * odds, label)
    fresh, truth = told(seed=3)
    assert calibration_error(truth, fitted(3 * fresh)) < 0.03
    assert calibration_error(truth, expit(3 * fresh)) > 0.05


def test_beta_calibration_leaves_true_odds_alone():
    odds, label = told(20000)
    fitted = Beta.fit(odds, label)
    assert (fitted.a, fitted.b, fitted.c) == pytest.approx((1, 1, 0), abs=0.12)


@pytest.mark.parametrize("curve", CURVES)
def test_no_order_is_turned_round(curve):
    odds, label = told(300)
    # even where the score says the opposite of the truth
    at = np.linspace(-5, 5, 200)
    for side in (1, -1):
        steps = np.diff(curve.fit(side * odds, label)(at))
        assert (steps >= 0).all()
        assert curve is Isotonic or (steps > 0).all()


def test_isotonic_pools_what_falls():
    fitted = Isotonic.fit(np.arange(4.0), np.array([0, 1, 0, 1], np.int8))
    assert fitted(np.arange(4.0)) == pytest.approx([1 / 6, 1 / 2, 1 / 2, 5 / 6])


def test_the_better_curve_is_taken_by_rows_it_was_not_fitted_on():
    odds, label = told(500)
    curve, judged = calibrate(odds, label, np.arange(500) % 5)
    assert curve.name in {"beta", "isotonic"}
    inside = np.arange(500) % 5 == 2
    again = type(curve).fit(odds[~inside], label[~inside])(odds[inside])
    assert judged[inside] == pytest.approx(again)


@pytest.mark.parametrize("curve", CURVES)
def test_one_class_alone_calibrates_nothing(curve):
    with pytest.raises(GateError, match="all 3 rows have one label"):
        curve.fit(np.arange(3.0), np.zeros(3, np.int8))


def test_timid_probabilities_have_a_slope_above_one_whose_limits_leave_one_out_and_are_right_on_the_whole():
    dice = np.random.default_rng(3)
    odds = dice.normal(0.0, 2.0, 20_000)
    label = (dice.random(20_000) < expit(odds)).astype(np.int8)
    found = line(label, expit(odds / 2))
    assert found["slope_low"] < 2 < found["slope_high"]
    assert found["slope_low"] > 1.9
    assert abs(found["large"]) < 0.05
    high = line(label, expit(odds + 0.5))
    assert (round(high["slope"], 1), round(high["large"], 1), round(high["intercept"], 1)) == (1.0, -0.5, -0.5)


def test_of_rare_outcomes_the_intercept_beside_a_slope_speaks_of_one_half_and_the_one_at_a_slope_of_one_of_the_whole():
    dice = np.random.default_rng(4)
    odds = dice.normal(-6.0, 1.0, 400_000)
    label = (dice.random(400_000) < expit(1.5 * odds + 2.5)).astype(np.int8)
    found = line(label, expit(odds))
    assert found["intercept"] > 1.5
    assert abs(found["large"]) < 0.3
