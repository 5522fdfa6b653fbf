"""Value-added-tax invoices."""

from __future__ import annotations

from loaders.source import Column, Kind

KIND = Kind(
    "invoices",
    "one row for each invoice, or for each line of goods in one; red invoices have negative amounts",
    (
        Column("number", "code", "invoice number, with its code in front where there is one", required=True),
        Column("seller", "company", "who sells", required=True),
        Column("buyer", "company", "who buys", required=True),
        Column("goods", "code", "goods code"),
        Column("issued_on", "date", "day of issue", required=True, dated=True),
        Column("net_fen", "money", "amount without tax"),
        Column("tax_fen", "money", "tax"),
        Column("gross_fen", "money", "amount with tax"),
        Column("status", "code", "whether the invoice counts; empty = valid", values=("valid", "void")),
        Column("void_on", "date", "day on which it was made void", dated=True),
    ),
    one_of=(("net_fen", "gross_fen"),),
)
