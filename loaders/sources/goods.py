"""Goods and services, and what they are made from."""

from __future__ import annotations

from loaders.source import Column, Kind

KIND = Kind(
    "goods",
    "one row for each goods code, or for each pair of a product and one thing that it is made from",
    (
        Column("goods", "code", "goods code (on an invoice: the tax classification)", required=True),
        Column("name", "code", "name of the goods"),
        Column("made_from", "code", "goods code of one input"),
        Column("industry", "code", "industry to which the goods belong"),
    ),
)
