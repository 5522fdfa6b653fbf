"""Addresses, phone numbers and e-mail addresses of parties."""

from __future__ import annotations

from loaders.source import Column, Kind

KIND = Kind(
    "contacts",
    "one row for each address, phone or e-mail of a party; a row may state several of them",
    (
        Column("party", "party", "whose contact it is", required=True),
        Column("party_kind", "code", "what the party is", values=("company", "person")),
        # A person's home address identifies the person, hence the class of a name.
        Column("address", "name", "postal address"),
        Column("phone", "phone", "phone number, mobile or landline with its area code"),
        Column("email", "email", "e-mail address"),
        Column("use", "code", "registered, office, home, finance contact, …"),
    ),
    one_of=(("address", "phone", "email"),),
)
