"""Elementary circles of bounded length inside the strong components of a small, sparse graph."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kg.algorithms.components import strong_components
from kg.algorithms.csr import Csr, group_rows
from kg.algorithms.kernel import Ints, kernel
from kg.errors import UsageError


@dataclass(frozen=True)
class Circles:
    """What was found.

    Attributes
    ----------
    nodes : int64, shape (n_circles, max_length)
        A circle's nodes in the order of its edges, beginning with the smallest; -1 after the last.
    component : int64, shape (n_nodes,)
        The smallest node of each node's strong component.
    crowded : bool, shape (n_nodes,)
        True at the smallest node of a component that has more circles than the limit; none of its
        circles is told.
    """

    nodes: Ints
    component: Ints
    crowded: NDArray[np.bool_]


def circles(source: Ints, target: Ints, n_nodes: int, *, max_length: int, max_circles: int) -> Circles:
    """Find every elementary circle of 2 to ``max_length`` nodes, each once.

    Parallel edges count once and loops not at all. From each node in turn, only larger nodes of the
    same component are walked, and only while the way back to the first node is short enough [1]_.

    Parameters
    ----------
    source, target : int64, shape (n_edges,)
    max_length
        Nodes in a circle, at least 2.
    max_circles
        Most circles told of one component.

    Raises
    ------
    UsageError
        If a limit is out of range.

    References
    ----------
    .. [1] Gupta & Suzumura, Finding all bounded-length simple cycles in a directed graph,
       arXiv:2105.10094, 2021.

    Examples
    --------
    >>> found = circles(np.array([0, 1, 1, 2]), np.array([1, 0, 2, 0]), 3, max_length=6, max_circles=10)
    >>> found.nodes[:, :4].tolist()
    [[0, 1, -1, -1], [0, 1, 2, -1]]
    """
    if max_length < 2 or max_circles < 1:
        raise UsageError(f"circles need max_length >= 2 and max_circles >= 1, found {max_length} and {max_circles}")
    component = strong_components(source, target, n_nodes)
    inside = (source != target) & (component[source] == component[target])
    pairs = np.unique(np.stack([source[inside], target[inside]], axis=1), axis=0)
    out, back = group_rows(pairs[:, 0], n_nodes), group_rows(pairs[:, 1], n_nodes)
    crowded = np.zeros(n_nodes, dtype=np.int64)
    members = group_rows(component, n_nodes)
    ahead, behind = Csr(out.start, pairs[out.items, 1]), Csr(back.start, pairs[back.items, 0])
    nodes = _search(ahead, behind, members, crowded, np.empty((max_circles, max_length), dtype=np.int64))
    return Circles(nodes, component, crowded.astype(np.bool_))


@kernel
def _distances_to(first: int, behind: Csr, reach: int, distance: Ints, seen: Ints) -> int:
    """Fill ``distance`` with the number of edges to ``first`` over nodes not below it; return how many were seen."""
    distance[first] = 0
    seen[0] = first
    count, head = 1, 0
    while head < count and distance[seen[head]] < reach:
        node = seen[head]
        head += 1
        for i in range(behind.start[node], behind.start[node + 1]):
            before = behind.items[i]
            if before > first and distance[before] < 0:
                distance[before] = distance[node] + 1
                seen[count] = before
                count += 1
    return count


@kernel
def _circles_from(first: int, ahead: Csr, distance: Ints, told: Ints, n_told: int) -> int:
    """Append the circles whose smallest node is ``first`` to ``told``; return their number, one too many where it is full."""
    max_circles, max_length = told.shape
    cursor = np.empty(max_length, dtype=np.int64)
    path = np.full(max_length, first, dtype=np.int64)
    cursor[0] = ahead.start[first]
    depth = 0
    while depth >= 0:
        if cursor[depth] == ahead.start[path[depth] + 1]:
            depth -= 1
            continue
        after = ahead.items[cursor[depth]]
        cursor[depth] += 1
        if after == first:
            if n_told == max_circles:
                return n_told + 1
            told[n_told, : depth + 1] = path[: depth + 1]
            told[n_told, depth + 1 :] = -1
            n_told += 1
        elif distance[after] > 0 and depth + 1 + distance[after] <= max_length and after not in path[: depth + 1]:
            depth += 1
            path[depth] = after
            cursor[depth] = ahead.start[after]
    return n_told


@kernel
def _appended(rows: Ints, n_rows: int, more: Ints) -> Ints:
    """Return ``rows`` with ``more`` after its first ``n_rows``, in twice the room where it was too small."""
    needed = n_rows + len(more)
    if needed > len(rows):
        larger = np.empty((2 * needed, rows.shape[1]), dtype=np.int64)
        larger[:n_rows] = rows[:n_rows]
        rows = larger
    rows[n_rows:needed] = more
    return rows


@kernel
def _search(ahead: Csr, behind: Csr, members: Csr, crowded: Ints, told: Ints) -> Ints:
    """Collect the circles of each component in ``told`` (shape: most circles x longest) and return all of them."""
    max_circles, max_length = told.shape
    distance, seen = np.full(len(crowded), -1, dtype=np.int64), np.empty(len(crowded), dtype=np.int64)
    found, n_found = np.empty((16, max_length), dtype=np.int64), 0
    for root in range(len(crowded)):
        if members.start[root + 1] - members.start[root] < 2:
            continue
        n_told = 0
        for m in range(members.start[root], members.start[root + 1]):
            count = _distances_to(members.items[m], behind, max_length - 1, distance, seen)
            n_told = _circles_from(members.items[m], ahead, distance, told, n_told)
            for i in range(count):
                distance[seen[i]] = -1
            if n_told > max_circles:
                crowded[root] = 1
                n_told = 0
                break
        found = _appended(found, n_found, told[:n_told])
        n_found += n_told
    return found[:n_found].copy()
