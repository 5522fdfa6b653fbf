"""One paper financed at several lenders: they are shown the same invoice or contract, or one that is written a little differently.

The number may be spelt in another way, the sum lent be off by little. The money goes to a friend or to the owner.
Honest papers are financed twice too: each lender takes a half, or one follows the other (see ``financing``).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from loaders.city import deals
from loaders.city.draw import Ints, counted
from loaders.city.financing import CONTRACT, INVOICE, SPELLINGS, Financings
from loaders.city.firms import LENDER
from loaders.city.frame import column
from loaders.city.money import BETWEEN, DAY, PREPAID, SERVICE, Flows
from loaders.city.plot import Actors, Deeds, Plot, Range
from loaders.city.routes import Manner, chain
from loaders.city.supply import Invoices
from loaders.city.town import Town

_EXACT, _SPELT = range(2)


def act(town: Town, actors: Actors, rng: np.random.Generator) -> Deeds:
    """Make out papers, show each to several lenders, and take the money away."""
    values, (borrower, debtor) = actors.values, actors.firms[:2].tolist()
    count = values["papers"]
    net = (town.firms.sales[borrower] * rng.uniform(0.02, 0.1, count)).astype(np.int64) + 1_000_000
    day = deals.spread_days(town, rng, actors.start, actors.start + 30, count)
    parties, goods = (column(borrower, count), column(debtor, count)), column(int(town.firms.industry[borrower]), count)
    bills = deals.billed(parties, goods, day, net, actors.scheme)
    signed = deals.signed(parties, goods, day, net + bills.tax, actors.scheme)
    kind = CONTRACT if values["contract_percent"] > rng.integers(0, 100) else INVOICE
    lent = _lent(town, actors, rng, bills, kind)
    sums = zip(lent.fen.tolist(), lent.second.tolist(), strict=True)
    away = [_away(town, actors, rng, turn, (fen, at)) for turn, (fen, at) in enumerate(sums)]
    real = rng.random(count) < values["paid_percent"] / 100  # a real trade may be behind it
    paid = deals.settled(town, rng, bills, real, 60)
    return Deeds(
        ("borrower", "debtor", *("friend",) * (actors.firms.size - 2)),
        flows=Flows.stacked([paid, *away]),
        contracts=signed if kind == CONTRACT else type(signed).empty(),
        invoices=bills,
        financings=lent,
    )


def _lent(town: Town, actors: Actors, rng: np.random.Generator, bills: Invoices, kind: int) -> Financings:
    """Return the financings of the papers, the first of each as it is, the others alike or nearly so."""
    values, count = actors.values, len(bills)
    lenders = rng.permutation(town.firms.of(LENDER))[: values["lenders"]]
    paper, turn = counted(column(lenders.size, count))
    fen = ((bills.net + bills.tax) * rng.integers(12, 18, count) // 20 + 1)[paper]
    day = bills.day[paper] + np.where(turn > 0, rng.integers(0, values["within_days"] + 1, paper.size), 0)
    day = np.minimum(town.calendar.office(day), town.params.days - 1)
    spelt = np.where((turn > 0) & (values["near"] >= _SPELT), 1 + (turn - 1 + paper) % (SPELLINGS - 1), 0)
    off = np.where((turn > 0) & (values["near"] > _SPELT), fen * rng.integers(-25_000, 25_001, paper.size) // 1_000_000, 0)
    fails = (rng.random(paper.size) < 0.7).astype(np.int64)
    who, number = column(int(actors.firms[0]), paper.size), column(actors.scheme, paper.size)
    found = Financings(lenders[turn], who, column(kind, paper.size), paper, spelt, fen + off, _seconds(rng, day), fails, number)
    return replace(found, second=np.minimum(found.second, town.params.days * DAY - 20_000))


def _seconds(rng: np.random.Generator, day: Ints) -> Ints:
    return day * DAY + 36_000 + rng.integers(0, 20_000, day.size)


def _away(town: Town, actors: Actors, rng: np.random.Generator, turn: int, lent: tuple[int, int]) -> Flows:
    """Send most of the money on: to a friend, the first sums to each of them, or to the owner."""
    (fen, second), borrower, friends = lent, int(actors.firms[0]), actors.firms[2:]
    friend = turn < friends.size or (bool(friends.size) and rng.random() < 0.5)
    end = int(friends[turn % friends.size]) if friend else town.people.offset + int(town.people.owner[borrower])
    purpose = (PREPAID, SERVICE, BETWEEN)[int(rng.integers(0, 3))]
    manner = Manner(0, 3, actors.values["hours"], purpose, actors.scheme, town.calendar)
    return chain(rng, np.array([borrower, end]), fen * actors.values["percent"] // 100, second + 600, manner)


PLOT = Plot(
    "double_financing",
    "one invoice or contract is financed at several lenders",
    Range(2, 4, "companies: the borrower, the debtor of the paper, friends"),
    {
        "lenders": Range(2, 4, "lenders of a paper"),
        "near": Range(0, 2, "0 the same paper, 1 its number spelt otherwise, 2 the sum off by little too", usual=1),
        "papers": Range(1, 3, "papers"),
        "within_days": Range(1, 75, "days between the first lender and the last", usual=60),
        "contract_percent": Range(0, 60, "% chance that the papers are contracts"),
        "paid_percent": Range(0, 90, "% of the papers that the debtor pays"),
        "percent": Range(60, 100, "% of the money that is taken away"),
        "hours": Range(3, 120, "longest wait of a sum, in hours"),
    },
    act,
)
