"""Court cases and who takes part in them."""

from __future__ import annotations

from loaders.source import Column, Kind

KIND = Kind(
    "court_cases",
    "one row for each party to a court case",
    (
        Column("court_case", "court_case", "number of the case", required=True),
        Column("party", "party", "who takes part in it"),
        Column("party_kind", "code", "what the party is", values=("company", "person")),
        Column("role", "code", "plaintiff, defendant, person subject to enforcement, … as stated"),
        Column("court", "code", "court"),
        Column("cause", "code", "cause of action"),
        Column("filed_on", "date", "day of filing", dated=True),
        Column("result", "text", "result as stated"),
        Column("amount_fen", "money", "amount in dispute"),
    ),
    defines="court_case",
)
