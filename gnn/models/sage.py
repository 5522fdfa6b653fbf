"""Heterogeneous GraphSAGE: the mean of the neighbours by each relation beside the node itself."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from gnn.hetero import DROPPED, WIDTH, Wiring, fit
from gnn.model import Model
from gnn.pyg import HeteroConv, SAGEConv


class Sage(nn.Module):
    """Two layers of GraphSAGE [1]_, one for each relation and direction, averaged; what each layer tells is read at the end.

    References
    ----------
    .. [1] Hamilton, Ying, Leskovec, Inductive representation learning on large graphs, NeurIPS 2017.
    """

    def __init__(self, columns: int, kinds: int) -> None:
        super().__init__()
        self.begin = nn.Linear(columns, WIDTH)
        self.layers = nn.ModuleList(
            HeteroConv({("node", str(kind), "node"): SAGEConv(WIDTH, WIDTH) for kind in range(kinds)}, aggr="mean") for _ in range(2)
        )
        self.drop = nn.Dropout(DROPPED)
        self.end = nn.Linear(3 * WIDTH, 1)

    def forward(self, wiring: Wiring) -> Tensor:
        """Return log-odds, shape (n_nodes,)."""
        edges = {("node", str(kind), "node"): each for kind, each in enumerate(wiring.edges)}
        told = [self.drop(torch.relu(self.begin(self.drop(wiring.x))))]
        for layer in self.layers:
            told.append(self.drop(torch.relu(layer({"node": told[-1]}, edges)["node"])))
        odds: Tensor = self.end(torch.cat(told, dim=1)).squeeze(1)
        return odds


MODEL = Model("sage", "heterogeneous GraphSAGE", "graph", partial(fit, Sage), "perceptron_own")
