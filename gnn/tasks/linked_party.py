"""Two parties of which the register says nothing are under one control."""

from __future__ import annotations

import ibis.expr.types as ir

from gnn.pairs.units import PAIRS
from gnn.task import Task
from kg.graph import Graph


def events(graph: Graph) -> ir.Table | None:
    """Return no days: what ties a pair is asked of the register, of companies of which it is withheld."""
    return graph.edges("REPRESENTS").limit(0).select("id", known_on="valid_from")


TASK = Task(
    "linked_party",
    "two parties that the register does not tie are under one control",
    "登记外的两个主体受同一控制",
    horizon=60,
    step=720,
    capacity=50,
    events=events,
    units=PAIRS,
)
