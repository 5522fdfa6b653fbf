"""Integrated ownership: how much of a company a party owns, directly and through every chain of companies.

With C the holdings of companies in companies and P those of everybody else, Z = P (I − C)⁻¹: a party's share of a company is the sum, over
all chains from one to the other, of the products along them. Strong components (companies that hold one another in a circle) are solved
exactly; everything else follows from top to bottom, level by level. A closed group, which owns itself entirely, makes I − C singular: it
is named, and nobody owns it. Unknown shares count as nothing.

References
----------
.. [1] Chapelle, Szafarz, Controlling firms through the majority voting rule, Physica A 355, 2005.
.. [2] Vitali, Glattfelder, Battiston, The network of global corporate control, PLoS ONE 6(10), 2011 (the de-looped variant).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.sparse import block_diag, csr_array, eye_array, vstack
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from kg.algorithms.kernel import Ints
from kg.errors import UsageError
from kg.holdings import Holdings, read_holdings
from kg.ruleset import WHOLE

Floats = NDArray[np.float64]
#: What is carried on from level to level is cut off so many times later than what is told.
_FINER = 32
#: Strong components up to this size are inverted as a whole; larger ones are solved owner by owner.
_DENSE = 2_500
_OWNERS_AT_ONCE = 256


@dataclass(frozen=True)
class Ownership:
    """Integrated ownership.

    Attributes
    ----------
    shares
        ``owner, company, share, error_bound``: fractions of the whole, in the order of company and owner.
    closed_groups
        ``component, company``: companies that own one another entirely, so that nobody else owns them.
    """

    shares: pa.Table
    closed_groups: pa.Table


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
    """

    weight: csr_array
    component: Ints
    level: Ints
    closed: NDArray[np.bool_]


def integrate_ownership(
    holdings: pa.Table,
    *,
    prune: float = 1e-3,
    method: Literal["integrated", "delooped"] = "integrated",
    owners: Literal["ultimate", "all"] = "ultimate",
    parties: pa.Table | None = None,
    as_of: date | None = None,
) -> Ownership:
    """Compute integrated ownership.

    Parameters
    ----------
    holdings, parties, as_of
        See `kg.holdings.read_holdings`.
    prune
        Shares below are left out, but for the greatest of a company; 0 leaves none out.
    method
        ``integrated``: Z = P (I − C)⁻¹. ``delooped``: Y[i, j] / Y[i, i] with Y = (I − C)⁻¹, in which an owner's shares through itself
        do not count; of ultimate owners both are the same.
    owners
        ``ultimate``: parties that nobody holds. ``all``: companies on the way too.

    Returns
    -------
    Ownership
        ``error_bound`` bounds how far the true share lies from the one told; a pair that is missing is at most its company's bound.

    Raises
    ------
    UsageError
        If a row is wrong, or ``prune``, ``method`` or ``owners`` makes no sense.

    Examples
    --------
    >>> rows = {"holder": ["p", "a", "b"], "held": ["a", "b", "c"], "share_ppm": [510_000] * 3}
    >>> integrate_ownership(pa.table(rows)).shares.to_pylist()[-1]
    {'owner': 'p', 'company': 'c', 'share': 0.132651, 'error_bound': 0.0}
    """
    _refuse(prune, method, owners)
    held = read_holdings(holdings, parties=parties, as_of=as_of)
    net = network(held)
    owned, missing = _swept(net, prune / _FINER, every=owners == "all")
    if method == "delooped":
        owned = _delooped(owned)
    return Ownership(_told(held, net, owned, missing, prune), _closed(held, net))


def network(held: Holdings) -> Network:
    """Return holdings as a matrix, with its strong components and their levels."""
    count = len(held.parties)
    shape = (count, count)
    rows = held.low > 0
    ppm = csr_array((held.low[rows], (held.held[rows], held.holder[rows])), shape=shape)
    _, component = connected_components(ppm, directed=True, connection="strong")
    closed = _closed_parties(ppm, component.astype(np.int64))
    kept = rows & ~closed[held.held] & ~closed[held.holder]
    weight = csr_array((held.low[kept] / WHOLE, (held.held[kept], held.holder[kept])), shape=shape)
    return Network(weight, component.astype(np.int64), _levels(weight, component.astype(np.int64)), closed)


