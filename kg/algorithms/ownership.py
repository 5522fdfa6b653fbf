"""Integrated ownership on dense ids: level by level from top to bottom, and exactly round the circles of each strong component.

A row of the matrix is a company, a column a holder or owner. A closed group, which owns itself entirely, is left out of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import block_diag, csr_array, eye_array, vstack
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from kg.algorithms.kernel import Ints
from kg.algorithms.sharing import among, distinct

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
#: Strong components up to this size are inverted as a whole; larger ones are solved owner by owner.
_DENSE = 2_500
_OWNERS_AT_ONCE = 256
_WHOLE = 1_000_000
#: A circle that feeds itself so nearly is taken to do so: eigenvalues are no more exact, and shares a thousand million times too large.
_FEEDS = 1.0 - 1e-9


@dataclass(frozen=True)
class Network:
    """Holdings as a matrix, and the order in which it is solved.

    Attributes
    ----------
    weight
        Row: held, column: holder, value: fraction held; closed groups hold nothing and are not held.
    component, level
        Of each party: its strong component, and how many components stand in the longest chain above it.
    closed
        Whether a party is in a closed group.
    held
        Whether anybody, a closed group too, holds a part of a party.
    """

    weight: csr_array
    component: Ints
    level: Ints
    closed: Bools
    held: Bools


def network(holder: Ints, held: Ints, ppm: Ints, count: int) -> Network:
    """Return holdings as a matrix, with its strong components and their levels.

    Parameters
    ----------
    holder, held, ppm : int64, shape (n_rows,)
        Each pair once.
    count
        How many parties there are.
    """
    rows = ppm > 0
    whole = csr_array((ppm[rows], (held[rows], holder[rows])), shape=(count, count))
    _, component = connected_components(whole, directed=True, connection="strong")
    closed = _closed_parties(whole, component.astype(np.int64))
    kept = rows & ~closed[held] & ~closed[holder]
    weight = csr_array((ppm[kept] / _WHOLE, (held[kept], holder[kept])), shape=(count, count))
    is_held: Bools = np.diff(whole.indptr) > 0
    return Network(weight, component.astype(np.int64), _levels(weight, component.astype(np.int64)), closed, is_held)


def _closed_parties(ppm: csr_array, component: Ints) -> Bools:
    """Tell which parties are in a component that owns itself entirely: nothing of any member is held from outside it."""
    entries = ppm.tocoo()
    inside = component[entries.row] == component[entries.col]
    within = np.bincount(entries.row[inside], entries.data[inside], component.size)
    least = np.full(component.max(initial=-1) + 1, np.inf)
    np.minimum.at(least, component, within)
    closed = least[component] >= _WHOLE
    most = np.zeros(least.size)
    np.maximum.at(most, component, within)
    # where some sum is above the whole the circle may feed itself though others are below it
    for each in np.flatnonzero((most > _WHOLE) & (least < _WHOLE)).tolist():
        members = np.flatnonzero(component == each)
        matrix = ppm[members][:, members].toarray() / _WHOLE
        closed[members] = np.abs(np.linalg.eigvals(matrix)).max() >= _FEEDS
    found: Bools = closed
    return found


def _levels(weight: csr_array, component: Ints) -> Ints:
    """Return how many components stand in the longest chain above each party's."""
    entries = weight.tocoo()
    above, below = component[entries.col], component[entries.row]
    between = above != below
    count = int(component.max(initial=-1)) + 1
    pairs = np.sort(above[between].astype(np.int64) * count + below[between])
    above, below = np.divmod(pairs[np.flatnonzero(np.diff(pairs, prepend=-1))], max(count, 1))
    level, waiting = np.zeros(count, np.int64), np.bincount(below, minlength=count)
    start = np.searchsorted(above, np.arange(count + 1))
    ready, depth = np.flatnonzero(waiting == 0), 0
    while ready.size:
        level[ready] = depth
        sizes = start[ready + 1] - start[ready]
        offset = np.repeat(start[ready] - np.cumsum(sizes) + sizes, sizes) + np.arange(int(sizes.sum()))
        reached = np.sort(below[offset])
        first = np.flatnonzero(np.diff(reached, prepend=-1))
        times, reached = np.diff(np.append(first, reached.size)), reached[first]
        waiting[reached] -= times
        ready, depth = reached[waiting[reached] == 0], depth + 1
    return level[component]


