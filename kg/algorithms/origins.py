"""Over whom a loss came: the strongest chain from where it began to each company that was hurt."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from kg.algorithms.cascade import Floats, Side
from kg.algorithms.kernel import Ints

#: What each step of a chain costs, so that of two as strong ones the shorter is told.
_STEP = 1e-9


def origins(side: Side, struck: Ints, fell: Floats, lost: Floats) -> Ints:
    """Return for each company the partner before it on the strongest chain from a struck one; -1 where it begins, and for who is not hurt.

    A link is as strong as the part of a company's loss that the partner hands on, a chain as the product of its links; it begins with the
    part of a struck company's loss that the shock itself is.

    Parameters
    ----------
    struck : int64
        The companies where it began.
    fell : float64, shape of ``struck``
        What each of them lost by the shock itself; who lost nothing by it is not where it began.
    lost : float64, shape (n_companies,)
        What each lost in the end.

    Examples
    --------
    >>> from kg.algorithms.cascade import links, upstream
    >>> side = upstream(links(np.array([0, 1]), np.array([1, 2]), np.ones(2), 3))
    >>> origins(side, np.array([2]), np.array([1.0]), np.array([0.5, 1.0, 1.0])).tolist()
    [1, 2, -1]
    """
    count = lost.size
    company = np.repeat(np.repeat(np.arange(count), np.diff(side.first)), np.diff(side.start))
    handed = side.part * lost[side.partner]
    kept = (handed > 0) & (lost[company] > 0)
    partner, company, handed = side.partner[kept], company[kept], handed[kept]
    cost = _STEP - np.log(np.minimum(handed / lost[company], 1.0))
    struck, fell = struck[fell > 0], fell[fell > 0]
    # behind all companies stands the shock
    cost = np.append(cost, _STEP - np.log(np.minimum(fell / lost[struck], 1.0)))
    ways = csr_array((cost, (np.append(partner, np.full(struck.size, count)), np.append(company, struck))), shape=(count + 1, count + 1))
    _, before = dijkstra(ways, indices=count, return_predecessors=True)
    found: Ints = np.where((before < 0) | (before == count), -1, before)[:count].astype(np.int64)
    return found


def chain_to(before: Ints, company: int) -> list[int]:
    """Return the chain that ends at a company, from where it began.

    >>> chain_to(np.array([1, 2, -1]), 0)
    [2, 1, 0]
    """
    chain = [company]
    while before[chain[-1]] >= 0:
        chain.append(int(before[chain[-1]]))
    return chain[::-1]
