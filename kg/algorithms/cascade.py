"""How losses spread along supply links on dense ids: down from suppliers to buyers, and up from buyers to suppliers.

Some shocks are followed side by side, one in each lane of a row of numbers that the processor takes at once; where one has come to rest
the next takes its lane. Only companies of which a partner has just moved are reckoned again. All companies of a step are
reckoned from the step before, in the order of their ids, so that a company whose partners stand still stands still itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg.algorithms.csr import Csr, group_rows
from kg.algorithms.kernel import Ints, kernel

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
#: Shocks that are followed side by side.
LANES = 8
#: Where more than one company in so many has moved, all are reckoned again.
_MANY = 8


class Side(NamedTuple):
    """What each company's loss follows from: the worst of some sums of its partners' losses.

    A named tuple, since compiled code takes those.

    Attributes
    ----------
    first : int64, shape (n_companies + 1,)
        Where the sums of a company begin.
    start : int64, shape (n_sums + 1,)
        Where the entries of a sum begin.
    partner : int32, shape (n_entries,)
    part : float64, shape (n_entries,)
        How much of its loss a partner hands on.
    after
        The companies whose losses follow from that of a company.
    """

    first: Ints
    start: Ints
    partner: NDArray[np.int32]
    part: Floats
    after: Csr


@dataclass(frozen=True)
class Links:
    """Supply links, each pair once, in the order of buyer and supplier; ``sales`` and ``purchases`` are sums by company."""

    supplier: Ints
    buyer: Ints
    weight: Floats
    sales: Floats
    purchases: Floats


def links(supplier: Ints, buyer: Ints, weight: Floats, count: int) -> Links:
    """Return links of so many companies with parallel ones added up; the order of rows changes nothing, not even by rounding.

    >>> of = links(np.array([1, 0, 1]), np.array([0, 1, 0]), np.array([2.0, 5.0, 1.0]), 2)
    >>> of.supplier.tolist(), of.weight.tolist(), of.sales.tolist()
    ([1, 0], [3.0, 5.0], [5.0, 3.0])
    """
    order = np.lexsort((weight, supplier, buyer))
    order = order[weight[order] > 0]
    supplier, buyer, weight = supplier[order], buyer[order], weight[order]
    first = np.flatnonzero(np.diff(buyer * max(count, 1) + supplier, prepend=-1))
    weight = np.add.reduceat(weight, first) if first.size else weight
    supplier, buyer = supplier[first], buyer[first]
    sales, purchases = (np.bincount(end, weight, count).astype(np.float64) for end in (supplier, buyer))
    return Links(supplier, buyer, weight, sales, purchases)


def downstream(of: Links, input_kind: Ints, essential: Bools) -> Side:
    """Return how losses go from suppliers to buyers: relative to all purchases of an essential kind of input, or to all purchases.

    Parameters
    ----------
    input_kind : int64, shape (n_links,)
        A number for each kind of input, -1 where the buyer needs it not.
    essential : bool, shape (n_links,)
        Whether the buyer stands still without that input.
    """
    kept = input_kind >= 0
    supplier, buyer, weight = of.supplier[kept], of.buyer[kept], of.weight[kept]
    # what is not essential makes one sum, which comes last
    most = int(input_kind.max(initial=0)) + 1
    key = buyer * (most + 1) + np.where(essential[kept], input_kind[kept], most)
    known, place = np.unique(key, return_inverse=True)
    whole = np.where(essential[kept], np.bincount(place, weight, known.size)[place], of.purchases[buyer])
    return _side(place, known // (most + 1), (supplier, buyer, weight / whole), of.sales.size)


def upstream(of: Links) -> Side:
    """Return how losses go from buyers to suppliers: relative to all sales of a supplier."""
    known, place = np.unique(of.supplier, return_inverse=True)
    return _side(place, known, (of.buyer, of.supplier, of.weight / of.sales[of.supplier]), of.sales.size)


def _side(sum_: Ints, company: Ints, entries: tuple[Ints, Ints, Floats], count: int) -> Side:
    """Arrange entries (partner, company, part) by the sum that each belongs to; ``company`` is that of each sum, in order."""
    partner, who, part = entries
    by_sum = group_rows(sum_, company.size)
    by_partner = group_rows(partner, count)
    after = Csr(by_partner.start, who[by_partner.items])
    first = np.searchsorted(company, np.arange(count + 1))
    return Side(first, by_sum.start, partner[by_sum.items].astype(np.int32), part[by_sum.items], after)


class Shocks(NamedTuple):
    """Shocks, each with the companies that it hits and what remains of each: ``company[start[k] : start[k + 1]]`` are hit by shock k."""

    start: Ints
    company: Ints
    remaining: Floats


def single_shocks(count: int) -> Shocks:
    """Return the shocks in which one company alone falls to nothing.

    >>> single_shocks(2).company.tolist()
    [0, 1]
    """
    return Shocks(np.arange(count + 1), np.arange(count), np.zeros(count))


def cascades(sides: tuple[Side, Side], shocks: Shocks, size: Floats, tolerance: float) -> tuple[Floats, Floats]:
    """Follow shocks until they come to rest.

    Parameters
    ----------
    sides
        Downstream and upstream.
    size : float64, shape (n_companies,)
        What a company counts for.
    tolerance
        A shock has come to rest in the first step in which no company falls by more, on either side.

    Returns
    -------
    scores : float64, shape (n_shocks, 3)
        The part of all size that is lost: by the worse side of each company, downstream and upstream alone.
    lost : float64, shape (2, n_companies)
        The losses of the last shock, downstream and upstream.
    """
    whole = float(size.sum())
    return _cascades(sides, shocks, size / whole if whole > 0 else size, tolerance)


class _Going(NamedTuple):
    """One side of the shocks that are followed: losses and what their own shock leaves, by company and lane; whom to reckon next."""

    lost: Floats
    left: Floats
    todo: Ints
    waiting: Ints
    noted: Bools


@kernel
def _cascades(sides: tuple[Side, Side], shocks: Shocks, size: Floats, tolerance: float) -> tuple[Floats, Floats]:
    n, many = len(size), len(shocks.start) - 1
    left, fresh, fall = np.ones((n, LANES)), np.empty((n, LANES)), np.empty(LANES)
    down = _Going(np.zeros((n, LANES)), left, np.empty(n, np.int64), np.zeros(1, np.int64), np.zeros(n, np.bool_))
    up = _Going(np.zeros((n, LANES)), left, np.empty(n, np.int64), np.zeros(1, np.int64), np.zeros(n, np.bool_))
    scores, last = np.zeros((many, 3)), np.zeros((2, n))
    lane = np.full(LANES, -1, np.int64)
    begun, done = 0, 0
    while done < many:
        for place in range(LANES):
            if lane[place] < 0 and begun < many:
                lane[place] = begun
                _begin(sides[0], down, shocks, begun, place)
                _begin(sides[1], up, shocks, begun, place)
                begun += 1
        fall[:] = 0.0
        _step(sides[0], down, fresh, fall)
        _step(sides[1], up, fresh, fall)
        for place in range(LANES):
            if lane[place] >= 0 and fall[place] <= tolerance:
                _tell(down.lost[:, place], up.lost[:, place], size, scores[lane[place]])
                if lane[place] == many - 1:
                    last[0], last[1] = down.lost[:, place], up.lost[:, place]
                down.lost[:, place], up.lost[:, place], left[:, place], lane[place] = 0.0, 0.0, 1.0, -1
                done += 1
    return scores, last


@kernel
def _begin(side: Side, going: _Going, shocks: Shocks, shock: int, place: int) -> None:
    """Put a shock into a lane, and note whom it may reach."""
    for row in range(shocks.start[shock], shocks.start[shock + 1]):
        company, remaining = shocks.company[row], shocks.remaining[row]
        going.left[company, place] = remaining
        going.lost[company, place] = 1.0 - remaining
    _note(side, going, shocks.company[shocks.start[shock] : shocks.start[shock + 1]])


@kernel
def _note(side: Side, going: _Going, companies: Ints) -> None:
    """Note all whose losses follow from those of some companies."""
    count = going.waiting[0]
    for company in companies:
        for row in range(side.after.start[company], side.after.start[company + 1]):
            other = side.after.items[row]
            if not going.noted[other]:
                going.noted[other] = True
                going.todo[count] = other
                count += 1
    going.waiting[0] = count


@kernel
def _step(side: Side, going: _Going, fresh: Floats, fall: Floats) -> None:
    """Reckon the companies that are noted, all from what was lost before, and note whom that may reach."""
    companies = going.todo[: going.waiting[0]].copy()
    going.noted[:] = False
    going.waiting[0] = 0
    _reckon(side, going, companies, fresh)
    moved = 0
    for place in range(len(companies)):
        company, moves = companies[place], False
        for at in range(LANES):
            by = fresh[place, at] - going.lost[company, at]
            moves = moves or by != 0.0
            fall[at] = by if by > fall[at] else fall[at]
            going.lost[company, at] = fresh[place, at]
        if moves:
            companies[moved] = company
            moved += 1
    if moved * _MANY > len(fresh):
        going.todo[:] = np.arange(len(fresh))
        going.waiting[0] = len(fresh)
        going.noted[:] = True
    else:
        _note(side, going, companies[:moved])


@kernel
def _reckon(side: Side, going: _Going, companies: Ints, fresh: Floats) -> None:
    """Reckon what some companies lose in each lane: the worst of their sums, and no less than by their own shock."""
    worst, total = np.empty(LANES), np.empty(LANES)
    for place in range(len(companies)):
        company = companies[place]
        worst[:] = 0.0
        for of in range(side.first[company], side.first[company + 1]):
            total[:] = 0.0
            for entry in range(side.start[of], side.start[of + 1]):
                partner, part = side.partner[entry], side.part[entry]
                for at in range(LANES):
                    total[at] += part * going.lost[partner, at]
            for at in range(LANES):
                worst[at] = total[at] if total[at] > worst[at] else worst[at]
        for at in range(LANES):
            remains, left = 1.0 - worst[at], going.left[company, at]
            remains = left if left < remains else remains
            fresh[place, at] = 1.0 - (remains if remains > 0.0 else 0.0)


@kernel
def _tell(down: Floats, up: Floats, size: Floats, scores: Floats) -> None:
    """Sum up what a shock has cost."""
    for company in range(len(size)):
        scores[0] += size[company] * (down[company] if down[company] > up[company] else up[company])
        scores[1] += size[company] * down[company]
        scores[2] += size[company] * up[company]
