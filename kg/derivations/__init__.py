"""What follows from the declared graph: the catalogue of derivations, in the order in which they run."""

from kg.derivation import Derivation
from kg.derivations import invoices, payments

DERIVATIONS: tuple[Derivation, ...] = (payments.DERIVATION, invoices.DERIVATION)

__all__ = ["DERIVATIONS"]
