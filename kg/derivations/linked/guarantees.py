"""Links by guarantees: circles of them, and who stands for the debt of a company that is not its own."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kg.algorithms.kernel import Ints
from kg.algorithms.sharing import joined, unique_pairs, weight
from kg.algorithms.simple_cycles import circles
from kg.derivations.linked.evidence import Names, World
from kg.derivations.linked.found import Found, leading
from kg.derivations.linked.kinds import LinkParams

#: Guarantees in longer circles are a trade's habit; of one component so many circles are looked at.
_LONGEST_CIRCLE, _MOST_CIRCLES = 6, 1_000
#: What is left of the strength where a company stands for another: neighbours do so too, a person without a stake hardly ever.
_COMPANY = 0.6


def by_guarantees(world: World, params: LinkParams) -> Iterator[Found]:
    """Yield the pairs that guarantees link."""
    table = world.graph.guarantees
    if table is None:
        return
    giver, taker = _sides(world)
    row = np.flatnonzero((taker >= 0) & (giver != taker))
    giver, taker = giver[row], taker[row]
    keys = giver * world.n + taker
    yield _circles(world, (giver, taker, row))
    a, b = unique_pairs(giver, taker)
    kept = world.undisclosed(a, b)
    a, b = a[kept], b[kept]
    to, _ = unique_pairs(a, world.house[b])
    degree = np.bincount(to, minlength=world.n)[a]
    few = degree <= params.caps["guarantor"]
    a, b, degree = a[few], b[few], degree[few]
    yield Found(
        "guarantor", a, b, np.where(world.person[a], 1.0, _COMPANY) * weight(degree), [leading(table, keys, a * world.n + b, rows=row)]
    )


def _sides(world: World) -> tuple[Ints, Ints]:
    """Return who guarantees whose debt; a loan's debt is its borrower's."""
    table, borrowed = world.graph.guarantees, world.graph.borrowed
    assert table is not None  # noqa: S101 - asked by the caller
    (giver,), taker = world.ends("guarantees", "src"), world.names.numbers(table["dst"])
    if borrowed is not None:
        _, (loan, taken) = Names.of([table["dst"], borrowed["dst"]])
        row, of = joined(loan, taken)
        taker = taker.copy()
        taker[row] = world.ends("borrowed", "src")[0][of]
    return giver, taker


def _circles(world: World, edges: tuple[Ints, Ints, Ints]) -> Found:
    """Return all pairs within circles of guarantees; the longer the circle, the less it says."""
    giver, taker, row = edges
    found = circles(giver, taker, world.n, max_length=_LONGEST_CIRCLE, max_circles=_MOST_CIRCLES)
    size = (found.nodes >= 0).sum(axis=1)
    parts = []
    for i in range(_LONGEST_CIRCLE):
        for j in range(i + 1, _LONGEST_CIRCLE):
            of = np.flatnonzero(size > j)
            parts.append((found.nodes[of, i], found.nodes[of, j], of))
    a, b, of = (np.concatenate(column) for column in zip(*parts, strict=True))
    kept = world.undisclosed(a, b)
    a, b, of = a[kept], b[kept], of[kept]
    keys, items = giver * world.n + taker, []
    for step in range(_LONGEST_CIRCLE):
        begin, end = found.nodes[of, step], found.nodes[of, (step + 1) % _LONGEST_CIRCLE]
        end = np.where((end < 0) | (step + 1 >= size[of]), found.nodes[of, 0], end)
        wanted = np.where(begin >= 0, begin * world.n + end, -1)
        items.append(leading(world.graph.guarantees, keys, wanted, rows=row))
    return Found("guarantee_circle", a, b, weight(size[of] - 1), items)
