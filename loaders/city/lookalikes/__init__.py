"""The catalogue of look-alikes: what honest companies do together that looks guilty."""

from __future__ import annotations

from loaders.city.lookalikes import association, cash_pool, payment_hub, secretarial_address
from loaders.city.plot import Plot

LOOKALIKES: tuple[Plot, ...] = (secretarial_address.PLOT, payment_hub.PLOT, cash_pool.PLOT, association.PLOT)

__all__ = ["LOOKALIKES"]
