"""How the evidence of a pair adds up: independent families by noisy-or, weak ones only with company; and the paths of evidence between two.

Knows the formula; hides the order of the sums, which are of whole ppm and so the same on every machine.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.algorithms.kernel import Ints
from kg.derivations.linked.evidence import Names
from kg.derivations.linked.kinds import FAMILIES, KINDS
from kg.errors import UsageError
from kg.ruleset import WHOLE

_FAMILY = np.array([FAMILIES.index(kind.family) for kind in KINDS])
_WEAK = np.array([kind.grade == "weak" for kind in KINDS])
_STRONG = np.array([kind.grade == "strong" for kind in KINDS])
_DISCLOSED = np.array([kind.disclosed for kind in KINDS])


@dataclass(frozen=True)
class Scores:
    """What pairs' evidence comes to, a row for each pair in the order of its key.

    Attributes
    ----------
    key, score, families : int64, shape (n_pairs,)
        ``families``: how many count.
    strong, disclosed : bool, shape (n_pairs,)
        Whether a kind of grade strong, or one that the register tells, is among the evidence.
    pair : int64, shape (n_rows,)
        The pair of each row of evidence.
    """

    key: Ints
    score: Ints
    families: Ints
    strong: np.ndarray[tuple[int], np.dtype[np.bool_]]
    disclosed: np.ndarray[tuple[int], np.dtype[np.bool_]]
    pair: Ints


def kind_numbers(links: pa.Table) -> Ints:
    """Return the place of each row's kind among the kinds.

    Raises
    ------
    UsageError
        If a row's kind is none, or its strength is no part of the whole.
    """
    number = pc.index_in(links["kind"].cast(pa.string()), value_set=pa.array([kind.name for kind in KINDS]))
    wrong = pc.index(pc.is_null(number), True).as_py()
    if wrong >= 0:
        raise UsageError(f"links row {wrong}: kind is {links['kind'][wrong]}; find_links makes no such evidence")
    off = pc.fill_null(pc.or_(pc.less(links["strength"], 0), pc.greater(links["strength"], WHOLE)), True)
    row = pc.index(off, True).as_py()
    if row >= 0:
        raise UsageError(f"links row {row}: strength is {links['strength'][row]}; it lies between 0 and 1000000 ppm")
    return np.asarray(number.to_numpy(), np.int64)


def scored(key: Ints, kind: Ints, strength: Ints) -> Scores:
    """Return the score of each key's evidence.

    Of each family the strongest row counts, 1 - (1 - s1)(1 - s2)… over the families; a family whose evidence is all weak counts only
    where another family stands beside it.

    Examples
    --------
    >>> found = scored(np.array([1, 1, 2]), np.array([2, 13, 13]), np.array([500_000, 200_000, 200_000]))
    >>> found.score.tolist(), found.families.tolist()
    ([500000, 0], [1, 0])
    """
    pairs, pair = np.unique(key, return_inverse=True)
    best = np.zeros((pairs.size, len(FAMILIES)), np.int64)
    np.maximum.at(best, (pair, _FAMILY[kind]), strength)
    firm = np.zeros(best.shape, np.bool_)
    firm[pair[~_WEAK[kind]], _FAMILY[kind[~_WEAK[kind]]]] = True
    alone = (best > 0).sum(axis=1) < 2
    best[alone & ~firm.any(axis=1)] = 0
    left = np.full(pairs.size, WHOLE)
    for family in range(len(FAMILIES)):
        left = left * (WHOLE - best[:, family]) // WHOLE
    strong, disclosed = np.zeros(pairs.size, np.bool_), np.zeros(pairs.size, np.bool_)
    strong[pair[_STRONG[kind]]] = True
    disclosed[pair[_DISCLOSED[kind]]] = True
    return Scores(pairs, WHOLE - left, (best > 0).sum(axis=1), strong, disclosed, pair)


def told_kinds(pair: Ints, kind: Ints, strength: Ints, n: int) -> pa.ListArray:
    """Return the kinds of each pair's evidence, the strongest first, each once."""
    order = np.lexsort((kind, -strength, pair))
    _, once = np.unique(pair[order] * len(KINDS) + kind[order], return_index=True)
    order = order[np.sort(once)]
    offsets = np.searchsorted(pair[order], np.arange(n + 1)).astype(np.int32)
    names = pa.array([each.name for each in KINDS])
    return pa.ListArray.from_arrays(pa.array(offsets), names.take(pa.array(kind[order])))


@dataclass(frozen=True)
class Roads:
    """The pairs of ranked links, from each party."""

    names: Names
    start: Ints
    to: Ints
    row: Ints
    score: Ints

    @classmethod
    def of(cls, ranked: pa.Table) -> Roads:
        """Index ranked links by both of their parties."""
        names, (a, b) = Names.of([ranked["a"], ranked["b"]])
        source, target, row = np.concatenate([a, b]), np.concatenate([b, a]), np.tile(np.arange(a.size), 2)
        order = np.lexsort((target, source))
        start = np.searchsorted(source[order], np.arange(len(names.ids) + 1))
        return cls(names, start, target[order], row[order], ranked["score"].to_numpy())

    def strongest(self, begin: int, end: int, hops: int, limit: int) -> Iterator[tuple[int, tuple[int, ...], tuple[int, ...]]]:
        """Yield strength, parties and rows of the strongest paths in which nobody stands twice: the best first search of all of them."""
        open_: list[tuple[int, int, tuple[int, ...], tuple[int, ...]]] = [(-WHOLE, 0, (begin,), ())]
        near = self._within(end, hops)
        while open_ and limit:
            lost, length, way, rows = heapq.heappop(open_)
            if way[-1] == end:
                limit -= 1
                yield -lost, way, rows
                continue
            if length == hops:
                continue
            for place in range(int(self.start[way[-1]]), int(self.start[way[-1] + 1])):
                to, row = int(self.to[place]), int(self.row[place])
                direct = not length and to == end
                if to not in way and near.get(to, hops + 1) <= hops - length - 1 and (self.score[row] > 0 or direct):
                    heapq.heappush(open_, (-(-lost * int(self.score[row]) // WHOLE), length + 1, (*way, to), (*rows, row)))

    def _within(self, end: int, hops: int) -> dict[int, int]:
        """Return how many hops each party near to one lies from it."""
        found, edge = {end: 0}, [end]
        for hop in range(1, hops):
            near = (int(to) for at in edge for to in self.to[self.start[at] : self.start[at + 1]])
            edge = [to for to in dict.fromkeys(near) if to not in found]
            found |= dict.fromkeys(edge, hop)
        return found
