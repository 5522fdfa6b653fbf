"""Probes for leaks: what a model makes of ids alone, and of labels that mean nothing. Both must come to 0.5."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from gnn.crossfit import Plan
from gnn.feature import Inputs
from gnn.metrics import auc, interval
from gnn.model import Model

_DRAWS = 5


def probes(inputs: Inputs, plan: Plan, model: Model) -> dict[str, Any]:
    """Return the AUC on validation rows of a model that reads ids alone, and of one that learnt permuted labels.

    Parameters
    ----------
    model
        One that reads own attributes.
    """
    dice = np.random.default_rng(_DRAWS)
    named = replace(inputs, own=inputs.graph.ids[:, None].astype(float))
    by_id = model.fit(named, plan.train, plan.train_label, 0)(named)
    permuted = [
        auc(plan.valid_label, model.fit(inputs, plan.train, dice.permutation(plan.train_label), seed)(inputs)[plan.valid])
        for seed in range(_DRAWS)
    ]
    return {
        "id_alone": interval(auc, plan.valid_label, by_id[plan.valid], dice),
        "permuted_labels": {"mean": float(np.mean(permuted)), "each": permuted},
    }
