"""Averaged multilayer perceptrons: how they are built, learn, score and are differentiated; torch is known here and not what is read."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gnn.encode import Floats
from gnn.metrics import Labels
from gnn.training import device, entropy, seeded, tensor, train

Inputs: TypeAlias = NDArray[np.float32]
#: The weights of a perceptron by name, as torch calls them.
State: TypeAlias = dict[str, NDArray[np.float32]]

_WIDTH = 128
_DROPPED = 0.5
_EPOCHS = 30
_BATCH = 256
#: Networks that are averaged: where one begins is chance.
NETWORKS = 3
#: The weights of the first layer, shape (units, n_inputs).
FIRST = "1.weight"
#: Points of the way at which gradients are taken. Their squares are parts of the way: a network bends most near the middle, where its
#: layers' normalisation makes much of little.
_POINTS = 128


def blank(inputs: int) -> nn.Sequential:
    """Return a perceptron of two hidden layers that drops inputs and units while it learns."""
    layers: list[nn.Module] = [nn.Dropout(_DROPPED / 2)]
    for width in (inputs, _WIDTH):
        layers += [nn.Linear(width, _WIDTH), nn.LayerNorm(_WIDTH), nn.ReLU(), nn.Dropout(_DROPPED)]
    return nn.Sequential(*layers, nn.Linear(_WIDTH, 1), nn.Flatten(0)).to(device())


def shapes(inputs: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a perceptron's weights by name."""
    with seeded(0):
        return {name: tuple(each.shape) for name, each in blank(inputs).state_dict().items()}


def learn(known: Inputs, label: Labels, seed: int) -> tuple[State, ...]:
    """Fit perceptrons to rows; an input that is the same in all of them has no weight, as nothing was learnt of it."""
    inputs, truth, found = tensor(known), tensor(label), []
    with seeded(seed):
        for _ in range(NETWORKS):
            net = blank(inputs.shape[1])
            steps = _EPOCHS * max(1, len(truth) // _BATCH)
            train(net, partial(_batch_loss, net, inputs, truth), steps, rate=2e-3, decay=1e-2)
            found.append({name: each.cpu().numpy() for name, each in net.state_dict().items()})
    still = (known == known[:1]).all(axis=0)
    for state in found:
        state[FIRST][:, still] = 0
    return tuple(found)


def odds(states: Sequence[State], inputs: Inputs) -> Floats:
    """Return the mean of the perceptrons' log-odds, shape (n,)."""
    with torch.no_grad(), seeded(0):
        found: Floats = _mean(_built(states), _double(inputs)).cpu().numpy()
    return found


def integrated(states: Sequence[State], inputs: Inputs, start: Inputs) -> Floats:
    """Return integrated gradients [1]_ of the mean log-odds: gradients along the straight way from a start, times the way.

    Parameters
    ----------
    inputs : float32, shape (n, n_inputs)
    start : float32, shape (n_inputs,)

    Returns
    -------
    float64, shape (n, n_inputs)
        They sum to what the log-odds differ from those of the start, but for the error of a sum of 128 points in the place of an integral.

    References
    ----------
    .. [1] Sundararajan, Taly, Yan, Axiomatic attribution for deep networks, ICML 2017.
    """
    with seeded(0):
        nets, begin = _built(states), _double(start)
        way = _double(inputs) - begin
        total = torch.zeros_like(way)
        for part in (np.arange(_POINTS) + 0.5) / _POINTS:
            at = (begin + part**2 * way).requires_grad_()
            total += 2 * part / _POINTS * torch.autograd.grad(_mean(nets, at).sum(), at)[0]
        found: Floats = (total * way).cpu().numpy()
    return found


def _built(states: Sequence[State]) -> list[nn.Sequential]:
    nets = []
    for state in states:
        net = blank(state[FIRST].shape[1]).double()
        net.load_state_dict({name: torch.as_tensor(each) for name, each in state.items()})
        nets.append(net.eval())
    return nets


def _double(inputs: Inputs) -> Tensor:
    return torch.as_tensor(inputs, dtype=torch.float64, device=device())


def _mean(nets: Sequence[nn.Module], inputs: Tensor) -> Tensor:
    return torch.stack([net(inputs) for net in nets]).mean(0)


def _batch_loss(net: nn.Module, known: Tensor, truth: Tensor) -> Tensor:
    batch = torch.randint(len(truth), (min(_BATCH, len(truth)),)).to(known.device)
    return entropy(net(known[batch]), truth[batch])
