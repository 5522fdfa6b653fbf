"""Chance: one stream for each part of the city, and the shapes that are drawn from it.

Knows that a part's numbers depend on the seed and on its own name alone, so that a new scheme changes nobody else's;
hides the generator. Everything is drawn in one thread and in whole columns.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
#: Whole numbers of any width.
Whole = NDArray[np.integer[Any]]


def stream(seed: int, part: str, *more: int) -> np.random.Generator:
    """Return the stream of a part, or of the numbered piece ``more`` of it.

    >>> bool(stream(1, "names").integers(100) == stream(1, "names").integers(100))
    True
    >>> stream(1, "names").bit_generator.seed_seq.spawn_key == stream(1, "firms").bit_generator.seed_seq.spawn_key
    False
    """
    key = (zlib.crc32(part.encode()), *more)
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=key)))


def weighted(rng: np.random.Generator, weights: ArrayLike, count: int) -> Ints:
    """Draw places of a table of weights, with replacement."""
    edges = np.cumsum(np.asarray(weights, np.float64))
    found = np.searchsorted(edges, rng.random(count) * edges[-1], side="right")
    drawn: Ints = np.minimum(found, edges.size - 1).astype(np.int64)
    return drawn


def heavy(rng: np.random.Generator, count: int, exponent: float, low: float = 1.0, high: float = np.inf) -> Floats:
    """Draw from a Pareto law, P(X > x) = (low / x) ** exponent, cut off at ``high``.

    Firm sizes have an exponent near 1 (Axtell, *Science* 293, 2001; 1.06 by employees is cited from memory, to be checked).
    """
    least = (low / high) ** exponent if np.isfinite(high) else 0.0
    chance = least + (1.0 - least) * (1.0 - rng.random(count))
    drawn: Floats = low * chance ** (-1.0 / exponent)
    return drawn


def around(rng: np.random.Generator, median: ArrayLike, sigma: float, count: int) -> Floats:
    """Draw from a log-normal law around a median (one for all, or one for each)."""
    drawn: Floats = np.asarray(median, np.float64) * np.exp(rng.normal(0.0, sigma, count))
    return drawn


def rounded_fen(fen: Floats, rng: np.random.Generator, round_share: float = 0.35) -> Ints:
    """Make whole fen of amounts, a part of them round as people like them: to hundreds or thousands of yuan."""
    exact = np.maximum(fen, 1.0).astype(np.int64)
    chance = rng.random(exact.size)
    step = np.where(chance < round_share / 3, 100_000, np.where(chance < round_share, 10_000, 1))
    return np.where(exact >= step * 2, exact // step * step, exact)


def chance(rng: np.random.Generator, count: int, ppm: ArrayLike) -> Bools:
    """Toss a coin for each, heads with so many parts per million."""
    return np.asarray(rng.integers(0, 1_000_000, count) < np.asarray(ppm))


def counted(counts: Ints) -> tuple[Ints, Ints]:
    """Return, for groups of these sizes, the group of each member and its number within the group.

    >>> [a.tolist() for a in counted(np.array([2, 0, 3]))]
    [[0, 0, 2, 2, 2], [0, 1, 0, 1, 2]]
    """
    group = np.repeat(np.arange(counts.size), counts)
    return group, np.arange(group.size) - np.repeat(np.cumsum(counts) - counts, counts)


def rank_within(groups: Ints) -> Ints:
    """Return how many earlier ones are of the same group, for each.

    >>> rank_within(np.array([7, 3, 7, 7, 3])).tolist()
    [0, 0, 1, 2, 1]
    """
    order = np.argsort(groups, kind="stable")
    _, sizes = np.unique(groups, return_counts=True)
    rank = np.empty(groups.size, np.int64)
    rank[order] = counted(sizes)[1]
    return rank


def shuffled(number: Ints, size: int) -> Ints:
    """Return another order of 0 … size - 1 by arithmetic alone, so that neighbours are far from one another.

    >>> sorted(shuffled(np.arange(100), 100).tolist()) == list(range(100))
    True
    """
    step = 7_368_787
    while np.gcd(step, size) != 1:
        step += 2
    return (number * step + 104_729) % size


def spread(total: Ints, parts: Ints, rng: np.random.Generator) -> Ints:
    """Divide each total into so many positive parts of unequal size that sum up to it; the parts stand in order.

    Examples
    --------
    >>> spread(np.array([10, 7]), np.array([3, 1]), stream(1, "x")).reshape(-1)[3]
    np.int64(7)
    """
    group, place = counted(parts)
    weight = rng.random(group.size) + 0.25
    share = weight / np.bincount(group, weight, parts.size)[group]
    amount = np.maximum((total[group] * share).astype(np.int64), 1)
    last = place == parts[group] - 1
    rest = total - np.bincount(group, np.where(last, 0, amount), parts.size).astype(np.int64)
    return np.where(last, rest[group], amount)
