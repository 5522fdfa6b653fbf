"""A multilayer perceptron on quantile-normal columns: own attributes, or what was propagated beforehand."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from gnn.encode import Floats
from gnn.feature import Inputs
from gnn.metrics import Labels
from gnn.model import Model, Scorer
from gnn.quantiles import Quantiles
from gnn.training import device, entropy, seeded, tensor, train
from kg.algorithms.kernel import Ints

_WIDTH = 128
_DROPPED = 0.5
_EPOCHS = 30
_BATCH = 256
#: Networks that are averaged: where one begins is chance.
_NETWORKS = 3


def network(columns: int) -> nn.Sequential:
    """Return a network of two hidden layers that drops columns and units while it learns."""
    layers: list[nn.Module] = [nn.Dropout(_DROPPED / 2)]
    for width in (columns, _WIDTH):
        layers += [nn.Linear(width, _WIDTH), nn.LayerNorm(_WIDTH), nn.ReLU(), nn.Dropout(_DROPPED)]
    return nn.Sequential(*layers, nn.Linear(_WIDTH, 1), nn.Flatten(0)).to(device())


def fit(inputs: Inputs, rows: Ints, label: Labels, seed: int, *, around: bool) -> Scorer:
    """Fit perceptrons; the score is the mean of their log-odds."""

    def table(of: Inputs) -> Floats:
        return of.around if around else of.own

    quantiles = Quantiles.of(table(inputs), rows)
    known, truth = tensor(quantiles.normal(table(inputs)[rows])), tensor(label)
    networks = []
    with seeded(seed):
        for _ in range(_NETWORKS):
            net = network(known.shape[1])
            train(net, partial(_batch_loss, net, known, truth), _EPOCHS * max(1, len(rows) // _BATCH), rate=2e-3, decay=1e-2)
            networks.append(net)

    def score(of: Inputs) -> Floats:
        columns = tensor(quantiles.normal(table(of)))
        with torch.no_grad(), seeded(seed):
            found: Floats = torch.stack([net(columns) for net in networks]).mean(0).double().cpu().numpy()
        return found

    return score


def _batch_loss(net: nn.Module, known: Tensor, truth: Tensor) -> Tensor:
    batch = torch.randint(len(truth), (min(_BATCH, len(truth)),)).to(known.device)
    return entropy(net(known[batch]), truth[batch])


OWN = Model("perceptron_own", "perceptron on quantiles of own attributes", "own", partial(fit, around=False))
GRAPH = Model(
    "perceptron_graph",
    "perceptron on quantiles of own attributes and what was propagated",
    "graph",
    partial(fit, around=True),
    "perceptron_own",
)
