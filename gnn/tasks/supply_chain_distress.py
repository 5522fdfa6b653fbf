"""A company is sued for what it owes: of its bank, or of those that it trades with.

In a chain of small companies that is how trouble goes on: who is not paid by a failed buyer pays neither its own suppliers nor its bank.
"""

from __future__ import annotations

import ibis.expr.types as ir

from gnn.companies import COMPANIES
from gnn.company.court import filed_against
from gnn.task import Task
from kg.graph import Graph


def events(graph: Graph) -> ir.Table | None:
    """Return the first day on which a case was filed against each company."""
    if not graph.knows("PARTY_TO"):
        return None
    rows = filed_against(graph)
    return rows.group_by("id").aggregate(known_on=rows.filed_on.min())


TASK = Task(
    "supply_chain_distress",
    "a company is sued for what it owes",
    "企业因欠款被诉",
    horizon=180,
    step=60,
    capacity=50,
    events=events,
    units=COMPANIES,
)
