"""Who commands a company, and who is commanded with it, as the register of the day says; sums owed play no part in it.

Groups of connected clients follow from what is still owed today, which is known of no earlier day; whom one party commands does not.
"""

from __future__ import annotations

import ibis.expr.types as ir

from gnn.company.known import among
from gnn.family import Column, Family
from kg.engine import union
from kg.graph import Graph


def make(graph: Graph) -> ir.Table:
    """Return how many command a company, how many it commands, and how many are under one command with it, known cases among them."""
    rows = _commands(graph)
    found = graph.engine.keep(rows.group_by(id=rows.dst).aggregate(commanders=rows.src.nunique()))
    below = graph.engine.keep(rows.group_by(id=rows.src).aggregate(commands=rows.dst.nunique()))
    pairs = beside(graph)
    sizes = graph.engine.keep(pairs.group_by("id").aggregate(beside=pairs.other.nunique()))
    for more in (below, sizes, among(graph, pairs, "known")):
        joined = found.outer_join(more, "id", rname="{name}_m")
        found = graph.engine.keep(joined.mutate(id=joined.id.coalesce(joined.id_m)).drop("id_m"))
    return found.filter(found.id.startswith("company:")).select("id", *(column.name for column in COLUMNS))


def beside(graph: Graph) -> ir.Table:
    """Return ``id, other, row``: who commands a party, whom it commands, and who else is commanded with it, by which of its own rows."""

    def made() -> ir.Table:
        rows = _commands(graph)
        up, down = rows.select("row", id="dst", other="src"), rows.select("row", id="src", other="dst")
        along = rows.select("row", "src", id="dst").join(rows.select("src", other="dst"), "src").drop("src")
        every = union([each.select("id", "other", "row") for each in (up, down, along)])
        return graph.engine.keep(every.filter(every.id != every.other))

    return graph.once("gnn.under one command", made)


def _commands(graph: Graph) -> ir.Table:
    """Return ``src, dst, row`` where one party alone commands a company for certain."""
    rows = graph.edges("CONTROLS")
    return graph.engine.keep(rows.filter(rows.certain.fill_null(False), rows.jointly.isnull()).select("src", "dst", row="id"))


COLUMNS = (
    Column("commanders", "parties that command it alone, over others or not", "控制方数", "parties"),
    Column("commands", "companies that it commands", "受其控制企业数", "companies"),
    Column("beside", "parties that command it, that it commands, or that are commanded with it", "同一控制下主体数", "parties"),
    Column("known", "of these, known cases by the day", "同一控制下已确认欺诈主体数", "parties"),
)
FAMILY = Family("control", "控制关系", "who commands the company and who is commanded with it", COLUMNS, make)
