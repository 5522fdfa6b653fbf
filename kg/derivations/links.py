"""LINKED_TO: the evidence of links beside equity, as it is each night, and who may be behind a company.

Payments count where a customer of the bank has a part in them: the bank looks for those behind its customers, not behind everybody whose
account it sees; a bank that knows no customers is told of no links. Of each pair all evidence is told whose score is more than nothing.
"""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.dates import year_before
from kg.derivation import Derivation, id_of, json_list, nothing
from kg.derivations.control import control_now
from kg.derivations.linked_parties import Evidence, find_hidden_controllers, find_links, rank_links
from kg.graph import Graph
from kg.ownership.register import REBUTTALS, clients, rebutted, register
from kg.ownership.register import REQUIRES as REGISTER

#: The kind of a person who may be behind a company though no register says so.
BEHIND = "hidden_control"
_FROM_SCHEMA = (
    "KIN_OF",
    "GUARANTEES",
    "LOCATED_AT",
    "REACHED_AT",
    "OWNS_ACCOUNT",
    "SIGNED_IN",
    "PAID",
    "INVOICED",
    "BORROWED",
    "PAID_OUT_TO",
)
REQUIRES = tuple(dict.fromkeys((*REGISTER, *_FROM_SCHEMA, "TRANSFERRED_TO", "Person", "records/hubs", REBUTTALS)))


def evidence_of(graph: Graph) -> Evidence:
    """Return the tables of a graph in which links are looked for; whose link a person has rebutted stays in them."""
    table, edges = graph.engine.table, graph.edges
    of = register(graph)
    customers = clients(graph)
    since = year_before(graph.as_of)
    paid = edges("PAID")
    paid = paid.filter((paid.month > ibis.literal(since)) & (paid.currency == "CNY") & (paid.amount_fen >= 0))
    ends = ("src", "dst")
    return Evidence(
        companies=table(graph.nodes("Company").select("id", "name", "uscc", "founded_on", "region")),
        persons=table(graph.nodes("Person").select("id", "name")),
        holdings=of.holdings.select(["holder", "held", "share_ppm"]),
        control=control_now(graph),
        kin=table(edges("KIN_OF").select(*ends, "id")),
        represents=table(edges("REPRESENTS").select(*ends, "id")),
        officers=table(edges("OFFICER_OF").select(*ends, "id")),
        owns_account=table(edges("OWNS_ACCOUNT").select(*ends, "id")),
        signed_in=table(edges("SIGNED_IN").select(*ends).distinct()),
        paid=table(
            ibis.union(*(paid.semi_join(customers, paid[end] == customers.id) for end in ends), distinct=True).select(
                "id", *ends, "month", "amount_fen"
            )
        ),
        invoiced=table(_invoiced(graph, since)),
        guarantees=table(edges("GUARANTEES").select(*ends, "id")),
        located_at=table(edges("LOCATED_AT").select(*ends, "id")),
        reached_at=table(edges("REACHED_AT").select(*ends, "id")),
        hubs=_hubs(graph),
        **_lent(graph),
    )


def _invoiced(graph: Graph, since: date) -> ir.Table:
    rows = graph.edges("INVOICED")
    return rows.filter((rows.month > ibis.literal(since)) & rows.net_fen.notnull()).select("id", "src", "dst", "month", "net_fen")


def _lent(graph: Graph) -> dict[str, pa.Table]:
    """Return the loans of a year and the transfers by which their money may have gone on; none where nothing was paid out."""
    since = ibis.literal(year_before(graph.as_of))
    out = graph.edges("PAID_OUT_TO")
    out = out.filter(out["at"].notnull() & out.amount_fen.notnull() & (out.amount_fen >= 0) & (out["at"].date() >= since))
    paid_out = graph.engine.table(out.select("id", "src", "dst", "amount_fen", "at"))
    if not paid_out.num_rows:
        return {}
    moved = graph.edges("TRANSFERRED_TO")
    first = ibis.literal(pc.min(paid_out["at"]).as_py())
    sound = moved["at"].notnull() & moved.amount_fen.notnull() & (moved.amount_fen >= 0) & (moved["at"] >= first)
    return {
        "borrowed": graph.engine.table(graph.edges("BORROWED").select("src", "dst", "id")),
        "paid_out": paid_out,
        "transfers": graph.engine.table(moved.filter(sound).select("id", "src", "dst", "amount_fen", "at")),
    }


def _hubs(graph: Graph) -> pa.Table:
    rows = graph.records("hubs", "party")
    if rows is None:
        return pa.table({name: pa.array([], pa.string()) for name in ("id", "reason")})
    return graph.engine.table(rows.group_by(id="party").aggregate(reason=rows.reason.min()))


def links_now(graph: Graph) -> pa.Table:
    """Return all evidence of links in a graph as it is now.

    Returns
    -------
    Table
        ``a, b, kind, strength, score, level, disclosed, evidence`` (a list): see `kg.derivations.linked_parties.find_links` and
        `rank_links`. Who may be behind a company is the kind ``hidden_control`` from person (``a``) to company, ``strong`` where the score
        is worth an officer's time. Pairs whose link a person has rebutted are left out.
    """
    graph_rows = evidence_of(graph)
    links = find_links(graph_rows)
    ranked = rank_links(links).select(["a", "b", "score", "level", "disclosed"])
    # Arrow joins no lists, so the evidence is taken by its place
    placed = links.drop_columns(["evidence"]).append_column("place", pa.array(np.arange(links.num_rows)))
    told = placed.join(ranked, ["a", "b"], join_type="inner")
    told = told.append_column("evidence", links["evidence"].take(told["place"]))
    behind = find_hidden_controllers(graph_rows, links)
    level = pc.if_else(behind["alarm"], "strong", "weak")
    candidates = pa.table(
        {
            "a": behind["person"],
            "b": behind["company"],
            "kind": pa.repeat(pa.scalar(BEHIND), behind.num_rows),
            "strength": behind["score"],
            "score": behind["score"],
            "level": level,
            "disclosed": pa.repeat(pa.scalar(False), behind.num_rows),
            "evidence": behind["evidence"],
        }
    )
    columns = candidates.column_names
    every = pa.concat_tables([told.select(columns).cast(candidates.schema), candidates])
    return _unless(every, rebutted(graph)).sort_by([(name, "ascending") for name in ("a", "b", "kind")])


def _unless(links: pa.Table, rebuttals: pa.Table) -> pa.Table:
    """Leave out the pairs that are rebutted, whichever way round."""
    low, high = pc.min_element_wise(links["a"], links["b"]), pc.max_element_wise(links["a"], links["b"])
    pairs = pc.binary_join_element_wise(low, high, "|")
    return links.filter(
        pc.invert(pc.is_in(pairs, value_set=pc.binary_join_element_wise(rebuttals["a"], rebuttals["b"], "|").combine_chunks()))
    )


def _run(graph: Graph) -> ir.Table:
    if not graph.engine.count(clients(graph)):
        return nothing(graph, DERIVATION.produces)
    found = graph.engine.arrow(links_now(graph))
    return found.select(
        id=id_of(found.a, found.b, found.kind),
        src="a",
        dst="b",
        kind="kind",
        strength="strength",
        score="score",
        level="level",
        disclosed="disclosed",
        evidence=json_list(found.evidence),
    )


DERIVATION = Derivation("links", REQUIRES, "LINKED_TO", _run, by_month=True)
