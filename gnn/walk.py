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

_SEED, _LEAST = 7, 5


@dataclass(frozen=True)
class Day:
    """Companies on a day: features, and what became of them."""

    values: Floats
    label: Labels


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


def walked(days: Mapping[date, Day], columns: Mapping[str, Ints], horizon: int, seed: int) -> dict[date, dict[str, Floats]]:
    """Return the scores of the companies of each day that is judged, by model, from trees that saw only what was known before.

    Parameters
    ----------
    columns
        The columns that each model reads, int64.
    """
    scored: dict[date, dict[str, Floats]] = {}
    for day in origins(list(days), horizon):
        early = [each for when, each in days.items() if when + timedelta(days=horizon) <= day]
        label = np.concatenate([each.label for each in early])
        if min(int(label.sum()), int(days[day].label.sum())) >= _LEAST:
            values = np.concatenate([each.values for each in early])
            scored[day] = {
                name: Trees.fit(np.ascontiguousarray(values[:, read]), label, seed).score(days[day].values[:, read])
                for name, read in columns.items()
            }
    return scored


def walk(days: Mapping[date, Day], columns: Mapping[str, Ints], horizon: int, seed: int) -> dict[str, Any]:
    """Return the mean over days of the AP of each model, and of the gain of the last one over the first, with 95 % intervals.

    Parameters
    ----------
    columns
        The columns that each model reads, int64.

    Returns
    -------
    dict
        ``days``: cases by day that was judged; a day with fewer than five is left out. ``ap`` by model; ``gain``.
    """
    scored = walked(days, columns, horizon, seed)
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
