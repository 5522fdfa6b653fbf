"""Integrated shares held against a threshold exactly: a third of three quarters is a quarter, though doubles may not say so.

Knows when doubles decide by themselves: where a share lies away from the threshold, or is a sum of products of two shares in ppm, so that
whole billionths of a millionth tell it; and that what reaches a threshold over one company between needs no longer chains. All else is
solved in fractions, company by company, from it upward.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_array

from kg.algorithms.csr import values_at
from kg.algorithms.kernel import Ints
from kg.algorithms.ownership import Bools, Floats, Network, above, network, swept

_WHOLE = 1_000_000
#: Doubles are this near to what they stand for, and near a threshold they say nothing; round a circle of so many companies that it is not
#: solved in fractions, what is that near counts as reached.
_NEAR, _SAME = 1e-9, 1e-12
#: Circles of more companies are not solved in fractions.
_MOST = 60


@dataclass(frozen=True)
class Shares:
    """Integrated shares of those whom nobody holds.

    Attributes
    ----------
    owned
        Row: company, column: owner, value: fraction owned.
    missing
        The most by which any share of each company is too small, as small ones are cut off on the way.
    """

    net: Network
    owned: csr_array
    missing: Floats

    @classmethod
    def of(cls, holdings: tuple[Ints, Ints, Ints], count: int, cut: float) -> Shares:
        """Return the shares behind holdings (holder, held, ppm); those below ``cut`` are not carried on."""
        net = network(*holdings, count)
        return cls(net, *swept(net, cut, every=False))

    def at(self, company: Ints, owner: Ints) -> Floats:
        """Return the shares of some pairs."""
        found: Floats = values_at(self.owned, company, owner)
        return found

    def sums(self, counted: Bools) -> Floats:
        """Return for each company how much of it the owners that are counted have together, of which nothing is cut off."""
        count, weight = self.net.level.size, self.net.weight.tocoo()
        ultimate = np.diff(self.net.weight.indptr)[weight.col] == 0
        kept = ~ultimate | counted[weight.col]
        ppm = np.rint(weight.data * _WHOLE).astype(np.int64)[kept]
        # all whom nobody holds are one, in a place behind the others
        holder = np.where(ultimate, count, weight.col)[kept].astype(np.int64)
        owned, _ = swept(network(holder, weight.row[kept].astype(np.int64), ppm, count + 1), 0.0, every=False)
        found: Floats = owned[:, [count]].toarray().ravel()[:count]
        return found

    def reach(self, pairs: tuple[Ints, Ints], told: Floats, bar: tuple[int, bool], counted: Bools | None = None) -> Bools:
        """Tell which shares reach a threshold.

        Parameters
        ----------
        pairs
            Company and owner of each share.
        told
            The shares in doubles.
        bar
            The threshold in ppm, and whether it must be passed.
        counted
            Where given, what all owners that are counted leave of the company is on top of each share.
        """
        (company, owner), (ppm, strict) = pairs, bar
        limit = ppm / _WHOLE
        found: Bools = told > limit
        near = np.flatnonzero((told + self.missing[company] >= limit - _NEAR) & (told <= limit + _NEAR))
        plain = self._plain()[company[near]]
        fine = np.rint(told[near[plain]] * _WHOLE**2).astype(np.int64)
        found[near[plain]] = fine > ppm * _WHOLE if strict else fine >= ppm * _WHOLE
        rest = self._left(near[~plain], pairs, bar, found)
        for each in np.unique(company[rest]).tolist():
            rows = rest[company[rest] == each]
            owned = exactly(self.net, each)
            for row in rows.tolist():
                found[row] = _passes(owned, int(owner[row]), float(told[row]), bar, counted)
        return found

    def _left(self, rows: Ints, pairs: tuple[Ints, Ints], bar: tuple[int, bool], found: Bools) -> Ints:
        """Mark those of some shares that reach the threshold by chains of two holdings at most; return the others."""
        (company, owner), (ppm, strict) = pairs, bar
        weight = self.net.weight
        whole = csr_array((np.rint(weight.data * _WHOLE).astype(np.int64), weight.indices, weight.indptr), shape=weight.shape)
        some, place = np.unique(company[rows], return_inverse=True)
        fine = csr_array(whole[some] @ whole + whole[some] * _WHOLE)
        least = values_at(fine, place, owner[rows])
        enough = least > ppm * _WHOLE if strict else least >= ppm * _WHOLE
        found[rows[enough]] = True
        return rows[~enough]

    def _plain(self) -> Bools:
        """Tell whose shares are sums of products of two shares at most, nothing of them cut off and no circle behind them."""
        weight = self.net.weight
        size = np.bincount(self.net.component, minlength=1)
        round_ = (size[self.net.component] > 1) | (weight.diagonal() > 0)
        for _ in range(2):
            round_ = round_ | (weight @ round_.astype(np.float64) > 0)
        found: Bools = (self.net.level <= 2) & (self.missing == 0) & ~round_
        return found


def _passes(owned: dict[int, Fraction] | None, owner: int, told: float, bar: tuple[int, bool], counted: Bools | None) -> bool:
    """Hold one share against a threshold, in fractions where it was solved in these."""
    ppm, strict = bar
    if owned is None:
        return told > ppm / _WHOLE + _SAME if strict else told >= ppm / _WHOLE - _SAME
    share = owned.get(owner, Fraction(0))
    if counted is not None:
        share += max(1 - sum((part for who, part in owned.items() if counted[who]), Fraction(0)), Fraction(0))
    return share > Fraction(ppm, _WHOLE) if strict else share >= Fraction(ppm, _WHOLE)


def exactly(net: Network, target: int) -> dict[int, Fraction] | None:
    """Return the share of each ultimate owner of a company, in fractions; None where a circle behind it is too large for that.

    >>> thirds = network(np.array([0, 1]), np.array([1, 2]), np.array([333_333, 750_000]), 3)
    >>> exactly(thirds, 2)
    {0: Fraction(999999, 4000000)}
    """
    reached = above(net.weight, target)
    weight = net.weight[reached][:, reached]
    ppm = np.rint(weight.data * _WHOLE).astype(np.int64).tolist()
    begin, holder = weight.indptr.tolist(), weight.indices.tolist()
    rows = [list(zip(holder[a:b], ppm[a:b], strict=True)) for a, b in pairwise(begin)]
    component, owned = net.component[reached], [Fraction(0)] * reached.size
    owned[int(np.searchsorted(reached, target))] = Fraction(1)
    order = np.lexsort((component, -net.level[reached]))
    for members in np.split(order, np.flatnonzero(np.diff(component[order])) + 1):
        inside = set(members.tolist())
        if any(one in inside for each in inside for one, _ in rows[each]):
            if len(inside) > _MOST:
                return None
            _go_round(rows, sorted(inside), owned)
        for each in inside:
            for one, part in rows[each]:
                if one not in inside:
                    owned[one] += owned[each] * Fraction(part, _WHOLE)
    return {int(reached[each]): owned[each] for each in range(reached.size) if not rows[each] and reached[each] != target}


def _go_round(rows: list[list[tuple[int, int]]], members: list[int], owned: list[Fraction]) -> None:
    """Solve x = x W + owned for the companies of a circle, by elimination."""
    place = {each: number for number, each in enumerate(members)}
    size = len(members)
    matrix = [[Fraction(int(i == j)) for j in range(size)] + [owned[members[i]]] for i in range(size)]
    for each in members:
        for one, part in rows[each]:
            if one in place:
                matrix[place[one]][place[each]] -= Fraction(part, _WHOLE)
    for column in range(size):
        pivot = next(row for row in range(column, size) if matrix[row][column])
        matrix[column], matrix[pivot] = matrix[pivot], matrix[column]
        top = matrix[column]
        for row in range(size):
            if row != column and (factor := matrix[row][column] / top[column]):
                matrix[row] = [a - factor * b for a, b in zip(matrix[row], top, strict=True)]
    for number, each in enumerate(members):
        owned[each] = matrix[number][size] / matrix[number][number]
