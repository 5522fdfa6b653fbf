"""Who is a known case on the day: of whom it was known by then, and of nobody whose case came later."""

from __future__ import annotations

import ibis.expr.types as ir

from kg.graph import Graph


def cases(graph: Graph) -> ir.Table:
    """Return ``other``, the parties of whom the bank knew by the day of a graph that they are cases, each once."""

    def made() -> ir.Table:
        rows = graph.records("cases", "entity")
        if rows is None:
            return graph.engine.keep(graph.edges("HOLDS_SHARES").limit(0).select(other="src"))
        known = rows.filter(rows.known_on.notnull(), rows.known_on <= graph.as_of)
        return graph.engine.keep(known.select(other="entity").distinct())

    return graph.once("gnn.known cases", made)


def among(graph: Graph, pairs: ir.Table, name: str) -> ir.Table:
    """Return how many of the others that pairs (``id, other``) lead a party to are known cases: ``id`` and that number."""
    known = pairs.filter(pairs.id != pairs.other).semi_join(cases(graph), "other")
    return graph.engine.keep(known.group_by("id").aggregate(**{name: known.other.nunique()}))
