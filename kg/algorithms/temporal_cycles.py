"""Cycles of transfers in the order of time: found from their first transfer (or, backward, from their last), each once.

For each root both ends are explored hop by hop, always the side that costs less, until they meet or cannot. Only where they meet are
the latest times of leaving that still lead home worked out for all accounts between, and cycles are walked along these alone: so no step
is made from which there is no way back, but for accounts that a way passes twice and amounts that do not fit together.

References
----------
.. [1] Kumar & Calders, 2SCENT: an efficient algorithm to enumerate all simple temporal cycles, VLDB 11(11), 2018.
.. [2] Blanuša, Ienne, Atasu, Scalable fine-grained parallel cycle enumeration algorithms, SPAA 2022.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg.algorithms.kernel import Ints, kernel
from kg.algorithms.temporal_moves import EVER, NEVER, Bounds, Limits, Moves


class _Room(NamedTuple):
    """What a root writes down, cleared before the next.

    ``came``: the earliest time at which an account is reached. ``left[x, h]``: the latest at which a transfer out of x leads home in at
    most h hops. ``fronts``: accounts from which the next level goes on, of both sides, two rows each. ``touched``: accounts with
    anything written, by side. ``counts``: of ``fronts`` (0 to 3), of ``touched`` (4, 5), steps (6), whether the sides met (7), steps of
    all roots (8). ``marks``: the last level at which an account was put into a front. ``path, turn``: the way that is walked, and at
    each of its accounts the transfer to be tried next. ``low, high``: what the amounts on the way allow.
    """

    came: Ints
    left: Ints
    fronts: Ints
    touched: Ints
    counts: Ints
    marks: Ints
    on_way: NDArray[np.bool_]
    path: Ints
    turn: Ints
    low: Ints
    high: Ints


class _Task(NamedTuple):
    """All that the search from a root looks at and writes to."""

    money: Moves
    bounds: Bounds
    limits: Limits
    room: _Room


_AHEAD, _BEHIND, _TOUCHED, _STEPS, _MET, _ALL = 0, 2, 4, 6, 7, 8


@kernel
def _first_from(key: Ints, low: int, high: int, least: int) -> int:
    """Return the first place between two at which the key is not less."""
    while low < high:
        middle = (low + high) // 2
        if key[middle] < least:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def _put(room: _Room, side: int, account: int, level: int) -> None:
    """Put an account into the front of a level, once."""
    if room.marks[side // 2, account] != level:
        room.marks[side // 2, account] = level
        front = side + level % 2
        room.fronts[front, room.counts[front]] = account
        room.counts[front] += 1


@kernel
def _touch(room: _Room, side: int, account: int) -> None:
    place = side // 2
    room.touched[place, room.counts[_TOUCHED + place]] = account
    room.counts[_TOUCHED + place] += 1


@kernel
def _go_ahead(task: _Task, root: int, level: int) -> int:
    """Go one hop on from the accounts reached last; return how many transfers the next level has to look at."""
    money, bounds, room = task.money, task.bounds, task.room
    home, start, last, cost = money.payer[root], money.payee[root], money.at[root] + task.limits.window, 0
    before, low, high = _AHEAD + (level - 1) % 2, bounds.every_low[root], bounds.every_high[root]
    room.counts[_AHEAD + level % 2] = 0
    for i in range(room.counts[before]):
        account = room.fronts[before, i]
        end, since = money.out[account + 1], room.came[account]
        least, most = (low, high) if task.limits.by_amount else (since, last)
        for k in range(_first_from(money.key, money.out[account], end, least), end):
            until, other = money.until[k], money.payee[k]
            if money.key[k] > most:
                break
            room.counts[_STEPS] += 1
            if other == start or not (since <= money.at[k] and until <= last and low <= money.amount[k] <= high):
                continue
            if other == home or room.left[other, -1] >= until:
                room.counts[_MET] = 1
            if other != home and until < room.came[other]:
                if room.came[other] == EVER:
                    _touch(room, _AHEAD, other)
                room.came[other] = until
                _put(room, _AHEAD, other, level)
                cost += money.out[other + 1] - money.out[other]
    return cost


@kernel
def _go_back(task: _Task, root: int, level: int, between: bool) -> int:
    """Go one hop back from the accounts that lead home, over accounts reached from the start alone where it is ``between``.

    Returns how many transfers the next level has to look at.
    """
    money, bounds, room = task.money, task.bounds, task.room
    home, start, first, cost = money.payer[root], money.payee[root], money.until[root], 0
    before, low, high = _BEHIND + (level - 1) % 2, bounds.every_low[root], bounds.every_high[root]
    room.counts[_BEHIND + level % 2] = 0
    for i in range(room.counts[before]):
        account = room.fronts[before, i]
        latest, end = room.left[account, level - 1], money.into[account + 1]
        least, most = (low, high) if task.limits.by_amount else (first, latest)
        for k in range(_first_from(money.from_key, money.into[account], end, least), end):
            at, other = money.from_at[k], money.from_payer[k]
            if money.from_key[k] > most:
                break
            room.counts[_STEPS] += 1
            if other == home or not (first <= at and money.from_until[k] <= latest and low <= money.from_amount[k] <= high):
                continue
            if room.came[other] <= at:
                room.counts[_MET] = 1
            elif between:
                continue
            if at > room.left[other, level]:
                _leave(room, other, level, at)
                if other != start:
                    _put(room, _BEHIND, other, level)
                    cost += money.into[other + 1] - money.into[other]
    return cost


@kernel
def _leave(room: _Room, account: int, level: int, at: int) -> None:
    """Write down that a transfer at this time leads home in so many hops, and hence in more."""
    if room.left[account, -1] == NEVER:
        _touch(room, _BEHIND, account)
    for hops in range(level, room.left.shape[1]):
        room.left[account, hops] = max(room.left[account, hops], at)


@kernel
def _meet(task: _Task, root: int) -> bool:
    """Tell whether there may be a way home, and fill ``left`` for all accounts on it."""
    money, limits, room = task.money, task.limits, task.room
    home, start, most = money.payer[root], money.payee[root], limits.hops - 1
    room.came[start], room.left[home, 0] = money.until[root], money.at[root] + limits.window
    room.fronts[_AHEAD, 0], room.fronts[_BEHIND, 0] = start, home
    room.counts[:_ALL] = 0
    room.counts[_AHEAD] = room.counts[_BEHIND] = 1
    room.marks[0, start] = room.marks[1, home] = 0
    ahead, behind = 0, 0
    cost_ahead, cost_behind = money.out[start + 1] - money.out[start], money.into[home + 1] - money.into[home]
    while ahead + behind < most and room.counts[_AHEAD + ahead % 2] and room.counts[_BEHIND + behind % 2]:
        if room.counts[_STEPS] > limits.steps:
            return True
        if cost_ahead < cost_behind:
            ahead += 1
            cost_ahead = _go_ahead(task, root, ahead)
        else:
            behind += 1
            cost_behind = _go_back(task, root, behind, False)
    while room.counts[_MET] and behind < most and room.counts[_BEHIND + behind % 2] and room.counts[_STEPS] <= limits.steps:
        behind += 1
        _go_back(task, root, behind, True)
    met: bool = room.counts[_MET] == 1
    return met


@kernel
def _clear(task: _Task, root: int) -> None:
    money, room = task.money, task.room
    for i in range(room.counts[_TOUCHED]):
        room.came[room.touched[0, i]] = EVER
        room.marks[0, room.touched[0, i]] = -1
    for i in range(room.counts[_TOUCHED + 1]):
        room.left[room.touched[1, i], :] = NEVER
        room.marks[1, room.touched[1, i]] = -1
    home, start = money.payer[root], money.payee[root]
    room.came[start], room.left[home, 0] = EVER, NEVER
    room.marks[0, start] = room.marks[1, home] = -1
    room.counts[_ALL] += room.counts[_STEPS]


@kernel
def _told_elsewhere(task: _Task, size: int) -> bool:
    """Tell of a cycle all of one moment whether it also goes round from an earlier transfer, and is told from there."""
    money, bounds, path, backward = task.money, task.bounds, task.room.path, task.limits.backward
    root, end = path[0], path[size - 1]
    if money.at[root] != money.until[end] or not bounds.hop_low[end] <= money.amount[root] <= bounds.hop_high[end]:
        return False
    own = money.rank[end] if backward else -money.rank[root]
    for i in range(1, size):
        other = money.rank[path[i - 1]] if backward else -money.rank[path[i]]
        if other > own and bounds.end_low[path[i]] <= money.amount[path[i - 1]] <= bounds.end_high[path[i]]:
            return True
    return False


@kernel
def _enter(task: _Task, depth: int, k: int) -> None:
    """Take a transfer as the next of the way, and begin with the first that can follow it."""
    money, bounds, room = task.money, task.bounds, task.room
    here, low, high = money.payee[k], bounds.band_low[k], bounds.band_high[k]
    room.path[depth], room.on_way[here] = k, True
    room.low[depth] = max(room.low[depth - 1], low) if depth else low
    room.high[depth] = min(room.high[depth - 1], high) if depth else high
    least = max(room.low[depth], bounds.hop_low[k]) if task.limits.by_amount else money.until[k]
    room.turn[depth] = _first_from(money.key, money.out[here], money.out[here + 1], least)


@kernel
def _fits(task: _Task, depth: int, k: int) -> bool:
    """Tell whether a transfer may follow the last of the way, as far as time and amounts go."""
    bounds, room, amount = task.bounds, task.room, task.money.amount[k]
    before = room.path[depth]
    money, limits = task.money, task.limits
    if not 0 <= money.at[k] - money.until[before] <= limits.wait or money.until[k] > money.at[room.path[0]] + limits.window:
        return False
    fits: bool = room.low[depth] <= amount <= room.high[depth] and bounds.hop_low[before] <= amount <= bounds.hop_high[before]
    return fits


@kernel
def _closes(task: _Task, depth: int, k: int) -> bool:
    """Tell whether the way is a cycle with this transfer, and told from its root."""
    bounds, room, root, amount = task.bounds, task.room, task.room.path[0], task.money.amount[k]
    room.path[depth + 1] = k
    return bounds.end_low[root] <= amount <= bounds.end_high[root] and not _told_elsewhere(task, depth + 2)


@kernel
def _walk(task: _Task, root: int, found: Ints, count: int) -> tuple[Ints, int]:
    """Append the cycles of a root to ``found``: for each its size, then its transfers."""
    money, limits, room, depth = task.money, task.limits, task.room, 0
    home, last = money.payer[root], money.at[root] + limits.window
    _enter(task, 0, root)
    while depth >= 0:
        here, k = money.payee[room.path[depth]], room.turn[depth]
        most = min(room.high[depth], task.bounds.hop_high[room.path[depth]]) if limits.by_amount else last
        if k == money.out[here + 1] or money.key[k] > most or room.counts[_STEPS] > limits.steps or count > limits.told:
            room.on_way[here] = False
            depth -= 1
            continue
        room.turn[depth] = k + 1
        room.counts[_STEPS] += 1
        if not _fits(task, depth, k):
            continue
        other, rest = money.payee[k], limits.hops - depth - 2
        if other == home:
            if _closes(task, depth, k):
                found, count = _appended(found, count, room.path[: depth + 2])
        elif rest > 0 and not room.on_way[other] and room.left[other, rest] >= money.until[k]:
            depth += 1
            _enter(task, depth, k)
    return found, count


@kernel
def _appended(found: Ints, count: int, path: Ints) -> tuple[Ints, int]:
    size = len(path)
    if count + size + 1 > len(found):
        larger = np.empty(2 * (count + size + 1), np.int64)
        larger[:count] = found[:count]
        found = larger
    found[count] = size
    found[count + 1 : count + 1 + size] = path
    return found, count + size + 1


@kernel
def _search(task: _Task, roots: Ints, stopped: NDArray[np.int8]) -> Ints:
    found, count, counts, limits = np.empty(1024, np.int64), 0, task.room.counts, task.limits
    for place in range(len(roots)):
        root = roots[place]
        if counts[_ALL] > limits.all_steps or count > limits.told:
            stopped[place] = 2 if counts[_ALL] > limits.all_steps else 3
            continue
        if _meet(task, root):
            found, count = _walk(task, root, found, count)
            stopped[place] = 1 if counts[_STEPS] > limits.steps else 3 if count > limits.told else 0
        _clear(task, root)
    return found[:count].copy()


def search(money: Moves, bounds: Bounds, roots: Ints, limits: Limits) -> tuple[Ints, NDArray[np.int8]]:
    """Find the cycles that begin with one of the roots (``backward``: that end with it).

    Returns
    -------
    found : int64
        For each cycle how many transfers it has, and then these, from the root on.
    stopped : int8, shape (n_roots,)
        Why cycles of a root may be missing: 1 it took more steps than it may, 2 all together did, 3 more was told than may be; 0: none is.

    Examples
    --------
    >>> from kg.algorithms.temporal_moves import moves
    >>> money = moves(*(np.array(x) for x in ([1, 0], [0, 1], [5, 6], [5, 6], [7, 8])), by_amount=False)
    >>> free = Bounds(*[np.array([bound] * 2) for _ in range(4) for bound in (0, 9)])
    >>> limits = Limits(hops=2, window=1, wait=1, steps=99, all_steps=99, told=99, backward=False, by_amount=False)
    >>> search(money, free, np.arange(2), limits)[0].tolist()
    [2, 1, 0]
    """
    accounts = len(money.out) - 1
    room = _Room(
        came=np.full(accounts, EVER),
        left=np.full((accounts, limits.hops), NEVER),
        fronts=np.empty((4, accounts), np.int64),
        touched=np.empty((2, accounts), np.int64),
        counts=np.zeros(_ALL + 1, np.int64),
        marks=np.full((2, accounts), -1, np.int64),
        on_way=np.zeros(accounts, np.bool_),
        path=np.empty(limits.hops + 1, np.int64),
        turn=np.empty(limits.hops + 1, np.int64),
        low=np.empty(limits.hops + 1, np.int64),
        high=np.empty(limits.hops + 1, np.int64),
    )
    stopped = np.zeros(len(roots), np.int8)
    return _search(_Task(money, bounds, limits, room), roots, stopped), stopped
