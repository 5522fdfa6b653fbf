"""What the neighbours of companies come to: means of their own features over each relation. No label is among them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from gnn.company.reading import invoices, partners
from gnn.encode import Floats, Relation, adjacency
from gnn.propagate import gather
from kg.algorithms.interning import Interner
from kg.engine import union
from kg.graph import Graph


@dataclass(frozen=True)
class Near:
    """A relation over which companies have neighbours.

    Attributes
    ----------
    pairs
        A graph in, ``src, dst`` out.
    hops
        2 where companies meet over something else, such as a person.
    """

    name: str
    zh: str
    about: str
    pairs: Callable[[Graph], ir.Table]
    hops: int = 1


def _paid(graph: Graph) -> ir.Table:
    rows = partners(graph)
    return rows.select(src="id", dst="other")


def _invoiced(graph: Graph) -> ir.Table:
    rows = invoices(graph)
    found = graph.edges("HOLDS_SHARES").limit(0) if rows is None else rows.filter(~rows.void).select(src="id", dst="other")
    return found.select("src", "dst").distinct()


def _guaranteed(graph: Graph) -> ir.Table:
    borrowed = graph.edges("BORROWED").select(borrower="src", dst="dst")
    rows = graph.edges("GUARANTEES").select("src", "dst").left_join(borrowed, "dst", rname="{name}_b")
    return rows.select(src="src", dst=rows.borrower.fill_null(rows.dst))


def _people(graph: Graph) -> ir.Table:
    return union([graph.edges(name).select("src", "dst") for name in ("HOLDS_SHARES", "REPRESENTS", "OFFICER_OF")])


NEAR = (
    Near("paid", "资金往来对手", "partners in payments", _paid),
    Near("invoiced", "发票往来对手", "partners in invoices", _invoiced),
    Near("guarantees", "担保关联方", "guarantors and those guaranteed", _guaranteed),
    Near("shares", "直接持股关联方", "direct holders and holdings", lambda graph: graph.edges("HOLDS_SHARES").select("src", "dst")),
    Near("people", "同一股东或高管的企业", "companies with a holder or officer in common", _people, hops=2),
)


def around(graph: Graph, ids: Interner, values: Floats) -> Floats:
    """Return how many neighbours each company has by each relation, and the means of some columns over them.

    Parameters
    ----------
    values : float64, shape (n, n_columns)
        Of the companies ``ids``, in their order.

    Returns
    -------
    float64, shape (n, len(NEAR) * (1 + n_columns))
        Rounded to 24 bits, so that the order of additions is not seen.
    """
    blocks = []
    for near in NEAR:
        pairs = graph.engine.table(near.pairs(graph).select("src", "dst"))
        relation, n_nodes = _relation(near.name, pairs, ids)
        del pairs  # some millions of ids
        found = gather(adjacency((relation,), n_nodes), values, near.hops)
        blocks.append(np.column_stack([found.walks, found.mean]))
    return np.column_stack(blocks).astype(np.float32).astype(np.float64)


def _relation(name: str, pairs: pa.Table, ids: Interner) -> tuple[Relation, int]:
    """Return pairs by number, companies first, in their order, then all others, and how many numbers there are."""
    every, ends = Interner.encode(pairs["src"], pairs["dst"])
    code = ids.codes(every.values) if len(ids) else np.full(len(every), -1)
    number = np.append(np.where(code >= 0, code, len(ids) + np.arange(len(every))), -1)
    source, target = (number[end] for end in ends)
    return Relation(name, source, target, np.ones(len(source))), len(ids) + len(every)