def swept(net: Network, cut: float, *, every: bool) -> tuple[csr_array, Floats]:
    """Return shares (row: company, column: owner), and for each company the most by which any of its shares is too small.

    Rows are made level by level; those of a level need only rows above it.
    """
    count = net.level.size
    order = np.argsort(net.level, kind="stable")
    place = np.empty(count, np.int64)
    place[order] = np.arange(count)
    ends = np.searchsorted(net.level[order], np.arange(net.level.max(initial=-1) + 2))
    # columns of the weights stand in the order in which rows are made
    weight = csr_array((net.weight.data, place[net.weight.indices], net.weight.indptr), shape=(count, count))
    made, missing = csr_array((0, count)), np.zeros(count)
    for begin, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True):
        members = order[begin:end]
        rows, lost = _level(net, weight, members, (made, missing), (net.held, order, every))
        rows, dropped = cut_off(rows, members, cut)
        missing[begin:end] = lost + dropped
        made = vstack([made, rows], format="csr")
    return made[place], missing[place]


def _level(
    net: Network, weight: csr_array, members: Ints, above: tuple[csr_array, Floats], world: tuple[Bools, Ints, bool]
) -> tuple[csr_array, Floats]:
    """Return the shares of the companies of a level: what holders from above bring in, then round the circles of each component."""
    (made, missing), (held, order, every) = above, world
    done = made.shape[0]
    rows = weight[members]
    from_above = rows[:, :done]
    carried = from_above @ made + _direct(from_above, order[:done], held, rows.shape[1], every=every)
    lost = from_above @ missing[:done]
    if rows[:, done:].nnz == 0:
        return carried, lost
    inner = csr_array(rows[:, done : done + members.size])
    if every:
        carried = carried + _direct(inner, members, held, rows.shape[1], every=True)
    return _circles(inner, net.component[members], carried, lost)


def _direct(weights: csr_array, holders: Ints, held: Bools, width: int, *, every: bool) -> csr_array:
    """Return what holders own themselves: those whom nobody holds, or all of them."""
    entries = weights.tocoo()
    kept = np.full(entries.col.size, True) if every else ~held[holders[entries.col]]
    return csr_array((entries.data[kept], (entries.row[kept], holders[entries.col[kept]])), shape=(weights.shape[0], width))


def _circles(inner: csr_array, component: Ints, carried: csr_array, lost: Floats) -> tuple[csr_array, Floats]:
    """Solve X = inner X + carried: each strong component by itself, those of one member and no own share left as they are."""
    order = np.argsort(component, kind="stable")
    begin = np.flatnonzero(np.concatenate([[True], np.diff(component[order]) != 0]))
    sizes = np.diff(np.append(begin, component.size))
    small = sizes <= _DENSE
    blocks = [_inverse(inner, order[b : b + s]) for b, s in zip(begin[small].tolist(), sizes[small].tolist(), strict=True) if s > 1]
    ones = order[begin[sizes == 1]]
    alone = csr_array((1.0 / (1.0 - inner.diagonal()[ones]), (np.arange(ones.size), np.arange(ones.size))), shape=(ones.size, ones.size))
    of_blocks = [order[b : b + s] for b, s in zip(begin[small].tolist(), sizes[small].tolist(), strict=True) if s > 1]
    rows = np.concatenate([ones, *of_blocks]).astype(np.int64)
    whole = csr_array(block_diag([alone, *blocks], format="csr"))
    parts, losses, places = [whole @ carried[rows]], [whole @ lost[rows]], [rows]
    for b, s in zip(begin[~small].tolist(), sizes[~small].tolist(), strict=True):
        of = order[b : b + s]
        solved, missing = _large(inner[of][:, of], carried[of], lost[of])
        parts, losses, places = [*parts, solved], [*losses, missing], [*places, of]
    back = np.argsort(np.concatenate(places), kind="stable")
    return csr_array(vstack(parts, format="csr")[back]), np.concatenate(losses)[back]


