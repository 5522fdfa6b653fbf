"""Boosted trees: the rival that a graph neural network has to beat."""

from __future__ import annotations

from functools import partial

from gnn.encode import Floats
from gnn.feature import Inputs
from gnn.metrics import Labels
from gnn.model import Model, Scorer
from gnn.trees import Growth, Trees
from kg.algorithms.kernel import Ints

_GROWTH = Growth(rounds=500, rate=0.025, leaves=8, in_leaf=20)


def fit(inputs: Inputs, rows: Ints, label: Labels, seed: int, *, around: bool) -> Scorer:
    """Fit boosted trees; the score is in log-odds. Missing values are left to the trees."""

    def table(of: Inputs) -> Floats:
        return of.around if around else of.own

    trees = Trees.fit(table(inputs)[rows], label, seed, _GROWTH)
    return lambda of: trees.score(table(of))


OWN = Model("boosted_own", "boosted trees on own attributes", "own", partial(fit, around=False))
GRAPH = Model("boosted_graph", "boosted trees on own attributes and graph aggregates", "graph", partial(fit, around=True), "boosted_own")
