"""A family with several companies: owners are kin, phones and rooms are shared, they lend to and stand for one another.

Money goes to and fro between the companies and guarantees make circles, as among accomplices; each of them has a trade of its own.
"""

from __future__ import annotations

import numpy as np

from loaders.city.credit import NEVER, Guarantees, Loans
from loaders.city.draw import Ints, around
from loaders.city.firms import LENDER
from loaders.city.frame import column
from loaders.city.money import BORROWED, DAY, GOODS, Flows
from loaders.city.people import KINSHIPS
from loaders.city.plot import ADDRESS, DEVICE, PHONE, Actors, Deeds, Kin, Plot, Range, Shared
from loaders.city.rhythm import seconds
from loaders.city.town import Town

#: Days between the births of parents and children, at least; couples are nearer in age.
_GENERATION = 7_300


def act(town: Town, actors: Actors, rng: np.random.Generator) -> Deeds:
    """Lend to one another and get it back, guarantee one another's loans, buy a little from one another."""
    firms, loans = actors.firms, _borrowed(town, actors, rng)
    of = np.array([int(np.flatnonzero(firms == borrower)[0]) for borrower in loans.borrower.tolist()], np.int64)
    stands = firms[(of + rng.integers(1, firms.size, of.size)) % firms.size]
    return Deeds(
        ("relative",) * firms.size,
        flows=Flows.stacked([_lent(town, actors, rng), _bought(town, actors, rng)]),
        loans=loans,
        guarantees=Guarantees(stands, loans.borrower, loans.fen, loans.second // DAY, column(0, of.size)),
        shared=_shared(actors, rng),
        kin=_kin(town, firms),
    )


def _borrowed(town: Town, actors: Actors, rng: np.random.Generator) -> Loans:
    """Borrow from banks, now one company and now another."""
    some = actors.firms[rng.random(actors.firms.size) < 0.7]
    lenders, size = town.firms.of(LENDER), some.size
    day = np.minimum(actors.start + rng.integers(0, 60, size), town.params.days - 1)
    fen = np.maximum((town.firms.sales[some] * rng.uniform(0.05, 0.2, size)).astype(np.int64) // 10_000_000, 1) * 10_000_000
    fails = np.where(rng.random(size) < 0.04, day + 120, NEVER)
    lender, term = lenders[rng.integers(0, lenders.size, size)], np.array([180, 365])[rng.integers(0, 2, size)]
    return Loans(some, lender, some, fen, day * DAY + seconds(rng, size), term, fails, column(0, size))


def _pairs(actors: Actors, rng: np.random.Generator, count: int) -> tuple[Ints, Ints]:
    """Draw two different companies of the family, so often."""
    size = actors.firms.size
    one = rng.integers(0, size, count)
    return actors.firms[one], actors.firms[(one + rng.integers(1, size, count)) % size]


def _lent(town: Town, actors: Actors, rng: np.random.Generator) -> Flows:
    """Help out with money for some weeks; most of it comes back."""
    count = actors.values["helps"]
    payer, payee = _pairs(actors, rng, count)
    smaller = np.minimum(town.firms.sales[payer], town.firms.sales[payee])
    fen = around(rng, smaller * 0.02 + 500_000, 0.7, count).astype(np.int64) // 10_000 * 10_000 + 10_000
    day = town.calendar.office(rng.integers(actors.start, town.params.days, count))
    to = Flows.honest(payer, payee, fen, day * DAY + seconds(rng, count), BORROWED)
    again = to.take(rng.random(count) < 0.8)
    later = town.calendar.office(again.second // DAY + rng.integers(7, 60, len(again))) * DAY + seconds(rng, len(again))
    return Flows.stacked([to, Flows.honest(again.payee, again.payer, again.fen, later, BORROWED)])


def _bought(town: Town, actors: Actors, rng: np.random.Generator) -> Flows:
    """Buy a little from one another."""
    count = actors.values["purchases"]
    payer, payee = _pairs(actors, rng, count)
    smaller = np.minimum(town.firms.sales[payer], town.firms.sales[payee])
    fen = around(rng, smaller * 0.006 + 200_000, 0.7, count).astype(np.int64)
    day = town.calendar.office(rng.integers(actors.start, town.params.days, count))
    return Flows.honest(payer, payee, fen, day * DAY + seconds(rng, count), GOODS)


def _shared(actors: Actors, rng: np.random.Generator) -> Shared:
    """Share each of address, phone and device with some chance, two of the companies at least."""
    parts = []
    for what, often in ((ADDRESS, 0.4), (PHONE, 0.7), (DEVICE, 0.6)):
        of = actors.firms[: int(rng.integers(2, actors.firms.size + 1))] if rng.random() < often else actors.firms[:0]
        parts.append(Shared(column(what, of.size), of, column(actors.number, of.size)))
    return Shared.stacked(parts)


def _kin(town: Town, firms: Ints) -> Kin:
    """Make the owners relatives of the oldest of a couple: a wife or husband, brothers and sisters, parents, children."""
    owners = np.unique(town.people.owner[firms])
    born = town.people.born[owners]
    owners, born = owners[np.argsort(born)], np.sort(born)
    if owners.size < 2:
        return Kin.empty()
    head = int(np.argmin(np.diff(born)))
    others = np.delete(np.arange(owners.size), head)
    apart = born[others] - born[head]
    kind = np.where(apart < -_GENERATION, KINSHIPS.index("parent"), np.where(apart > _GENERATION, KINSHIPS.index("child"), 1))
    kind[others == head + 1] = KINSHIPS.index("spouse") if apart[others == head + 1][0] <= _GENERATION else KINSHIPS.index("child")
    return Kin(column(int(owners[head]), others.size), owners[others], kind)


PLOT = Plot(
    "family",
    "relatives' companies that share, lend to one another and guarantee one another's loans",
    Range(3, 7, "companies"),
    {"helps": Range(3, 15, "sums lent within the family", grows=True), "purchases": Range(2, 20, "purchases", grows=True)},
    act,
    weight=4,
    one_place=True,
)