def _closed_parties(ppm: csr_array, component: Ints) -> NDArray[np.bool_]:
    """Tell which parties are in a component that owns itself entirely: nothing of any member is held from outside it."""
    entries = ppm.tocoo()
    inside = component[entries.row] == component[entries.col]
    within = np.bincount(entries.row[inside], entries.data[inside], component.size)
    least = np.full(component.max(initial=-1) + 1, np.inf)
    np.minimum.at(least, component, within)
    closed = least[component] >= WHOLE
    most = np.zeros(least.size)
    np.maximum.at(most, component, within)
    # where some sum is above the whole the circle may feed itself though others are below it
    for each in np.flatnonzero((most > WHOLE) & (least < WHOLE)).tolist():
        members = np.flatnonzero(component == each)
        matrix = ppm[members][:, members].toarray() / WHOLE
        closed[members] = np.abs(np.linalg.eigvals(matrix)).max() >= 1.0
    found: NDArray[np.bool_] = closed
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


def _swept(net: Network, cut: float, *, every: bool) -> tuple[csr_array, Floats]:
    """Return shares (row: company, column: owner), and for each company the most by which any of its shares is too small.

    Rows are made level by level; those of a level need only rows above it.
    """
    count = net.level.size
    held = np.diff(net.weight.indptr) > 0
    order = np.argsort(net.level, kind="stable")
    place = np.empty(count, np.int64)
    place[order] = np.arange(count)
    ends = np.searchsorted(net.level[order], np.arange(net.level.max(initial=-1) + 2))
    # columns of the weights stand in the order in which rows are made
    weight = csr_array((net.weight.data, place[net.weight.indices], net.weight.indptr), shape=(count, count))
    made, missing = csr_array((0, count)), np.zeros(count)
    for begin, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True):
        members = order[begin:end]
        rows, lost = _level(net, weight, members, (made, missing), (held, order, every))
        rows, dropped = _cut(rows, cut)
        missing[begin:end] = lost + dropped
        made = vstack([made, rows], format="csr")
    return made[place], missing[place]


def _level(
    net: Network, weight: csr_array, members: Ints, above: tuple[csr_array, Floats], world: tuple[NDArray[np.bool_], Ints, bool]
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


def _direct(weights: csr_array, holders: Ints, held: NDArray[np.bool_], width: int, *, every: bool) -> csr_array:
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


def _cut(rows: csr_array, cut: float) -> tuple[csr_array, Floats]:
    """Leave out shares below the cut, but for the greatest of each row; return the greatest that is left out of each row too."""
    rows.sum_duplicates()
    if cut <= 0 or rows.nnz == 0:
        return rows, np.zeros(rows.shape[0])
    row = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    greatest = np.zeros(rows.shape[0])
    np.maximum.at(greatest, row, rows.data)
    kept = (rows.data >= cut) | (rows.data == greatest[row])
    dropped = np.zeros(rows.shape[0])
    np.maximum.at(dropped, row[~kept], rows.data[~kept])
    return csr_array((rows.data[kept], (row[kept], rows.indices[kept])), shape=rows.shape), dropped


def _delooped(owned: csr_array) -> csr_array:
    """Divide each owner's shares by what it owns of itself and 1: Y[i, j] / Y[i, i]."""
    return csr_array(owned / (1.0 + owned.diagonal())[np.newaxis, :]) if owned.nnz else owned


def _told(held: Holdings, net: Network, owned: csr_array, missing: Floats, prune: float) -> pa.Table:
    rows, dropped = _cut(owned, prune)
    entries = rows.tocoo()
    kept = (entries.row != entries.col) & (entries.data > 0)
    company, owner, share = entries.row[kept], entries.col[kept], entries.data[kept]
    order = np.lexsort((owner, company))
    company, owner, share = company[order], owner[order], share[order]
    names = held.parties.names
    bound = np.where(net.closed, 0.0, missing + dropped)[company]
    return pa.table({"owner": names(owner), "company": names(company), "share": share, "error_bound": bound})


def _closed(held: Holdings, net: Network) -> pa.Table:
    """Return the members of closed groups, each group named by its first member."""
    members = np.flatnonzero(net.closed)
    _, first, place = np.unique(net.component[members], return_index=True, return_inverse=True)
    named = held.parties.names(members[first[place]]) if members.size else held.parties.names(members)
    return pa.table({"component": named, "company": held.parties.names(members)})


def _refuse(prune: float, method: str, owners: str) -> None:
    if not 0 <= prune < 1:
        raise UsageError(f"prune is a fraction of a company, from 0 (exact) to below 1, not {prune}")
    if method not in ("integrated", "delooped"):
        raise UsageError(f"method is integrated or delooped, not {method}")
    if owners not in ("ultimate", "all"):
        raise UsageError(f"owners is ultimate or all, not {owners}")
