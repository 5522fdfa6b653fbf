"""Candidate rings: whom `fraud_ring` is asked about.

Hides who finds them: that is handed in, as models know no derivation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import ibis.expr.types as ir
import pyarrow as pa

from kg.errors import GateError
from kg.graph import Graph


class Found(NamedTuple):
    """Candidate rings of a graph.

    Attributes
    ----------
    members
        ``ring_id, member, support, first_at, last_at, amount_fen, told``: a row for each member; ``told``: a ring of the night has it.
    transfers
        ``ring_id, transfer_id, payer, payee, at, amount_fen``: the payments that go round, each once for each ring.
    """

    members: pa.Table
    transfers: pa.Table


Find: TypeAlias = Callable[[Graph], Found]


def members(graph: Graph, find: Find) -> ir.Table:
    """Return the members of the rings, see `Found`."""
    return graph.once("gnn.rings.members", lambda: graph.engine.keep(graph.engine.arrow(_found(graph, find).members)))


def looked_at(graph: Graph) -> ir.Table:
    """Return the members of the rings that a family was made of.

    Raises
    ------
    GateError
        If none was.
    """

    def nobody() -> ir.Table:
        raise GateError("no family of features has looked for rings; give families of rings to a task whose units are rings")

    return graph.once("gnn.rings.members", nobody)


def transfers(graph: Graph, find: Find) -> ir.Table:
    """Return the payments that go round, see `Found`."""
    return graph.once("gnn.rings.transfers", lambda: graph.engine.keep(graph.engine.arrow(_found(graph, find).transfers)))


def _found(graph: Graph, find: Find) -> Found:
    return graph.once("gnn.rings.found", lambda: find(graph))
