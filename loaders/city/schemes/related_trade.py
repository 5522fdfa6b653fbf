"""Undisclosed related trade: a company makes much of its revenue with companies that are secretly its owner's.

The buyers stand in the register in the names of others, or belong to the owner by holding companies between. Contracts,
invoices and payments look like trade; some bills are never paid. The seller trades with strangers as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loaders.city import control, deals
from loaders.city.draw import Ints, spread
from loaders.city.frame import column
from loaders.city.money import BETWEEN, DAY, Flows
from loaders.city.plot import Actors, Deeds, Plot, Range
from loaders.city.routes import Manner, chain
from loaders.city.supply import Contracts
from loaders.city.town import Town

#: Part of a company's sales that stands for its revenue where it has no customers in the city.
_UNSEEN = 0.08


@dataclass(frozen=True)
class _Parts:
    """Who is what: the seller, its buyers, the holding companies above the first of these."""

    seller: int
    buyers: Ints
    layers: Ints

    @classmethod
    def of(cls, actors: Actors) -> _Parts:
        firms, layers = actors.firms, min(actors.values["layers"], actors.firms.size - 2)
        return cls(int(firms[0]), firms[1 : firms.size - layers], firms[firms.size - layers :])


def act(town: Town, actors: Actors, rng: np.random.Generator) -> Deeds:
    """Sell to one's own."""
    parts, values = _Parts.of(actors), actors.values
    net = _net(town, actors, parts, rng)
    day = deals.spread_days(town, rng, actors.start, town.params.days, net.size)
    buyer = parts.buyers[rng.integers(0, parts.buyers.size, net.size)]
    goods = column(int(town.firms.industry[parts.seller]), net.size)
    bills = deals.billed((column(parts.seller, net.size), buyer), goods, day, net, actors.scheme)
    paid = rng.random(net.size) < values["paid_percent"] / 100
    paid[0] = True
    top = parts.layers[-1:]
    return Deeds(
        ("seller", *("buyer",) * parts.buyers.size, *("holding",) * parts.layers.size),
        flows=Flows.stacked([deals.settled(town, rng, bills, paid, values["credit_days"]), *_profit(town, actors, parts, rng)]),
        shared=control.traces(actors, rng),
        parents=control.layered([np.append(parts.buyers[:1], parts.layers)]),
        fronts=control.fronts(town, actors, rng, np.append(parts.seller, top), parts.buyers[min(top.size, 1) :]),
        contracts=_contracts(actors, parts, rng, int(net.sum()), int(goods[0])),
        invoices=bills,
    )


def _net(town: Town, actors: Actors, parts: _Parts, rng: np.random.Generator) -> Ints:
    """Return the net amounts of the bills, which make the part of the period's revenue that was drawn."""
    unseen = int(town.firms.sales[parts.seller] * _UNSEEN) * town.params.days // 365
    others = max(int(town.revenue[parts.seller]), unseen, 1_000_000)
    percent, count = actors.values["percent"], actors.values["bills"]
    return spread(column(others * percent // (100 - percent), 1), column(count, 1), rng)


def _profit(town: Town, actors: Actors, parts: _Parts, rng: np.random.Generator) -> list[Flows]:
    """Send the profit of the first buyer up to the owner, through the holding companies."""
    if not parts.layers.size:
        return []
    path = np.concatenate([parts.buyers[:1], parts.layers, [control.boss(town, actors)]])
    fen = int(town.firms.sales[parts.buyers[0]] * rng.uniform(0.01, 0.05)) + 1_000_000
    return [chain(rng, path, fen, actors.start * DAY + 36_000, Manner(20_000, 2, 200, BETWEEN, actors.scheme, town.calendar))]


def _contracts(actors: Actors, parts: _Parts, rng: np.random.Generator, fen: int, goods: int) -> Contracts:
    """Sign a contract with each buyer, for about twice what is sold to it."""
    count = parts.buyers.size
    seller, day = column(parts.seller, count), column(actors.start, count) - np.arange(count) % 7
    amount = (fen * 2 // count * rng.uniform(0.6, 1.4, count)).astype(np.int64) + 1_000_000
    return deals.signed((seller, parts.buyers), column(goods, count), day, amount, actors.scheme)


PLOT = Plot(
    "related_trade",
    "a company sells to companies that secretly belong to its owner",
    Range(2, 6, "companies: seller, buyers, holding companies"),
    {
        "percent": Range(10, 70, "% of the period's revenue that the seller makes with them", usual=30, above=False),
        "layers": Range(0, 3, "holding companies between the owner and the first buyer; without any it is a straw person"),
        "bills": Range(4, 24, "invoices", grows=True),
        "paid_percent": Range(45, 100, "% of the bills that are paid"),
        "credit_days": Range(0, 70, "longest time until a bill is paid, in days"),
    },
    act,
    settles=True,
)
