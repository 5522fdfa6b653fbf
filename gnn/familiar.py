"""What a registered model remembers of the rows that it was made of: where they lie, so that strangers and drift are told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gnn import drift
from gnn.abstain import Range
from gnn.encode import Floats
from gnn.registry import Registered
from gnn.snapshot import Named, Snapshot
from gnn.weights import Weights

#: How many columns a stranger is told by.
_TOLD = 5


def learnt(columns: Sequence[Named], weights: Weights, grown_on: Floats, judged_on: Floats) -> dict[str, Any]:
    """Return what is kept of rows: the range of those that weights were fitted to, and how those lie that probabilities were made of.

    Drift is held against the latter: of rows that were learnt from scores say more than of any others, and the past of early days is short.
    """
    width = len(columns)
    shares = drift.learnt([column.name for column in columns], judged_on[:, :width], weights.score(judged_on[:, :width]))
    return {"range": Range.of(grown_on[:, :width], weights.used(), judged_on[:, :width]).told(), "shares": shares}


def strangers(model: Registered, seen: Snapshot) -> list[str | None]:
    """Return for each company of a snapshot the columns by which it is unlike all that a model learnt from; None where it is like them.

    A model that was registered before this was kept calls nobody a stranger.
    """
    if "learnt" not in model.about:
        return [None] * len(seen.ids)
    values, of = model.values(seen), Range.read(model.about["learnt"]["range"])
    beyond, outside = of.beyond(values), of.outside(values)
    found: list[str | None] = [None] * len(values)
    for n in outside.nonzero()[0].tolist():
        found[n] = ", ".join(seen.columns[int(place)].name for place in of.columns[beyond[n]][:_TOLD])
    return found


def moved(model: Registered, seen: Snapshot) -> dict[str, Any]:
    """Return how far a snapshot's companies and their scores have moved from those that a model was made of, see `gnn.drift.drift`."""
    if "learnt" not in model.about:
        return {"score": None, "columns": {}, "alerts": []}
    values, (score, _) = model.values(seen), model.score(seen)
    names = [column.name for column in model.columns(seen.columns)]
    return drift.drift(model.about["learnt"]["shares"], names, values, score)
