"""What likelihoods of pairs are worth: undisclosed links held against pairs that only look linked; from the truth of a generated city."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from linked_truth import Pairs

from gnn.encode import Floats
from gnn.metrics import DRAWS
from gnn.pairs.candidates import AND
from gnn.pairs.houses import Ties
from gnn.snapshot import Snapshot
from kg.algorithms.kernel import Ints

_SEED = 7
#: What a pair has of which nothing is found at all.
_LOWEST = -1.0


def against_hard(truth: Pairs, seen: Snapshot, likely: Floats, house: Mapping[str, str]) -> dict[str, Any]:
    """Return the AUC of undisclosed links against pairs that only look linked, of all and by kind, and how many were found at all.

    Parameters
    ----------
    likely : float64, shape (n,)
        How likely each pair that was seen is linked, between 0 and 1.
    house
        Whose each party is in the register: what is found between two houses is found between all their members.
    """
    ties = Ties.of((_ends(pair) for pair in seen.ids.to_pylist()), likely.tolist(), house)

    def scores(some: Iterable[str]) -> Floats:
        found = (ties.between(*_ends(pair)) for pair in some)
        return np.array([_LOWEST if each is None else each for each in found])

    linked, hard = scores(truth.linked), scores(truth.hard)
    person = np.unique([truth.person.get(pair, pair) for pair in truth.linked], return_inverse=True)[1].reshape(-1)
    there = linked > _LOWEST
    told: dict[str, Any] = {"auc": _auc(linked, hard, person), "linked": linked.size, "hard": hard.size}
    told["reached"] = float(there.mean()) if linked.size else 0.0
    told["reached_auc"] = _auc(linked[there], hard, person[there])
    for kind in sorted(set(truth.hard.values())):
        some = hard[[each == kind for each in truth.hard.values()]]
        told[f"against {kind}"] = {**_auc(linked, some, person), "pairs": some.size, "reached": float((some > _LOWEST).mean())}
    for kind in sorted(set(truth.linked.values())):
        of = np.array([each == kind for each in truth.linked.values()])
        told[f"of {kind}"] = {**_auc(linked[of], hard, person[of]), "pairs": int(of.sum()), "reached": float(there[of].mean())}
    return told


def _ends(pair: str) -> tuple[str, str]:
    one, _, other = pair.partition(AND)
    return one, other


def _auc(linked: Floats, hard: Floats, person: Ints) -> dict[str, float]:
    """Return the AUC with its interval by bootstrap, for which all linked pairs of one person are drawn together."""
    if not linked.size:
        return {"value": float("nan"), "low": 0.0, "high": 1.0}
    dice, (own, place) = np.random.default_rng(_SEED), np.unique(person, return_inverse=True)
    above = _above(linked, hard)
    sums, sizes = np.bincount(place.reshape(-1), above), np.bincount(place.reshape(-1))
    drawn = dice.integers(0, own.size, (DRAWS, own.size))
    # those that only look linked are twenty times as many: what chance is in them is added as in DeLong's variance
    noise = dice.normal(0.0, np.sqrt(_above(hard, linked).var() / hard.size), DRAWS)
    found = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1) + noise
    low, high = np.clip(np.quantile(found, [0.025, 0.975]), 0.0, 1.0)
    return {"value": float(above.mean()), "low": float(low), "high": float(high)}


def _above(scores: Floats, others: Floats) -> Floats:
    """Return for each score the part of others that lies below it; a tie counts half."""
    order = np.sort(others)
    return (np.searchsorted(order, scores, "left") + np.searchsorted(order, scores, "right")) / (2 * max(order.size, 1))
