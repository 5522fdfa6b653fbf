"""Devices that signed in to accounts."""

from __future__ import annotations

from loaders.source import Column, Kind

KIND = Kind(
    "sign_ins",
    "one row for each time a device signed in to an account",
    (
        Column("device", "device", "the device", required=True),
        Column("account", "account", "the account", required=True),
        Column("account_bank", "code", "bank that keeps it, where the source states one"),
        Column("at", "timestamp", "when", required=True, dated=True),
        Column("place", "text", "where, as stated"),
    ),
)
