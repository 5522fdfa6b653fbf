"""Whether companies and their scores still look like those that a model learnt from: the population stability index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gnn.encode import Floats

#: From here on a column has moved: the usual words of credit scoring are "some" from 0.1 and "much" from 0.25 on.
SOME, MUCH = 0.1, 0.25
_BINS, _FEWEST = 10, 1e-4


@dataclass(frozen=True)
class Shares:
    """How the rows that a model learnt from lie over the bins of a column.

    Attributes
    ----------
    edges : float64, shape (k,)
        Inner edges of k + 1 bins; a value on an edge lies above it.
    parts : float64, shape (k + 2,)
        Parts of the rows in each bin, and last of the rows without a value. They sum to 1.
    """

    edges: Floats
    parts: Floats

    @classmethod
    def of(cls, values: Floats) -> Shares:
        """Return the shares of a column over its own tenths; equal values lie in one bin.

        >>> Shares.of(np.array([0.0, 0.0, 0.0, 1.0])).parts.tolist()
        [0.75, 0.25, 0.0]
        """
        known = values[~np.isnan(values)]
        ends = np.quantile(known, np.linspace(0, 1, _BINS + 1)[1:-1], method="higher") if known.size else np.empty(0)
        edges = np.unique(ends)
        edges = edges[edges > known.min()] if known.size else edges
        if known.size and not edges.size and known.max() > known.min():
            edges = np.array([np.nextafter(known.min(), np.inf)])
        return cls(edges, _parts(values, edges))

    def index(self, values: Floats) -> float:
        """Return the population stability index [1]_ of rows of today against these; 0 where they lie alike.

        References
        ----------
        .. [1] Siddiqi, Credit Risk Scorecards, 2006, chapter 6.

        Examples
        --------
        >>> like = Shares.of(np.arange(100.0))
        >>> like.index(np.arange(100.0)), round(like.index(np.arange(100.0) + 50), 2) > MUCH
        (0.0, True)
        """
        then, now = (np.maximum(parts, _FEWEST) for parts in (self.parts, _parts(values, self.edges)))
        return float(((now - then) * np.log(now / then)).sum())

    def told(self) -> dict[str, Any]:
        """Return the shares as plain values."""
        return {"edges": self.edges.tolist(), "parts": self.parts.tolist()}

    @classmethod
    def read(cls, told: dict[str, Any]) -> Shares:
        """Return the shares of plain values."""
        return cls(np.array(told["edges"], float), np.array(told["parts"], float))


def _parts(values: Floats, edges: Floats) -> Floats:
    known = values[~np.isnan(values)]
    count = np.bincount(np.searchsorted(edges, known, side="right"), minlength=len(edges) + 1)
    return np.append(count, len(values) - len(known)) / max(1, len(values))


def learnt(names: Sequence[str], values: Floats, score: Floats) -> dict[str, Any]:
    """Return what is kept of the rows that a model learnt from: the shares of each column and of the score."""
    columns = {name: Shares.of(values[:, place]).told() for place, name in enumerate(names)}
    return {"columns": columns, "score": Shares.of(score).told()}


def drift(kept: dict[str, Any], names: Sequence[str], values: Floats, score: Floats) -> dict[str, Any]:
    """Return the index of today's score and of the columns that moved, and an alert for each that moved much.

    Parameters
    ----------
    kept
        What `learnt` returned.

    Returns
    -------
    dict
        ``score``; ``columns``: by name those of at least `SOME`, the greatest first; ``alerts``: sentences for the night's report.
    """
    of_score = Shares.read(kept["score"]).index(score)
    found = {name: Shares.read(kept["columns"][name]).index(values[:, place]) for place, name in enumerate(names)}
    moved = dict(sorted(((name, round(each, 4)) for name, each in found.items() if each >= SOME), key=lambda item: (-item[1], item[0])))
    much = [name for name, each in moved.items() if each >= MUCH]
    alerts = []
    if of_score >= MUCH:
        alerts.append(f"scores have moved since training (PSI {of_score:.2f}, {MUCH} is much): train anew, or look at what came in")
    if much:
        first = ", ".join(f"{name} {moved[name]:.2f}" for name in much[:5])
        alerts.append(f"{len(much)} of {len(names)} features have moved since training (PSI {MUCH} or more): {first}")
    return {"score": round(of_score, 4), "columns": moved, "alerts": alerts}
