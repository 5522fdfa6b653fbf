"""What a score is worth: ranking, hits among the first, classes at a threshold, and how true its probabilities are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from gnn.encode import Floats
from kg.algorithms.kernel import Ints
from kg.errors import GateError

Labels: TypeAlias = NDArray[np.int8]
Metric: TypeAlias = Callable[[Labels, Floats], float]


#: Bootstrap samples behind an interval.
DRAWS = 500


def auc(label: Labels, score: Floats) -> float:
    """Return the chance that a guilty row scores above an innocent one; a tie counts half.

    Raises
    ------
    GateError
        If only one class is there.

    Examples
    --------
    >>> auc(np.array([0, 1, 0, 1], np.int8), np.array([0.1, 0.4, 0.35, 0.8]))
    1.0
    """
    guilty = int(label.sum())
    innocent = len(label) - guilty
    if not guilty or not innocent:
        raise GateError(f"all {len(label)} rows have the label {int(guilty > 0)}; a ranking needs rows of both classes")
    above = rankdata(score)[label == 1].sum() - guilty * (guilty + 1) / 2
    return float(above / (guilty * innocent))


def average_precision(label: Labels, score: Floats) -> float:
    """Return the mean of the precision at each guilty row, ties taken together.

    >>> average_precision(np.array([0, 1, 0, 1], np.int8), np.array([0.1, 0.4, 0.45, 0.8])).__round__(4)
    0.8333
    """
    cut, caught = _cuts(label, score)
    gained = np.diff(caught, prepend=0)
    return float((gained * caught / cut).sum() / max(1, label.sum()))


def _cuts(label: Labels, score: Floats) -> tuple[Ints, Ints]:
    """Return after how many rows the score falls, and how many of these are guilty."""
    order = np.argsort(-score, kind="stable")
    falls = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    return falls + 1, np.cumsum(label[order], dtype=np.int64)[falls]


def at_first(label: Labels, score: Floats, count: int) -> tuple[float, float]:
    """Return precision and recall among the ``count`` highest scores.

    >>> at_first(np.array([0, 1, 0, 1], np.int8), np.array([0.1, 0.4, 0.45, 0.8]), 2)
    (0.5, 0.5)
    """
    first = label[np.argsort(-score, kind="stable")[:count]]
    return float(first.sum() / max(1, len(first))), float(first.sum() / max(1, label.sum()))


def macro_f1(label: Labels, said: NDArray[np.bool_]) -> float:
    """Return the mean of both classes' F1.

    >>> macro_f1(np.array([0, 1, 0, 1], np.int8), np.array([False, True, True, True])).__round__(4)
    0.7333
    """
    return float(np.mean([_f1(label == 1, said), _f1(label == 0, ~said)]))


def _f1(truth: NDArray[np.bool_], said: NDArray[np.bool_]) -> float:
    both = int((truth & said).sum())
    return 2 * both / max(1, int(truth.sum()) + int(said.sum()))


def best_threshold(label: Labels, score: Floats) -> float:
    """Return the threshold, halfway between two scores, from which on macro-F1 is greatest; the highest where several are.

    >>> best_threshold(np.array([0, 0, 1, 1], np.int8), np.array([0.1, 0.2, 0.4, 0.6])).__round__(3)
    0.3
    """
    cut, caught = _cuts(label, score)
    guilty, rows = int(label.sum()), len(label)
    one = 2 * caught / (guilty + cut)
    right = rows - guilty - (cut - caught)
    zero = 2 * right / np.maximum(1, (rows - guilty) + (rows - cut))
    best = int(np.argmax(one + zero))
    falling = np.sort(score)[::-1]
    at = cut[best]
    return float((falling[at - 1] + falling[at]) / 2) if at < rows else float(falling[-1])


def brier(label: Labels, probability: Floats) -> float:
    """Return the mean squared error of probabilities.

    >>> brier(np.array([0, 1], np.int8), np.array([0.5, 1.0]))
    0.125
    """
    return float(np.mean((probability - label) ** 2))


def calibration_error(label: Labels, probability: Floats, bins: int = 10) -> float:
    """Return the expected calibration error over bins of equally many rows.

    >>> calibration_error(np.array([0, 1, 1, 1], np.int8), np.array([0.5, 0.5, 1.0, 1.0]), bins=2)
    0.0
    """
    order = np.argsort(probability, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return float(sum(abs(probability[part].mean() - label[part].mean()) * len(part) for part in parts) / len(label))


def tied(score: Floats, alike: NDArray[np.uint64]) -> float:
    """Return the fraction of rows whose score another row has too; of rows alike in everything one counts.

    Parameters
    ----------
    alike : uint64, shape (n,)
        The same number for rows that nothing tells apart.

    Examples
    --------
    >>> tied(np.array([1.0, 2.0, 2.0, 3.0, 3.0]), np.array([1, 2, 3, 4, 4], np.uint64))
    0.5
    """
    _, first = np.unique(alike, return_index=True)
    score = score[first]
    _, count = np.unique(score, return_counts=True)
    return float(count[count > 1].sum() / len(score))


#: The metrics of a ranking that are told with intervals.
RANKING: dict[str, Metric] = {"auc": auc, "ap": average_precision}


def interval(metric: Metric, label: Labels, score: Floats, dice: np.random.Generator, *, draws: int = DRAWS) -> dict[str, Any]:
    """Return a metric with its 95 % interval by bootstrap, both classes drawn to their number.

    Examples
    --------
    >>> interval(auc, np.array([0, 1], np.int8), np.array([0.0, 1.0]), np.random.default_rng(0), draws=10)
    {'value': 1.0, 'low': 1.0, 'high': 1.0}
    """
    drawn = [metric(label[rows], score[rows]) for rows in drawn_rows(label, dice, draws)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {"value": metric(label, score), "low": float(low), "high": float(high)}


def paired(metric: Metric, label: Labels, score: Floats, than: Floats, dice: np.random.Generator, *, draws: int = DRAWS) -> dict[str, Any]:
    """Return by how much a score is better than another on the same rows, with the 95 % interval by paired bootstrap.

    >>> paired(auc, np.array([0, 1], np.int8), np.array([0.0, 1.0]), np.array([1.0, 0.0]), np.random.default_rng(0))
    {'value': 1.0, 'low': 1.0, 'high': 1.0}
    """
    drawn = [metric(label[rows], score[rows]) - metric(label[rows], than[rows]) for rows in drawn_rows(label, dice, draws)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {"value": metric(label, score) - metric(label, than), "low": float(low), "high": float(high)}


def drawn_rows(label: Labels, dice: np.random.Generator, draws: int) -> list[Ints]:
    """Return rows drawn again and again, both classes to their number: shape (n,) each."""
    kinds = [np.flatnonzero(label == kind) for kind in (0, 1)]
    return [np.concatenate([dice.choice(rows, len(rows)) for rows in kinds]) for _ in range(draws)]
