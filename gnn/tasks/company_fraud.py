"""A company becomes a confirmed case of fraud."""

from __future__ import annotations

import ibis.expr.types as ir

from gnn.companies import COMPANIES
from gnn.task import Task
from kg.graph import Graph


def events(graph: Graph) -> ir.Table | None:
    """Return the first day on which the bank knew of each company's fraud, and the day of that deed where the case tells it."""
    cases = graph.records("cases", "entity")
    if cases is None:
        return None
    of_companies = cases.filter(cases.entity.startswith("company:"), cases.known_on.notnull())
    return of_companies.group_by(id=of_companies.entity).aggregate(
        known_on=of_companies.known_on.min(), happened_on=of_companies.happened_on.argmin(of_companies.known_on)
    )


TASK = Task(
    "company_fraud",
    "a company becomes a confirmed case of fraud",
    "企业被确认欺诈",
    horizon=180,
    step=60,
    capacity=50,
    events=events,
    units=COMPANIES,
    first=("schemes",),
)
