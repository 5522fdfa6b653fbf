"""The catalogue of schemes: what guilty companies do together."""

from __future__ import annotations

from loaders.city.plot import Plot
from loaders.city.schemes import (
    double_financing,
    group_splitting,
    guarantee_circle,
    hidden_control,
    hollow_invoices,
    loan_return,
    many_lenders,
    payment_ring,
    related_trade,
    scatter_gather,
    shell_cluster,
)

SCHEMES: tuple[Plot, ...] = (
    payment_ring.PLOT,
    loan_return.PLOT,
    guarantee_circle.PLOT,
    shell_cluster.PLOT,
    many_lenders.PLOT,
    scatter_gather.PLOT,
    related_trade.PLOT,
    hidden_control.PLOT,
    hollow_invoices.PLOT,
    double_financing.PLOT,
    group_splitting.PLOT,
)

__all__ = ["SCHEMES"]
