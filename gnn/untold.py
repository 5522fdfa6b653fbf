"""Cases from which nothing can be learnt on a day: of deeds that were done later, or before the first day of which the lake tells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from gnn.metrics import Labels
from gnn.snapshot import Snapshot
from gnn.task import Task
from kg.graph import Graph


@dataclass(frozen=True)
class Untold:
    """The days of deeds, and the first day of which the lake tells.

    Attributes
    ----------
    deeds
        By company; a case without one teaches on any day.
    """

    deeds: dict[str, date]
    first: date

    @classmethod
    def of(cls, graph: Graph, task: Task, first: date) -> Untold:
        """Read the days of deeds from what befell companies; there are none where the task does not tell them."""
        rows = task.events(graph)
        if rows is None or "happened_on" not in rows.columns:
            return cls({}, first)
        found = graph.engine.table(rows.filter(rows.happened_on.notnull()))
        return cls(dict(zip(found["id"].to_pylist(), found["happened_on"].to_pylist(), strict=True)), first)

    def left_out(self, seen: Snapshot, label: Labels) -> Labels:
        """Return labels with -1 for cases of which a snapshot tells nothing."""
        found = label.copy()
        for place in np.flatnonzero(label == 1).tolist():
            deed = self.deeds.get(seen.ids[place].as_py())
            if deed is not None and not self.first <= deed <= seen.day:
                found[place] = -1
        return found
