"""Money lent against a paper: an invoice, a contract, a bill, a warehouse receipt."""

from __future__ import annotations

from loaders.source import Column, Kind

KIND = Kind(
    "financings",
    "one row for each paper against which a lender lent",
    (
        Column("lender", "company", "who lent", required=True),
        Column("borrower", "party", "who borrowed", required=True),
        Column("borrower_kind", "code", "what the borrower is", values=("company", "person")),
        Column(
            "paper_kind",
            "code",
            "what was pledged or sold",
            required=True,
            values=("invoice", "contract", "receivable", "bill", "warehouse_receipt", "other"),
        ),
        Column("paper_number", "code", "number of the paper", required=True),
        Column("amount_fen", "money", "amount lent", required=True),
        Column("at", "timestamp", "when it was lent", required=True, dated=True),
        Column("due_on", "date", "day on which it falls due"),
    ),
)
