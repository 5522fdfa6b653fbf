"""What follows from the declared graph: the catalogue of derivations, in the order in which they run."""

from kg.derivation import Derivation
from kg.derivations import (
    beneficial_owners,
    client_limits,
    control,
    dependence,
    group_limits,
    invoices,
    links,
    members,
    payments,
    ring_members,
    supplies,
)

DERIVATIONS: tuple[Derivation, ...] = (
    payments.DERIVATION,
    invoices.DERIVATION,
    supplies.DERIVATION,
    control.DERIVATION,
    beneficial_owners.DERIVATION,
    dependence.DERIVATION,
    members.DERIVATION,
    links.DERIVATION,
    group_limits.DERIVATION,
    client_limits.DERIVATION,
    ring_members.MEMBERS,
    ring_members.RINGS,
)

__all__ = ["DERIVATIONS"]
