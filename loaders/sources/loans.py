"""Loans granted or applied for, and who borrows."""

from __future__ import annotations

from loaders.source import Column, Kind

KIND = Kind(
    "loans",
    "one row for each loan, for each borrower of a loan, or both in one",
    (
        Column("loan", "loan", "number of the loan or of the application", required=True),
        Column("borrower", "party", "who applied for the loan"),
        Column("borrower_kind", "code", "what the borrower is", values=("company", "person")),
        Column("amount_fen", "money", "principal"),
        Column("balance_fen", "money", "outstanding balance"),
        Column("at", "timestamp", "when it was applied for or granted", dated=True),
        Column("due_on", "date", "day on which it falls due"),
        Column("status", "code", "status as stated"),
        Column("purpose", "text", "stated use of the money"),
        Column("customer_ref", "code", "the bank's own number of the borrowing customer"),
    ),
    defines="loan",
)
