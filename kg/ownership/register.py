"""The register of companies as derivations of ownership read it: holdings, parties, offices and what makes several parties one.

Knows which relationships and records say so; hides that shares may be stated as money and a body of the State by its name alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.engine import Engine
from kg.graph import Graph
from kg.ownership.nominees import sound
from kg.ownership.registers import told_once

#: What an owner of companies is called that acts for the State, where no source says what it is.
STATE_NAMES = ("国有资产监督管理", "国资委", "财政部", "财政厅", "财政局", "人民政府")
#: What `register` reads.
REQUIRES = ("HOLDS_SHARES", "OFFICER_OF", "REPRESENTS", "KIN_OF", "Company", "records/concert", "records/nominations")
#: What `rebutted` reads.
REBUTTALS = "records/rebuttals"


@dataclass(frozen=True)
class Register:
    """What holds on the day of a graph, in Arrow tables with the columns that `kg.derivations` ask for.

    Parameters
    ----------
    holdings
        ``id, holder, held, share_ppm, votes_ppm``; a share that is stated as money alone is counted of all that was subscribed.
    parties
        ``party, kind, listed``: companies that are no ordinary, unlisted ones.
    officers
        ``person, company, position``.
    kin, concert, nominations
        ``a, b, kinship``; ``a, b``; ``nominator, nominee, held``, without those of which it is not known who is behind.
    """

    holdings: pa.Table
    parties: pa.Table
    officers: pa.Table
    kin: pa.Table
    concert: pa.Table
    nominations: pa.Table


def register(graph: Graph, companies: pa.Array | None = None) -> Register:
    """Read the register of a graph, or of some companies in it.

    Parameters
    ----------
    companies
        Ids of the companies whose holdings and offices are read; by default all.
    """
    return graph.once("register", lambda: _register(graph, None)) if companies is None else _register(graph, companies)


def _register(graph: Graph, companies: pa.Array | None) -> Register:
    table = graph.engine.table
    kin = graph.edges("KIN_OF")

    def of(rows: ir.Table, column: str) -> ir.Table:
        return rows if companies is None else rows.semi_join(graph.engine.arrow(pa.table({column: companies})), column)

    return Register(
        stated_holdings(graph.engine, of(graph.edges("HOLDS_SHARES"), "dst")),
        table(_parties(graph.nodes("Company"))),
        table(of(_officers(graph), "company")),
        table(kin.select(a="src", b="dst", kinship="kinship")),
        _records(graph, "concert", {"a": "a", "b": "b"}),
        sound(_records(graph, "nominations", {"nominator": "nominator", "nominee": "nominee", "held": "company"})),
    )


def stated_holdings(engine: Engine, rows: ir.Table) -> pa.Table:
    """Return holdings, each as one source tells it, with their shares in ppm, those stated as money too where all of that source are.

    Parameters
    ----------
    rows
        ``HOLDS_SHARES``: of each company all rows, or none.

    Returns
    -------
    pa.Table
        ``id, holder, held, share_ppm, votes_ppm``, in the order of the ids.
    """
    rows = rows.mutate(source=rows.source.fill_null(""))
    sums = rows.group_by(["dst", "source"]).aggregate(
        _all=rows.subscribed_fen.sum(), _stated=(rows.subscribed_fen.count() == rows.count()).fill_null(False)
    )
    joined = told_once(engine, rows).inner_join(sums, ["dst", "source"]).order_by("id")
    stated = joined.share_ppm.isnull() & joined._stated & (joined._all > 0)
    part, whole = (ibis.ifelse(stated, column, ibis.null("int64")) for column in (joined.subscribed_fen, joined._all))
    table = engine.table(
        joined.select(id="id", holder="src", held="dst", share_ppm="share_ppm", votes_ppm="votes_ppm", part=part, whole=whole)
    )
    share = pc.coalesce(table["share_ppm"], _ppm(table["part"], table["whole"]))
    return table.drop_columns(["part", "whole"]).set_column(3, "share_ppm", share)


def _ppm(part: pa.ChunkedArray, whole: pa.ChunkedArray) -> pa.Array:
    """Return the whole ppm that a part is of a whole, in two steps of a thousand, as no product of them would fit."""
    unknown = pc.is_null(part).to_numpy()
    a, b = (pc.fill_null(column.cast(pa.int64()), 1).to_numpy() for column in (part, whole))
    thousandths, rest = np.divmod(a * 1_000, b)
    return pa.array(thousandths * 1_000 + rest * 1_000 // b, mask=unknown)


def _parties(companies: ir.Table) -> ir.Table:
    named = companies.name.fill_null("")
    state = ibis.or_(*(named.contains(word) for word in STATE_NAMES))
    kind = ibis.coalesce(companies.kind, ibis.ifelse(state, "state", "company"))
    listed = companies.listed.fill_null(False)
    return companies.select(party="id", kind=kind, listed=listed).filter((ibis._.kind != "company") | ibis._.listed)


def _officers(graph: Graph) -> ir.Table:
    offices = graph.edges("OFFICER_OF").select(person="src", company="dst", position="position")
    leads = graph.edges("REPRESENTS").select(person="src", company="dst", position=ibis.literal("legal_representative"))
    return ibis.union(offices, leads).distinct()


def _records(graph: Graph, kind: str, columns: dict[str, str]) -> pa.Table:
    rows = graph.records(kind, *columns.values())
    if rows is None:
        return pa.table({name: pa.array([], pa.string()) for name in columns})
    return graph.engine.table(rows.select(**columns).distinct())


def clients(graph: Graph) -> ir.Table:
    """Return whom the bank knows as customers, and who borrows or guarantees: ``id``, each once."""

    def kept() -> ir.Table:
        nodes = [graph.nodes(label).filter(ibis._.customer_ref.notnull()).select("id") for label in ("Company", "Person")]
        doers = [graph.edges(type_).select(id="src") for type_ in ("BORROWED", "GUARANTEES")]
        return graph.engine.keep(ibis.union(*nodes, *doers, distinct=True))

    return graph.once("clients", kept)


def rebutted(graph: Graph) -> pa.Table:
    """Return the pairs of parties whose links a person has rebutted, as the latest event of each pair has it: ``a, b``."""
    rows = graph.records("rebuttals", "a", "b")
    if rows is None:
        return pa.table({name: pa.array([], pa.string()) for name in ("a", "b")})
    pairs = rows.mutate(a=ibis.least(rows.a, rows.b), b=ibis.greatest(rows.a, rows.b))
    latest = pairs.group_by("a", "b").aggregate(
        action=pairs.action.argmax(pairs.decided_at), until_on=pairs.until_on.fill_null(ibis.date(9999, 12, 31)).argmax(pairs.decided_at)
    )
    standing = latest.filter((latest.action == "rebut") & (latest.until_on > ibis.literal(graph.as_of)))
    return graph.engine.table(standing.select("a", "b"))
