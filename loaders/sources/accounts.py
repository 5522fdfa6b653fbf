"""Bank and payment accounts, and who owns them."""

from __future__ import annotations

from loaders.source import Column, Kind

KIND = Kind(
    "accounts",
    "one row for each account, for each owner of an account, or both in one",
    (
        Column("account", "account", "account or card number", required=True),
        Column("account_bank", "code", "bank that keeps it, where the source states one"),
        Column("owner", "party", "who owns the account"),
        Column("owner_kind", "code", "what the owner is", values=("company", "person")),
        Column("type", "code", "account type as stated"),
        Column("opened_on", "date", "day of opening", dated=True),
        Column("blocked", "flag", "blocked by the bank"),
    ),
    defines="account",
)
