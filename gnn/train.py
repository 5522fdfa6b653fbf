"""From a lake to a measured challenger: features at days of the past, models, probabilities, and what they are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from gnn import leaks
from gnn.calibrate import Beta, Isotonic, calibrate
from gnn.companies import COMPANIES
from gnn.encode import Floats
from gnn.familiar import learnt
from gnn.family import Family
from gnn.further import Judged, Rows, further
from gnn.measure import probabilities
from gnn.metrics import RANKING, Labels, at_first, average_precision, interval, paired, tied
from gnn.network import Network
from gnn.past import Archive
from gnn.periods import Periods, periods
from gnn.reliability import line
from gnn.shelf import NOWHERE, Shelf
from gnn.snapshot import Named, Snapshot, schema_digest
from gnn.splits import alike, folds
from gnn.task import Known, Task
from gnn.trees import Growth, Trees
from gnn.untold import Untold
from gnn.walk import ENOUGH, Day, walk
from gnn.weights import Weights
from kg import dates
from kg.algorithms.kernel import Ints
from kg.errors import GateError
from kg.graph import Graph
from kg.progress import Progress

OWN, GRAPH, NETWORK = "boosted_own", "boosted_graph", "perceptron_graph"
#: The fewest companies of the rarer class that a period must have.
LEAST = {"train": 10, "valid": 5, "test": 5}
_SEED, _FOLDS = 7, 3
#: Models that learn permuted labels, and how many trees each has.
_DRAWS, _SHORT = 5, 60


@dataclass(frozen=True)
class Part:
    """Rows of a period: units on days, in an order that follows from their contents alone.

    Attributes
    ----------
    ids : string, shape (n,)
        No model sees them.
    """

    values: Floats
    label: Labels
    ids: pa.Array


@dataclass(frozen=True)
class Challenger:
    """A fitted model with its probabilities and its worth."""

    name: str
    weights: Weights
    curve: Beta | Isotonic
    columns: tuple[Named, ...]
    schema: str


@dataclass(frozen=True)
class Trained:
    """What a training made.

    Attributes
    ----------
    challenger
        The network where that was asked for; else the trees with the graph where they are shown to be better on validation rows, else
        those without.
    held, columns
        The rows of the held-out period, with all columns.
    learnt
        How the rows that the model was made of lie, see `gnn.familiar.learnt`.
    """

    task: Task
    challenger: Challenger
    periods: Periods
    held: Part
    columns: tuple[Named, ...]
    metrics: dict[str, Any]
    learnt: dict[str, Any]


def train(
    archive: Archive,
    task: Task,
    families: Sequence[Family],
    progress: Progress,
    *,
    seed: int = 0,
    network: bool = False,
    rivals: bool = False,
    found_part: float | None = None,
    shelf: Shelf = NOWHERE,
) -> Trained:
    """Train the models of a task on the past of a lake.

    Parameters
    ----------
    network
        Whether the challenger is a network on all columns, in the place of trees.
    rivals
        Whether networks are measured beside the challenger.
    found_part
        The part of the guilty whose case is found, where it is known; else it is estimated.
    shelf
        Where snapshots are kept, so that a training that was broken off goes on where it was.

    Raises
    ------
    GateError
        If there are no events, too few days, or too few units of a class in a period.
    """
    today = archive.today()
    known, first = known_of(today, task), first_day(today)
    plan = periods(first, archive.as_of, task.horizon, task.step)
    days = {**dict.fromkeys(plan.train, "train"), **dict.fromkeys(plan.valid, "valid"), plan.test: "test"}
    with progress.task("features on days of the past", total=len(days)) as bar:
        seen = {}
        for day, period in days.items():
            seen[day] = shelf.seen(archive, day, families, task.units.look, period)
            bar.advance()
    parts = {
        name: part_of([seen[day] for day in of], known, task)
        for name, of in (("train", plan.train), ("valid", plan.valid), ("test", (plan.test,)))
    }
    _refuse_few(parts, task)
    parts["train"] = _told_of(parts["train"], [seen[day] for day in plan.train], known, task, Untold.of(today, task, first))
    last = seen[plan.test]
    found = leaks.copies(parts["train"].values, parts["train"].label, parts["test"].values, parts["test"].label, last.columns)
    found += leaks.identities(seen[plan.train[0]], last)
    found += leaks.futures(archive, seen[plan.train[-1]], task.units, families)
    trained = _measured(_Material(task, plan, parts, last, tuple(found), network), seed)
    metrics = dict(trained.metrics)
    if task.units is COMPANIES:
        metrics |= {
            "further": _further(trained, parts, archive, seed, found_part),
            "walk": walk(
                days_of(seen, known, task, Untold.of(today, task, first)),
                {OWN: np.arange(last.n_own), GRAPH: np.arange(len(last.columns))},
                task.horizon,
                seed,
                first=first_of(task, last.columns),
            ),
        }
    if rivals:
        metrics |= {"rivals": _rivals(trained, parts, last.n_own, seed)}
    return replace(trained, metrics=metrics)


@dataclass(frozen=True)
class _Material:
    """What models are made of: the rows of each period, the last snapshot, the leaks in it, and whether a network is asked for."""

    task: Task
    plan: Periods
    parts: dict[str, Part]
    last: Snapshot
    leaks: tuple[leaks.Leak, ...]
    network: bool


def _measured(of: _Material, seed: int) -> Trained:
    parts, last = of.parts, of.last
    both = {name: _fitted(name, width, of, seed) for name, width in ((OWN, last.n_own), (GRAPH, len(last.columns)))}
    valid, test = parts["valid"], parts["test"]
    gain = _gain(both[GRAPH], both[OWN], parts)
    trees = both[GRAPH] if gain["valid"]["low"] > 0 else both[OWN]
    chosen = _network(parts, last, seed) if of.network else trees
    metrics: dict[str, Any] = {
        "models": {name: worth(each, test, of.task.capacity) for name, each in (both | {chosen.name: chosen}).items()},
        "chosen": chosen.name,
        "graph_against_own": gain,
        **({"network_against_trees": {"trees": trees.name, **_gain(chosen, trees, parts)}} if of.network else {}),
        "rows": {name: {"rows": len(rows.label), "guilty": int(rows.label.sum())} for name, rows in parts.items()},
        "units": of.task.units.many,
        "outcome": of.task.units.outcome,
        "leaks": [{"column": leak.column, "said": leak.said} for leak in of.leaks],
        "permuted_labels_auc": _permuted(parts, last, seed),
    }
    kept = learnt(chosen.columns, chosen.weights, parts["train"].values, valid.values)
    return Trained(of.task, chosen, of.plan, test, last.columns, metrics, kept)


def _gain(one: Challenger, other: Challenger, parts: dict[str, Part]) -> dict[str, Any]:
    """Return by how much one model is better than another in AP; it helps where both intervals lie above 0."""
    gain: dict[str, Any] = {
        period: paired(average_precision, rows.label, _score(one, rows), _score(other, rows), np.random.default_rng(_SEED))
        for period, rows in parts.items()
        if period != "train"
    }
    return {**gain, "helps": bool(min(each["low"] for each in gain.values()) > 0)}


def days_of(seen: Mapping[date, Snapshot], known: Known, task: Task, untold: Untold) -> dict[date, Day]:
    """Return the companies of each day that was computed, what became of them, and which cases the day tells nothing of."""
    found = {}
    for day, each in seen.items():
        label = task.units.labels(each, known, task.horizon)
        rows = _in_order(each.values, label)
        found[day] = Day(each.values[rows], label[rows], untold.left_out(each, label)[rows])
    return found


def _further(trained: Trained, parts: dict[str, Part], archive: Archive, seed: int, found_part: float | None) -> dict[str, Any]:
    """Return what the chosen model is worth beyond its ranking."""
    of, width = trained.challenger, len(trained.challenger.columns)
    early, valid, later = (Rows(parts[name].values[:, :width], parts[name].label, parts[name].ids) for name in ("train", "valid", "test"))
    judged = Judged(of.weights, of.curve, of.columns, early, valid, later, first_of(trained.task, of.columns))
    return further(judged, archive.today(), archive.on(trained.periods.test), trained.task.capacity, seed=seed, part=found_part)


def _rivals(trained: Trained, parts: dict[str, Part], n_own: int, seed: int) -> dict[str, Any]:
    from gnn.rivals import measured  # noqa: PLC0415 - torch is slow to import

    known, test = (parts["train"].values, parts["train"].label), parts["test"]
    return measured(known, (test.values, test.label), n_own, _score(trained.challenger, test), seed=seed)


def worth(of: Challenger, held: Part, capacity: int) -> dict[str, Any]:
    """Return what a model is worth on held-out rows, at the prevalence that they have, with 95 % intervals."""
    score, label = _score(of, held), held.label
    count = min(capacity, len(label))
    told: dict[str, Any] = {name: interval(metric, label, score, np.random.default_rng(_SEED)) for name, metric in RANKING.items()}
    told["precision_at_capacity"] = interval(
        lambda truth, said: at_first(truth, said, count)[0], label, score, np.random.default_rng(_SEED)
    )
    told["recall_at_capacity"] = at_first(label, score, count)[1]
    told["capacity"] = count
    told["prevalence"] = float(label.mean())
    told["tied_fraction"] = tied(score, alike(held.values).astype(np.uint64))
    said = of.curve(score)
    return told | probabilities(label, said) | line(label, said) | {"curve": of.curve.name}


def _score(of: Challenger, rows: Part) -> Floats:
    return of.weights.score(rows.values[:, : len(of.columns)])


def first_of(task: Task, columns: Sequence[Named]) -> Ints:
    """Return the places of the columns that trees ask before all others, int64."""
    return np.flatnonzero([column.family in task.first for column in columns]).astype(np.int64)


def _fitted(name: str, width: int, of: _Material, seed: int) -> Challenger:
    known, columns = of.parts["train"], of.last.columns[:width]
    values = known.values[:, :width]
    trees = Trees.staged(values, known.label, seed, first_of(of.task, columns)).untied(values, known.label, seed)
    return _calibrated(name, trees, of.parts["valid"], columns)


def _network(parts: dict[str, Part], last: Snapshot, seed: int) -> Challenger:
    return _calibrated(NETWORK, Network.fit(parts["train"].values, parts["train"].label, seed), parts["valid"], last.columns)


def _calibrated(name: str, weights: Weights, valid: Part, columns: tuple[Named, ...]) -> Challenger:
    """Return weights with probabilities from the rows of validation, which have the prevalence of the past as it was."""
    deal = folds(valid.label, np.arange(len(valid.label)), _FOLDS, np.random.default_rng(_SEED))
    curve, _ = calibrate(weights.score(valid.values[:, : len(columns)]), valid.label, deal)
    return Challenger(name, weights, curve, columns, schema_digest(columns))


def _permuted(parts: dict[str, Part], last: Snapshot, seed: int) -> float:
    """Return the mean AUC of models that learnt labels which mean nothing; it is 0.5 but for chance.

    One alone may be far from it where those whom it befell are alike: such a model ranks all of them high, or all of them low.
    """
    known, test, dice = parts["train"], parts["test"], np.random.default_rng(_SEED)
    early, later = (np.ascontiguousarray(of.values[:, : last.n_own]) for of in (known, test))
    ranked = [
        RANKING["auc"](test.label, Trees.fit(early, dice.permutation(known.label), seed, Growth(rounds=_SHORT)).score(later))
        for _ in range(_DRAWS)
    ]
    return float(np.mean(ranked))


def known_of(graph: Graph, task: Task) -> dict[str, date]:
    """Return the day on which the bank knew of each to whom it happened.

    Raises
    ------
    GateError
        If no source states it.
    """
    rows = task.events(graph)
    if rows is None:
        raise GateError(f"no source states what '{task.name}' foresees ({task.about}); deliver the kind cases, then train")
    found = graph.engine.table(rows)
    return dict(zip(found["id"].to_pylist(), found["known_on"].to_pylist(), strict=True))


def first_day(graph: Graph) -> date:
    """Return the first day of which payments tell; of which loans do, where no payment is known: old loans alone are no past."""
    for name in ("TRANSFERRED_TO", "BORROWED"):
        rows = graph.edges(name)
        at = graph.engine.table(rows.aggregate(day=dates.local_date(rows["at"].min(), graph.zone)))["day"]
        found: list[date] = [day for day in at.to_pylist() if day is not None]
        if found:
            return found[0]
    raise GateError("the lake tells of no payment and no loan; there is no past to learn from")


def _told_of(whole: Part, snapshots: Sequence[Snapshot], known: Known, task: Task, untold: Untold) -> Part:
    """Return the rows that trees are grown on: without cases of which the day tells nothing, where enough others are left."""
    told = part_of(snapshots, known, task, untold)
    return told if told.label.sum() >= ENOUGH else whole


def part_of(snapshots: Sequence[Snapshot], known: Known, task: Task, untold: Untold | None = None) -> Part:
    """Put snapshots together without whom the bank knew already on the day."""
    every = [task.units.labels(each, known, task.horizon) for each in snapshots]
    label = np.concatenate([untold.left_out(each, of) if untold else of for each, of in zip(snapshots, every, strict=True)])
    values = np.concatenate([each.values for each in snapshots])
    ids = pa.concat_arrays([each.ids.cast(pa.string()) for each in snapshots])
    order = _in_order(values, label)
    return Part(values[order], label[order], ids.take(pa.array(order)))


def _in_order(values: Floats, label: Labels) -> Ints:
    """Return the rows that have a label, in an order that follows from their contents alone."""
    kept = np.flatnonzero(label >= 0)
    return kept[np.lexsort((label[kept], *values[kept].T[::-1]))] if len(kept) else kept


def _refuse_few(parts: dict[str, Part], task: Task) -> None:
    for name, of in parts.items():
        rarer = int(min(of.label.sum(), len(of.label) - of.label.sum()))
        if rarer < LEAST[name]:
            raise GateError(
                f"the period '{name}' has {int(of.label.sum())} of {len(of.label)} {task.units.many} to whom '{task.name}' happened within "
                f"{task.horizon} days; each class needs {LEAST[name]}: deliver more cases, or a longer past"
            )
