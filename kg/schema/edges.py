"""The declared relationships: what a source states, verb from owner to owned or from doer to done."""

from __future__ import annotations

from kg.schema.model import EdgeType, Property

_AMOUNT = Property("amount_fen", "int64", "amount", "fen")
_AT = Property("at", "timestamp", "when, in UTC", "microseconds")
_PARTY = ("Company", "Person")

EDGES = (
    EdgeType(
        "HOLDS_SHARES",
        "a party holds a share of a company",
        _PARTY,
        ("Company",),
        (
            Property("share_ppm", "int64", "share of the capital; null = unknown", "ppm"),
            Property("subscribed_fen", "int64", "subscribed capital", "fen"),
            Property("paid_in_fen", "int64", "paid-in capital", "fen"),
            Property("votes_ppm", "int64", "votes where they differ from the share", "ppm"),
        ),
    ),
    EdgeType("REPRESENTS", "a person is the legal representative of a company", ("Person",), ("Company",)),
    EdgeType(
        "OFFICER_OF",
        "a person holds an office in a company",
        ("Person",),
        ("Company",),
        (Property("position", "string", "office as stated"),),
    ),
    EdgeType("KIN_OF", "two persons are relatives", ("Person",), ("Person",), (Property("kinship", "string", "kind of kinship"),)),
    EdgeType("OWNS_ACCOUNT", "a party owns an account", _PARTY, ("Account",)),
    EdgeType(
        "TRANSFERRED_TO",
        "money went from one account to another",
        ("Account",),
        ("Account",),
        (
            _AMOUNT,
            Property("currency", "string", "ISO 4217 code"),
            _AT,
            Property("purpose", "string", "stated purpose, scrubbed of personal identifiers"),
            Property("channel", "string", "transfer, withdrawal, …"),
        ),
    ),
    EdgeType("BORROWED", "a party applied for or took a loan", _PARTY, ("Loan",), (_AMOUNT, _AT)),
    EdgeType("PAID_OUT_TO", "loan money was paid out to an account", ("Loan",), ("Account",), (_AMOUNT, _AT)),
    EdgeType("REPAID", "an account repaid a loan", ("Account",), ("Loan",), (_AMOUNT, _AT)),
    EdgeType("GUARANTEES", "a party guarantees another party's debt, or a loan", _PARTY, (*_PARTY, "Loan"), (_AMOUNT,)),
    EdgeType("LOCATED_AT", "a party's address", _PARTY, ("Address",), (Property("use", "string", "registered, office, home, …"),)),
    EdgeType("REACHED_AT", "a party's phone or e-mail", _PARTY, ("Contact",), (Property("use", "string", "what it is used for"),)),
    EdgeType("SIGNED_IN", "a device signed in to an account", ("Device",), ("Account",), (_AT,)),
    EdgeType(
        "PARTY_TO", "a party takes part in a court case", _PARTY, ("CourtCase",), (Property("role", "string", "plaintiff, defendant, …"),)
    ),
)
