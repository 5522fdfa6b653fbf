"""Models judged on several days a horizon apart, by trees that saw only what was known before: of few cases one day tells little."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from gnn.encode import Floats
from gnn.metrics import DRAWS, Labels, average_precision, drawn_rows
from gnn.trees import Trees
from kg.algorithms.kernel import Ints
from kg.algorithms.sharing import among

_SEED, _LEAST = 7, 5
#: Where fewer cases teach, all do.
ENOUGH = 20


@dataclass(frozen=True)
class Day:
    """Companies on a day: features, and what became of them.

    Attributes
    ----------
    taught : int8, shape (n,)
        The labels that trees learn from, -1 where the day tells nothing of a case; None where all teach.
    """

    values: Floats
    label: Labels
    taught: Labels | None = None


def origins(days: Sequence[date], horizon: int) -> tuple[date, ...]:
    """Return the days that are judged, the newest first: each a horizon or more before the next, with a day to learn from a horizon before.

    >>> origins([date(2024, 1, 1), date(2024, 7, 1), date(2024, 8, 1), date(2025, 2, 1)], 180)
    (datetime.date(2025, 2, 1), datetime.date(2024, 8, 1))
    """
    ahead = timedelta(days=horizon)
    found: list[date] = []
    for day in sorted(days, reverse=True):
        if (not found or day + ahead <= found[-1]) and min(days) + ahead <= day:
            found.append(day)
    return tuple(found)


def walked(
    days: Mapping[date, Day], columns: Mapping[str, Ints], horizon: int, seed: int, *, first: Ints, most: int | None = None
) -> dict[date, dict[str, Floats]]:
    """Return the scores of the companies of each day that is judged, by model, from trees that saw only what was known before.

    Parameters
    ----------
    columns
        The columns that each model reads, int64.
    first : int64
        The columns that trees ask before all others where they read them.
    most
        From how many companies to whom nothing happened trees learn at most, drawn by the seed; None where from all.
    """
    scored: dict[date, dict[str, Floats]] = {}
    for day in origins(list(days), horizon):
        early = [each for when, each in days.items() if when + timedelta(days=horizon) <= day]
        label, values = _lesson(early)
        label, values = _fewer(label, values, most, seed)
        if min(int(label.sum()), int(days[day].label.sum())) >= _LEAST:
            scored[day] = {
                name: Trees.staged(np.ascontiguousarray(values[:, read]), label, seed, np.flatnonzero(among(read, first))).score(
                    days[day].values[:, read]
                )
                for name, read in columns.items()
            }
    return scored


def _lesson(early: Sequence[Day]) -> tuple[Labels, Floats]:
    """Return the rows that trees are grown on: without cases of which their day tells nothing, where enough others are left."""
    label, values = (np.concatenate([getattr(each, name) for each in early]) for name in ("label", "values"))
    taught = np.concatenate([each.label if each.taught is None else each.taught for each in early])
    kept = taught >= 0 if (taught == 1).sum() >= ENOUGH else label >= 0
    return label[kept], values[kept]


def _fewer(label: Labels, values: Floats, most: int | None, seed: int) -> tuple[Labels, Floats]:
    many = np.flatnonzero(label == 0)
    if most is None or len(many) <= most:
        return label, values
    kept = np.sort(np.concatenate([np.flatnonzero(label == 1), np.random.default_rng(seed).permutation(many)[:most]]))
    return label[kept], values[kept]


def walk(days: Mapping[date, Day], columns: Mapping[str, Ints], horizon: int, seed: int, *, first: Ints) -> dict[str, Any]:
    """Return the mean over days of the AP of each model, and of the gain of the last one over the first, with 95 % intervals.

    Parameters
    ----------
    columns
        The columns that each model reads, int64.
    first : int64
        The columns that trees ask before all others where they read them.

    Returns
    -------
    dict
        ``days``: cases by day that was judged; a day with fewer than five is left out. ``ap`` by model; ``gain``.
    """
    scored = walked(days, columns, horizon, seed, first=first)
    told = {str(day): int(days[day].label.sum()) for day in scored}
    if not scored:
        return {"days": told}
    labels, names = [days[day].label for day in scored], list(columns)
    ap = {name: _mean(labels, [each[name] for each in scored.values()]) for name in names}
    drawn = {name: _drawn(labels, [each[name] for each in scored.values()]) for name in names}
    found = {name: _interval(ap[name], drawn[name]) for name in names}
    return {"days": told, "ap": found, "gain": _interval(ap[names[-1]] - ap[names[0]], drawn[names[-1]] - drawn[names[0]])}


def _mean(labels: Sequence[Labels], scores: Sequence[Floats]) -> float:
    return float(np.mean([average_precision(label, score) for label, score in zip(labels, scores, strict=True)]))


def _drawn(labels: Sequence[Labels], scores: Sequence[Floats]) -> Floats:
    """Return the mean AP of bootstrap samples, the same for all models: both classes of each day are drawn to their number."""
    found = np.zeros(DRAWS)
    dice = np.random.default_rng(_SEED)
    for label, score in zip(labels, scores, strict=True):
        found += [average_precision(label[rows], score[rows]) for rows in drawn_rows(label, dice, DRAWS)]
    return found / len(labels)


def _interval(value: float, drawn: Floats) -> dict[str, float]:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {"value": value, "low": float(low), "high": float(high)}
