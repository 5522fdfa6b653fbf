"""What a registered model is worth on a day that lies after all that it learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from gnn.family import Family
from gnn.further import Rows, Serving, caught
from gnn.past import Archive
from gnn.registry import Registered
from gnn.task import Task
from gnn.train import Challenger, known_of, part_of, worth
from kg.errors import GateError


def evaluate(archive: Archive, task: Task, families: Sequence[Family], model: Registered) -> dict[str, Any]:
    """Measure a model on the newest day of which the lake knows what came of it.

    Raises
    ------
    GateError
        If that day does not lie after all that the model learnt from, or only one class is there.
    VerificationError
        If the features are not those that the model learnt on.
    """
    task = replace(task, horizon=int(model.about["horizon"]))
    ahead = timedelta(days=task.horizon)
    day, learnt = archive.as_of - ahead, date.fromisoformat(model.about["periods"]["valid"][-1]) + ahead
    if day < learnt:
        raise GateError(
            f"model {model.version} learnt from cases up to {learnt}; it can be measured from {learnt + ahead} on, it is {archive.as_of}"
        )
    seen = task.units.look(archive, day, families, "test")
    rows = part_of([seen], known_of(archive.today(), task), task)
    if not 0 < rows.label.sum() < len(rows.label):
        raise GateError(
            f"{int(rows.label.sum())} of {len(rows.label)} {task.units.many} became a case after {day}; both classes are needed"
        )
    columns = model.columns(seen.columns)
    of = Challenger(model.version, model.weights, model.curve, columns, str(model.about["schema"]))
    found = {"model": model.version, "day": day, "known_by": archive.as_of, "rows": len(rows.label), "guilty": int(rows.label.sum())}
    read = Rows(rows.values[:, : len(columns)], rows.label, rows.ids)
    return (
        found | worth(of, rows, task.capacity) | caught(Serving(model.weights, model.curve, columns), read, archive.on(day), task.capacity)
    )
