"""Parties who have agreed to act in concert (一致行动人)."""

from __future__ import annotations

from loaders.source import Column, Kind

KIND = Kind(
    "concert",
    "one row for each pair of parties who act in concert",
    (
        Column("a", "party", "one party", required=True),
        Column("a_kind", "code", "what it is", values=("company", "person")),
        Column("b", "party", "the other party", required=True),
        Column("b_kind", "code", "what it is", values=("company", "person")),
        Column("agreement", "code", "number of the agreement"),
    ),
    differ=(("a", "b"),),
)
