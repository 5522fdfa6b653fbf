"""What the bank stands to lose by each party: loans, paper, trades, undrawn commitments."""

from __future__ import annotations

from loaders.source import Column, Kind

KIND = Kind(
    "exposures",
    "one row for each exposure of the bank to a party",
    (
        Column("party", "party", "the party that owes", required=True),
        Column("party_kind", "code", "what the party is", values=("company", "person")),
        Column(
            "kind",
            "code",
            "what the exposure is",
            required=True,
            values=("loan", "specific", "trading", "counterparty", "potential", "other"),
        ),
        Column("number", "code", "number of the facility or of the loan"),
        Column("amount_fen", "money", "exposure before mitigation", required=True, least=0),
        Column("mitigated_fen", "money", "part of it that a protection provider stands for", least=0),
        Column("provider", "party", "the protection provider"),
        Column("provider_kind", "code", "what the provider is", values=("company", "person")),
    ),
    at_most=(("mitigated_fen", "amount_fen"),),
    needs=(("mitigated_fen", "provider"),),
)
