"""Companies that belong together: members of one ownership group or of one cluster of links lie on one side of a split."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from kg.algorithms.interning import Interner
from kg.algorithms.kernel import Ints
from kg.engine import union
from kg.graph import Graph

#: Who holds so much of a company belongs to it; what is less may be anybody.
_HALF = 500_000


def together(graph: Graph, ids: pa.Array) -> Ints:
    """Return a group number for each company; companies share one that a chain of ties leads to one another.

    Ties are holdings of half or more, legal representatives, membership of a group and strong links, as far as the graph holds them.

    Returns
    -------
    int64, shape (n,)
    """
    table = graph.engine.table(_ties(graph))
    if not table.num_rows or not len(ids):
        return np.arange(len(ids))
    every = Interner.of(table["src"], table["dst"])
    ends = [_numbered(ids, every, table[name]) for name in ("src", "dst")]
    size = len(ids) + len(every)
    links = csr_array((np.ones(len(ends[0]), np.int8), (ends[0], ends[1])), shape=(size, size))
    _, group = connected_components(links, directed=False)
    return np.asarray(group[: len(ids)], dtype=np.int64)


def _ties(graph: Graph) -> ir.Table:
    held = graph.edges("HOLDS_SHARES")
    linked = graph.edges("LINKED_TO")
    strong = [
        held.filter(held.share_ppm.fill_null(0) >= _HALF),
        graph.edges("REPRESENTS"),
        graph.edges("MEMBER_OF"),
        linked.filter(linked.level == "strong"),
    ]
    return union([rows.select("src", "dst") for rows in strong]).filter(ibis._.src != ibis._.dst)


def _numbered(ids: pa.Array, every: Interner, ends: pa.ChunkedArray) -> Ints:
    """Return ends by number: the companies first, in their order, then all others."""
    code = Interner(ids).codes(ends)
    return np.where(code >= 0, code, len(ids) + every.codes(ends))
