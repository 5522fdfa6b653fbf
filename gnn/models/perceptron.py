"""A multilayer perceptron on quantile-normal columns: own attributes, or what was propagated beforehand."""

from __future__ import annotations

from functools import partial

from gnn.encode import Floats
from gnn.feature import Inputs
from gnn.metrics import Labels
from gnn.model import Model, Scorer
from gnn.network import Network
from kg.algorithms.kernel import Ints


def fit(inputs: Inputs, rows: Ints, label: Labels, seed: int, *, around: bool) -> Scorer:
    """Fit perceptrons; the score is the mean of their log-odds."""

    def table(of: Inputs) -> Floats:
        return of.around if around else of.own

    network = Network.fit(table(inputs)[rows], label, seed)
    return lambda of: network.score(table(of))


OWN = Model("perceptron_own", "perceptron on quantiles of own attributes", "own", partial(fit, around=False))
GRAPH = Model(
    "perceptron_graph",
    "perceptron on quantiles of own attributes and what was propagated",
    "graph",
    partial(fit, around=True),
    "perceptron_own",
)
