"""The catalogue of features of rings: how each looks by itself, then what is between its members."""

from gnn.family import Family
from gnn.rings import inside, shape
from gnn.rings.candidates import Find


def families(find: Find) -> tuple[Family, ...]:
    """Return the families over who finds candidate rings in a graph."""
    return tuple(of.family(find) for of in (shape, inside))


__all__ = ["families"]
