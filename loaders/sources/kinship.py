"""Relatives."""

from __future__ import annotations

from loaders.source import Column, Kind

KIND = Kind(
    "kinship",
    "one row for each pair of relatives",
    (
        Column("a", "person", "one person", required=True),
        Column("b", "person", "the other person", required=True),
        Column("kinship", "code", "what the second is to the first: spouse, parent, child, sibling, …", required=True),
    ),
    differ=(("a", "b"),),
)
