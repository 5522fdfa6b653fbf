"""The contract of a benchmark, and the way from its files to scores and tables.

Models learn from the training rows, are chosen on validation rows and folds of the training rows, and score every row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from gnn.calibrate import calibrate
from gnn.crossfit import Plan, Predicted, blended, plan_for, predict, untied
from gnn.encode import Floats, TaskGraph, canonical, fingerprints
from gnn.feature import Inputs, prepare
from gnn.features import FEATURES
from gnn.measure import compared, measured, probabilities
from gnn.metrics import DRAWS, best_threshold, macro_f1, tied
from gnn.model import Model
from gnn.probes import probes
from gnn.splits import folds
from kg.errors import GateError
from kg.progress import Progress, Task

#: Models that tell what each relation, and each variant of the data, is worth: the quick ones.
PROBED = ("boosted_own", "boosted_graph")
BLEND, BLEND_OWN = "blend", "blend_own"


@dataclass(frozen=True)
class Variant:
    """A way to read a data set; the one without a name is scored, the others are measured beside it."""

    name: str
    graph: TaskGraph


@dataclass(frozen=True)
class Benchmark:
    """A published data set."""

    name: str
    about: str
    load: Callable[[Path], tuple[Variant, ...]]


@dataclass(frozen=True)
class Outcome:
    """Scores of all rows, and what they are worth.

    Attributes
    ----------
    scores
        ``id, split, score, probability``, sorted by split and id.
    """

    scores: pa.Table
    metrics: dict[str, Any]


def run(variants: tuple[Variant, ...], models: tuple[Model, ...], progress: Progress, *, seeds: int = 5, draws: int = DRAWS) -> Outcome:
    """Fit all models, blend them, and measure everything.

    The blend of all models gives the scores only where it is shown to be better than the blend of those that do not see the graph: where
    the interval of its gain in AP, out of fold, lies above 0. Else it only orders rows with the same attributes.

    Parameters
    ----------
    seeds
        Fits of each model on all training rows, averaged; cross-validation has one fit for each of five folds.
    draws
        Bootstrap samples behind an interval.

    Raises
    ------
    GateError
        If rows of a split, edges, or one of the classes are missing.
    """
    graph = canonical(variants[0].graph)
    refuse(graph)
    plan = plan_for(graph, seeds, draws=draws)
    quick = tuple(model for model in models if model.name in PROBED)
    fits = len(models) + len(quick) * (len(variants) - 1) + sum(model.sees == "graph" for model in quick) * len(graph.relations)
    with progress.task("fitting", fits * (seeds + plan.folds)) as task:
        inputs = prepare(graph, FEATURES)
        found = [predict(model, inputs, plan, task) for model in models]
        own = [each for each, model in zip(found, models, strict=True) if model.sees == "own"]
        rows = [*found, blended(BLEND_OWN, own, plan), blended(BLEND, found, plan)]
        relations = _relations(graph, quick, plan, task)
        others = {each.name: _variant(each.graph, quick, plan, task) for each in variants[1:]}
    against = _against(rows, models, plan)
    whole, members = (rows[-1], found) if against[BLEND]["helps"] else (untied(rows[-2], rows[-1]), own)
    probability, calibration = _probabilities(whole, plan)
    metrics = _about(graph, inputs, plan) | {
        "models": {each.name: measured(each, plan) for each in rows},
        "chosen": whole.name,
        "weights": {each.name: round(float(weight), 4) for each, weight in zip(members, whole.weights, strict=True) if weight > 0},
        "graph_against_none": against,
        "relations": relations,
        "variants": others,
        "threshold": _threshold(whole, plan),
        "calibration": calibration,
        "probes": probes(inputs, plan, models[0]),
        "tied_fraction": tied(whole.every, fingerprints(graph)[: len(graph.ids)]),
    }
    return Outcome(_table(graph, whole.every, probability), metrics)


def refuse(graph: TaskGraph) -> None:
    """Refuse what no model could learn from.

    Raises
    ------
    GateError
        With what is missing.
    """
    for split in ("train", "valid"):
        label = graph.label[graph.labelled(split)]
        if not label.size:
            raise GateError(f"no row of split '{split}' has a label; models need labelled rows to learn from and to be chosen on")
        if label.min() == label.max():
            raise GateError(f"all {label.size} rows of split '{split}' have the label {label[0]}; models need both classes")
    strange = ~np.isin(graph.split, ("train", "valid", "test"))
    if strange.any():
        raise GateError(f"split must be train, valid or test, {int(strange.sum())} rows have another, such as '{graph.split[strange][0]}'")
    if not any(each.source.size for each in graph.relations):
        raise GateError("the graph has no edges; a table of edges with at least one row is needed")


def _relations(graph: TaskGraph, models: tuple[Model, ...], plan: Plan, task: Task) -> dict[str, Any]:
    """Measure the graph models with each relation alone."""
    tables = {}
    for each in graph.relations:
        inputs = prepare(graph.only(each.name), FEATURES)
        tables[each.name] = {model.name: measured(predict(model, inputs, plan, task), plan) for model in models if model.sees == "graph"}
    return tables


def _variant(graph: TaskGraph, models: tuple[Model, ...], like: Plan, task: Task) -> dict[str, Any]:
    graph = canonical(graph)
    plan, inputs = plan_for(graph, like.seeds, draws=like.draws), prepare(graph, FEATURES)
    return {model.name: measured(predict(model, inputs, plan, task), plan) for model in models}


def _against(rows: list[Predicted], models: tuple[Model, ...], plan: Plan) -> dict[str, Any]:
    """Hold each model that sees the graph against the one that differs by not seeing it."""
    by_name = {each.name: each for each in rows}
    pairs = [(model.name, model.rival) for model in models if model.rival in by_name]
    return {name: {"against": rival} | compared(by_name[name], by_name[str(rival)], plan) for name, rival in [*pairs, (BLEND, BLEND_OWN)]}


def _threshold(whole: Predicted, plan: Plan) -> dict[str, float]:
    """Return the threshold that is best on validation rows, and what macro-F1 comes to there and, by it, out of fold."""
    at = best_threshold(plan.valid_label, whole.every[plan.valid])
    return {
        "score": at,
        "macro_f1_valid": macro_f1(plan.valid_label, whole.every[plan.valid] >= at),
        "macro_f1_cv": macro_f1(plan.train_label, whole.inside >= at),
    }


def _probabilities(whole: Predicted, plan: Plan) -> tuple[Floats, dict[str, Any]]:
    """Calibrate on the validation rows; what is told of it is out of fold."""
    score, label = whole.every[plan.valid], plan.valid_label
    curve, judged = calibrate(score, label, folds(label, np.arange(len(label)), plan.folds, np.random.default_rng(plan.folds)))
    return curve(whole.every), {"curve": curve.name} | probabilities(label, judged)


def _about(graph: TaskGraph, inputs: Inputs, plan: Plan) -> dict[str, Any]:
    rows = {
        split: {"rows": int((graph.split == split).sum()), "labelled": len(graph.labelled(split))} for split in ("train", "valid", "test")
    }
    guilty = {"train": float(plan.train_label.mean()), "valid": float(plan.valid_label.mean())}
    edges = {each.name: int(each.source.size) for each in graph.relations}
    columns = {"own": inputs.own.shape[1], "around": inputs.around.shape[1]}
    return {"rows": rows, "prevalence": guilty, "edges": edges, "columns": columns, "seeds": plan.seeds, "folds": plan.folds}


def _table(graph: TaskGraph, score: Floats, probability: Floats) -> pa.Table:
    order = np.lexsort((graph.ids, graph.split))
    columns = {"id": graph.ids, "split": graph.split.astype(object), "score": score, "probability": probability}
    return pa.table({name: pa.array(values[order]) for name, values in columns.items()})
