"""Control of listed companies below one half: whoever commands enough votes, and more than anybody else, where nobody has control proper.

Knows who is somebody else: neither commanded by the one, nor in command of it. Hides that a winner's votes become the bar of the company,
so that all who command the winner pass it too.

References
----------
.. [1] 上市公司收购管理办法, art. 84.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from kg.algorithms.control import Votes, controlled
from kg.algorithms.csr import Csr, group_rows, items_of, values_at
from kg.algorithms.groups import Bools
from kg.algorithms.kernel import Ints

_NONE = np.iinfo(np.int64).max


def controlled_where_listed(votes: Votes, seeds: Csr, bounds: bool, enough: Ints, listed: Bools) -> tuple[Ints, Ints, Ints, Ints]:
    """Return what `kg.algorithms.control.controlled` does, with control of listed companies that nobody controls otherwise.

    Rounds are made until no company is added: who comes to control a listed company commands its votes in others from then on.

    Parameters
    ----------
    votes, seeds, bounds
        As there.
    enough : int64, shape (n_parties,)
        The least votes that make control of a listed company.
    listed : bool, shape (n_parties,)
    """
    while True:
        found = controlled(votes, seeds, bounds)
        bar = votes.bar.copy()
        open_ = listed.copy()
        open_[found[1]] = False
        won = _won(votes, seeds, (found[0], found[1], found[3] == 1), open_, enough)
        bar[open_] = np.minimum(bar, won)[open_]
        if not (bar < votes.bar).any():
            return found
        votes = votes._replace(bar=bar)


def _won(votes: Votes, seeds: Csr, pairs: tuple[Ints, Ints, Bools], open_: Bools, enough: Ints) -> Ints:
    """Return for each party the least votes by which a coalition wins it, more than there can be where none does."""
    members = _members(votes, seeds, pairs)
    coalition, company, low, high = _commanded(votes, members, open_)
    able = np.flatnonzero(low >= enough[company])
    place, other = items_of(group_rows(company, open_.size), company[able])
    mine, theirs = coalition[able][place], coalition[other]
    size = np.diff(members.indptr)
    common = np.asarray(members[mine].multiply(members[theirs]).sum(axis=1)).ravel()
    beaten = (common < np.minimum(size[mine], size[theirs])) & (high[other] >= low[able][place])
    winner = able[np.bincount(place[beaten], minlength=able.size) == 0]
    won = np.full(open_.size, _NONE)
    np.minimum.at(won, company[winner], low[winner])
    return won


def _members(votes: Votes, seeds: Csr, pairs: tuple[Ints, Ints, Bools]) -> csr_array:
    """Return whom each coalition certainly commands, its own members among them."""
    coalition, company, certain = pairs
    own = np.repeat(np.arange(len(seeds.start) - 1), np.diff(seeds.start))
    rows, columns = np.concatenate([own, coalition[certain]]), np.concatenate([seeds.items, company[certain]])
    return csr_array((np.ones(rows.size, np.int64), (rows, columns)), shape=(len(seeds.start) - 1, len(votes.start) - 1))


def _commanded(votes: Votes, members: csr_array, open_: Bools) -> tuple[Ints, Ints, Ints, Ints]:
    """Return how many votes coalitions have at least and at most in the companies that are open, of which they are no members."""
    row = np.flatnonzero(open_[votes.held])
    holder, held = np.searchsorted(votes.start, row, side="right") - 1, votes.held[row]
    shape = (open_.size, open_.size)
    greatest = (members @ csr_array((votes.high[row], (holder, held)), shape=shape)).tocoo()
    least = members @ csr_array((votes.low[row], (holder, held)), shape=shape)
    coalition, company = greatest.row.astype(np.int64), greatest.col.astype(np.int64)
    low = values_at(csr_array(least), coalition, company)
    high = np.maximum(np.minimum(greatest.data, votes.most[company] - (votes.known[company] - low)), low)
    outside = values_at(members, coalition, company) == 0
    return coalition[outside], company[outside], low[outside], high[outside]
