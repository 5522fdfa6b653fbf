"""Whether probabilities mean what they say: the line of the outcome over what was said."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

from gnn.encode import Floats
from gnn.metrics import Labels

_EDGE = 1e-6


def line(label: Labels, probability: Floats) -> dict[str, float]:
    """Return slope and intercept of the log-odds of the outcome over those that were said [1]_; 1 and 0 where all is as said.

    A slope below 1 says that probabilities are too extreme, one above 1 that they are too timid. The ``intercept`` is found beside the
    slope, and speaks of a probability of one half, from which rare outcomes are far; ``large`` is the one at a slope of 1 [2]_: below 0
    where probabilities are too high on the whole. All are drawn a little towards 1 and 0, since one class may lie beyond all of the other.
    ``slope_low`` and ``slope_high`` are Wald's limits of 95 %.

    References
    ----------
    .. [1] Cox, Two further applications of a model for binary regression, Biometrika 45, 1958.
    .. [2] Van Calster et al., Calibration: the Achilles heel of predictive analytics, BMC Medicine 17, 2019.

    Examples
    --------
    >>> said = np.repeat([0.1, 0.5], 1000)
    >>> found = line((np.arange(2000) % 1000 < np.repeat([100, 500], 1000)).astype(np.int8), said)
    >>> round(found["slope"], 2), round(abs(found["intercept"]), 2), round(abs(found["large"]), 2)
    (1.0, 0.0, 0.0)
    """
    odds = logit(np.clip(probability, _EDGE, 1 - _EDGE))

    def loss(slope: float, intercept: float) -> float:
        told = slope * odds + intercept
        return float((np.logaddexp(0, told) - label * told).sum() + 0.01 * ((slope - 1) ** 2 + intercept**2))

    both = minimize(lambda at: loss(at[0], at[1]), np.array([1.0, 0.0]), method="BFGS").x
    large = minimize(lambda at: loss(1.0, at[0]), np.array([0.0]), method="BFGS").x
    wide = 1.96 * _error(odds, both)
    of = {"slope": both[0], "slope_low": both[0] - wide, "slope_high": both[0] + wide, "intercept": both[1], "large": large[0]}
    return {name: float(value) for name, value in of.items()}


def _error(odds: Floats, at: Floats) -> float:
    """Return the standard error of a slope, from the curvature of the likelihood."""
    likely = expit(at[0] * odds + at[1])
    weight = likely * (1 - likely)
    curved = np.array([[(weight * odds**2).sum(), (weight * odds).sum()], [(weight * odds).sum(), weight.sum()]]) + 0.02 * np.eye(2)
    return float(np.sqrt(np.linalg.inv(curved)[0, 0]))
