"""Scores become probabilities, by a rising curve that is fitted where the model was not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression

from gnn.encode import Floats
from gnn.metrics import Labels, brier
from kg.errors import GateError

_EDGE = 1e-6


@dataclass(frozen=True)
class Beta:
    """``expit(a ln u - b ln(1 - u) + c)`` of a score squeezed to ``u`` in (0, 1); ``a`` and ``b`` are above 0, so no order changes [1]_.

    References
    ----------
    .. [1] Kull, Silva Filho, Flach, Beta calibration, AISTATS 2017.
    """

    a: float
    b: float
    c: float
    name = "beta"

    @classmethod
    def fit(cls, score: Floats, label: Labels) -> Beta:
        """Fit the curve by maximum likelihood, drawn a little towards ``a = b = 1``."""
        _refuse_one_class(label)
        up, down = _sides(score)

        def loss(at: Floats) -> float:
            odds = at[0] * up + at[1] * down + at[2]
            likely = np.logaddexp(0, odds) - label * odds
            return float(likely.sum() + 0.05 * ((at[0] - 1) ** 2 + (at[1] - 1) ** 2))

        found = minimize(loss, np.array([1.0, 1.0, 0.0]), bounds=[(1e-3, 50), (1e-3, 50), (-50, 50)], method="L-BFGS-B")
        return cls(*(float(each) for each in found.x))

    def __call__(self, score: Floats) -> Floats:
        """Return probabilities."""
        up, down = _sides(score)
        probability: Floats = expit(self.a * up + self.b * down + self.c)
        return probability


def _sides(score: Floats) -> tuple[Floats, Floats]:
    squeezed = np.clip(expit(score), _EDGE, 1 - _EDGE)
    return np.log(squeezed), -np.log1p(-squeezed)


@dataclass(frozen=True)
class Isotonic:
    """Steps that rise with the score, the nearest to the labels by least squares; between steps a straight line."""

    at: Floats
    value: Floats
    name = "isotonic"

    @classmethod
    def fit(cls, score: Floats, label: Labels) -> Isotonic:
        """Fit the steps; both ends are kept off 0 and 1 by one row of each class."""
        _refuse_one_class(label)
        found = IsotonicRegression(out_of_bounds="clip").fit(score, label)
        edge = 1 / (len(label) + 2)
        return cls(np.asarray(found.X_thresholds_), np.clip(found.y_thresholds_, edge, 1 - edge))

    def __call__(self, score: Floats) -> Floats:
        """Return probabilities."""
        return np.interp(score, self.at, self.value)


def _refuse_one_class(label: Labels) -> None:
    if len(np.unique(label)) < 2:
        raise GateError(f"all {len(label)} rows have one label; probabilities need rows of both classes")


#: The curves, of which the better one is taken.
CURVES: tuple[type[Beta] | type[Isotonic], ...] = (Beta, Isotonic)


def calibrate(score: Floats, label: Labels, fold: np.ndarray[tuple[int], np.dtype[np.int64]]) -> tuple[Beta | Isotonic, Floats]:
    """Return the curve with the lower Brier score out of fold, fitted on all rows, and its probabilities out of fold.

    Parameters
    ----------
    score : float64, shape (n,)
        Of rows that the model was not trained on.
    fold : int64, shape (n,)
        Rows of one fold are judged by a curve that was fitted on the others.
    """
    judged = {curve: _out_of_fold(curve, score, label, fold) for curve in CURVES}
    best = min(CURVES, key=lambda curve: brier(label, judged[curve]))
    return best.fit(score, label), judged[best]


def _out_of_fold(
    curve: type[Beta] | type[Isotonic], score: Floats, label: Labels, fold: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> Floats:
    probability = np.empty(len(score))
    for each in np.unique(fold):
        inside = fold == each
        probability[inside] = curve.fit(score[~inside], label[~inside])(score[inside])
    return probability
