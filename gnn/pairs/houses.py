"""Houses: all that the register gives to one person, or to one company on top."""

from __future__ import annotations

import ibis.expr.types as ir

from kg.engine import union
from kg.graph import Graph

#: Who controls more companies than this is a body or a mistake.
MOST = 60


def control(graph: Graph) -> ir.Table:
    """Return who certainly controls a company alone: ``src, dst``, without those who control very many."""

    def made() -> ir.Table:
        rows = graph.edges("CONTROLS")
        rows = graph.engine.keep(rows.filter(rows.certain.fill_null(True), rows.jointly.isnull()).select("src", "dst"))
        few = rows.group_by("src").aggregate(count=rows.count())
        return graph.engine.keep(rows.semi_join(few.filter(few["count"] <= MOST), "src"))

    return graph.once("gnn.pairs.control", made)


def houses(graph: Graph) -> ir.Table:
    """Return ``party, house``: the person, else the company, who controls each company; who is controlled by nobody is a house of its own.

    Parties without a tie of control are left out, but for companies that stand alone.
    """

    def made() -> ir.Table:
        rows = control(graph)
        by_person = rows.src.startswith("person:")
        head = rows.group_by(party="dst").aggregate(person=rows.src.min(where=by_person), company=rows.src.min(where=~by_person))
        ruled = graph.engine.keep(head.select("party", house=head.person.fill_null(head.company)))
        heads = ruled.select(party="house", house="house").distinct()
        known = graph.engine.keep(union([ruled, heads.anti_join(ruled, "party")]))
        alone = graph.nodes("Company").select(party="id", house="id").anti_join(known, "party")
        return graph.engine.keep(union([known, alone]).distinct())

    return graph.once("gnn.pairs.houses", made)
