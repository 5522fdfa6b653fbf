"""A trained model held against the champion on the same held-out rows, and registered with what came of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from gnn.card import card
from gnn.metrics import average_precision, paired
from gnn.registry import Registry, curve_to
from gnn.train import Trained
from kg.errors import VerificationError

_SEED = 11


def register(registry: Registry, trained: Trained, run: dict[str, Any]) -> str:
    """Register a model that was trained, with the gate that decides whether it may serve; return its version.

    Parameters
    ----------
    run
        ``run_id, as_of, code, tables`` of the run whose lake it learnt on.
    """
    task, model = trained.task, trained.challenger
    metrics = {**trained.metrics, "gate": _gate(registry, trained)}
    about = {
        **run,
        "task": task.name,
        "about": task.about,
        "horizon": task.horizon,
        "ahead": task.units.ahead,
        "n_columns": len(model.columns),
        "columns": [column.name for column in model.columns],
        "schema": model.schema,
        "curve": curve_to(model.curve),
        "learnt": trained.learnt,
        "periods": {
            "train": [day.isoformat() for day in trained.periods.train],
            "valid": [day.isoformat() for day in trained.periods.valid],
            "test": trained.periods.test.isoformat(),
        },
    }
    return registry.save(about, model.weights, metrics, card(about, metrics, model.weights.about))


def _gate(registry: Registry, trained: Trained) -> dict[str, Any]:
    """Return by how much the model is better than who serves; than a ranking by chance where nobody can serve."""
    held, width = trained.held, len(trained.challenger.columns)
    score = trained.challenger.weights.score(held.values[:, :width])
    champion = registry.champion()
    rival, said = np.zeros(len(held.label)), "no champion"
    if champion is not None:
        try:
            serving = registry.load(champion)
            rival, said = serving.weights.score(held.values[:, : len(serving.columns(trained.columns))]), f"champion {champion}"
        except VerificationError as error:
            said = f"the champion cannot serve: {error}"
    gain = paired(average_precision, held.label, score, rival, np.random.default_rng(_SEED))
    return {"champion": champion, "against": said, "ap_gain": gain, "held_out": trained.periods.test.isoformat()}
