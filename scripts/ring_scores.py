"""How many members of planted rings scores of rings find that are no known case; from the truth of a generated city.

A company is as guilty as the guiltiest candidate ring that it is in; one in no candidate ring is never found. Whose case the bank knew on
the day is left out: it needs no score. The threshold is the one that finds most members while half of those told, or more, have a part in
any scheme, and beside it the one at which half are members of planted rings.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from city_columns import InMemory
from scheme_hits import Part

from gnn.encode import Floats
from gnn.rings.units import Rings

_KIND = "payment_ring"
#: What orders candidate rings where nothing was learnt: whether the night tells them, how often money went round, how many they are.
_EVIDENCE = ("shape.told", "shape.support", "shape.members")


@dataclass(frozen=True)
class Truth:
    """Companies of a city: members of planted rings, all with a part in a scheme, and those whose case the bank knew on a day."""

    planted: Collection[str]
    guilty: Collection[str]
    known: Collection[str]

    @classmethod
    def of(cls, source: InMemory, day: date) -> Truth:
        """Read it from a city."""
        cases = source.rows("cases", "entity", "entity_kind", "known_on").to_pylist()
        known = {f"company:{row['entity']}" for row in cases if row["entity_kind"] == "company" and row["known_on"] <= day}
        kinds = {row["number"]: (row["kind"], row["also"]) for row in source.truth("schemes").to_pylist()}
        members = [(f"company:{row['company']}", kinds[row["number"]]) for row in source.truth("members").to_pylist()]
        planted = {company for company, kind in members if _KIND in kind}
        return cls(planted - known, {company for company, _ in members} - known, known)


@dataclass(frozen=True)
class Caught:
    """What a threshold comes to.

    Attributes
    ----------
    found
        Members of planted rings that are told, of all of them.
    right, members
        Of those told: who has a part in any scheme, and who is a member of a planted ring.
    """

    found: Part
    right: Part
    members: Part

    def __add__(self, other: Caught) -> Caught:
        return Caught(self.found + other.found, self.right + other.right, self.members + other.members)

    def told(self) -> str:
        """Write it in a line."""
        return f"recall % {self.found.told()} guilty of those told % {self.right.told()} members of planted rings % {self.members.told()}"


def caught(planted: Collection[str], guilty: Collection[str], scores: Mapping[str, float]) -> Caught:
    """Return what is found at the threshold that finds most members while half of those told are guilty; equal scores are told together.

    >>> caught({"a", "b", "c"}, {"a", "b", "c", "d"}, {"a": 3.0, "d": 2.0, "b": 1.0, "y": 0.0, "z": -1.0}).found
    Part(found=2, of=3)
    """
    order = sorted(scores, key=lambda company: (-scores[company], company))
    best = Caught(Part(0, len(planted)), Part(), Part())
    found = right = 0
    for place, company in enumerate(order, 1):
        found, right = found + (company in planted), right + (company in guilty)
        tied = place < len(order) and scores[order[place]] == scores[company]
        if not tied and 2 * right >= place and found > best.found.found:
            best = Caught(Part(found, len(planted)), Part(right, place), Part(found, place))
    return best


def of_companies(seen: Rings, score: Floats, known: Collection[str]) -> dict[str, float]:
    """Return the score of each company that is in a candidate ring and no known case: that of its guiltiest ring."""
    best: dict[str, float] = {}
    for row, company in zip(seen.row.tolist(), seen.company.to_pylist(), strict=True):
        if company not in known:
            best[company] = max(best.get(company, -np.inf), float(score[row]))
    return best


def by_evidence(seen: Rings) -> Floats:
    """Return a score of rings of which nothing was learnt: rank by what is told, then by support, then by members; equals are tied."""
    names = [column.name for column in seen.columns]
    _, rank = np.unique(seen.values[:, [names.index(name) for name in _EVIDENCE]], axis=0, return_inverse=True)
    return rank.reshape(-1).astype(np.float64)


def judged(truth: Truth, seen: Rings, scores: Mapping[str, Floats]) -> Iterator[tuple[str, Caught]]:
    """Yield what each score finds at a precision of one half: of guilty companies, then of members of planted rings."""
    for who, score in scores.items():
        best = of_companies(seen, score, truth.known)
        yield f"{who}, half guilty", caught(truth.planted, truth.guilty, best)
        yield f"{who}, half in planted rings", caught(truth.planted, truth.planted, best)


def reached(truth: Truth, seen: Rings) -> Part:
    """Return how many of the members are in a candidate ring at all."""
    return Part(len(set(seen.company.to_pylist()) & set(truth.planted)), len(truth.planted))
