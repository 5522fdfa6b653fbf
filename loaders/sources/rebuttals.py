"""Links between two parties that a person has rebutted, or whose rebuttal was taken back: events, of which the latest counts."""

from __future__ import annotations

from loaders.source import Column, Kind

KIND = Kind(
    "rebuttals",
    "one row for each time that a link was rebutted or restored",
    (
        Column("a", "party", "one party", required=True),
        Column("a_kind", "code", "what it is", values=("company", "person")),
        Column("b", "party", "the other party", required=True),
        Column("b_kind", "code", "what it is", values=("company", "person")),
        Column("action", "code", "what was done", required=True, values=("rebut", "restore")),
        Column("reason", "text", "why", required=True),
        Column("user", "code", "who did it", required=True),
        Column("until_on", "date", "first day on which the rebuttal is no longer in force"),
        Column("decided_at", "timestamp", "when it was done; it counts from the next run on, whatever the business date", required=True),
    ),
)
