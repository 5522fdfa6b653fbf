"""Holdings, offices, contacts, devices, court cases and hits of rules behind what a company is tied to; its entry in the register."""

from __future__ import annotations

from collections.abc import Callable

import ibis
import ibis.expr.types as ir

from gnn.behind.behind import Behind, stacked
from gnn.company.reading import YEAR, begin, sole_owners
from kg.graph import Graph


def _entry(graph: Graph, companies: ir.Table) -> ir.Table:
    """Return the entry in the register; without it nothing is known of the company but that it is there."""
    rows = graph.nodes("Company").semi_join(companies, "id")
    return rows.select("id", row="id", weight=ibis.literal(1), every=ibis.literal(True))


_REGISTERED = ("age_days", "capital_fen", "region", "section", "division", "listed")
ENTRY = Behind("registration", _entry, high=dict.fromkeys(_REGISTERED, "every"), low=dict.fromkeys(_REGISTERED, "every"))


def _held(graph: Graph, companies: ir.Table) -> ir.Table:
    rows = graph.edges("HOLDS_SHARES").select("src", "dst", "share_ppm", row="id")
    busy = graph.engine.keep(rows.group_by("src").aggregate(holds=rows.dst.nunique()))
    above = rows.semi_join(companies, [("dst", "id")]).join(busy, "src")
    below = rows.semi_join(companies, [("src", "id")])
    return stacked(
        above.select("row", id="dst", weight=above.holds * 10_000_000 + above.share_ppm.fill_null(0), holder=ibis.literal(True)),
        below.select("row", id="src", weight="share_ppm", holding=ibis.literal(True)),
    )


_OF_HOLDERS = ("holders", "companies_holding", "largest_ppm", "known_ppm", "unknown", "busiest", "holders_above")
HELD = Behind(
    "ownership",
    _held,
    high={**dict.fromkeys(_OF_HOLDERS, "holder"), "holds": "holding", "holds_most": "holding"},
    low={"newest_days": "holder", "largest_ppm": "holder", "busiest": "holder"},
)


def _managed(graph: Graph, companies: ir.Table) -> ir.Table:
    every = [graph.edges(name).select("src", "dst", row="id") for name in ("REPRESENTS", "OFFICER_OF")]
    whole = graph.engine.keep(ibis.union(*every))
    busy = graph.engine.keep(whole.group_by("src").aggregate(weight=whole.dst.nunique()))
    return whole.semi_join(companies, [("dst", "id")]).join(busy, "src").select("row", "weight", id="dst", every=ibis.literal(True))


_OFFICES = ("officers", "offices_of_signer", "offices_most", "owning")
MANAGED = Behind("officers", _managed, high=dict.fromkeys(_OFFICES, "every"), low={"newest_days": "every"})


def _reached(graph: Graph, companies: ir.Table) -> ir.Table:
    signed = graph.edges("SIGNED_IN")
    signed = signed.filter(signed["at"] >= begin(graph, YEAR)).select("src", "dst", "id").join(sole_owners(graph), [("dst", "account")])
    parts = [_near(signed.select(party="owner", thing="src", row="id"), "device", companies)]
    for type_, name in (("LOCATED_AT", "address"), ("REACHED_AT", "contact")):
        parts.append(_near(graph.edges(type_).select(party="src", thing="dst", row="id"), name, companies))
    return stacked(*(graph.engine.keep(part) for part in parts))


def _near(rows: ir.Table, name: str, companies: ir.Table) -> ir.Table:
    """Return the rows to a thing, those first that most others share."""
    size = rows.group_by("thing").aggregate(weight=rows.party.nunique())
    return (
        rows.semi_join(companies, [("party", "id")]).join(size, "thing").select("row", "weight", id="party", **{name: ibis.literal(True)})
    )


REACHED = Behind(
    "contacts", _reached, high={f"{name}_{what}": name for name in ("address", "contact", "device") for what in ("count", "shared")}
)


def _sued(graph: Graph, companies: ir.Table) -> ir.Table:
    filed = graph.nodes("CourtCase").select(dst="id", amount_fen="amount_fen")
    rows = graph.edges("PARTY_TO").select("src", "dst", row="id").semi_join(companies, [("src", "id")]).join(filed, "dst")
    return rows.select("row", id="src", weight="amount_fen", every=ibis.literal(True))


SUED = Behind("court", _sued, high=dict.fromkeys(("cases", "cases_year", "against", "against_fen"), "every"), low={"last_days": "every"})


def hit_rows(hits: Callable[[Graph], ir.Table], rules: tuple[str, ...], refer: tuple[str, ...]) -> Behind:
    """Return the rows that hits of rules rest on.

    Parameters
    ----------
    hits
        A graph in, hits (`kg.rule.HITS`) out.
    rules, refer
        The rules that are columns, and those of them that refer to a person.
    """

    def make(graph: Graph, companies: ir.Table) -> ir.Table:
        found = hits(graph).semi_join(companies, [("entity_id", "id")]).select("entity_id", "rule", row=ibis._.evidence.unnest())
        named = {"refers": found.rule.isin(list(refer)), **{f"by_{rule}": found.rule == rule for rule in rules}}
        told = found.select("row", id="entity_id", weight=ibis.literal(1), every=ibis.literal(True), **named)
        return told.group_by("id", "row").aggregate(weight=told.count(), **{name: told[name].max() for name in ("every", *named)})

    # of whom hardly anybody has, to have one at all is much, however long ago it was
    aged = {"newest_days": "every", "referred_days": "refers"}
    high = {"hits": "every", "rules": "every", "referred": "refers", **aged} | {rule: f"by_{rule}" for rule in rules}
    return Behind("schemes", make, high=high, low=aged)
