"""Pairs of parties as the units of a task: what they are asked is withheld from what their features are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from gnn.family import Family
from gnn.metrics import Labels
from gnn.pairs import around, reach
from gnn.pairs.candidates import ends
from gnn.pairs.ties import stated
from gnn.pairs.withheld import Withheld
from gnn.past import Archive
from gnn.snapshot import Snapshot, own_names, table
from gnn.task import Known, Units
from kg.algorithms.interning import Interner

#: Families of what is around the two; all others speak of the two themselves.
_AROUND = (reach.NAME, around.NAME)


@dataclass(frozen=True)
class Pairs(Snapshot):
    """Pairs on a day.

    Attributes
    ----------
    stated : int8, shape (n,)
        What the register that was withheld says: 1 under one control, 0 not, -1 where it is not asked.
    """

    stated: Labels


def _look(archive: Archive, day: date, families: Sequence[Family], period: str | None) -> Snapshot:
    graph = archive.on(day) if period is None else Withheld(archive, day, period)
    rows = families[0].make(graph).select("id")
    ids = Interner.of(graph.engine.table(rows)["id"])
    answer = np.full(len(ids), -1, np.int8)
    if period is not None:
        told = graph.engine.table(stated(archive.on(day), graph.engine.keep(ends(rows)), period))
        answer[ids.codes(told["id"])] = told["stated"].to_numpy()
    n_own = sum(len(family.columns) for family in families if family.name not in _AROUND)
    return Pairs(day, ids.values, table(graph, families, ids), own_names(families), n_own, answer)


def _labels(seen: Snapshot, known: Known, horizon: int) -> Labels:  # noqa: ARG001 - the register tells it, not time
    assert isinstance(seen, Pairs)  # noqa: S101 - made above
    return seen.stated


PAIRS = Units("pair", "pairs", "were under one control", False, _look, _labels)
