"""Cases that are never found: unlabelled is not innocent. And probabilities where the base rate is another than it was."""

from __future__ import annotations

import numpy as np

from gnn.encode import Floats
from gnn.metrics import Labels
from kg.errors import GateError

_ROUNDS, _STILL = 200, 1e-9


def found_part(probability: Floats, label: Labels) -> float:
    """Return the part of the guilty that is found, from rows that no model was trained on: the mean probability of those found [1]_.

    It holds where the guilty are told apart by their features and those who are found are found by chance; where guilty and innocent look
    alike it comes out too small, so that corrected probabilities are too large: what is known of the part goes before this estimate.

    Raises
    ------
    GateError
        If nobody was found.

    References
    ----------
    .. [1] Elkan, Noto, Learning classifiers from only positive and unlabeled data, KDD 2008, the estimator e1.

    Examples
    --------
    >>> found_part(np.array([0.4, 0.2, 0.3]), np.array([1, 0, 1], np.int8)).__round__(2)
    0.35
    """
    if not label.any():
        raise GateError("no case is among these rows; the part of cases that is found cannot be estimated from them")
    return float(probability[label == 1].mean())


def corrected(probability: Floats, part: float) -> Floats:
    """Return the probability of being guilty from that of being found, where a ``part`` of the guilty is found; at most 1.

    >>> corrected(np.array([0.1, 0.5]), 0.4).tolist()
    [0.25, 1.0]

    Raises
    ------
    GateError
        If the part is none.
    """
    if not 0 < part <= 1:
        raise GateError(f"the part of cases that is found must lie above 0 and not above 1, it is {part}")
    return np.minimum(probability / part, 1.0)


def shifted(probability: Floats, before: float, now: float) -> Floats:
    """Return probabilities at another base rate than the one they were made at; the odds of all rows change by one factor.

    >>> shifted(np.array([0.5, 0.2]), 0.5, 0.2).round(3).tolist()
    [0.2, 0.059]
    """
    up, down = probability * (now / before), (1 - probability) * ((1 - now) / (1 - before))
    found: Floats = up / (up + down)
    return found


def base_rate(probability: Floats, before: float) -> float:
    """Return the base rate of rows without labels by which their probabilities agree with themselves [1]_.

    Parameters
    ----------
    before
        The base rate at which the probabilities were made.

    References
    ----------
    .. [1] Saerens, Latinne, Decaestecker, Adjusting the outputs of a classifier to new a priori probabilities, Neural Computation 14, 2002.

    Examples
    --------
    >>> base_rate(np.repeat([0.9, 0.1], [300, 700]), 0.5).__round__(3)
    0.25
    """
    now = before
    for _ in range(_ROUNDS):
        then, now = now, float(np.clip(shifted(probability, before, now).mean(), 1e-9, 1 - 1e-9))
        if abs(then - now) < _STILL:
            break
    return now
