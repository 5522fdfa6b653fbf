"""Which borrowers of the bank are hurt if a company stops, and by how much: contagion over SUPPLIES, beside what they owe."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.derivations.contagion import esri, hurt
from kg.derivations.essential import divisions, essential_inputs
from kg.errors import KgfraudError
from kg.graph import Graph


@dataclass(frozen=True)
class Shock:
    """What follows from a company's stop.

    Attributes
    ----------
    index
        The part of all trade that is lost.
    hurt
        How many companies lose anything.
    borrowers
        ``company, h_ppm, downstream_ppm, upstream_ppm, by, path, exposure_fen``: those that owe the bank something, as
        `kg.derivations.contagion.hurt` tells of them, what remains in whole ppm.
    """

    index: float
    hurt: int
    borrowers: pa.Table


def shock_now(graph: Graph, company: str, remaining: float = 0.0, stated: pa.Table | None = None) -> Shock:
    """Let a company fall to a part of itself, and return what that does to the bank's borrowers.

    Parameters
    ----------
    company
        Its id.
    remaining
        What remains of it, from 0 to 1.
    stated
        What is essential, see `kg.derivations.essential.essential_inputs`; by default the rule there.

    Raises
    ------
    KgfraudError
        If nothing tells who supplies whom.
    UsageError
        If ``remaining`` is no fraction.
    """
    table = graph.engine.table
    supplies = table(graph.edges("SUPPLIES").select(supplier="src", buyer="dst", weight="amount_fen"))
    if not supplies.num_rows:
        raise KgfraudError("nothing tells who supplies whom (sources invoices, contracts or transfers); see kgfraud ref sources")
    names = pc.unique(pa.chunked_array([*supplies["supplier"].chunks, *supplies["buyer"].chunks, pa.array([company])]))
    industries = _industries(graph, names)
    needs = essential_inputs(industries["industry"].unique().to_pylist(), stated)
    stop = pa.table({"shock": [0], "company": [company], "remaining": [remaining]})
    found = hurt(supplies, industries, needs, stop)
    index = esri(supplies, industries, needs, shocks=stop)["esri"][0].as_py()
    return Shock(index, found.num_rows, _borrowers(graph, found))


def _industries(graph: Graph, names: pa.Array) -> pa.Table:
    """Return companies with the divisions of their industries."""
    asked = graph.engine.arrow(pa.table({"company": names}))
    nodes = graph.nodes("Company").select("id", "industry")
    rows = graph.engine.table(asked.left_join(nodes, asked.company == nodes.id).select("company", "industry"))
    return pa.table({"company": rows["company"], "industry": divisions(rows["industry"])})


def _borrowers(graph: Graph, found: pa.Table) -> pa.Table:
    """Return those of the companies that are hurt that owe the bank something, the most hurt first."""
    owing = graph.engine.table(owed(graph).filter(ibis._.exposure_fen > 0))
    place = pc.index_in(found["company"], value_set=owing["party"].combine_chunks())
    rows = found.filter(pc.is_valid(place))
    parts = {f"{name}_ppm": np.rint(rows[name].to_numpy() * 1_000_000).astype(np.int64) for name in ("remaining", "downstream", "upstream")}
    return pa.table(
        {
            "company": rows["company"],
            "h_ppm": parts.pop("remaining_ppm"),
            **parts,
            "by": rows["by"],
            "path": rows["path"],
            # a sum is wider than what it sums up
            "exposure_fen": owing["exposure_fen"].take(place.drop_null()).cast(pa.int64()),
        }
    )


def owed(graph: Graph) -> ir.Table:
    """Return what parties owe the bank: ``party, exposure_fen``.

    By the source of exposures where there is one, else by the balance of each party's loans, or what was lent where no balance is stated.
    """
    exposures = graph.records("exposures", "party")
    if exposures is not None:
        rows = exposures.select("party", fen="amount_fen")
    else:
        loans, borrowed = graph.nodes("Loan"), graph.edges("BORROWED").select(party="src", loan="dst").distinct()
        joined = borrowed.inner_join(loans, borrowed.loan == loans.id)
        rows = joined.select("party", fen=ibis.coalesce(joined.balance_fen, joined.amount_fen))
    return rows.group_by("party").aggregate(exposure_fen=rows.fen.sum().fill_null(0).cast("int64"))
