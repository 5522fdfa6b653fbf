"""Money that went from one account to another."""

from __future__ import annotations

from loaders.source import Column, Kind

KIND = Kind(
    "transfers",
    "one row for each transfer, withdrawal or other payment between accounts",
    (
        Column("payer", "account", "account that paid", required=True),
        Column("payer_bank", "code", "bank that keeps it, where the source states one"),
        Column("payee", "account", "account that was paid", required=True),
        Column("payee_bank", "code", "bank that keeps it, where the source states one"),
        Column("amount_fen", "money", "amount", required=True),
        Column("currency", "code", "ISO 4217 code; empty = CNY"),
        Column("at", "timestamp", "when it was booked", required=True, dated=True),
        Column("purpose", "text", "stated purpose"),
        Column("channel", "code", "transfer, withdrawal, … as stated"),
    ),
)
