"""The papers of a city: contracts, invoices and what was lent against them, honest ones and those of plots, in one order each.

Knows that papers of plots lie among the others of their day, so that no place tells them; hides how a paper is found again
after all were put in order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from loaders.city import financing, supply
from loaders.city.draw import Bools, Ints, stream
from loaders.city.financing import INVOICE, Financings
from loaders.city.frame import Frame, column
from loaders.city.money import DAY
from loaders.city.plot import Deeds
from loaders.city.supply import Contracts, Invoices, Links
from loaders.city.town import Town

Rows = TypeVar("Rows", bound=Frame)


@dataclass(frozen=True)
class Papers:
    """The papers of the period, each kind in the order of time; financings name papers by their place."""

    contracts: Contracts
    invoices: Invoices
    financings: Financings


def papers(town: Town, tied: Links, orders: Invoices, done: Deeds) -> Papers:
    """Return the papers of trade and of plots."""
    invoices, of_plots = _issued(town, orders, done)
    contracts, signed = _agreed(town, tied, done)
    firms, days = town.firms, town.params.days
    lent = done.financings
    paper = column(-1, len(lent))
    paper[lent.kind == INVOICE] = of_plots[lent.paper[lent.kind == INVOICE]]
    paper[lent.kind != INVOICE] = signed[lent.paper[lent.kind != INVOICE]]
    lent = Financings.stacked([financing.honest(town.params, firms, invoices), replace(lent, paper=paper)])
    kept = (lent.paper >= 0) & (lent.second < np.minimum(firms.last_day(lent.borrower), days) * DAY)
    lent, _ = _in_order(stream(town.params.seed, "order of financings"), lent, lent.second, kept)
    return Papers(contracts, invoices, lent)


def _issued(town: Town, orders: Invoices, done: Deeds) -> tuple[Invoices, Ints]:
    """Return all invoices in their order, and the places of those of plots."""
    issued = Invoices.stacked([orders, supply.red(town.params, orders), done.invoices])
    days, ends = town.params.days, town.firms.last_day(issued.seller, issued.buyer)
    # what is made void after the period is not void yet
    issued = replace(issued, void=np.where(issued.void_day < days, issued.void, 0))
    rng = stream(town.params.seed, "order of invoices")
    invoices, place = _in_order(rng, issued, issued.day, (issued.day >= 0) & (issued.day < np.minimum(ends, days)))
    return invoices, place[len(issued) - len(done.invoices) :]


def _agreed(town: Town, tied: Links, done: Deeds) -> tuple[Contracts, Ints]:
    """Return all contracts in their order, and the places of those of plots."""
    agreed = Contracts.stacked([supply.contracts(town.params, tied), done.contracts])
    ends = town.firms.last_day(agreed.seller, agreed.buyer)
    rng = stream(town.params.seed, "order of contracts")
    contracts, place = _in_order(rng, agreed, agreed.day, agreed.day < np.minimum(ends, town.params.days))
    return contracts, place[len(agreed) - len(done.contracts) :]


def _in_order(rng: np.random.Generator, rows: Rows, time: Ints, kept: Bools) -> tuple[Rows, Ints]:
    """Return the rows that are kept in the order of time, those of one time in any, and where each now is, -1 where nowhere."""
    of = rng.permutation(np.flatnonzero(kept))
    of = of[np.argsort(time[of], kind="stable")]
    place = column(-1, len(rows))
    place[of] = np.arange(of.size)
    return rows.take(of), place
