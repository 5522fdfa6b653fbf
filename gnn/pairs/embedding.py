"""A rival for pairs that knows no pair's own evidence: GraphSAGE [1]_ over who is tied to whom, and how alike two parties come out.

What is asked about a pair is never in the graph that answers: in each step some pairs are drawn, their ties are taken out, and the network
is asked for them. It is measured beside the trees and serves nobody.

References
----------
.. [1] Hamilton, Ying, Leskovec, Inductive representation learning on large graphs, NeurIPS 2017.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gnn.encode import Floats
from gnn.pairs.candidates import AND
from gnn.pairs.units import Pairs
from gnn.pyg import SAGEConv
from gnn.training import device, entropy, seeded, tensor, train
from kg.algorithms.kernel import Ints

_WIDTH, _STEPS, _FOLDS = 32, 120, 4
#: Columns that tell of one end, by the suffix that names it, and whether one is a person.
_OF_END = ("around.pairs", "around.best", "around.partners")
_TIES = ("evidence.score", "evidence.hidden_control")


@dataclass(frozen=True)
class Web:
    """The parties of a snapshot and what ties them.

    Attributes
    ----------
    ends : int64, shape (2, n_pairs)
        Numbers of the two parties of each pair.
    nodes : float64, shape (n_parties, n_columns)
    tied : bool, shape (n_pairs,)
        Whether there is evidence between the two themselves.
    """

    ends: Ints
    nodes: Floats
    tied: NDArray[np.bool_]

    @classmethod
    def of(cls, seen: Pairs) -> Web:
        """Read it out of the features of pairs."""
        names = [column.name for column in seen.columns]
        parts = np.array([pair.split(AND) for pair in seen.ids.to_pylist()]).reshape(-1, 2)
        known, place = np.unique(parts, return_inverse=True)
        ends = place.reshape(-1, 2).T.astype(np.int64)
        nodes = np.zeros((len(known), len(_OF_END) + 1))
        for end, suffix in zip(ends, ("a", "b"), strict=True):
            columns = [names.index(f"{name}_{suffix}") for name in _OF_END]
            nodes[end, :-1] = np.log1p(np.nan_to_num(seen.values[:, columns]))
        nodes[:, -1] = np.char.startswith(known, "person:")
        tied: NDArray[np.bool_] = np.max(seen.values[:, [names.index(name) for name in _TIES]], axis=1, initial=0.0) > 0
        return cls(ends, nodes, tied)


class Sage(nn.Module):
    """Two layers over the ties, and a decoder that looks at two parties' numbers side by side."""

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([SAGEConv(columns, _WIDTH), SAGEConv(_WIDTH, _WIDTH)])
        self.end = nn.Linear(2 * _WIDTH + 1, 1)

    def forward(self, nodes: Tensor, edges: Tensor, asked: Tensor) -> Tensor:
        """Return log-odds of the pairs ``asked``, int64 of shape (2, n_asked)."""
        told = nodes
        for layer in self.layers:
            told = torch.relu(layer(told, edges))
        one, other = told[asked[0]], told[asked[1]]
        dot = (one * other).sum(dim=1, keepdim=True)
        odds: Tensor = self.end(torch.cat([one * other, (one - other).abs(), dot], dim=1)).squeeze(1)
        return odds


@dataclass(frozen=True)
class Embedded:
    """A fitted network, and by what the columns of nodes are centred and scaled."""

    network: Sage
    middle: Floats
    width: Floats

    @classmethod
    def fit(cls, seen: Pairs, seed: int) -> Embedded:
        """Fit a network to the pairs of which the register was asked; the same snapshot and seed give the same network."""
        web = Web.of(seen)
        middle, width = web.nodes.mean(axis=0), web.nodes.std(axis=0) + 1e-9
        asked = np.flatnonzero(seen.stated >= 0)
        truth = tensor((seen.stated == 1).astype(float))
        nodes, dice = tensor((web.nodes - middle) / width), np.random.default_rng(seed)
        with seeded(seed):
            network = Sage(web.nodes.shape[1]).to(device())
            train(network, partial(_loss, network, (nodes, web, truth), asked, dice), _STEPS, rate=1e-2, decay=1e-4)
        return cls(network, middle, width)

    def score(self, seen: Pairs) -> Floats:
        """Return the log-odds of all pairs, shape (n_pairs,); each fold of them is scored without its own ties."""
        web = Web.of(seen)
        nodes, fold = tensor((web.nodes - self.middle) / self.width), np.arange(len(seen.ids)) % _FOLDS
        found = np.empty(len(seen.ids))
        with torch.no_grad():
            for each in range(_FOLDS):
                mine = fold == each
                odds = self.network(nodes, _edges(web, ~mine), torch.as_tensor(web.ends[:, mine], device=device()))
                found[mine] = odds.double().cpu().numpy()
        return found


def _loss(network: Sage, of: tuple[Tensor, Web, Tensor], asked: Ints, dice: np.random.Generator) -> Tensor:
    """Return the loss of a fold of the pairs, drawn anew, of whose ties none is in the graph."""
    nodes, web, truth = of
    mine = dice.integers(0, _FOLDS, web.ends.shape[1]) == 0
    drawn = asked[mine[asked]]
    return entropy(network(nodes, _edges(web, ~mine), torch.as_tensor(web.ends[:, drawn], device=device())), truth[drawn])


def _edges(web: Web, kept: NDArray[np.bool_]) -> Tensor:
    pairs = web.ends[:, web.tied & kept]
    return torch.as_tensor(np.concatenate([pairs, pairs[::-1]], axis=1), device=device())
