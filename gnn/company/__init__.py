"""What is known of a company by itself: the catalogue of families of features.

Hits of rules are a family too; `schemes.family` makes it of the rules that are handed in.
"""

from gnn.company import chain, contacts, court, invoices, loans, officers, ownership, papers, payments, registration
from gnn.family import Family

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

__all__ = ["FAMILIES"]
