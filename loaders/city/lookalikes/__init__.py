"""The catalogue of look-alikes: what honest companies do together that looks guilty."""

from __future__ import annotations

from loaders.city.lookalikes import association, barter, cash_pool, payment_hub, seasonal_burst, secretarial_address
from loaders.city.plot import Plot

LOOKALIKES: tuple[Plot, ...] = (
    secretarial_address.PLOT,
    payment_hub.PLOT,
    cash_pool.PLOT,
    association.PLOT,
    barter.PLOT,
    seasonal_burst.PLOT,
)

__all__ = ["LOOKALIKES"]
