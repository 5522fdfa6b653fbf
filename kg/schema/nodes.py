"""The labels of the graph."""

from __future__ import annotations

from kg.schema.model import NodeType, Property

_STUB = Property("stub", "bool", "true where the node is only referred to and no source registers it")
_REF = Property("customer_ref", "string", "the bank's own customer number")

NODES = (
    NodeType(
        "Company",
        "a registered company or other organisation",
        (
            Property("uscc", "string", "unified social credit code (GB 32100)"),
            Property("name", "string", "registered name"),
            Property("status", "string", "registration status as stated"),
            Property("region", "string", "administrative division (GB/T 2260)"),
            Property("industry", "string", "industry (GB/T 4754)"),
            Property("founded_on", "date", "day of registration"),
            Property("capital_fen", "int64", "registered capital", "fen"),
            Property("kind", "string", "company, state (a body of the State) or other; null = company"),
            Property("listed", "bool", "listed on an exchange"),
            Property("blocked", "bool", "blocked by the bank"),
            _REF,
            _STUB,
        ),
        also=("Party",),
    ),
    NodeType(
        "Person",
        "a natural person",
        (
            Property("name", "string", "name as stated", personal="name"),
            Property("blocked", "bool", "blocked by the bank"),
            _REF,
            _STUB,
        ),
        also=("Party",),
    ),
    NodeType(
        "Account",
        "a bank or payment account",
        (
            Property("type", "string", "account type as stated"),
            Property("opened_on", "date", "day of opening"),
            Property("blocked", "bool", "blocked by the bank"),
            _STUB,
        ),
    ),
    NodeType(
        "Loan",
        "a loan granted or applied for",
        (
            Property("amount_fen", "int64", "principal", "fen"),
            Property("balance_fen", "int64", "outstanding balance", "fen"),
            Property("status", "string", "status as stated"),
            Property("purpose", "string", "stated use of the money"),
            Property("due_on", "date", "day on which it falls due"),
            _REF,
            _STUB,
        ),
    ),
    NodeType("Address", "a postal address, normalised", (Property("text", "string", "the address as stated"), _STUB)),
    NodeType("Contact", "a phone number or an e-mail address, as a token", (Property("kind", "string", "phone or email"), _STUB)),
    NodeType(
        "Device",
        "a device from which accounts are used, as a token",
        (Property("type", "string", "kind of device"), Property("blocked", "bool", "blocked by the bank"), _STUB),
    ),
    NodeType(
        "CourtCase",
        "a case at a court",
        (
            Property("court", "string", "court"),
            Property("cause", "string", "cause of action"),
            Property("filed_on", "date", "day of filing"),
            Property("result", "string", "result as stated"),
            Property("amount_fen", "int64", "amount in dispute", "fen"),
            _STUB,
        ),
    ),
)
