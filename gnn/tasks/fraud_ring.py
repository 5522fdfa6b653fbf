"""A candidate ring of money is guilty: half of its companies or more are confirmed cases."""

from __future__ import annotations

from gnn.rings.units import RINGS
from gnn.task import Task
from gnn.tasks.company_fraud import events

TASK = Task(
    "fraud_ring",
    "the companies of a ring of money become confirmed cases of fraud",
    "资金环成员被确认欺诈",
    horizon=240,
    step=240,
    capacity=20,
    events=events,
    units=RINGS,
)
