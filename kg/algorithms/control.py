"""Control as a fixpoint: whom a party commands by the votes of all that it commands already.

Each party is followed by itself, over the companies that it controls and those in which they vote; what that costs is what is found.
Where more votes are stated than there can be, any of them may be those that are not there: none of that surplus makes control certain.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kg.algorithms.csr import Csr
from kg.algorithms.kernel import Ints, kernel


class Votes(NamedTuple):
    """Votes, a row for each holder and company, in the order of the holder; a company's own shares are not among them.

    Attributes
    ----------
    start : int64, shape (n_parties + 1,)
        Where each holder's rows begin.
    held, low, high : int64, shape (n_rows,)
        The company, and least and most votes in ppm.
    bar : int64, shape (n_parties,)
        The least number of ppm that makes control of each company.
    most, known : int64, shape (n_parties,)
        All votes that there can be in each company, and the sum of the least ones.
    surplus : int64, shape (n_parties,)
        By how much the latter are more than the former, beyond what rounding makes.
    """

    start: Ints
    held: Ints
    low: Ints
    high: Ints
    bar: Ints
    most: Ints
    known: Ints
    surplus: Ints


class Seen(NamedTuple):
    """What is known of the coalition that is being followed.

    Attributes
    ----------
    of : int64, shape (n_parties, 6)
        Of each party side by side, as they are read together: the coalition for which its votes were counted last, the least and the
        most of these, the coalition that it belongs to or that controls it, the bar, and the bar of what is certain.
    queue : int64, shape (n_parties,)
        The coalition's parties and those that it controls, in the order in which they were found.
    """

    of: Ints
    queue: Ints


_STAMP, _LOW, _HIGH, _MEMBER, _BAR, _SURE = range(6)


@kernel
def _most(votes: Votes, seen: Seen, company: int) -> int:
    """Return the most votes that the coalition can have in a company: no more than all that the others do not have for certain."""
    low = seen.of[company, _LOW]
    found: int = max(low, min(seen.of[company, _HIGH], votes.most[company] - (votes.known[company] - low)))
    return found


@kernel
def _join(votes: Votes, seen: Seen, at: tuple[int, int, int], certain: bool) -> int:
    """Add a company to the queue if it is controlled now and was not before; return how long the queue is then."""
    k, company, size = at
    ppm = seen.of[company, _LOW] if certain else _most(votes, seen, company)
    if ppm < seen.of[company, _SURE if certain else _BAR] or seen.of[company, _MEMBER] == k:
        return size
    seen.of[company, _MEMBER] = k
    seen.queue[size] = company
    return size + 1


@kernel
def _follow(votes: Votes, seen: Seen, at: tuple[int, int, int], certain: bool) -> int:
    """Count the votes of the queue's parties from ``done`` on, and of all that come to be controlled by them."""
    k, done, size = at
    while done < size:
        party = seen.queue[done]
        done += 1
        for row in range(votes.start[party], votes.start[party + 1]):
            company = votes.held[row]
            if seen.of[company, _STAMP] != k:
                seen.of[company, _STAMP] = k
                seen.of[company, _LOW] = 0
                seen.of[company, _HIGH] = 0
            seen.of[company, _LOW] += votes.low[row]
            seen.of[company, _HIGH] += votes.high[row]
            size = _join(votes, seen, (k, company, size), certain)
    return size


@kernel
def _reconsider(votes: Votes, seen: Seen, k: int, size: int) -> int:
    """Add the companies that the votes counted so far may control, though it is not certain."""
    for place in range(size):
        party = seen.queue[place]
        for row in range(votes.start[party], votes.start[party + 1]):
            size = _join(votes, seen, (k, votes.held[row], size), False)
    return size


@kernel
def _tell(votes: Votes, seen: Seen, out: Ints, count: int, told: tuple[int, int, int, bool]) -> Ints:
    """Write a row for each company of the queue between two places, into ``out`` or a larger copy of it."""
    k, begin, end, certain = told
    if count + end - begin > out.shape[1]:
        grown = np.empty((4, 2 * (count + end - begin)), np.int64)
        grown[:, :count] = out[:, :count]
        out = grown
    for place in range(begin, end):
        company = seen.queue[place]
        out[0, count], out[1, count] = k, company
        out[2, count] = seen.of[company, _LOW] if certain else _most(votes, seen, company)
        out[3, count] = 1 if certain else 0
        count += 1
    return out


@kernel
def controlled(votes: Votes, seeds: Csr, bounds: bool) -> tuple[Ints, Ints, Ints, Ints]:
    """Return whom each coalition controls.

    Parameters
    ----------
    votes
        The votes of all parties.
    seeds
        ``seeds.items[seeds.start[k] : seeds.start[k + 1]]`` are the parties of coalition k: one, for a party alone.
    bounds
        Whether any row's most is more than its least, or any company has a surplus: only then is anything possible that is not certain.

    Returns
    -------
    coalition, company, ppm, certain : int64, shape (n,)
        ``certain`` is 1 where the least votes suffice even without the company's surplus, ``ppm`` being these; 0 where only the most
        do, ``ppm`` then being those.
        A coalition does not control its own members.

    Examples
    --------
    >>> chain = Votes(np.array([0, 1, 2, 2]), np.array([1, 2]), np.array([510_000] * 2), np.array([510_000] * 2),
    ...               np.full(3, 500_001), np.full(3, 1_000_000), np.array([0, 510_000, 510_000]), np.zeros(3, np.int64))
    >>> [column.tolist() for column in controlled(chain, Csr(np.array([0, 1]), np.array([0])), False)]
    [[0, 0], [1, 2], [510000, 510000], [1, 1]]
    """
    n = len(votes.start) - 1
    seen = Seen(np.full((n, 6), -1, np.int64), np.empty(n, np.int64))
    seen.of[:, _BAR] = votes.bar
    seen.of[:, _SURE] = votes.bar + votes.surplus
    out, count = np.empty((4, 1024), np.int64), 0
    for k in range(len(seeds.start) - 1):
        first = seeds.start[k + 1] - seeds.start[k]
        for place in range(first):
            seen.queue[place] = seeds.items[seeds.start[k] + place]
            seen.of[seen.queue[place], _MEMBER] = k
        size = _follow(votes, seen, (k, 0, first), True)
        out = _tell(votes, seen, out, count, (k, first, size, True))
        count += size - first
        if bounds:
            most = _follow(votes, seen, (k, size, _reconsider(votes, seen, k, size)), False)
            out = _tell(votes, seen, out, count, (k, size, most, False))
            count += most - size
    return out[0, :count], out[1, :count], out[2, :count], out[3, :count]
