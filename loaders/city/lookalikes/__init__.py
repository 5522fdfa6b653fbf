"""The catalogue of look-alikes: what honest companies do together that looks guilty."""

from __future__ import annotations

from loaders.city.lookalikes import (
    association,
    barter,
    cash_pool,
    family,
    fast_grower,
    industrial_park,
    payment_hub,
    seasonal_burst,
    secretarial_address,
    shop_accountant,
)
from loaders.city.plot import Plot

LOOKALIKES: tuple[Plot, ...] = (
    # the large ones come first, while many companies are left
    industrial_park.PLOT,
    secretarial_address.PLOT,
    shop_accountant.PLOT,
    payment_hub.PLOT,
    cash_pool.PLOT,
    association.PLOT,
    barter.PLOT,
    seasonal_burst.PLOT,
    family.PLOT,
    fast_grower.PLOT,
)

__all__ = ["LOOKALIKES"]
