"""Who holds which share of a company."""

from __future__ import annotations

from loaders.source import Column, Kind

KIND = Kind(
    "shareholders",
    "one row for each holding of a party in a company",
    (
        Column("holder", "party", "who holds the share", required=True),
        Column("holder_kind", "code", "what the holder is", values=("company", "person")),
        Column("company", "company", "the company held", required=True),
        Column("share_ppm", "share", "share of the capital; empty = unknown"),
        Column("subscribed_fen", "money", "subscribed capital", least=0),
        Column("paid_in_fen", "money", "paid-in capital", least=0),
        Column("votes_ppm", "share", "votes where they differ from the share"),
    ),
)
