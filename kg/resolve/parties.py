"""Companies and persons."""

from __future__ import annotations

import ibis.expr.types as ir

from kg.alias import entity_id
from kg.resolve.view import EdgeView, NodeView, edge, node


def companies(records: ir.Table) -> ir.Table:
    """Return what registrations say of companies."""
    same = ("uscc", "name", "status", "region", "industry", "founded_on", "capital_fen", "kind", "listed", "blocked", "customer_ref")
    return node("Company", records, entity_id("Company", records), **{c: c for c in same})


def persons(records: ir.Table) -> ir.Table:
    """Return what registrations say of persons."""
    return node("Person", records, entity_id("Person", records), name="name", blocked="blocked", customer_ref="customer_ref")


def kin(records: ir.Table) -> ir.Table:
    """Return the relatives of persons."""
    return edge("KIN_OF", records, "a", "b", kinship="kinship")


VIEWS = (
    NodeView("Company", "companies", companies),
    NodeView("Person", "persons", persons),
    EdgeView("KIN_OF", "kinship", kin),
)
