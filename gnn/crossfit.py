"""Scores of rows that a model was not trained on: fold by fold within the training rows, and of all others by several seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from gnn.blend import normal_scores, weigh
from gnn.encode import Bools, Floats, TaskGraph
from gnn.feature import Inputs
from gnn.metrics import DRAWS, Labels
from gnn.model import Model
from gnn.splits import alike, folds
from kg.algorithms.kernel import Ints
from kg.progress import Task

#: What another model's score counts where rows are tied: far less than any two ranks lie apart.
_NUDGE = 1e-7
#: The seed of the deal into folds.
_DEAL = 20


@dataclass(frozen=True)
class Plan:
    """Which rows are learnt from, and which are judged.

    Attributes
    ----------
    train, valid : int64
        Rows whose label may be used.
    fold : int64, shape (n_train,)
    segments
        Parts of the training and of the validation rows that are measured by themselves.
    draws
        Bootstrap samples behind an interval.
    """

    train: Ints
    train_label: Labels
    valid: Ints
    valid_label: Labels
    fold: Ints
    folds: int
    seeds: int
    segments: dict[str, tuple[Bools, Bools]] = field(default_factory=dict)
    draws: int = DRAWS


def plan_for(graph: TaskGraph, seeds: int, count: int = 5, *, draws: int = DRAWS) -> Plan:
    """Deal the training rows into folds; rows alike in all attributes lie in one."""
    train, valid = graph.labelled("train"), graph.labelled("valid")
    label = graph.label[train]
    fold = folds(label, alike(graph.values[train]), count, np.random.default_rng(_DEAL))
    segments = {name: (rows[train], rows[valid]) for name, rows in graph.segments.items()}
    return Plan(train, label, valid, graph.label[valid], fold, count, seeds, segments, draws)


@dataclass(frozen=True)
class Predicted:
    """A model's scores, as normal scores over all rows.

    Attributes
    ----------
    inside : float64, shape (n_train,)
        Of training rows, out of fold.
    valid : float64, shape (n_seeds, n_valid)
        Of validation rows, seed by seed; of a blend, by weights that no validation row had a part in.
    every : float64, shape (n,)
        Of all rows, the mean over the seeds.
    weights
        Of a blend: what each model counts.
    """

    name: str
    inside: Floats
    valid: Floats
    every: Floats
    weights: Floats = field(default_factory=lambda: np.empty(0))


def predict(model: Model, inputs: Inputs, plan: Plan, task: Task) -> Predicted:
    """Fit a model on all folds but one, for each of them, and on all training rows, for each seed."""
    inside = np.empty(len(plan.train))
    for fold in range(plan.folds):
        held = plan.fold == fold
        scorer = model.fit(inputs, plan.train[~held], plan.train_label[~held], 1000 + fold)
        inside[held] = normal_scores(scorer(inputs))[plan.train[held]]
        task.advance()
    seeds = []
    for seed in range(plan.seeds):
        seeds.append(normal_scores(model.fit(inputs, plan.train, plan.train_label, seed)(inputs)))
        task.advance()
    every = np.stack(seeds)
    return Predicted(model.name, inside, every[:, plan.valid], every.mean(axis=0))


def untied(chosen: Predicted, by: Predicted) -> Predicted:
    """Return scores in which rows that a model cannot tell apart are put in order by another one; all others stay where they are."""
    return replace(chosen, every=chosen.every + _NUDGE * by.every)


def blended(name: str, members: Sequence[Predicted], plan: Plan) -> Predicted:
    """Blend models.

    The weights that are used are found on all folds and on the validation rows, which count as much as all folds together: they lie
    nearer to what is scored. What the blend is worth is told by others: a fold's rows
    are scored by weights found without that fold, validation rows by weights found without them.
    """
    known = np.stack([np.concatenate([each.inside, each.valid.mean(axis=0)]) for each in members])
    label = np.concatenate([plan.train_label, plan.valid_label])
    parts = [np.flatnonzero(plan.fold == fold) for fold in range(plan.folds)]
    last = len(plan.train) + np.arange(len(plan.valid))
    inside = np.empty(len(plan.train))
    for part in parts:
        others = [each for each in parts if each is not part]
        inside[part] = weigh(known, label, [*others, last], [*np.ones(len(others)), len(others)]) @ known[:, part]
    honest = weigh(known, label, parts, [1.0] * len(parts))
    weights = weigh(known, label, [*parts, last], [*np.ones(len(parts)), len(parts)])
    valid = np.tensordot(honest, np.stack([each.valid for each in members]), axes=1)
    every: Floats = weights @ np.stack([each.every for each in members])
    return Predicted(name, inside, valid, every, weights)
