"""Natural persons: customers, owners, officers."""

from __future__ import annotations

from loaders.source import Column, Kind

KIND = Kind(
    "persons",
    "one row for each natural person",
    (
        Column("person", "person", "the source's own number of the person"),
        Column("cnid", "cnid", "resident identity number (GB 11643)"),
        Column("name", "name", "name as stated"),
        Column("blocked", "flag", "blocked by the bank"),
        Column("customer_ref", "code", "the bank's own customer number"),
    ),
    defines="person",
    one_of=(("person", "cnid"),),
)
