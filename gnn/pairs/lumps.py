"""Lump sums: what one company pays another, or a person, a few times in a year and for a good part of all that it pays."""

from __future__ import annotations

import ibis.expr.types as ir

from gnn.company.reading import part, partners
from gnn.snapshot import companies
from kg.engine import union
from kg.graph import Graph

KIND = "lump_sums"
#: The most payments, the least sum in fen, and of how many parts of all that the payer pays within the year it is one at least.
_MOST, _LEAST_FEN, _PARTS = 6, 1_000_000, 20
_PPM = 1_000_000


def lumps(graph: Graph) -> ir.Table:
    """Return who pays whom lump sums: ``a, b`` and ``strength``, the part of all its payments in ppm.

    Payees are customers of the bank, as payers are, or persons; whoever is neither is an institution that anybody pays.
    """

    def made() -> ir.Table:
        dealt, clients = partners(graph), graph.engine.keep(companies(graph))
        sums = graph.engine.keep(dealt.group_by("id").aggregate(all_fen=dealt.paid_fen.sum()))
        rows = dealt.filter(dealt.paid > 0, dealt.paid <= _MOST, dealt.paid_fen >= _LEAST_FEN).inner_join(sums, "id")
        rows = rows.mutate(part=part(rows.paid_fen, rows.all_fen)).filter(rows.paid_fen * _PARTS >= rows.all_fen).semi_join(clients, "id")
        rows = graph.engine.keep(rows.select("id", "other", "part"))
        known = union([clients.select(other="id"), rows.select("other").filter(rows.other.startswith("person:"))]).distinct()
        rows = rows.semi_join(graph.engine.keep(known), "other")
        return graph.engine.keep(rows.select(a="id", b="other", strength=(rows.part * _PPM).cast("int64")))

    return graph.once("gnn.pairs.lumps", made)
