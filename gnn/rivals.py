"""Networks that are measured beside what was chosen: they show what else would be worth it."""

from __future__ import annotations

from typing import Any

import numpy as np

from gnn.encode import Floats, TaskGraph
from gnn.feature import Inputs
from gnn.metrics import RANKING, Labels, average_precision, interval, paired
from gnn.model import Model
from gnn.models import perceptron

RIVALS: tuple[Model, ...] = (perceptron.OWN, perceptron.GRAPH)
_SEED = 7


def score(model: Model, known: tuple[Floats, Labels], later: Floats, n_own: int, *, seed: int) -> Floats:
    """Fit a model on rows and score later ones; the first ``n_own`` columns are a company's own, the others its neighbours'."""
    values, label = known
    scorer = model.fit(_inputs(values, n_own), np.arange(len(label)), label, seed)
    return scorer(_inputs(later, n_own))


def measured(known: tuple[Floats, Labels], later: tuple[Floats, Labels], n_own: int, mine: Floats, *, seed: int) -> dict[str, Any]:
    """Return what each rival is worth on later rows, and by how much it is better there than a score of the same rows."""
    told, (values, label) = {}, later
    for model in RIVALS:
        found = score(model, known, values, n_own, seed=seed)
        ranked = {name: interval(metric, label, found, np.random.default_rng(_SEED)) for name, metric in RANKING.items()}
        told[model.name] = ranked | {"ap_gain": against(label, found, mine)}
    return told


def against(label: Labels, one: Floats, other: Floats) -> dict[str, Any]:
    """Return by how much one score is better than another in AP, with its interval."""
    return paired(average_precision, label, one, other, np.random.default_rng(_SEED))


def _inputs(values: Floats, n_own: int) -> Inputs:
    columns = tuple(str(place) for place in range(values.shape[1]))
    rows = len(values)
    nothing = TaskGraph(np.arange(rows), np.full(rows, "train"), np.full(rows, -1, np.int8), columns, values, (), (), rows)
    return Inputs(nothing, values[:, :n_own], values, columns)
