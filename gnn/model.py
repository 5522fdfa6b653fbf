"""The contract of models: what one sees, and how it is fitted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from gnn.encode import Floats
from gnn.feature import Inputs
from gnn.metrics import Labels
from kg.algorithms.kernel import Ints

#: Scores every row of inputs with the columns that it was fitted on; a higher score is more suspicious.
Scorer: TypeAlias = Callable[[Inputs], Floats]


@dataclass(frozen=True)
class Model:
    """A way to learn scores.

    Attributes
    ----------
    sees
        ``own``: a row's own attributes alone; ``graph``: what is around it too.
    fit
        ``fit(inputs, rows, label, seed)`` learns from some rows and their labels; the same arguments give the same scorer.
    rival
        The model that differs by not seeing the graph, where there is one.
    """

    name: str
    about: str
    sees: Literal["own", "graph"]
    fit: Callable[[Inputs, Ints, Labels, int], Scorer]
    rival: str | None = None
