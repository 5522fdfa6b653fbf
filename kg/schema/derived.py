"""The derived relationships and labels: what follows from declared ones."""

from __future__ import annotations

from kg.schema.model import EdgeType, NodeType, Property

_PARTY = ("Company", "Person")
_FEN = Property("amount_fen", "int64", "sum of the amounts", "fen")

DERIVED_NODES = (
    NodeType(
        "Flag",
        "a signed risk flag as it was sent to the loan system",
        (
            Property("reason", "string", "reason code"),
            Property("severity", "string", "low, medium or high"),
            Property("action", "string", "watch or refer"),
            Property("amount_fen", "int64", "amount at stake", "fen"),
            Property("rule", "string", "rule"),
            Property("rule_version", "string", "version of the rule"),
            Property("evidence", "string", "ids of the evidence, a JSON list"),
        ),
        derived=True,
    ),
)

DERIVED_EDGES = (
    EdgeType(
        "PAID",
        "what one party's accounts paid to another's in a month",
        _PARTY,
        _PARTY,
        (
            Property("month", "date", "first day of the month"),
            _FEN,
            Property("currency", "string", "ISO 4217 code"),
            Property("count", "int64", "number of transfers"),
        ),
        derived=True,
    ),
    EdgeType(
        "INVOICED",
        "what a seller invoiced to a buyer in a month, by goods code",
        ("Company",),
        ("Company",),
        (
            Property("month", "date", "first day of the month"),
            Property("goods", "string", "goods code"),
            Property("net_fen", "int64", "net amount of the valid invoices", "fen"),
            Property("tax_fen", "int64", "tax of the valid invoices", "fen"),
            Property("count", "int64", "number of invoices, void ones included"),
            Property("void_count", "int64", "number of void invoices"),
        ),
        derived=True,
    ),
    EdgeType("FLAGGED", "a party bears a flag", _PARTY, ("Flag",), derived=True),
)
