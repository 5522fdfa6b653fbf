"""Forests on quantiles: many deep trees, each grown on its own chances, averaged."""

from __future__ import annotations

from functools import partial
from typing import TypeAlias

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from gnn.encode import Floats
from gnn.feature import Inputs
from gnn.metrics import Labels
from gnn.model import Model, Scorer
from gnn.quantiles import Quantiles
from kg.algorithms.kernel import Ints

_Forest: TypeAlias = type[RandomForestClassifier] | type[ExtraTreesClassifier]
_TREES = 250
_LEAF = 3


def fit(inputs: Inputs, rows: Ints, label: Labels, seed: int, *, forest: _Forest, share: float | str, around: bool) -> Scorer:
    """Fit a forest; the score is the mean of its trees' fractions.

    Extremely randomised trees draw their thresholds between the ends of a column, so heavy tails must be gone before.
    """

    def table(of: Inputs) -> Floats:
        return of.around if around else of.own

    quantiles = Quantiles.of(table(inputs), rows)
    trees = forest(n_estimators=_TREES, min_samples_leaf=_LEAF, max_features=share, random_state=seed, n_jobs=1)
    trees.fit(quantiles.filled(table(inputs)[rows]), label)
    return lambda of: np.asarray(trees.predict_proba(quantiles.filled(table(of)))[:, 1])


_random = partial(fit, forest=RandomForestClassifier, share="sqrt")
_extra = partial(fit, forest=ExtraTreesClassifier, share=0.2)

RANDOM_OWN = Model("random_own", "random forest on own attributes", "own", partial(_random, around=False))
RANDOM_GRAPH = Model(
    "random_graph", "random forest on own attributes and graph aggregates", "graph", partial(_random, around=True), "random_own"
)
EXTRA_OWN = Model("extra_own", "extremely randomised trees on own attributes", "own", partial(_extra, around=False))
EXTRA_GRAPH = Model(
    "extra_graph", "extremely randomised trees on own attributes and graph aggregates", "graph", partial(_extra, around=True), "extra_own"
)
