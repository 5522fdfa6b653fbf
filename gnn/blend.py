"""Several models' scores in one, weighted by what they are worth on rows that they were not trained on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata

from gnn.encode import Floats
from gnn.metrics import Labels, auc, average_precision
from kg.algorithms.kernel import Ints

#: Steps of the search; a weight is a multiple of one over it.
_STEPS = 12


def normal_scores(score: Floats) -> Floats:
    """Return scores by their ranks, as the normal distribution would have them: models of any scale can be added up.

    >>> normal_scores(np.array([5.0, 1.0, 9.0])).round(3).tolist()
    [0.0, -0.674, 0.674]
    """
    scores: Floats = ndtri(rankdata(score) / (len(score) + 1))
    return scores


def weigh(members: Floats, label: Labels, parts: Sequence[Ints], counts: Sequence[float]) -> Floats:
    """Return each model's weight: from none on, the model that helps most gets a share more, again and again [1]_.

    What counts is the mean of AUC and AP over the parts. Half of the weight is then spread evenly over all that got any:
    few rows are behind the search, and an even blend is hard to beat.

    Parameters
    ----------
    members : float64, shape (n_models, n)
        Normal scores, out of fold.
    parts
        Rows that are judged together: the folds, the validation rows.
    counts
        What each part counts.

    Returns
    -------
    float64, shape (n_models,)
        Sums to 1.

    References
    ----------
    .. [1] Caruana, Niculescu-Mizil, Crew, Ksikes, Ensemble selection from libraries of models, ICML 2004.
    """
    chosen = np.zeros(len(members))
    for _ in range(_STEPS):
        worth = [_worth(chosen @ members + member, label, parts, counts) for member in members]
        chosen[int(np.argmax(worth))] += 1
    even = chosen > 0
    weights: Floats = (chosen / _STEPS + even / even.sum()) / 2
    return weights


def _worth(score: Floats, label: Labels, parts: Sequence[Ints], counts: Sequence[float]) -> float:
    worth = [auc(label[rows], score[rows]) + average_precision(label[rows], score[rows]) for rows in parts]
    return float(np.average(worth, weights=counts))
