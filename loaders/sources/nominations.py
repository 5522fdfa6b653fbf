"""Nominee agreements (代持): who holds shares in a name that is not his own."""

from __future__ import annotations

from loaders.source import Column, Kind

KIND = Kind(
    "nominations",
    "one row for each holding that a nominee has for a nominator",
    (
        Column("nominator", "party", "the party for whom it is held", required=True),
        Column("nominator_kind", "code", "what it is", values=("company", "person")),
        Column("nominee", "party", "the party in whose name it is held", required=True),
        Column("nominee_kind", "code", "what it is", values=("company", "person")),
        Column("company", "company", "the company held", required=True),
        Column("agreement", "code", "number of the agreement"),
    ),
    differ=(("nominator", "nominee"),),
)
