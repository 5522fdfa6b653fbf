"""The papers of a city: contracts, invoices and what was lent against them, honest ones and those of plots, in one order each.

Knows that papers of plots lie among the others; hides how a paper is found again after all were put in order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from loaders.city import financing, supply
from loaders.city.draw import Bools, Ints
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
    params, days = town.params, town.params.days
    issued = Invoices.stacked([orders, supply.red(params, orders), done.invoices])
    firms = town.firms
    inside = (issued.day >= 0) & (issued.day < np.minimum(firms.last_day(issued.seller, issued.buyer), days))
    # what is made void after the period is not void yet
    issued = replace(issued, void=np.where(issued.void_day < days, issued.void, 0))
    invoices, place = _in_order(issued, issued.day, inside)
    of_plots = place[len(issued) - len(done.invoices) :]
    agreed = Contracts.stacked([supply.contracts(params, tied), done.contracts])
    contracts, where = _in_order(agreed, agreed.day, agreed.day < np.minimum(firms.last_day(agreed.seller, agreed.buyer), days))
    signed = where[len(agreed) - len(done.contracts) :]
    lent = done.financings
    paper = column(-1, len(lent))
    paper[lent.kind == INVOICE] = of_plots[lent.paper[lent.kind == INVOICE]]
    paper[lent.kind != INVOICE] = signed[lent.paper[lent.kind != INVOICE]]
    lent = Financings.stacked([financing.honest(params, firms, invoices), replace(lent, paper=paper)])
    lent, _ = _in_order(lent, lent.second, (lent.paper >= 0) & (lent.second < np.minimum(firms.last_day(lent.borrower), days) * DAY))
    return Papers(contracts, invoices, lent)


def _in_order(rows: Rows, time: Ints, kept: Bools) -> tuple[Rows, Ints]:
    """Return the rows that are kept in the order of time, and the new place of each old one, -1 where it is not kept."""
    of = np.flatnonzero(kept)
    of = of[np.argsort(time[of], kind="stable")]
    place = column(-1, len(rows))
    place[of] = np.arange(of.size)
    return rows.take(of), place
