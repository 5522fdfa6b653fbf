"""What companies declared to the tax office."""

from __future__ import annotations

from loaders.source import Column, Kind

KIND = Kind(
    "tax_filings",
    "one row for each company and tax period",
    (
        Column("company", "company", "who filed", required=True),
        Column("period", "date", "first day of the tax period", required=True, dated=True),
        Column("months", "integer", "length of the tax period in months; empty = 1"),
        Column("tax_kind", "code", "kind of tax as stated"),
        Column("sales_fen", "money", "sales declared"),
        Column("tax_fen", "money", "tax declared"),
        Column("filed_on", "date", "day of filing", dated=True),
    ),
    one_of=(("sales_fen", "tax_fen"),),
)
