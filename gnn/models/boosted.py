"""Boosted trees: the rival that a graph neural network has to beat."""

from __future__ import annotations

from functools import partial
from typing import Any

import lightgbm
import numpy as np

from gnn.encode import Floats
from gnn.feature import Inputs
from gnn.metrics import Labels
from gnn.model import Model, Scorer
from kg.algorithms.kernel import Ints

_ROUNDS = 500
_SETTINGS: dict[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.025,
    "num_leaves": 8,
    "min_data_in_leaf": 20,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "feature_fraction": 0.3,
    "lambda_l2": 5.0,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}


def fit(inputs: Inputs, rows: Ints, label: Labels, seed: int, *, around: bool) -> Scorer:
    """Fit boosted trees; the score is in log-odds. Missing values are left to the trees."""

    def table(of: Inputs) -> Floats:
        return of.around if around else of.own

    data = lightgbm.Dataset(table(inputs)[rows], label.astype(float), free_raw_data=False)
    booster = lightgbm.train({**_SETTINGS, "seed": seed}, data, num_boost_round=_ROUNDS)
    return lambda of: np.asarray(booster.predict(table(of), raw_score=True, num_threads=1))


OWN = Model("boosted_own", "boosted trees on own attributes", "own", partial(fit, around=False))
GRAPH = Model("boosted_graph", "boosted trees on own attributes and graph aggregates", "graph", partial(fit, around=True), "boosted_own")
