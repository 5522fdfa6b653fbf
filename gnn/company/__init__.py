"""What is known of a company by itself: the catalogue of families of features.

Hits of rules are a family too; `schemes.family` makes it of the rules that are handed in.
"""

from gnn.company import (
    chain,
    contacts,
    control,
    court,
    invoices,
    links,
    loans,
    officers,
    ownership,
    papers,
    payments,
    registration,
    rings,
)
from gnn.family import Family

#: Those that read what sources state.
FAMILIES: tuple[Family, ...] = (
    registration.FAMILY,
    ownership.FAMILY,
    officers.FAMILY,
    payments.FAMILY,
    loans.FAMILY,
    invoices.FAMILY,
    papers.FAMILY,
    contacts.FAMILY,
    court.FAMILY,
    chain.FAMILY,
)
#: Those that read what is derived, and known cases beside it.
DERIVED: tuple[Family, ...] = (rings.FAMILY, links.FAMILY, control.FAMILY)

__all__ = ["DERIVED", "FAMILIES"]
