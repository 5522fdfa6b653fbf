"""Control of listed companies below one half: whoever commands enough votes, and more than anybody else, where nobody has control proper.

Knows who is somebody else: neither commanded by the one, nor in command of it. Hides that the bar of such a company
is set above its winner's rivals, so that all who command the winner pass it too.

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

    Who comes to control a listed company commands its votes in others, which may change who has most there. So all are judged again by
    what was found before, until nothing changes; where that goes round in a circle, what is won at some of its stations alone is not won.

    Parameters
    ----------
    votes, seeds, bounds
        As there.
    enough : int64, shape (n_parties,)
        The least votes that make control of a listed company.
    listed : bool, shape (n_parties,)
    """
    found = controlled(votes, seeds, bounds)
    open_ = listed.copy()
    # who may control it otherwise is a rival, unless it is the winner itself
    open_[found[1][found[3] == 1]] = False
    bars = [votes.bar]
    while True:
        won = _won(votes, seeds, (found[0], found[1], found[3] == 1), open_, enough)
        bar = np.where(open_, np.minimum(votes.bar, won), votes.bar)
        before = next((place for place, each in enumerate(bars) if np.array_equal(each, bar)), None)
        if before is not None:
            return controlled(votes._replace(bar=np.max(bars[before:], axis=0)), seeds, bounds)
        bars.append(bar)
        found = controlled(votes._replace(bar=bar), seeds, bounds)


def _won(votes: Votes, seeds: Csr, pairs: tuple[Ints, Ints, Bools], open_: Bools, enough: Ints) -> Ints:
    """Return for each party the least votes by which it is won, more than there can be where nobody wins it."""
    own = _members(votes, seeds, (pairs[0], pairs[1], np.zeros(pairs[0].size, np.bool_)))
    members = _members(votes, seeds, pairs)
    coalition, company, low, high = _commanded(votes, members, open_)
    able = np.flatnonzero((low >= enough[company]) & (values_at(own, coalition, company) == 0))
    place, other = items_of(group_rows(company, open_.size), company[able])
    mine, theirs = coalition[able][place], coalition[other]
    size = np.diff(members.indptr)
    common = np.asarray(members[mine].multiply(members[theirs]).sum(axis=1)).ravel()
    rival = common < np.minimum(size[mine], size[theirs])
    most = np.zeros(able.size, np.int64)
    np.maximum.at(most, place[rival], high[other[rival]])
    winner = most < low[able]
    won = np.full(open_.size, _NONE)
    np.minimum.at(won, company[able[winner]], np.maximum(enough[company[able]], most + 1)[winner])
    return won


def _members(votes: Votes, seeds: Csr, pairs: tuple[Ints, Ints, Bools]) -> csr_array:
    """Return whom each coalition certainly commands, its own members among them."""
    coalition, company, certain = pairs
    own = np.repeat(np.arange(len(seeds.start) - 1), np.diff(seeds.start))
    rows, columns = np.concatenate([own, coalition[certain]]), np.concatenate([seeds.items, company[certain]])
    return csr_array((np.ones(rows.size, np.int64), (rows, columns)), shape=(len(seeds.start) - 1, len(votes.start) - 1))


def _commanded(votes: Votes, members: csr_array, open_: Bools) -> tuple[Ints, Ints, Ints, Ints]:
    """Return how many votes coalitions have at least, without any surplus, and at most in the companies that are open."""
    row = np.flatnonzero(open_[votes.held])
    holder, held = np.searchsorted(votes.start, row, side="right") - 1, votes.held[row]
    shape = (open_.size, open_.size)
    greatest = (members @ csr_array((votes.high[row], (holder, held)), shape=shape)).tocoo()
    least = members @ csr_array((votes.low[row], (holder, held)), shape=shape)
    coalition, company = greatest.row.astype(np.int64), greatest.col.astype(np.int64)
    low = values_at(csr_array(least), coalition, company)
    high = np.maximum(np.minimum(greatest.data, votes.most[company] - (votes.known[company] - low)), low)
    return coalition, company, np.maximum(low - votes.surplus[company], 0), high
