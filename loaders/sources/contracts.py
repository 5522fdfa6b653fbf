"""Trade contracts between companies."""

from __future__ import annotations

from loaders.source import Column, Kind

KIND = Kind(
    "contracts",
    "one row for each trade contract, or for each kind of goods in one",
    (
        Column("number", "code", "number of the contract", required=True),
        Column("seller", "company", "who sells", required=True),
        Column("buyer", "company", "who buys", required=True),
        Column("goods", "code", "goods code"),
        Column("amount_fen", "money", "amount"),
        Column("signed_on", "date", "day of signature", dated=True),
        Column("due_on", "date", "day by which it is to be fulfilled"),
        Column("subject", "text", "what it is about"),
    ),
)
