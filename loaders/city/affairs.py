"""What honest companies pay one another besides their trade: help among friends, services, advances, money that goes on and comes back.

Knows that a friend's company, an owner's other account and a bill for advice are the everyday of small companies; hides how many
sums go their ways at once. The purposes, sizes, splits and waits are those that schemes use too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from loaders.city.draw import Ints, around, counted, heavy, spread, stream, weighted
from loaders.city.firms import ORDINARY
from loaders.city.frame import Frame, column
from loaders.city.money import BETWEEN, BORROWED, DAY, FEE, GOODS, PREPAID, SERVICE, Flows, from_any
from loaders.city.rhythm import seconds
from loaders.city.routes import in_hours
from loaders.city.supply import Links
from loaders.city.town import Town

#: What the sums are for, and how often.
_PURPOSES, _PURPOSE_WEIGHTS = np.array([GOODS, PREPAID, SERVICE, BETWEEN, FEE, BORROWED]), (30, 12, 24, 24, 4, 6)
#: How often they are among all payments between companies.
_COMMON = (60, 20, 8, 12, 0, 0)
#: Chance of one hop, two, three, four.
_HOPS = (45, 30, 15, 10)
#: A friend, a supplier, a customer, and how often; friends are so many neighbours in a row of all companies by region.
_WHO, _FRIENDS = (20, 46, 34), 2
#: Occasions a year: the tail's exponent, the least and the most; part of them of which several sums come.
_EXPONENT, _LEAST, _MOST, _SEVERAL = 0.9, 0.9, 30.0, 0.5
#: Median part of the yearly sales, its spread; part of the sums that come back to who sent them; the largest fee kept, in ppm.
_PART, _SIGMA, _BACK, _FEE_PPM = 0.025, 1.2, 0.35, 40_000
#: Part of the sums of one hop that are not sent but got.
_GOT = 0.4


@dataclass(frozen=True)
class _Sums(Frame):
    """Sums on their way: who sends, fen, second from which on, purpose, hops, most payments for one sum, longest wait in hours."""

    who: Ints
    fen: Ints
    second: Ints
    purpose: Ints
    hops: Ints
    splits: Ints
    hours: Ints


def flows(town: Town, tied: Links) -> Flows:
    """Return all such payments."""
    rng = stream(town.params.seed, "affairs")
    sums = _sums(town, rng)
    path = _paths(town, rng, tied, sums)
    parts, last, fen = [], sums.second, sums.fen
    for step in range(len(_HOPS)):
        of = np.flatnonzero(sums.hops > step)
        sent, last[of] = _hop(town, rng, (sums.take(of), fen[of], last[of]), (path[of, step], path[of, step + 1]))
        fen = fen - fen * rng.integers(0, _FEE_PPM + 1, fen.size) // 1_000_000
        parts.append(sent)
    return Flows.stacked(parts)


def renamed(rng: np.random.Generator, flows: Flows, part: float) -> Flows:
    """Return payments of which a part states the purpose that any payment between companies may have."""
    other = _PURPOSES[weighted(rng, _COMMON, len(flows))]
    return replace(flows, purpose=np.where(rng.random(len(flows)) < part, other, flows.purpose))


def _sums(town: Town, rng: np.random.Generator) -> _Sums:
    """Draw the sums: some companies have many occasions, most few, and of half of the occasions several sums come."""
    params, firms = town.params, town.firms
    ordinary = firms.of(ORDINARY)
    low = np.clip(firms.founded[ordinary] + 30, 0, params.days)
    rate = heavy(rng, ordinary.size, _EXPONENT, _LEAST, _MOST)
    group, _ = counted(rng.poisson(rate * (params.days - low) / 365.0))
    day = town.calendar.drawn(rng, low[group], column(params.days, group.size))
    times = np.where(rng.random(group.size) < _SEVERAL, 1 + rng.geometric(0.3, group.size), 1)
    of, turn = counted(np.minimum(times, 15))
    after = np.where(turn > 0, rng.integers(0, 45, of.size), 0)
    who = ordinary[group[of]]
    fen = np.minimum(around(rng, _PART, _SIGMA, of.size), 0.4) * firms.sales[who] + 500_000
    second = (day[of] + after) * DAY + seconds(rng, of.size)
    purpose = _PURPOSES[weighted(rng, _PURPOSE_WEIGHTS, group.size)[of]]
    hops, splits = 1 + weighted(rng, _HOPS, of.size), 1 + weighted(rng, (6, 3, 2), of.size)
    hours = np.minimum(heavy(rng, of.size, 0.7, 3.0), 240.0).astype(np.int64)
    return _Sums(who, fen.astype(np.int64), second, purpose, hops, splits, hours)


@dataclass(frozen=True)
class _Partners:
    """Who is whose neighbour, supplier and customer: companies in a row by region and the place of each; links by buyer, and by seller."""

    near: Ints
    place: Ints
    ties: tuple[tuple[Ints, Ints, Ints], ...]

    @classmethod
    def of(cls, town: Town, tied: Links) -> _Partners:
        near = np.argsort(town.firms.region[: town.params.companies], kind="stable")
        place = np.empty(near.size, np.int64)
        place[near] = np.arange(near.size)
        every, ties = np.arange(len(town.firms) + 1), []
        for own, other in ((tied.buyer, tied.seller), (tied.seller, tied.buyer)):
            order = np.argsort(own, kind="stable")
            ties.append((np.searchsorted(own[order], every), order, other))
        return cls(near, place, tuple(ties))

    def next(self, rng: np.random.Generator, party: Ints) -> Ints:
        """Draw for each party a friend, a supplier or a customer."""
        found: Ints = self.near[(self.place[party] + rng.integers(1, _FRIENDS + 1, party.size)) % self.near.size]
        kind = weighted(rng, _WHO, party.size)
        for number, (edges, order, other) in enumerate(self.ties, 1):
            begin, end = edges[party], edges[party + 1]
            at = begin + (rng.random(party.size) * (end - begin)).astype(np.int64)
            of = np.flatnonzero((kind == number) & (end > begin))
            found[of] = other[order[at[of]]]
        return found


def _paths(town: Town, rng: np.random.Generator, tied: Links, sums: _Sums) -> Ints:
    """Return the accounts that each sum passes: the sender's, those of others, at times the sender's other one or its owner's."""
    partners, parties = _Partners.of(town, tied), [sums.who]
    for _ in _HOPS:
        parties.append(partners.next(rng, parties[-1]))
    path = np.column_stack(parties)
    path = from_any(rng, path.ravel(), town.second).reshape(path.shape)
    got = np.flatnonzero((sums.hops == 1) & (rng.random(len(sums)) < _GOT))
    path[got, 0], path[got, 1] = path[got, 1], path[got, 0]
    back = np.setdiff1d(np.flatnonzero(rng.random(len(sums)) < _BACK), got)
    who = sums.who[back]
    own = (rng.random(back.size) < 0.5) & (sums.hops[back] > 1)
    path[back, sums.hops[back]] = np.where(own, town.second[who], town.people.offset + town.people.owner[who])
    return path


def _hop(town: Town, rng: np.random.Generator, on: tuple[_Sums, Ints, Ints], ends: tuple[Ints, Ints]) -> tuple[Flows, Ints]:
    """Return the payments by which sums go from one account to the next, and when the last one of each went out."""
    sums, fen, last = on
    parts = rng.integers(1, sums.splits + 1)
    of, _ = counted(parts)
    wait = 600 + (rng.random(of.size) * (sums.hours[of] * 3_600 - 600)).astype(np.int64)
    at = in_hours(town.calendar, rng, last[of] + wait, last[of])
    done = last.copy()
    np.maximum.at(done, of, at)
    found = Flows(ends[0][of], ends[1][of], spread(fen, parts, rng), at, sums.purpose[of], column(0, of.size))
    return found, done
