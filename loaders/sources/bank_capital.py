"""The bank's own capital, against which its limits are measured."""

from __future__ import annotations

from loaders.source import Column, Kind

KIND = Kind(
    "bank_capital",
    "one row for each day on which the bank's capital was reported, mostly the end of a quarter",
    (
        Column("reported_on", "date", "day for which the capital is stated", required=True, dated=True),
        Column("net_capital_fen", "money", "net capital (资本净额)", required=True),
        Column("tier_1_fen", "money", "net tier-1 capital (一级资本净额)", required=True),
    ),
    at_most=(("tier_1_fen", "net_capital_fen"),),
)
