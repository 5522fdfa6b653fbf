"""Shareholdings and offices in companies."""

from __future__ import annotations

import ibis.expr.types as ir

from kg.resolve.view import EdgeView, edge


def holdings(records: ir.Table) -> ir.Table:
    """Return who holds which share of a company."""
    same = ("share_ppm", "subscribed_fen", "paid_in_fen", "votes_ppm")
    return edge("HOLDS_SHARES", records, "holder", "company", **{c: c for c in same})


def representatives(records: ir.Table) -> ir.Table:
    """Return the legal representatives of companies."""
    return edge("REPRESENTS", records.filter(records.legal_representative), "person", "company")


def officers(records: ir.Table) -> ir.Table:
    """Return the offices of persons in companies, the stated office of a legal representative included."""
    return edge("OFFICER_OF", records.filter(records.position.notnull()), "person", "company", position="position")


VIEWS = (
    EdgeView("HOLDS_SHARES", "shareholders", holdings),
    EdgeView("REPRESENTS", "officers", representatives),
    EdgeView("OFFICER_OF", "officers", officers),
)
