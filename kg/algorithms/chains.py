"""How many chains of holdings lead from one party to another: chains in which nobody stands twice."""

from __future__ import annotations

import numpy as np

from kg.algorithms.csr import Csr
from kg.algorithms.kernel import Ints, kernel

#: Chains are counted up to here, and so many steps are made for a pair: circles of many companies have more chains than anybody reads.
MOST = 1_000
_STEPS = 200_000


@kernel
def count_chains(above: Csr, top: Ints, bottom: Ints) -> Ints:
    """Return for each pair how many chains lead from ``top`` down to ``bottom``, at most ``MOST``.

    So many are told too where there are chains and circles have more ways than are gone: how many were found by then would hang on the
    order of the holders.

    Parameters
    ----------
    above
        ``above.items[above.start[k] : above.start[k + 1]]`` are the holders of party k.
    top, bottom : int64, shape (n,)
        Pairs of parties.

    Examples
    --------
    >>> diamond = Csr(np.array([0, 0, 1, 2, 4]), np.array([0, 0, 1, 2]))
    >>> count_chains(diamond, np.array([0, 0]), np.array([3, 1])).tolist()
    [2, 1]
    """
    n = len(above.start) - 1
    found = np.zeros(len(top), np.int64)
    way, turn = np.empty(n + 1, np.int64), np.empty(n + 1, np.int64)
    on_way = np.zeros(n, np.bool_)
    for pair in range(len(top)):
        depth, steps = 0, 0
        way[0], turn[0] = bottom[pair], above.start[bottom[pair]]
        on_way[bottom[pair]] = True
        while depth >= 0:
            here = way[depth]
            steps += 1
            if turn[depth] == above.start[here + 1] or found[pair] == MOST or steps > _STEPS:
                on_way[here] = False
                depth -= 1
                continue
            holder = above.items[turn[depth]]
            turn[depth] += 1
            if holder == top[pair]:
                found[pair] += 1
            elif not on_way[holder]:
                depth += 1
                way[depth], turn[depth] = holder, above.start[holder]
                on_way[holder] = True
        if steps > _STEPS and _leads(above, top[pair], bottom[pair], way):
            found[pair] = MOST
    return found


@kernel
def _leads(above: Csr, top: int, bottom: int, queue: Ints) -> bool:
    """Tell whether any chain leads from one party down to another."""
    seen = np.zeros(len(above.start) - 1, np.bool_)
    queue[0], seen[bottom] = bottom, True
    done, size = 0, 1
    while done < size:
        for row in range(above.start[queue[done]], above.start[queue[done] + 1]):
            holder = above.items[row]
            if holder == top:
                return True
            if not seen[holder]:
                queue[size], seen[holder] = holder, True
                size += 1
        done += 1
    return False
