"""Relational graph convolution: a weight for each relation and direction, made of a few common ones."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from gnn.hetero import DROPPED, WIDTH, Wiring, fit
from gnn.model import Model
from gnn.pyg import RGCNConv


class Relational(nn.Module):
    """Two layers of RGCN with common bases [1]_; a node's own columns go past them to the end.

    References
    ----------
    .. [1] Schlichtkrull et al., Modeling relational data with graph convolutional networks, ESWC 2018.
    """

    def __init__(self, columns: int, kinds: int) -> None:
        super().__init__()
        self.begin = nn.Linear(columns, WIDTH)
        self.layers = nn.ModuleList(RGCNConv(WIDTH, WIDTH, kinds, num_bases=4) for _ in range(2))
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(2))
        self.drop = nn.Dropout(DROPPED)
        self.end = nn.Linear(3 * WIDTH, 1)

    def forward(self, wiring: Wiring) -> Tensor:
        """Return log-odds, shape (n_nodes,)."""
        edges = torch.cat(wiring.edges, dim=1)
        kind = torch.cat([torch.full((each.shape[1],), place, device=edges.device) for place, each in enumerate(wiring.edges)])
        told = [self.drop(torch.relu(self.begin(self.drop(wiring.x))))]
        for layer, norm in zip(self.layers, self.norms, strict=True):
            told.append(self.drop(torch.relu(norm(layer(told[-1], edges, kind)))))
        odds: Tensor = self.end(torch.cat(told, dim=1)).squeeze(1)
        return odds


MODEL = Model("rgcn", "relational graph convolution", "graph", partial(fit, Relational), "perceptron_own")
