"""Groups on dense ids: from which parties all others are reached, who is reached from each, and which group of two nights is the same.

A group is what can be reached from its source along directed links, never a connected component: two sources stay apart though both
reach the same party.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from kg.algorithms.components import strong_components
from kg.algorithms.csr import Csr, group_rows, items_of
from kg.algorithms.kernel import Ints, kernel
from kg.algorithms.sharing import among

Bools: TypeAlias = NDArray[np.bool_]


def sources(source: Ints, target: Ints, n_nodes: int) -> Csr:
    """Return the strong components into which no link leads from outside, but for a node that no link touches.

    Parameters
    ----------
    source, target : int64, shape (n_links,)
        Ends of the links.

    Returns
    -------
    Csr
        The nodes of each component, in the order of the smallest.

    Examples
    --------
    >>> found = sources(np.array([0, 1, 2, 2]), np.array([1, 0, 3, 1]), 5)
    >>> found.start.tolist(), found.items.tolist()
    ([0, 1], [2])
    """
    component = strong_components(source, target, n_nodes)
    linked, entered = np.zeros(n_nodes, np.bool_), np.zeros(n_nodes, np.bool_)
    linked[component[source[source != target]]] = True
    entered[component[target[component[source] != component[target]]]] = True
    kept = np.flatnonzero((linked & ~entered)[component])
    first, place = np.unique(component[kept], return_inverse=True)
    nodes = group_rows(place.astype(np.int64), first.size)
    return nodes._replace(items=kept[nodes.items])


@kernel
def reached(links: Csr, rank: Ints, seeds: Csr) -> tuple[Ints, Ints, Ints]:
    """Return the nodes that can be reached from each set of seeds, these among them.

    Parameters
    ----------
    links
        ``links.items[links.start[k] : links.start[k + 1]]`` are the nodes to which node k links.
    rank : int64, shape (n_links,)
        Of each link, in the order of ``links.items``; the least is the foremost.
    seeds
        The nodes from which each group begins.

    Returns
    -------
    group, node, foremost : int64, shape (n,)
        Group by group; ``foremost`` is the least rank of the links that lead to the node from within the group, -1 where none does.

    Examples
    --------
    >>> links = Csr(np.array([0, 2, 3, 3]), np.array([1, 2, 2]))
    >>> [column.tolist() for column in reached(links, np.array([0, 2, 1]), Csr(np.array([0, 1]), np.array([0])))]
    [[0, 0, 0], [0, 1, 2], [-1, 0, 1]]
    """
    n = len(links.start) - 1
    seen = np.full((n, 2), -1, np.int64)
    queue = np.empty(n, np.int64)
    out, count = np.empty((3, 1024), np.int64), 0
    for k in range(len(seeds.start) - 1):
        done, size = 0, 0
        for place in range(seeds.start[k], seeds.start[k + 1]):
            node = seeds.items[place]
            seen[node, 0], seen[node, 1] = k, -1
            queue[size] = node
            size += 1
        while done < size:
            node = queue[done]
            done += 1
            for row in range(links.start[node], links.start[node + 1]):
                other = links.items[row]
                if seen[other, 0] != k:
                    seen[other, 0], seen[other, 1] = k, -1
                    queue[size] = other
                    size += 1
                if seen[other, 1] < 0 or rank[row] < seen[other, 1]:
                    seen[other, 1] = rank[row]
        if count + size > out.shape[1]:
            grown = np.empty((3, 2 * (count + size)), np.int64)
            grown[:, :count] = out[:, :count]
            out = grown
        for place in range(size):
            out[0, count], out[1, count], out[2, count] = k, queue[place], seen[queue[place], 1]
            count += 1
    return out[0, :count], out[1, :count], out[2, :count]


def overlaps(one: tuple[Ints, Ints], other: tuple[Ints, Ints], n_nodes: int) -> tuple[Ints, Ints, Ints]:
    """Return which groups of two lists have nodes in common, and how many.

    Parameters
    ----------
    one, other
        Group and node of each row, each pair once.

    Returns
    -------
    left, right, common : int64, shape (n,)
        In the order of left and right.

    Examples
    --------
    >>> lists = (np.array([0, 0, 1]), np.array([5, 6, 7])), (np.array([0, 0, 0]), np.array([6, 5, 4]))
    >>> [column.tolist() for column in overlaps(*lists, 8)]
    [[0], [0], [2]]
    """
    (left, node), (right, there) = one, other
    row, met = items_of(group_rows(there, n_nodes), node)
    width = int(right.max(initial=0)) + 1
    key, common = np.unique(left[row] * width + right[met], return_counts=True)
    return key // width, key % width, common.astype(np.int64)


@kernel
def take_first(left: Ints, right: Ints, n_left: int, n_right: int) -> Ints:
    """Go through pairs in their order and take those of which neither side is taken; return the left's partner, -1 where it has none.

    Examples
    --------
    >>> take_first(np.array([0, 1, 1]), np.array([0, 0, 1]), 3, 2).tolist()
    [0, 1, -1]
    """
    partner, taken = np.full(n_left, -1, np.int64), np.zeros(n_right, np.bool_)
    for row in range(len(left)):
        if partner[left[row]] < 0 and not taken[right[row]]:
            partner[left[row]] = right[row]
            taken[right[row]] = True
    return partner


class Earlier(NamedTuple):
    """Groups of an earlier night: group and node of each row whose node is still known, and how many members each group had."""

    group: Ints
    node: Ints
    size: Ints


def same_as_before(now: tuple[Ints, Ints], before: Earlier, likely: Ints, n_nodes: int) -> Ints:
    """Return for each group the earlier one that it continues, -1 where there is none; no earlier group is continued twice.

    Two groups are compared by Jaccard's measure, members in both of members in either, which is at least one half. The
    greatest goes first; of equals the larger overlap, then that of ``likely``, then the earlier group of the smaller number.

    Parameters
    ----------
    now
        Group and node of each row, groups being numbered from 0.
    likely : int64, shape (n_groups,)
        The earlier group to which a group is likely to belong, -1 for none.

    Examples
    --------
    >>> now, node = np.array([0, 0, 1, 1]), np.array([0, 1, 2, 3])
    >>> before = Earlier(np.zeros(4, np.int64), np.arange(4), np.array([4]))
    >>> same_as_before((now, node), before, np.array([-1, 0]), 4).tolist()
    [-1, 0]
    """
    left, right, common = overlaps(now, (before.group, before.node), n_nodes)
    size = np.bincount(now[0], minlength=likely.size)
    either = size[left] + before.size[right] - common
    near = np.flatnonzero(2 * common >= either)
    left, right, common, either = left[near], right[near], common[near], either[near]
    order = np.lexsort((left, right, likely[left] != right, -common, -common / either))
    return take_first(left[order], right[order], likely.size, before.size.size)


def without(source: Ints, target: Ints, cut: Bools, n_nodes: int) -> Bools:
    """Return which pairs of a transitive relation are left to be followed when some are cut, so that nothing leads round these.

    A pair that only sums up others is not followed where one of its ways may be cut; who is still reached by another way is
    reached from pair to pair. Pairs within a strong component count as direct.

    Parameters
    ----------
    source, target : int64, shape (n_pairs,)
        All pairs of the relation, each once.
    cut : bool, shape (n_pairs,)

    Examples
    --------
    >>> chain = np.array([0, 0, 1]), np.array([1, 2, 2])
    >>> without(*chain, np.array([False, False, True]), 3).tolist()
    [True, False, False]
    """
    begun = np.zeros(n_nodes, np.bool_)
    begun[source[cut]] = True
    touched = begun.copy()
    touched[source[begun[target]]] = True
    component = strong_components(source, target, n_nodes)
    between = component[source] != component[target]
    ones = np.ones(int(between.sum()), np.int64)
    whole = csr_array((ones, (source[between], target[between])), shape=(n_nodes, n_nodes))
    above = np.flatnonzero(touched)
    twice = (whole[above] @ whole).tocoo()
    summed = above[twice.row].astype(np.int64) * n_nodes + twice.col
    left: Bools = ~cut & ~(between & touched[source] & among(source * n_nodes + target, np.sort(summed)))
    return left
