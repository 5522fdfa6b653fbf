"""The graph's vocabulary: labels, relationship types and their properties, as frozen values."""

from __future__ import annotations

from kg.errors import UsageError, did_you_mean
from kg.schema.derived import DERIVED_EDGES, DERIVED_NODES
from kg.schema.edges import EDGES
from kg.schema.model import COMMON, EdgeType, NodeType, Property
from kg.schema.nodes import NODES

ALL_NODES = NODES + DERIVED_NODES
ALL_EDGES = EDGES + DERIVED_EDGES


def node(label: str) -> NodeType:
    """Return the node type of a label.

    >>> node("Company").also
    ('Party',)
    """
    found = {n.label: n for n in ALL_NODES}.get(label)
    if found is None:
        raise UsageError(f"no label named '{label}'{did_you_mean(label, [n.label for n in ALL_NODES])}")
    return found


def edge(type_: str) -> EdgeType:
    """Return the edge type of a name.

    >>> edge("PAID").derived
    True
    """
    found = {e.type: e for e in ALL_EDGES}.get(type_)
    if found is None:
        raise UsageError(f"no relationship type named '{type_}'{did_you_mean(type_, [e.type for e in ALL_EDGES])}")
    return found


__all__ = ["ALL_EDGES", "ALL_NODES", "COMMON", "EDGES", "NODES", "EdgeType", "NodeType", "Property", "edge", "node"]
