"""Tables of what scores are worth: intervals, seeds, segments, and one model held against another."""

from __future__ import annotations

from typing import Any

import numpy as np

from gnn.crossfit import Plan, Predicted
from gnn.encode import Floats
from gnn.metrics import RANKING, Labels, at_first, brier, calibration_error, interval, paired

#: How many of the highest scores precision and recall are told for, beside as many as there are guilty rows.
_FIRST = (50, 100)
_SEED = 7


def measured(of: Predicted, plan: Plan) -> dict[str, Any]:
    """Return AUC, AP, precision and recall among the first, out of fold and on validation rows, with intervals and by seed."""
    valid = of.valid.mean(axis=0)
    table: dict[str, Any] = {
        "cv": ranking(plan.train_label, of.inside, plan.draws),
        "valid": ranking(plan.valid_label, valid, plan.draws)
        | {f"{name}_by_seed": [metric(plan.valid_label, score) for score in of.valid] for name, metric in RANKING.items()},
    }
    for name, (train, held) in plan.segments.items():
        table["cv"][name] = ranking(plan.train_label[train], of.inside[train], plan.draws)
        table["valid"][name] = ranking(plan.valid_label[held], valid[held], plan.draws)
    return table


def ranking(label: Labels, score: Floats, draws: int) -> dict[str, Any]:
    """Return what a ranking is worth."""
    first = {str(count): at_first(label, score, count) for count in (*_FIRST, int(label.sum())) if count <= len(label)}
    return {name: interval(metric, label, score, np.random.default_rng(_SEED), draws=draws) for name, metric in RANKING.items()} | {
        "first": {count: {"precision": precision, "recall": recall} for count, (precision, recall) in first.items()}
    }


def compared(one: Predicted, other: Predicted, plan: Plan) -> dict[str, Any]:
    """Return by how much one model is better than another on the same rows; ``helps`` where an interval lies above 0 out of fold."""
    table: dict[str, Any] = {"cv": {}, "valid": {}}
    for name, metric in RANKING.items():
        dice = np.random.default_rng(_SEED)
        table["cv"][name] = paired(metric, plan.train_label, one.inside, other.inside, dice, draws=plan.draws)
        table["valid"][name] = paired(metric, plan.valid_label, one.valid.mean(axis=0), other.valid.mean(axis=0), dice, draws=plan.draws)
    return table | {"helps": bool(table["cv"]["ap"]["low"] > 0)}


def probabilities(label: Labels, probability: Floats) -> dict[str, Any]:
    """Return Brier score, its skill over the base rate, and the expected calibration error, with intervals."""
    base = float(label.mean() * (1 - label.mean()))
    dice = np.random.default_rng(_SEED)
    return {
        "brier": interval(brier, label, probability, dice),
        "brier_skill": interval(lambda truth, said: 1 - brier(truth, said) / base, label, probability, dice),
        "ece": interval(calibration_error, label, probability, dice),
    }