def _inverse(inner: csr_array, members: Ints) -> Floats:
    found: Floats = np.linalg.inv(np.eye(members.size) - inner[members][:, members].toarray())
    return found


def _large(inner: csr_array, carried: csr_array, lost: Floats) -> tuple[csr_array, Floats]:
    """Solve one large component, some owners at once."""
    solver = splu((eye_array(inner.shape[0]) - inner).tocsc())
    columns = carried.tocsc()
    owners = np.flatnonzero(np.diff(columns.indptr))
    entries: list[tuple[Ints, Ints, Floats]] = []
    for begin in range(0, owners.size, _OWNERS_AT_ONCE):
        some = owners[begin : begin + _OWNERS_AT_ONCE]
        solved = solver.solve(columns[:, some].toarray())
        row, column = np.nonzero(solved)
        entries.append((row, some[column], solved[row, column]))
    row, column, value = (np.concatenate(part) for part in zip(*entries, strict=True))
    return csr_array((value, (row, column)), shape=carried.shape), solver.solve(lost)


def cut_off(rows: csr_array, own: Ints, cut: float) -> tuple[csr_array, Floats]:
    """Leave out shares below the cut, but for the greatest of each row; return the greatest that is left out of each row too.

    What a company owns of itself, in its ``own`` column, is not the greatest: it is not told, and a row without others would tell no bound.
    """
    rows.sum_duplicates()
    if cut <= 0 or rows.nnz == 0:
        return rows, np.zeros(rows.shape[0])
    row = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    greatest, others = np.zeros(rows.shape[0]), rows.indices != own[row]
    np.maximum.at(greatest, row[others], rows.data[others])
    kept = (rows.data >= cut) | (rows.data == greatest[row])
    dropped = np.zeros(rows.shape[0])
    np.maximum.at(dropped, row[~kept], rows.data[~kept])
    return csr_array((rows.data[kept], (row[kept], rows.indices[kept])), shape=rows.shape), dropped


def upward(net: Network, target: int) -> tuple[Ints, Floats]:
    """Return the ultimate owners of one company and the share of each, from the company upward.

    What is held of the target by each party is passed on to the holders of that party; in a strong component it goes round first.
    """
    reached = above(net.weight, target)
    weight = net.weight[reached][:, reached]
    owned = np.zeros(reached.size)
    owned[np.searchsorted(reached, target)] = 1.0
    level = net.level[reached]
    for depth in np.unique(level)[::-1].tolist():
        here = np.flatnonzero(level == depth)
        owned[here] = _gone_round(weight, here, owned[here])
        rows = weight[here]
        passed = np.bincount(rows.indices, rows.data * np.repeat(owned[here], np.diff(rows.indptr)), reached.size)
        passed[here] = 0.0
        owned += passed
    ultimate = ~net.held[reached] & (reached != target)
    return reached[ultimate], owned[ultimate]


def above(weight: csr_array, target: int) -> Ints:
    """Return the target and all parties above it, in their order."""
    found = np.array([target], np.int64)
    newest = found
    while newest.size:
        start, end = weight.indptr[newest].astype(np.int64), weight.indptr[newest + 1].astype(np.int64)
        sizes = end - start
        place = np.repeat(start - np.cumsum(sizes) + sizes, sizes) + np.arange(int(sizes.sum()))
        newest = distinct(weight.indices[place].astype(np.int64))
        newest = newest[~among(newest, found)]
        found = np.sort(np.concatenate([found, newest]))
    return found


def _gone_round(weight: csr_array, members: Ints, owned: Floats) -> Floats:
    """Solve x = x inner + owned for the companies of a level."""
    inner = weight[members][:, members]
    if inner.nnz == 0:
        return owned
    solved: Floats = splu((eye_array(members.size) - inner.T).tocsc()).solve(owned)
    return solved
