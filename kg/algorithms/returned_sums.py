"""How much of a pay-out comes back in sum: split over payments and hands, bundled on the way, in the order of time.

Way by way: the one that arrives first carries as much as its transfers still can, then the next, until the whole has come back or no way is
left. So every sum told is money that could indeed have gone so; no transfer carries more than its amount.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kg.algorithms.csr import Csr, group_rows
from kg.algorithms.kernel import Ints, kernel
from kg.algorithms.temporal_paths import Flow, first_since


class Sought(NamedTuple):
    """Pay-outs, and the accounts to which each one's money might return.

    Attributes
    ----------
    account, first_at, gone_at, last_at, amount, part, least, most : int64, shape (n,)
        Where and when the money starts, the last moments of a way's first transfer and of any, how much there is, the least amount of a
        transfer that counts, and the least and the most that such transfers between two accounts sum up to in that time.
    home : Csr
        Pay-out → the accounts of those to whom money would return; the pay-out's own account may be among them.
    """

    account: Ints
    first_at: Ints
    gone_at: Ints
    last_at: Ints
    amount: Ints
    part: Ints
    least: Ints
    most: Ints
    home: Csr


class Limits(NamedTuple):
    """Most transfers on a way; most other payments between two accounts, and within how many microseconds before and after."""

    max_hops: int
    most_others: int
    around: int


class Sums(NamedTuple):
    """What came back, and by which transfers: rows of pay-out, transfer number and fen that it carried; for each pay-out the sum."""

    total: Ints
    start: Ints
    transfer: Ints
    carried: Ints


class _Room(NamedTuple):
    """What one pay-out writes down, cleared before the next.

    ``home``: 1 for its home accounts. ``near``: hops that lie between an account and home, -1 where unknown or too many. ``best[hop]``: the
    transfer by which money arrives in so many hops and no sooner in fewer; ``since``: the earliest arrival so far. ``left``: what each
    transfer can still carry, 0 where it does not count, -1 where it was not looked at yet; ``carried``: what it did carry.
    ``marked, front[hop], used``: accounts with ``near``, those with ``best``, transfers with ``left``; ``counts``: how many of them.
    """

    home: Ints
    near: Ints
    best: Ints
    since: Ints
    left: Ints
    carried: Ints
    marked: Ints
    front: Ints
    used: Ints
    counts: Ints


_NEVER = np.iinfo(np.int64).max


def returned_sums(money: Flow, sought: Sought, limits: Limits) -> Sums:
    """Return how much of each pay-out comes back home.

    A way is up to ``max_hops`` transfers, each from the payee of the one before, at its time or later, within the pay-out's limits of time
    and amount. It ends at the first home account that it reaches after an account that is not home. Between two accounts no transfer
    counts where those of such an amount sum up to less than ``least`` or more than ``most`` in the time of the pay-out, or more than
    ``most_others`` of them lie outside it but not further than ``around`` from it: that is trade. Of all ways the one that arrives first is
    taken; then the one with the fewest transfers; then, from the last transfer backward, the one with the earlier (time, id). It carries
    what its transfers can carry yet, and what is left of the pay-out.

    Examples
    --------
    Account 0 gets 10 and sends 6 and 4 to account 1, which sends 9 back:

    >>> import pyarrow as pa
    >>> from kg.algorithms.temporal_paths import flow
    >>> ways = [np.array(x) for x in ([0, 0, 1], [1, 1, 0], [5, 6, 7], [6, 4, 9])]
    >>> money = flow(*ways, row=np.arange(3), ids=pa.chunked_array([["a", "b", "c"]]), n_accounts=2)
    >>> one = [np.array([x]) for x in (0, 5, 9, 9, 10, 1, 1, 10)]
    >>> found = returned_sums(money, Sought(*one, Csr(np.array([0, 1]), np.array([0]))), Limits(4, 0, 0))
    >>> found.total.tolist(), found.transfer.tolist(), found.carried.tolist()
    ([9], [0, 1, 2], [6, 3, 9])
    """
    n_accounts = len(money.out.start) - 1
    found = _search(_World(money, _pairs(money, n_accounts), sought, limits), _room(n_accounts, len(money.at), limits.max_hops))
    order = np.lexsort((found[2], found[1]))
    return Sums(found[0], found[1][order], found[2][order], found[3][order])


def _room(n_accounts: int, n_transfers: int, hops: int) -> _Room:
    return _Room(
        home=np.zeros(n_accounts, np.int64),
        near=np.full(n_accounts, -1, np.int64),
        best=np.full((hops + 1, n_accounts), -1, np.int64),
        since=np.full(n_accounts, _NEVER, np.int64),
        left=np.full(n_transfers, -1, np.int64),
        carried=np.zeros(n_transfers, np.int64),
        marked=np.empty(n_accounts, np.int64),
        front=np.empty((hops + 1, n_accounts), np.int64),
        used=np.empty(n_transfers, np.int64),
        counts=np.zeros(hops + 3, np.int64),
    )


class _Pairs(NamedTuple):
    """Pair of accounts of each transfer, and the transfers of each pair in the order of time."""

    of: Ints
    transfers: Csr


class _World(NamedTuple):
    money: Flow
    pairs: _Pairs
    sought: Sought
    limits: Limits


def _pairs(money: Flow, n_accounts: int) -> _Pairs:
    keys, of = np.unique(money.payer * np.int64(n_accounts) + money.payee, return_inverse=True)
    return _Pairs(of.astype(np.int64), group_rows(of.astype(np.int64), len(keys)))


@kernel
def _capacity(world: _World, s: int, room: _Room, transfer: int) -> int:
    """Return what a transfer can still carry of a pay-out; 0 where it does not count."""
    money, pairs, sought, limits = world.money, world.pairs, world.sought, world.limits
    left: int = room.left[transfer]
    if left >= 0:
        return left
    room.used[room.counts[-1]] = transfer
    room.counts[-1] += 1
    room.left[transfer] = 0
    if money.amount[transfer] < sought.part[s] or money.payer[transfer] == money.payee[transfer]:
        return 0
    others, moved, pair = 0, 0, pairs.of[transfer]
    for k in range(pairs.transfers.start[pair], pairs.transfers.start[pair + 1]):
        other = pairs.transfers.items[k]
        at = money.at[other]
        outside = at < sought.first_at[s] or at > sought.last_at[s]
        near = sought.first_at[s] - limits.around <= at <= sought.last_at[s] + limits.around
        if near and money.amount[other] >= sought.part[s]:
            others += outside
            moved += 0 if outside else money.amount[other]
    if others <= limits.most_others and sought.least[s] <= moved <= sought.most[s]:
        room.left[transfer] = money.amount[transfer]
    left = room.left[transfer]
    return left


@kernel
def _mark_near(world: _World, s: int, room: _Room) -> None:
    """Mark the home accounts, and how many hops there are at least from other accounts to them."""
    money, sought = world.money, world.sought
    count = 0
    for i in range(sought.home.start[s], sought.home.start[s + 1]):
        account = sought.home.items[i]
        if room.home[account] == 0:
            room.home[account], room.near[account] = 1, 0
            room.marked[count] = account
            count += 1
    head = 0
    while head < count and room.near[room.marked[head]] < world.limits.max_hops:
        account = room.marked[head]
        head += 1
        for k in range(first_since(money.into, account, money.at, sought.first_at[s]), money.into.start[account + 1]):
            transfer = money.into.items[k]
            if money.at[transfer] > sought.last_at[s]:
                break
            payer = money.payer[transfer]
            if room.near[payer] < 0 and _capacity(world, s, room, transfer) > 0:
                room.near[payer] = room.near[account] + 1
                room.marked[count] = payer
                count += 1
    room.counts[-2] = count


@kernel
def _spread(world: _World, s: int, room: _Room, hop: int) -> int:
    """Go one hop on from the accounts reached; return the first transfer by which money comes home in so many hops, or -1."""
    money, sought, limits = world.money, world.sought, world.limits
    home, left = -1, limits.max_hops - hop
    until = min(sought.gone_at[s], sought.last_at[s]) if hop == 1 else sought.last_at[s]
    room.counts[hop] = 0
    for i in range(room.counts[hop - 1]):
        payer = room.front[hop - 1, i]
        since = sought.first_at[s] if hop == 1 else money.at[room.best[hop - 1, payer]]
        for k in range(first_since(money.out, payer, money.at, since), money.out.start[payer + 1]):
            transfer = money.out.items[k]
            payee = money.payee[transfer]
            if money.at[transfer] > until or (home >= 0 and transfer > home):
                break
            arrives = room.home[payee] == 1 and room.home[payer] == 0
            needs = 0 if arrives else 2 if room.home[payee] == 1 else room.near[payee]
            if needs < 0 or needs > left or _capacity(world, s, room, transfer) == 0:
                continue
            if arrives:
                home = transfer
            elif money.at[transfer] < room.since[payee]:  # else it is there already, in fewer hops
                known = room.best[hop, payee]
                if known < 0:
                    room.front[hop, room.counts[hop]] = payee
                    room.counts[hop] += 1
                if known < 0 or transfer < known:
                    room.best[hop, payee] = transfer
    for i in range(room.counts[hop]):
        account = room.front[hop, i]
        room.since[account] = money.at[room.best[hop, account]]
    return home


@kernel
def _carry(money: Flow, room: _Room, last: int, hops: int, rest: int) -> int:
    """Let the way that ends with a transfer carry what it can of the rest; return that."""
    size, transfer = rest, last
    for hop in range(hops, 0, -1):
        size = min(size, room.left[transfer])
        transfer = room.best[hop - 1, money.payer[transfer]]
    transfer = last
    for hop in range(hops, 0, -1):
        room.left[transfer] -= size
        room.carried[transfer] += size
        transfer = room.best[hop - 1, money.payer[transfer]]
    return size


@kernel
def _one_way(world: _World, s: int, room: _Room, rest: int) -> int:
    """Find the way that arrives first and let it carry what it can; return that, 0 where there is no way."""
    money, sought, limits = world.money, world.sought, world.limits
    last, hops = -1, 0
    room.front[0, 0], room.counts[0], room.since[sought.account[s]] = sought.account[s], 1, sought.first_at[s]
    for hop in range(1, limits.max_hops + 1):
        found = _spread(world, s, room, hop)
        if found >= 0 and (last < 0 or money.at[found] < money.at[last]):
            last, hops = found, hop
    size = _carry(world.money, room, last, hops, rest) if last >= 0 else 0
    for hop in range(limits.max_hops + 1):
        for i in range(room.counts[hop]):
            room.best[hop, room.front[hop, i]] = -1
            room.since[room.front[hop, i]] = _NEVER
    return size


@kernel
def _search(world: _World, room: _Room) -> tuple[Ints, Ints, Ints, Ints]:
    """Follow each pay-out until all of it is home or no way is left."""
    sought = world.sought
    total = np.zeros(len(sought.account), np.int64)
    out, count = np.empty((3, 64), np.int64), 0
    for s in range(len(sought.account)):
        _mark_near(world, s, room)
        size = 1
        while size > 0 and total[s] < sought.amount[s]:
            size = _one_way(world, s, room, sought.amount[s] - total[s])
            total[s] += size
        for i in range(room.counts[-1]):
            transfer = room.used[i]
            if room.carried[transfer] > 0:
                if count == out.shape[1]:
                    grown = np.empty((3, 2 * count), np.int64)
                    grown[:, :count] = out
                    out = grown
                out[0, count], out[1, count], out[2, count] = s, transfer, room.carried[transfer]
                count += 1
            room.left[transfer], room.carried[transfer] = -1, 0
        for i in range(room.counts[-2]):
            room.home[room.marked[i]], room.near[room.marked[i]] = 0, -1
        room.counts[-1] = 0
    return total, out[0, :count].copy(), out[1, :count].copy(), out[2, :count].copy()
