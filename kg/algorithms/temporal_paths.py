"""Money followed forward in time: from a pay-out, over transfers that keep most of it, to the accounts of interest.

Only the time windows after the pay-outs are looked at, and of them only what lies between the
pay-out and an account of interest: payers are first marked backward from those accounts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.algorithms.csr import Csr, group_rows
from kg.algorithms.kernel import Ints, kernel
from kg.errors import UsageError


class Flow(NamedTuple):
    """Transfers in the order of (time, id): a transfer's number is its place in that order.

    Attributes
    ----------
    payer, payee, at, amount : int64, shape (n_transfers,)
        Accounts as dense ids; microseconds; fen.
    row : int64, shape (n_transfers,)
        The row of the table that it stands in.
    out, into : Csr
        Transfer numbers by payer and by payee, hence in the order of time.
    """

    payer: Ints
    payee: Ints
    at: Ints
    amount: Ints
    row: Ints
    out: Csr
    into: Csr


class Starts(NamedTuple):
    """Pay-outs, and the parties to whose accounts each one's money might return.

    Attributes
    ----------
    account, first_at, last_at, least : int64, shape (n_starts,)
        Where and when the money starts, the last moment and the least amount of a transfer.
    parties : Csr
        Start → its parties, as numbers of ``(start, party)`` pairs.
    accounts : Csr
        Pair → the party's accounts.
    """

    account: Ints
    first_at: Ints
    last_at: Ints
    least: Ints
    parties: Csr
    accounts: Csr


@dataclass(frozen=True)
class Returns:
    """One row for each pair to which money returned.

    Attributes
    ----------
    pair : int64, shape (n,)
    path : int64, shape (n, max_hops)
        Transfer numbers in the order of the way; -1 after the last.
    """

    pair: Ints
    path: Ints


def flow(payer: Ints, payee: Ints, at: Ints, amount: Ints, *, row: Ints, ids: pa.ChunkedArray, n_accounts: int) -> Flow:
    """Sort transfers by time, equal times by id, and index them by payer and by payee.

    Parameters
    ----------
    payer, payee, at, amount, row : int64, shape (n_transfers,)
        ``row``: where in ``ids`` each transfer's id stands.
    ids
        Ids of all rows; only those of transfers at equal times are read.

    Examples
    --------
    >>> a = np.array([0, 0]), np.array([1, 1]), np.array([5, 5]), np.array([7, 8])
    >>> flow(*a, row=np.array([2, 0]), ids=pa.chunked_array([["t1", "t2", "t3"]]), n_accounts=2).amount.tolist()
    [8, 7]
    """
    order = _by_time_and_id(at, row, ids)
    payer, payee = payer[order], payee[order]
    return Flow(payer, payee, at[order], amount[order], row[order], group_rows(payer, n_accounts), group_rows(payee, n_accounts))


def _by_time_and_id(at: Ints, row: Ints, ids: pa.ChunkedArray) -> Ints:
    order = np.argsort(at, kind="stable")
    sorted_at = at[order]
    same = sorted_at[1:] == sorted_at[:-1]
    tied = np.flatnonzero(np.append(same, False) | np.append(False, same))
    # strings are slow to sort, and most transfers have a moment of their own: sort the others alone
    if len(tied):
        names = pa.table({"at": sorted_at[tied], "id": ids.take(pa.array(row[order[tied]]))})
        order[tied] = order[tied][pc.sort_indices(names, sort_keys=[("at", "ascending"), ("id", "ascending")]).to_numpy()]
    return order


def find_returns(money: Flow, starts: Starts, *, max_hops: int) -> Returns:
    """For each start and party, the way by which money first reaches an account of the party.

    A way is up to ``max_hops`` transfers, each from the payee of the one before, at its time or
    later, within the start's time and amount limits. It is a return to a party if the start's
    account is not the party's, or if an account on the way belongs to none of the start's parties.
    Of several ways the one that arrives first is told; then the one with the fewest transfers; then,
    compared from the last transfer backward, the one with the earlier (time, id).

    The search is complete: for each account and number of hops, the earliest arrival (and the
    earliest one after money was outside) is enough to know every account that can be reached, and
    a way that passes an account twice only wins where going round is what took the money outside.

    Raises
    ------
    UsageError
        If ``max_hops`` is less than 1.

    Examples
    --------
    Account 0 pays 1, which pays back one microsecond later:

    >>> one_two = [np.array(x) for x in ([0, 1], [1, 0], [5, 6], [9, 9])]
    >>> money = flow(*one_two, row=np.arange(2), ids=pa.chunked_array([["a", "b"]]), n_accounts=2)
    >>> one = [np.array([x]) for x in (0, 5, 9, 8)]
    >>> pair = Csr(np.array([0, 1]), np.array([0]))
    >>> find_returns(money, Starts(*one, pair, pair), max_hops=4).path.tolist()
    [[0, 1, -1, -1]]
    """
    if max_hops < 1:
        raise UsageError(f"a way needs at least 1 hop, found max_hops = {max_hops}")
    n_pairs, n_accounts = len(starts.accounts.start) - 1, len(money.out.start) - 1
    paths = np.full((n_pairs, max_hops), -1, dtype=np.int64)
    room = _Room(
        near=np.full(n_accounts, -1, dtype=np.int64),
        best=np.full((2 * max_hops + 2, n_accounts), -1, dtype=np.int64),
        front=np.empty((max_hops + 2, n_accounts), dtype=np.int64),
        counts=np.zeros(max_hops + 2, dtype=np.int64),
        paths=paths,
    )
    if len(money.at):
        _search(money, starts, room)
    pair = np.flatnonzero(paths[:, 0] >= 0)
    return Returns(pair, paths[pair])


class _Room(NamedTuple):
    """What one start writes down, cleared before the next.

    ``near``: hops that lie between an account and the parties' accounts (0: it is one), -1 where
    unknown. ``best[2 * hop + kind]``: the transfer by which money arrives first in that number of
    hops, of any kind (0) or after it was outside the parties' accounts (1). ``front[hop]``: the
    accounts reached in that number of hops; the last row holds those with ``near`` set.
    ``counts``: how many of each row of ``front`` hold. ``paths``: what is told.
    """

    near: Ints
    best: Ints
    front: Ints
    counts: Ints
    paths: Ints


@kernel
def first_since(index: Csr, key: int, at: Ints, since: int) -> int:
    """Return the place of the key's first transfer at or after a moment."""
    low: int = index.start[key]
    high: int = index.start[key + 1]
    while low < high:
        middle = (low + high) // 2
        if at[index.items[middle]] < since:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def _mark_near(money: Flow, starts: Starts, s: int, room: _Room) -> bool:
    """Mark the accounts from which the parties' accounts are at most half the hops away; False if nobody pays those."""
    reach = max(1, room.paths.shape[1] // 2)
    marked, count, paid = room.front[-1], 0, False
    for p in range(starts.parties.start[s], starts.parties.start[s + 1]):
        pair = starts.parties.items[p]
        for i in range(starts.accounts.start[pair], starts.accounts.start[pair + 1]):
            if room.near[starts.accounts.items[i]] < 0:
                room.near[starts.accounts.items[i]] = 0
                marked[count] = starts.accounts.items[i]
                count += 1
    head = 0
    while head < count and room.near[marked[head]] < reach:
        account = marked[head]
        head += 1
        for k in range(first_since(money.into, account, money.at, starts.first_at[s]), money.into.start[account + 1]):
            transfer = money.into.items[k]
            if money.at[transfer] > starts.last_at[s]:
                break
            payer = money.payer[transfer]
            if money.amount[transfer] < starts.least[s] or payer == account:
                continue
            paid = True
            if room.near[payer] < 0:
                room.near[payer] = room.near[account] + 1
                marked[count] = payer
                count += 1
    room.counts[-1] = count
    return paid


@kernel
def _spread(money: Flow, starts: Starts, s: int, room: _Room, hop: int) -> None:
    """Go one hop on from every account reached, to those from which the rest of the way is short enough."""
    max_hops = room.paths.shape[1]
    left = max_hops - hop
    room.counts[hop] = 0
    for i in range(room.counts[hop - 1]):
        payer = room.front[hop - 1, i]
        any_since = starts.first_at[s] if hop == 1 else money.at[room.best[2 * hop - 2, payer]]
        earlier = room.best[2 * hop - 1, payer]
        outside = room.near[payer] != 0
        for k in range(first_since(money.out, payer, money.at, any_since), money.out.start[payer + 1]):
            transfer = money.out.items[k]
            if money.at[transfer] > starts.last_at[s]:
                break
            payee = money.payee[transfer]
            if money.amount[transfer] < starts.least[s] or payee == payer:
                continue
            if left <= max(1, max_hops // 2) and not 0 <= room.near[payee] <= left:
                continue
            known = room.best[2 * hop, payee]
            if known < 0:
                room.front[hop, room.counts[hop]] = payee
                room.counts[hop] += 1
            if known < 0 or transfer < known:
                room.best[2 * hop, payee] = transfer
            if outside or (earlier >= 0 and money.at[transfer] >= money.at[earlier]):
                known = room.best[2 * hop + 1, payee]
                if known < 0 or transfer < known:
                    room.best[2 * hop + 1, payee] = transfer


@kernel
def _tell(money: Flow, starts: Starts, s: int, room: _Room, pair: int) -> None:
    """Write the best way to the accounts of a pair, if there is one."""
    way = room.paths[pair]
    kind, hops, last = 0, 0, -1
    for i in range(starts.accounts.start[pair], starts.accounts.start[pair + 1]):
        if starts.accounts.items[i] == starts.account[s]:
            kind = 1
    for i in range(starts.accounts.start[pair], starts.accounts.start[pair + 1]):
        for hop in range(1, len(way) + 1):
            transfer = room.best[2 * hop + kind, starts.accounts.items[i]]
            if transfer < 0:
                continue
            if last < 0 or (money.at[transfer], hop, transfer) < (money.at[last], hops, last):
                hops, last = hop, transfer
    for hop in range(hops, 0, -1):
        way[hop - 1] = last
        payer = money.payer[last]
        if room.near[payer] != 0:
            kind = 0  # any money at an outside account has been outside
        last = room.best[2 * hop - 2 + kind, payer]


@kernel
def _clear(room: _Room) -> None:
    for hop in range(1, room.paths.shape[1] + 1):
        for i in range(room.counts[hop]):
            room.best[2 * hop, room.front[hop, i]] = -1
            room.best[2 * hop + 1, room.front[hop, i]] = -1
        room.counts[hop] = 0
    for i in range(room.counts[-1]):
        room.near[room.front[-1, i]] = -1


@kernel
def _search(money: Flow, starts: Starts, room: _Room) -> None:
    max_hops = room.paths.shape[1]
    for s in range(len(starts.account)):
        if _mark_near(money, starts, s, room):
            room.front[0, 0] = starts.account[s]
            room.counts[0] = 1
            for hop in range(1, max_hops + 1):
                _spread(money, starts, s, room, hop)
            for p in range(starts.parties.start[s], starts.parties.start[s + 1]):
                _tell(money, starts, s, room, starts.parties.items[p])
        _clear(room)
