"""Memberships of rings, evidence of links and control behind what the day derives of a company."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from gnn.behind.behind import Behind, stacked
from gnn.company.control import beside
from gnn.company.known import cases
from gnn.company.links import tied
from kg.graph import Graph


def _circling(graph: Graph, companies: ir.Table) -> ir.Table:
    """Return a company's own memberships, and those of known cases in its rings."""
    rows = graph.engine.keep(graph.edges("IN_RING").select("src", "dst", row="id"))
    mine = graph.engine.keep(rows.semi_join(companies, [("src", "id")]))
    guilty = rows.semi_join(cases(graph), [("src", "other")])
    near = mine.select("dst", id="src").join(guilty, "dst").filter(ibis._.id != ibis._.src)
    return stacked(
        mine.select("row", id="src", weight=ibis.literal(1), mine=ibis.literal(True)),
        near.select("id", "row", weight=ibis.literal(1), case=ibis.literal(True)).distinct(),
    )


def _commanded(graph: Graph, companies: ir.Table) -> ir.Table:
    rows = graph.engine.keep(beside(graph).semi_join(companies, "id"))
    owns = graph.edges("CONTROLS").select("src", "dst", row="id")
    above, below = (rows.join(owns.select("row", id=end), ["id", "row"]) for end in ("dst", "src"))
    return stacked(
        rows.select("id", "row", weight=ibis.literal(1), every=ibis.literal(True)).distinct(),
        above.select("id", "row", weight=ibis.literal(1), above=ibis.literal(True)).distinct(),
        below.select("id", "row", weight=ibis.literal(1), below=ibis.literal(True)).distinct(),
        rows.semi_join(cases(graph), "other").select("id", "row", weight=ibis.literal(1), case=ibis.literal(True)).distinct(),
    )


def _linked(graph: Graph, companies: ir.Table) -> ir.Table:
    rows = graph.engine.keep(tied(graph).semi_join(companies, "id"))
    guilty = rows.semi_join(cases(graph), "other")
    secret, behind = ~rows.disclosed & ~rows.behind, rows.behind & ~rows.onward
    return stacked(
        rows.filter(secret).select("id", "row", weight="score", secret=ibis.literal(True)),
        rows.filter(behind).select("id", "row", weight="score", person=ibis.literal(True)),
        guilty.select("id", "row", weight="score", case=ibis.literal(True)),
    )


CIRCLING = Behind(
    "rings",
    _circling,
    high={**dict.fromkeys(("rings", "largest", "support", "received_fen", "last_days"), "mine"), "known": "case"},
    low={"last_days": "mine"},
)
LINKED = Behind(
    "links",
    _linked,
    high={
        **dict.fromkeys(("undisclosed", "strong", "strongest"), "secret"),
        "behind": "person",
        **dict.fromkeys(("known", "known_ppm"), "case"),
    },
)
COMMANDED = Behind("control", _commanded, high={"commanders": "above", "commands": "below", "beside": "every", "known": "case"})
