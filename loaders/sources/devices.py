"""Devices from which accounts are used."""

from __future__ import annotations

from loaders.source import Column, Kind

KIND = Kind(
    "devices",
    "one row for each device known to online banking",
    (
        Column("device", "device", "fingerprint, MAC or other number of the device", required=True),
        Column("type", "code", "kind of device"),
        Column("blocked", "flag", "blocked by the bank"),
    ),
    defines="device",
)
