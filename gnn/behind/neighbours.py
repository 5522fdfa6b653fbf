"""Relationships and records by which companies have neighbours: ``id, other, row`` for each relation of `gnn.around.NEAR`."""

from __future__ import annotations

from collections.abc import Callable

import ibis
import ibis.expr.types as ir

from gnn.behind.moves import moves
from gnn.behind.trade import papers
from kg.engine import union
from kg.graph import Graph


def _paid(graph: Graph, companies: ir.Table) -> ir.Table:
    return moves(graph, companies).select("id", "other", "row")


def _invoiced(graph: Graph, companies: ir.Table) -> ir.Table:
    rows = papers(graph, companies)
    return rows.filter(~rows.void).select("id", "other", "row")


def _guaranteed(graph: Graph, companies: ir.Table) -> ir.Table:
    lent = graph.edges("BORROWED").select(borrower="src", dst="dst")
    rows = graph.edges("GUARANTEES").select("src", "dst", row="id").left_join(lent, "dst", rname="{name}_b")
    return _sides(graph, rows.select("src", "row", dst=rows.borrower.fill_null(rows.dst)), companies)


def _shares(graph: Graph, companies: ir.Table) -> ir.Table:
    return _sides(graph, graph.edges("HOLDS_SHARES").select("src", "dst", row="id"), companies)


def _people(graph: Graph, companies: ir.Table) -> ir.Table:
    """Return the companies with a holder or an officer in common, each with the company's own row to whom they share."""
    rows = graph.engine.keep(
        union([graph.edges(name).select("src", "dst", row="id") for name in ("HOLDS_SHARES", "REPRESENTS", "OFFICER_OF")])
    )
    ends = graph.engine.keep(union([rows.select("row", end=one, far=other) for one, other in (("src", "dst"), ("dst", "src"))]))
    mine = graph.engine.keep(ends.semi_join(companies, [("end", "id")]))
    second = ends.select(far="end", other="far").distinct()
    found = mine.select("row", "far", id="end").join(second, "far")
    return found.filter(found.other != found.id).select("id", "other", "row").distinct()


def _sides(graph: Graph, rows: ir.Table, companies: ir.Table) -> ir.Table:
    kept = graph.engine.keep(rows)
    both = [kept.select("row", id=one, other=far).semi_join(companies, "id") for one, far in (("src", "dst"), ("dst", "src"))]
    return union(both)


#: By the name of the relation.
NEIGHBOURS: dict[str, Callable[[Graph, ir.Table], ir.Table]] = {
    "paid": _paid,
    "invoiced": _invoiced,
    "guarantees": _guaranteed,
    "shares": _shares,
    "people": _people,
}


def neighbours(graph: Graph, relation: str, companies: ir.Table) -> ir.Table:
    """Return the rows to the neighbours of some companies, those to one neighbour side by side: ``id, other, row, count``.

    Returns
    -------
    ir.Table
        ``count`` is how many rows lead to the neighbour: all of them must go for it to be one no more.
    """
    rows = NEIGHBOURS[relation](graph, companies)
    rows = rows.filter(rows.id != rows.other)
    return rows.mutate(count=ibis._.count().over(group_by=["id", "other"]))
