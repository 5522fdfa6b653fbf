"""What people have agreed about their shares in writing, and the bank was told: to act in concert, to hold in another's name.

Knows that few agree, and that of nominees only honest ones are disclosed, and few of these; hides who is asked. Who acts in concert
holds nothing else, so that an agreement settles who controls one company and changes nothing for another.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loaders.city.draw import Bools, Ints, chance, counted, stream
from loaders.city.firms import ORDINARY, Firms
from loaders.city.frame import Frame
from loaders.city.holdings import UNKNOWN, WHOLE, Holdings, Ownership
from loaders.city.params import Params
from loaders.city.plot import Fronts

#: Companies whose holders act in concert, the fewest of them, and agreements that all holders have signed, not only as many as it takes.
_CONCERT_PPM, _FEWEST, _ALL_PPM = 5_000, 2, 300_000
#: Honest nominees of whom the bank knows.
_DISCLOSED_PPM = 150_000


@dataclass(frozen=True)
class Concert(Frame):
    """Who acts in concert: company and holder, the rows of a company one after the other."""

    company: Ints
    member: Ints

    def pairs(self) -> tuple[Ints, Ints, Ints]:
        """Return all pairs of parties to one agreement, and the number of the agreement, from 0 up.

        >>> [each.tolist() for each in Concert(np.array([4, 4, 7, 7, 7]), np.array([20, 21, 30, 31, 32])).pairs()]
        [[20, 30, 31, 30], [21, 31, 32, 32], [0, 1, 1, 1]]
        """
        number = np.cumsum(np.diff(self.company, prepend=-1) != 0) - 1
        row, apart = np.arange(len(self)), 1
        found = []
        while (both := row[:-apart][number[apart:] == number[:-apart]]).size:
            found.append(np.column_stack([both, both + apart]))
            apart += 1
        pairs = np.concatenate(found or [np.empty((0, 2), np.int64)])
        pairs = pairs[np.argsort(number[pairs[:, 0]], kind="stable")]
        return self.member[pairs[:, 0]], self.member[pairs[:, 1]], number[pairs[:, 0]]


@dataclass(frozen=True)
class Nominations(Frame):
    """Holdings in another's name of which the bank was told: for whom, in whose name, in which company."""

    nominator: Ints
    nominee: Ints
    company: Ints


@dataclass(frozen=True)
class Agreements:
    """All that was agreed."""

    concert: Concert
    nominations: Nominations


def drawn(params: Params, firms: Firms, owned: Ownership, fronts: Fronts) -> Agreements:
    """Return the agreements of which the bank was told.

    Parameters
    ----------
    fronts
        Companies whose control a plot settles: their holders agree on nothing in writing, and no scheme discloses a nominee.
    """
    return Agreements(_concert(params, firms, owned, fronts), _nominations(params, owned, fronts))


def _concert(params: Params, firms: Firms, owned: Ownership, fronts: Fronts) -> Concert:
    """Draw companies without a majority, and of each the largest holders who have one together, or all of them."""
    rng = stream(params.seed, "concert")
    fits = _open(owned.holdings, firms) & (firms.role == ORDINARY) & (firms.standing(params.days - 1) == 0) & ~owned.nominee
    fits[fronts.company] = False
    wanted = max(params.companies * _CONCERT_PPM // 1_000_000, _FEWEST)
    chosen = np.zeros(len(firms), np.bool_)
    chosen[rng.permutation(np.flatnonzero(fits))[:wanted]] = True
    everybody = chance(rng, len(firms), _ALL_PPM)
    held = owned.holdings.take(chosen[owned.holdings.company])
    held = held.take(np.lexsort((held.holder, -held.ppm, held.company)))
    needed = 2 * _before(held) <= WHOLE  # those before it have no majority yet
    held = held.take(needed | everybody[held.company])
    return Concert(held.company, held.holder)


def _open(held: Holdings, firms: Firms) -> Bools:
    """Tell which companies two or more people hold, none of them the majority, and nothing else; shares are known."""
    count = len(firms)
    settles = (2 * held.ppm > WHOLE) | (held.ppm == UNKNOWN)
    elsewhere = (held.holder < count) | (np.bincount(held.holder)[held.holder] > 1)
    several = np.bincount(held.company, minlength=count) > 1
    found: Bools = several & (np.bincount(held.company, settles | elsewhere, count) == 0)
    found[held.holder[held.holder < count]] = False  # who holds it holds others through it
    return found


def _before(held: Holdings) -> Ints:
    """Return the sum of the shares of those who stand before each among the holders of one company."""
    _, sizes = np.unique(held.company, return_counts=True)
    group, _ = counted(sizes)
    sums = np.cumsum(held.ppm) - held.ppm
    found: Ints = sums - sums[(np.cumsum(sizes) - sizes)[group]]
    return found


def _nominations(params: Params, owned: Ownership, fronts: Fronts) -> Nominations:
    """Draw the honest nominees who told the bank for whom they hold, one at least where there is any."""
    rng, honest = stream(params.seed, "nominations"), owned.nominee.copy()
    honest[fronts.company[fronts.scheme > 0]] = False
    company = np.flatnonzero(honest)
    held = owned.holdings.company << 32 | owned.holdings.holder
    company = company[np.isin(company << 32 | owned.representative[company], held)]
    told = max(company.size * _DISCLOSED_PPM // 1_000_000, 1)
    company = np.sort(rng.permutation(company)[:told])
    return Nominations(owned.behind[company], owned.representative[company], company)
