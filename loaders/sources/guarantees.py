"""Guarantees for a party's debt or for one loan."""

from __future__ import annotations

from loaders.source import Column, Kind

KIND = Kind(
    "guarantees",
    "one row for each guarantee; it is given for a party, or for one loan, or for a loan of a named party",
    (
        Column("guarantor", "party", "who guarantees", required=True),
        Column("guarantor_kind", "code", "what the guarantor is", values=("company", "person")),
        Column("beneficiary", "party", "whose debt is guaranteed"),
        Column("beneficiary_kind", "code", "what the beneficiary is", values=("company", "person")),
        Column("loan", "loan", "the loan guaranteed, where it is for one loan"),
        Column("amount_fen", "money", "amount guaranteed; empty = not stated", least=0),
    ),
    one_of=(("beneficiary", "loan"),),
)
