"""Strong components of a directed graph: the largest sets in which every node reaches every other."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from kg.algorithms.kernel import Ints
from kg.errors import KgfraudError


def strong_components(source: Ints, target: Ints, n_nodes: int) -> Ints:
    """Return for each node the smallest node of its strong component.

    Parameters
    ----------
    source, target : int64, shape (n_edges,)
        Ends of the edges, each in ``[0, n_nodes)``; parallel edges and loops are allowed.

    Returns
    -------
    int64, shape (n_nodes,)
        A node alone in its component stands for itself.

    Raises
    ------
    KgfraudError
        If an end is outside the range, or the arrays differ in length.

    References
    ----------
    .. [1] Pearce, An improved algorithm for finding the strongly connected components of a
       directed graph, 2005 (as implemented in ``scipy.sparse.csgraph``).

    Examples
    --------
    >>> strong_components(np.array([0, 1, 2, 3]), np.array([1, 2, 1, 3]), 4).tolist()
    [0, 1, 1, 3]
    """
    if len(source) != len(target):
        raise KgfraudError(f"edges need as many sources as targets, found {len(source)} and {len(target)}")
    for ends in (source, target):
        if len(ends) and (ends.min() < 0 or ends.max() >= n_nodes):
            raise KgfraudError(f"ends of edges must lie in [0, {n_nodes}), found {ends.min()} to {ends.max()}; intern the ids first")
    if n_nodes == 0:
        return np.empty(0, dtype=np.int64)
    links = csr_array((np.ones(len(source), dtype=np.int8), (source, target)), shape=(n_nodes, n_nodes))
    links.data[:] = 1  # parallel edges were added up, and 256 of them would wrap round to 0
    count, labels = connected_components(links, directed=True, connection="strong")
    first = np.full(count, n_nodes, dtype=np.int64)
    np.minimum.at(first, labels, np.arange(n_nodes, dtype=np.int64))
    smallest: Ints = first[labels]
    return smallest
