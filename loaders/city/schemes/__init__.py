"""The catalogue of schemes: what guilty companies do together."""

from __future__ import annotations

from loaders.city.plot import Plot
from loaders.city.schemes import guarantee_circle, loan_return, many_lenders, payment_ring, scatter_gather, shell_cluster

SCHEMES: tuple[Plot, ...] = (
    payment_ring.PLOT,
    loan_return.PLOT,
    guarantee_circle.PLOT,
    shell_cluster.PLOT,
    many_lenders.PLOT,
    scatter_gather.PLOT,
)

__all__ = ["SCHEMES"]
