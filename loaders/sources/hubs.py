"""Parties whose ties tell nothing: platforms, tax and utility accounts, registration agents, payment companies."""

from __future__ import annotations

from loaders.source import Column, Kind

KIND = Kind(
    "hubs",
    "one row for each party that the bank knows to deal with everybody",
    (
        Column("party", "party", "the party", required=True),
        Column("party_kind", "code", "what it is", values=("company", "person")),
        Column("reason", "code", "why its ties tell nothing", required=True),
    ),
)
