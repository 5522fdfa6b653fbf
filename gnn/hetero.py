"""A graph as PyTorch Geometric has it, and how a message-passing network is fitted to the whole of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gnn.encode import Floats, TaskGraph
from gnn.feature import Inputs
from gnn.metrics import Labels
from gnn.model import Scorer
from gnn.quantiles import Quantiles
from gnn.training import device, entropy, seeded, tensor, train
from kg.algorithms.kernel import Ints

WIDTH = 32
DROPPED = 0.5
_STEPS = 80
_NETWORKS = 1


@dataclass(frozen=True)
class Wiring:
    """What a message-passing network reads.

    Attributes
    ----------
    x : float32, shape (n_nodes, n_columns)
        Quantile-normal attributes, and whether a node has any.
    edges : int64, each of shape (2, n_edges)
        By relation: from source to target, then, for the next, from target to source.
    """

    x: Tensor
    edges: tuple[Tensor, ...]


#: Makes a network from the number of columns and of edge types; its ``forward(wiring)`` gives log-odds for each node.
Build = Callable[[int, int], nn.Module]


def wire(graph: TaskGraph, columns: NDArray[np.float32]) -> Wiring:
    """Encode a graph; nodes beyond the scored ones have zeros for attributes.

    Parameters
    ----------
    columns : float32, shape (n, n_columns)
    """
    n, width = columns.shape
    x = np.zeros((graph.n_nodes, width + 1), np.float32)
    x[:n, :width], x[:n, width] = columns, 1
    edges = []
    for each in graph.relations:
        pair = np.stack([each.source, each.target])
        edges += [torch.as_tensor(pair, device=device()), torch.as_tensor(pair[::-1].copy(), device=device())]
    return Wiring(tensor(x), tuple(edges))


def fit(build: Build, inputs: Inputs, rows: Ints, label: Labels, seed: int) -> Scorer:
    """Fit networks to a whole graph at once, by the labels of some rows; the score is the mean of their log-odds."""
    quantiles = Quantiles.of(inputs.own, rows)
    wiring, truth = wire(inputs.graph, quantiles.normal(inputs.own)), tensor(label)
    learnt = torch.as_tensor(rows, device=device())
    networks = []
    with seeded(seed):
        for _ in range(_NETWORKS):
            net = build(wiring.x.shape[1], len(wiring.edges)).to(device())
            train(net, partial(_loss, net, wiring, learnt, truth), _STEPS, rate=1e-2, decay=1e-3)
            networks.append(net)

    def score(of: Inputs) -> Floats:
        wired = wire(of.graph, quantiles.normal(of.own))
        with torch.no_grad(), seeded(seed):
            odds = torch.stack([net(wired) for net in networks]).mean(0)
        found: Floats = odds[: len(of.own)].double().cpu().numpy()
        return found

    return score


def _loss(net: nn.Module, wiring: Wiring, rows: Tensor, truth: Tensor) -> Tensor:
    return entropy(net(wiring)[rows], truth)
