"""What a chosen model is worth beyond its ranking: by segment, in money, on groups that it never saw, against cases never found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from gnn import segments as parts_of
from gnn.abstain import Range
from gnn.calibrate import Beta, Isotonic
from gnn.encode import Floats
from gnn.kinds import fitted_like
from gnn.metrics import RANKING, Labels, average_precision, interval, paired
from gnn.reliability import line
from gnn.snapshot import Named
from gnn.splits import folds
from gnn.together import together
from gnn.unlabelled import base_rate, corrected, found_part, shifted
from gnn.weights import Weights
from kg.algorithms.interning import Interner
from kg.algorithms.kernel import Ints
from kg.algorithms.sharing import among
from kg.graph import Graph

_SEED, _FOLDS = 7, 3
#: Columns that tell of lawsuits and when they were filed.
LAWSUITS = "court"


@dataclass(frozen=True)
class Rows:
    """Rows of a period: features, labels, and whose they are.

    Attributes
    ----------
    values : float64, shape (n, n_columns)
        The columns that the model reads.
    """

    values: Floats
    label: Labels
    ids: pa.Array


@dataclass(frozen=True)
class Serving:
    """What scores rows."""

    weights: Weights
    curve: Beta | Isotonic
    columns: Sequence[Named]


@dataclass(frozen=True)
class Judged(Serving):
    """A model and the rows that it was made of and is judged by.

    Attributes
    ----------
    later
        The held-out rows, of one day.
    first : int64
        The columns that trees ask before all others.
    """

    train: Rows
    valid: Rows
    later: Rows
    first: Ints


def further(of: Judged, today: Graph, then: Graph, capacity: int, *, seed: int = 0, part: float | None = None) -> dict[str, Any]:
    """Return the further measures of a model.

    Parameters
    ----------
    today
        The graph by which companies belong together.
    then
        The graph of the day of the held-out rows, by which they owe money.
    part
        The part of the guilty whose case is found, where it is known; else it is estimated.
    """
    return caught(of, of.later, then, capacity) | {
        "unseen_groups": unseen_groups(of, today, seed),
        "lawsuits": lawsuits(of, seed),
        "unlabelled": unlabelled(of, part),
        "prior": prior(of),
        "outside": outside(of),
    }


def caught(of: Serving, later: Rows, then: Graph, capacity: int) -> dict[str, Any]:
    """Return what a model is worth by segment, how early it finds the guilty, and the money that it catches."""
    score = of.weights.score(later.values)
    counts = (*parts_of.FIRST, capacity)
    return {
        "segments": parts_of.by_segment(parts_of.segments(of.columns, later.values), later.label, score, of.curve(score)),
        "capture": parts_of.captured(later.label, score),
        "money": parts_of.money(later.label, score, parts_of.owing(then, later.ids), counts),
    }


def unseen_groups(of: Judged, today: Graph, seed: int) -> dict[str, Any]:
    """Return the ranking of held-out rows by models that saw no company of the same ownership group or cluster of links.

    Rows are dealt into folds by group; what scores a fold is of the same kind and learnt from companies of the other folds alone. Where too
    few groups have a case, the ranking is left out.
    """
    ids = Interner.of(of.train.ids, of.later.ids)
    group = together(today, ids.values)
    early, late = group[ids.codes(of.train.ids)], group[ids.codes(of.later.ids)]
    sizes = {"groups": len(np.unique(late)), "largest": int(np.bincount(late).max())}
    if min(len(np.unique(late[of.later.label == kind])) for kind in (0, 1)) < 2 * _FOLDS:
        return sizes
    fold = folds(of.later.label, late, _FOLDS, np.random.default_rng(_SEED))
    score = np.empty(len(late))
    for each in range(_FOLDS):
        mine = fold == each
        strange = ~np.isin(early, late[mine])
        some = fitted_like(of.weights, of.train.values[strange], of.train.label[strange], seed, of.first)
        score[mine] = some.score(of.later.values[mine])
    told = {name: interval(metric, of.later.label, score, np.random.default_rng(_SEED)) for name, metric in RANKING.items()}
    return told | sizes


def lawsuits(of: Judged, seed: int) -> dict[str, Any]:
    """Return what lawsuits and the days of their filing say alone, and what the model is worth more by them.

    Where lawsuits follow from the case they tell of the future: they would rank far better alone than they add.
    """
    mine = np.array([column.family == LAWSUITS for column in of.columns])
    if not mine.any():
        return {}
    alone, rest = (_fitted(of, np.flatnonzero(columns), seed) for columns in (mine, ~mine))
    dice = np.random.default_rng(_SEED)
    gain = paired(average_precision, of.later.label, of.weights.score(of.later.values), rest, dice)
    return {"alone_auc": interval(RANKING["auc"], of.later.label, alone, dice), "ap_gain": gain}


def _fitted(of: Judged, columns: Ints, seed: int) -> Floats:
    first = np.flatnonzero(among(columns, of.first))
    return fitted_like(of.weights, of.train.values[:, columns], of.train.label, seed, first).score(of.later.values[:, columns])


def unlabelled(of: Judged, part: float | None) -> dict[str, Any]:
    """Return the part of the guilty that is found, and how many are guilty by that: among all, and among the highest scores."""
    said = of.curve(of.weights.score(of.valid.values))
    estimate = found_part(said, of.valid.label)
    used = estimate if part is None else part
    probability = corrected(of.curve(of.weights.score(of.later.values)), used)
    first = np.sort(probability)[::-1][:100]
    return {
        "part": used,
        "given": part is not None,
        "estimated": estimate,
        "guilty": float(probability.sum()),
        "guilty_of_100": float(first.sum()),
    }


def prior(of: Judged) -> dict[str, Any]:
    """Return the base rate of held-out rows as it was, as the model says it, and as its probabilities find it by themselves.

    The line of the outcome over what was said is told as it is and with the base rate that was found.
    """
    before, said = float(of.valid.label.mean()), of.curve(of.weights.score(of.later.values))
    found = base_rate(said, before)
    label = of.later.label
    return {
        "valid": before,
        "observed": float(label.mean()),
        "said": float(said.mean()),
        "found": found,
        "line": line(label, said),
        "line_shifted": line(label, shifted(said, before, found)),
    }


def outside(of: Judged) -> dict[str, Any]:
    """Return which part of the held-out rows is unlike all that was learnt from, and which part of the guilty."""
    strange = Range.of(of.train.values, of.weights.used(), of.valid.values).outside(of.later.values)
    return {"part": float(strange.mean()), "rows": int(strange.sum()), "guilty": int(of.later.label[strange].sum())}
