"""Confirmed fraud, with the day on which it became known."""

from __future__ import annotations

from loaders.source import Column, Kind

KIND = Kind(
    "cases",
    "one row for each party in a case of confirmed fraud",
    (
        Column("entity", "party", "whose fraud it was", required=True),
        Column("entity_kind", "code", "what the entity is", values=("company", "person")),
        Column("reason", "code", "kind of fraud", required=True),
        # Without this day a case would leak into scores of days before it was known.
        Column("known_on", "date", "day on which the bank knew", required=True, dated=True),
        Column("happened_on", "date", "day of the deed", dated=True),
        Column("loan", "loan", "the loan concerned"),
        Column("amount_fen", "money", "loss"),
        Column("remark", "text", "what was found"),
    ),
)
