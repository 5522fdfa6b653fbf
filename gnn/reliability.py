"""Whether probabilities mean what they say: the line of the outcome over what was said."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import logit

from gnn.encode import Floats
from gnn.metrics import Labels

_EDGE = 1e-6


def line(label: Labels, probability: Floats) -> dict[str, float]:
    """Return slope and intercept of the log-odds of the outcome over those that were said [1]_; 1 and 0 where all is as said.

    A slope below 1 says that probabilities are too extreme, one above 1 that they are too timid; a negative intercept that they are too
    high. Both are drawn a little towards 1 and 0, since one class may lie beyond all of the other.

    References
    ----------
    .. [1] Cox, Two further applications of a model for binary regression, Biometrika 45, 1958.

    Examples
    --------
    >>> said = np.repeat([0.1, 0.5], 1000)
    >>> found = line((np.arange(2000) % 1000 < np.repeat([100, 500], 1000)).astype(np.int8), said)
    >>> round(found["slope"], 2), round(abs(found["intercept"]), 2)
    (1.0, 0.0)
    """
    odds = logit(np.clip(probability, _EDGE, 1 - _EDGE))

    def loss(at: Floats) -> float:
        told = at[0] * odds + at[1]
        return float((np.logaddexp(0, told) - label * told).sum() + 0.01 * ((at[0] - 1) ** 2 + at[1] ** 2))

    found = minimize(loss, np.array([1.0, 0.0]), method="BFGS")
    return {"slope": float(found.x[0]), "intercept": float(found.x[1])}
