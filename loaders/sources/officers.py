"""Directors, supervisors, managers and legal representatives."""

from __future__ import annotations

from loaders.source import Column, Kind

KIND = Kind(
    "officers",
    "one row for each office of a person in a company",
    (
        Column("person", "person", "who holds the office", required=True),
        Column("company", "company", "the company", required=True),
        Column("position", "code", "office as stated"),
        Column("legal_representative", "flag", "true for the legal representative"),
    ),
    one_of=(("position", "legal_representative"),),
)
