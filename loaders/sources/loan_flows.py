"""Loan money paid out, and repayments."""

from __future__ import annotations

from loaders.source import Column, Kind

KIND = Kind(
    "loan_flows",
    "one row for each pay-out of a loan to an account or repayment from one",
    (
        Column("loan", "loan", "the loan", required=True),
        Column("account", "account", "account that received or repaid the money", required=True),
        Column("account_bank", "code", "bank that keeps it, where the source states one"),
        Column("direction", "code", "which way the money went", required=True, values=("paid_out", "repaid")),
        Column("amount_fen", "money", "amount", required=True),
        Column("at", "timestamp", "when it was booked", required=True, dated=True),
    ),
)
