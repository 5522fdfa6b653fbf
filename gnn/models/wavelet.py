"""A network for heterophily: beta wavelets for each relation, so that standing out among one's neighbours can be seen."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from gnn.hetero import DROPPED, WIDTH, Wiring, fit
from gnn.layers.beta_wavelet import BetaWavelet
from gnn.model import Model

_ORDER = 2


class Wavelet(nn.Module):
    """Beta wavelets of each relation, added up after a weight of their own, beside the node's own columns."""

    def __init__(self, columns: int, kinds: int) -> None:
        super().__init__()
        self.begin = nn.Linear(columns, WIDTH)
        self.filter = BetaWavelet(_ORDER)
        # both directions of a relation are one undirected graph
        self.weights = nn.ModuleList(nn.Linear((_ORDER + 1) * WIDTH, WIDTH) for _ in range(kinds // 2))
        self.norm = nn.LayerNorm(WIDTH)
        self.drop = nn.Dropout(DROPPED)
        self.end = nn.Linear(2 * WIDTH, 1)

    def forward(self, wiring: Wiring) -> Tensor:
        """Return log-odds, shape (n_nodes,)."""
        own = self.drop(torch.relu(self.begin(self.drop(wiring.x))))
        heard = torch.zeros_like(own)
        for place, weight in enumerate(self.weights):
            both = torch.cat([wiring.edges[2 * place], wiring.edges[2 * place + 1]], dim=1)
            heard = heard + weight(self.filter(own, both))
        odds: Tensor = self.end(torch.cat([own, self.drop(torch.relu(self.norm(heard)))], dim=1)).squeeze(1)
        return odds


MODEL = Model("wavelet", "beta wavelets for each relation", "graph", partial(fit, Wavelet), "perceptron_own")
