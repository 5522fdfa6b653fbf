"""The catalogue of features of pairs of parties: those that each makes by itself, then what is around them."""

from gnn.family import Family
from gnn.pairs import around, evidence, money, reach, registration
from gnn.pairs.candidates import Find


def families(find: Find) -> tuple[Family, ...]:
    """Return the families over who finds the evidence of links in a graph."""
    return tuple(of.family(find) for of in (evidence, money, registration, reach, around))


__all__ = ["families"]
