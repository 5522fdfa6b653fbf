"""Who trades with whom: companies that invoices and contracts name."""

from __future__ import annotations

from kg.resolve.view import Mention

VIEWS = (
    Mention("Company", "invoices", ("seller", "buyer")),
    Mention("Company", "contracts", ("seller", "buyer")),
)
