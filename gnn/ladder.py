"""What each layer of features is worth: the same trees on more and more of the columns, so that a report says plainly what won."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gnn.encode import Floats
from gnn.metrics import DRAWS, Labels, average_precision, drawn_rows
from gnn.snapshot import Named
from kg.algorithms.kernel import Ints

#: Families that speak of a company's own entry, sums and papers, whoever the others are.
ATTRIBUTES = ("registration", "payments", "loans", "invoices", "papers", "court")
#: Families of what rules and derivations find.
FOUND = ("schemes", "rings", "links", "control")
_SEED = 7
#: What scores of one day come to: labels, and scores by layer.
Judged = tuple[Labels, Mapping[str, Floats]]


def layers(columns: Sequence[Named]) -> dict[str, Ints]:
    """Return the columns of each layer, int64, the last of them all columns.

    ``attributes``: the company's own; ``own``: its ties to owners, officers, contacts and the sued besides; ``aggregates``: its neighbours'
    means besides, all without what rules and derivations find; ``rules``: hits of rules besides; ``all``: rings, links and control besides.
    """
    families = [column.family for column in columns]
    told = [column.name.split(".")[2] if column.name.count(".") == 3 else "" for column in columns]
    plain = np.array([family not in FOUND for family in families]) & np.array([family not in FOUND for family in told])
    near = np.array([family.startswith("near.") for family in families])
    derived = np.array([family in FOUND and family != "schemes" for family in families])
    masks = {
        "attributes": np.array([family in ATTRIBUTES for family in families]),
        "own": plain & ~near,
        "aggregates": plain,
        "rules": ~derived,
        "all": np.ones(len(columns), np.bool_),
    }
    return {name: np.flatnonzero(mask).astype(np.int64) for name, mask in masks.items()}


def ladder(days: Sequence[Judged]) -> dict[str, Any]:
    """Return the mean AP of each layer over days, and how many times that of each other layer the last comes to, with 95 % intervals.

    Parameters
    ----------
    days
        Days and cities count alike, however many cases they have; one without a case is left out.

    Returns
    -------
    dict
        ``ap`` and ``times`` by layer; bootstrapped, both classes of each day drawn to their number, the same rows for all layers.
    """
    days = [day for day in days if day[0].any()]
    names, dice = list(days[0][1]) if days else [], np.random.default_rng(_SEED)
    value, drawn = dict.fromkeys(names, 0.0), {name: np.zeros(DRAWS) for name in names}
    for label, scores in days:
        rows = list(drawn_rows(label, dice, DRAWS))
        for name, score in scores.items():
            value[name] += average_precision(label, score) / len(days)
            drawn[name] += np.array([average_precision(label[some], score[some]) for some in rows]) / len(days)
    whole = names[-1] if names else ""
    return {
        "days": len(days),
        "cases": int(sum(label.sum() for label, _ in days)),
        "ap": {name: _interval(value[name], drawn[name]) for name in names},
        "times": {name: _interval(value[whole] / value[name], drawn[whole] / drawn[name]) for name in names[:-1]},
    }


def _interval(value: float, drawn: Floats) -> dict[str, float]:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {"value": value, "low": float(low), "high": float(high)}
