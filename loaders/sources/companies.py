"""Companies as the registry or the bank's customer system knows them."""

from __future__ import annotations

from loaders.source import Column, Kind

KIND = Kind(
    "companies",
    "one row for each registered company or other organisation",
    (
        Column("company", "company", "the source's own number of the company"),
        Column("uscc", "uscc", "unified social credit code (GB 32100)"),
        Column("name", "code", "registered name"),
        Column("status", "code", "registration status as stated"),
        Column("region", "code", "administrative division (GB/T 2260)"),
        Column("industry", "code", "industry (GB/T 4754)"),
        Column("founded_on", "date", "day of registration", dated=True),
        Column("capital_fen", "money", "registered capital", least=0),
        Column("kind", "code", "what it is; empty = company", values=("company", "state", "other")),
        Column("listed", "flag", "listed on an exchange"),
        Column("blocked", "flag", "blocked by the bank"),
        Column("customer_ref", "code", "the bank's own customer number"),
    ),
    defines="company",
    one_of=(("company", "uscc"),),
)
