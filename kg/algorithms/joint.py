"""Joint control on dense ids: which members of a coalition take part in what it controls only together."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from kg.algorithms.csr import Csr, group_rows, items_of
from kg.algorithms.groups import Bools
from kg.algorithms.kernel import Ints
from kg.algorithms.sharing import among

#: Two columns, a row for each pair.
Pairs: TypeAlias = tuple[Ints, Ints]


def only_jointly(members: Csr, joint: Pairs, alone: Pairs, n_parties: int) -> Bools:
    """Tell which companies none of a coalition's members controls alone.

    Parameters
    ----------
    members
        ``members.items[members.start[k] : members.start[k + 1]]`` are the members of coalition k.
    joint
        Coalition and company that it controls.
    alone
        Party and company that it controls alone.
    """
    row, party = items_of(members, joint[0])
    known = np.sort(alone[0] * n_parties + alone[1])
    found = np.ones(joint[0].size, np.bool_)
    found[row[among(party * n_parties + joint[1][row], known)]] = False
    return found


def partners(members: Csr, joint: Pairs, alone: Pairs, holdings: Pairs, n_parties: int) -> set[tuple[int, ...]]:
    """Return of each coalition those members who have votes in what none of them controls alone, apart where nothing joins them.

    A member takes part in a company by its own votes, by those of whom it controls alone, and by those of a company in the joint control
    of which it takes part.

    Parameters
    ----------
    members, joint, alone
        As `only_jointly` has them.
    holdings
        Holder and company of all votes.

    Examples
    --------
    >>> husband, wife, brother, firm = range(4)
    >>> family, nobody = Csr(np.array([0, 3]), np.arange(3)), np.empty(0, np.int64)
    >>> held = np.array([husband, wife]), np.array([firm, firm])
    >>> partners(family, (np.array([0]), np.array([firm])), (nobody, nobody), held, 4)
    {(0, 1)}
    """
    kept = only_jointly(members, joint, alone, n_parties)
    of, company = joint[0][kept], joint[1][kept]
    if not of.size:
        return set()
    sizes = np.diff(members.start)
    inside = np.sort(np.repeat(np.arange(sizes.size), sizes) * n_parties + members.items)
    row, at = items_of(group_rows(holdings[1], n_parties), company)
    here, holder = of[row] * n_parties + company[row], holdings[0][at]
    there, base = of[row] * n_parties + holder, of[row] * n_parties
    # who is behind a holder: itself, where it is a member or jointly controlled, and the members that control it alone
    direct = among(there, inside) | among(there, np.sort(of * n_parties + company))
    place, by = items_of(group_rows(alone[1], n_parties), holder)
    above = base[place] + alone[0][by]
    through = among(above, inside)
    one = np.concatenate([here[direct], here[place[through]]])
    other = np.concatenate([there[direct], above[through]])
    nodes, ends = np.unique(np.concatenate([one, other]), return_inverse=True)
    a, b = np.split(ends, 2)
    _, label = connected_components(csr_array((np.ones(a.size), (a, b)), shape=(nodes.size, nodes.size)), directed=False)
    member = np.flatnonzero(among(nodes, inside))
    order = member[np.argsort(label[member], kind="stable")]
    parts = np.split(nodes[order] % n_parties, np.flatnonzero(np.diff(label[order])) + 1)
    return {tuple(part.tolist()) for part in parts if part.size > 1}
