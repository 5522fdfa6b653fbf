"""Beta wavelets: filters of a graph that let through how a node differs from its neighbours, not only how it is like them."""

from __future__ import annotations

from math import comb

import torch
from torch import Tensor

from gnn.pyg import MessagePassing, gcn_norm


class BetaWavelet(MessagePassing):  # type: ignore[misc]  # PyTorch Geometric ships no types
    """All beta wavelets of an order: ``C + 1`` polynomials of the normalised Laplacian, from low to high frequencies [1]_.

    Filter ``p`` is ``(C + 1) / 2 · binom(C, p) · (L/2)^p (I - L/2)^(C - p)``; together they let everything through, ``C + 1`` halves of it.

    Parameters
    ----------
    order : int
        ``C``.

    Shapes
    ------
    x (n_nodes, width), edges (2, n_edges) → (n_nodes, (order + 1) · width)

    References
    ----------
    .. [1] Tang, Li, Gao, Li, Rethinking graph neural networks for anomaly detection, ICML 2022.
    """

    def __init__(self, order: int = 2) -> None:
        super().__init__(aggr="add")
        self.order = order

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        """Apply each filter and put the results side by side."""
        edge, weight = gcn_norm(edges, num_nodes=x.shape[0], add_self_loops=False, dtype=x.dtype)
        # (L/2)^p x, and from there (I - L/2) until C steps are done
        high, told = x, []
        for power in range(self.order + 1):
            passed = high
            for _ in range(self.order - power):
                passed = (passed + self._adjacent(passed, edge, weight, x)) / 2
            told.append(passed * comb(self.order, power) * (self.order + 1) / 2)
            high = (high - self._adjacent(high, edge, weight, x)) / 2
        return torch.cat(told, dim=1)

    def _adjacent(self, values: Tensor, edge: Tensor, weight: Tensor, like: Tensor) -> Tensor:
        summed: Tensor = self.propagate(edge, x=values, weight=weight, size=(like.shape[0], like.shape[0]))
        return summed

    def message(self, x_j: Tensor, weight: Tensor) -> Tensor:
        """Weigh what a neighbour says."""
        return x_j * weight.unsqueeze(1)
