"""Addresses, phones and devices, and who else uses them."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from gnn.company.reading import YEAR, begin, sole_owners
from gnn.family import Column, Family
from kg.graph import Graph

#: What more parties than this share is an office tower or an agent's phone, and tells nothing.
_HUB = 50


def make(graph: Graph) -> ir.Table:
    """Return how many addresses, phones and devices a company has and with how many parties it shares them."""
    signed = graph.edges("SIGNED_IN")
    signed = signed.filter(signed["at"] >= begin(graph, YEAR)).select(device="src", account="dst")
    used = signed.join(sole_owners(graph), "account").select(party="owner", thing="device")
    found = graph.engine.keep(_shared(graph, graph.edges("LOCATED_AT").select(party="src", thing="dst"), "address"))
    for name, rows in (("contact", graph.edges("REACHED_AT").select(party="src", thing="dst")), ("device", used)):
        joined = found.outer_join(graph.engine.keep(_shared(graph, rows, name)), "id", rname="{name}_r")
        found = graph.engine.keep(joined.mutate(id=joined.id.coalesce(joined.id_r)).drop("id_r"))
    return found.select("id", *(column.name for column in COLUMNS))


def _shared(graph: Graph, rows: ir.Table, name: str) -> ir.Table:
    rows = graph.engine.keep(rows.distinct())
    size = graph.engine.keep(rows.group_by("thing").aggregate(size=rows.count()))
    sized = rows.join(size, "thing")
    sized = sized.filter(sized.party.startswith("company:"))
    near = ibis.ifelse(sized["size"] <= _HUB, sized["size"] - 1, 0)
    return sized.group_by(id=sized.party).aggregate(**{f"{name}_count": sized.count(), f"{name}_shared": near.max()})


COLUMNS = (
    Column("address_count", "addresses", "地址数", "addresses"),
    Column("address_shared", "other parties at its most shared address", "同地址的其他主体数", "parties", told=True),
    Column("contact_count", "phones and e-mail addresses", "联系方式数", "contacts"),
    Column("contact_shared", "other parties with its most shared phone or e-mail", "同联系方式的其他主体数", "parties", told=True),
    Column("device_count", "devices that signed in to its accounts within a year", "近一年登录设备数", "devices"),
    Column("device_shared", "other parties with its most shared device", "同设备的其他主体数", "parties", told=True),
)
FAMILY = Family("contacts", "联系方式与设备", "addresses, phones and devices shared", COLUMNS, make)
