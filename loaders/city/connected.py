"""Who belongs together in the eyes of a bank: by control that the register shows, and by living on another's orders, supplies or credit.

Knows what half of a year's receipts or spending is, and a guarantee beyond one's capital; hides how all are followed at once. The bank's
capital and its lines are made for these groups; what a scheme hides is no part of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from loaders.city.credit import Guarantees
from loaders.city.draw import Ints, counted
from loaders.city.firms import ORDINARY, Firms
from loaders.city.frame import Frame, column
from loaders.city.holdings import WHOLE, Ownership
from loaders.city.params import Params
from loaders.city.plot import Fronts
from loaders.city.supply import Invoices

#: Fewest months in which two traded, days of a year, parties and months that a key has room for.
_MONTHS, _YEAR, _ROOM = 3, 365, 2**12


@dataclass(frozen=True)
class Ties(Frame):
    """Links between parties: upon whom it is, and who is controlled by it or depends on it."""

    on: Ints
    of: Ints


@dataclass(frozen=True)
class Groups(Frame):
    """Members of groups, the head among them."""

    head: Ints
    member: Ints

    def sums(self, fen: Ints) -> Ints:
        """Return for each party the sum of what the members of its group have; 0 for those who head none."""
        found = column(0, fen.size)
        np.add.at(found, self.head, fen[self.member])
        return found


def control(firms: Firms, owned: Ownership, fronts: Fronts) -> Ties:
    """Return the ties of control but those that schemes hide and those of the State."""
    company = np.flatnonzero(firms.role == ORDINARY)
    company = company[~np.isin(company, fronts.company[fronts.scheme > 0])]
    top = owned.controller[company]
    private = (top >= len(firms)) | (firms.role[np.minimum(top, len(firms) - 1)] == ORDINARY)
    held = owned.holdings
    of_firm = (held.holder < len(firms)) & (2 * held.ppm > WHOLE)
    of_firm &= firms.role[np.where(of_firm, held.holder, 0)] == ORDINARY
    direct = held.take(of_firm)
    return Ties(np.concatenate([top[private], direct.holder]), np.concatenate([company[private], direct.company]))


def dependence(params: Params, firms: Firms, invoices: Invoices, given: Guarantees) -> Ties:
    """Return who gets or spends half of a year's money with one other, and who stands for one with more than its capital."""
    counts = (invoices.void == 0) & (invoices.day >= params.days - _YEAR)
    month = (np.datetime64(params.first_day, "D") + invoices.day[counts]).astype("datetime64[M]").astype(np.int64)
    sides = invoices.seller[counts], invoices.buyer[counts]
    parts = [_most(of, on, month, invoices.net[counts]) for of, on in (sides, sides[::-1])]
    by_firm = given.take(given.guarantor < len(firms))
    pair, place = np.unique(by_firm.guarantor << 32 | by_firm.beneficiary, return_inverse=True)
    stands = column(0, pair.size)
    np.add.at(stands, place, by_firm.fen)
    ruined = pair[stands > firms.capital[pair >> 32]]
    return Ties.stacked([*parts, Ties(ruined & (2**32 - 1), ruined >> 32)])


def _most(of: Ints, on: Ints, month: Ints, fen: Ints) -> Ties:
    """Return who has half or more of all its fen with one other, in several months."""
    pair, place = np.unique(of << 32 | on, return_inverse=True)
    part, whole = column(0, pair.size), column(0, int(of.max(initial=0)) + 1)
    np.add.at(part, place, fen)
    np.add.at(whole, of, fen)
    months = np.bincount(np.unique(place * _ROOM + month) // _ROOM, minlength=pair.size)
    who = pair >> 32
    kept = (2 * part >= whole[who]) & (part > 0) & (months >= _MONTHS)
    return Ties(pair[kept] & (2**32 - 1), who[kept])


def groups(ties: Ties, parties: int) -> Groups:
    """Return who can be reached from each party that nobody else reaches; one stands for those who reach each other.

    >>> found = groups(Ties(np.array([0, 1, 4, 5]), np.array([1, 2, 5, 4])), 6)
    >>> found.head.tolist(), found.member.tolist()
    ([0, 0, 0, 4, 4], [0, 1, 2, 4, 5])
    """
    links = csr_array((np.ones(len(ties), np.int8), (ties.on, ties.of)), shape=(parties, parties))
    _, part = connected_components(links, connection="strong")
    entered = np.zeros(parties, np.bool_)
    entered[part[ties.of[part[ties.on] != part[ties.of]]]] = True
    free = ties.on[~entered[part[ties.on]]]
    _, first = np.unique(part[np.sort(free)], return_index=True)
    head = np.sort(free)[first]
    known = front = head * parties + head
    while front.size:
        node = front % parties
        begin, size = links.indptr[node].astype(np.int64), np.diff(links.indptr)[node].astype(np.int64)
        of, place = counted(size)
        front = np.setdiff1d(front[of] // parties * parties + links.indices[begin[of] + place], known)
        known = np.union1d(known, front)
    return Groups(known // parties, known % parties)
