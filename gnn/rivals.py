"""Models that are measured beside the trees and cannot serve yet: they show what else would be worth it."""

from __future__ import annotations

from typing import Any

import numpy as np

from gnn.encode import Floats, TaskGraph
from gnn.feature import Inputs
from gnn.metrics import Labels, average_precision, paired
from gnn.model import Model
from gnn.models import perceptron

RIVALS: tuple[Model, ...] = (perceptron.OWN, perceptron.GRAPH)
_SEED, _MANY = 7, 20_000


def score(model: Model, known: tuple[Floats, Labels], later: Floats, n_own: int, *, seed: int) -> Floats:
    """Fit a model on rows and score later ones; the first ``n_own`` columns are a company's own, the others its neighbours'.

    Networks learn from all of the rarer class and as many of the other as `_MANY`: more of these cost hours and change no ranking.
    """
    values, label = _fewer(*known, np.random.default_rng(seed))
    scorer = model.fit(_inputs(values, n_own), np.arange(len(label)), label, seed)
    return scorer(_inputs(later, n_own))


def _fewer(values: Floats, label: Labels, dice: np.random.Generator) -> tuple[Floats, Labels]:
    rare = int(label.sum() * 2 <= len(label))
    many = np.flatnonzero(label != rare)
    kept = np.sort(np.concatenate([np.flatnonzero(label == rare), dice.permutation(many)[:_MANY]]))
    return values[kept], label[kept]


def against(label: Labels, one: Floats, other: Floats) -> dict[str, Any]:
    """Return by how much one score is better than another in AP, with its interval."""
    return paired(average_precision, label, one, other, np.random.default_rng(_SEED))


def _inputs(values: Floats, n_own: int) -> Inputs:
    columns = tuple(str(place) for place in range(values.shape[1]))
    rows = len(values)
    nothing = TaskGraph(np.arange(rows), np.full(rows, "train"), np.full(rows, -1, np.int8), columns, values, (), (), rows)
    return Inputs(nothing, values[:, :n_own], values, columns)
