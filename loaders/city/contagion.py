"""Contagion: a core firm fails on a day, and its tiers of suppliers with it. No crime.

It stops paying its bills and its loans fail; suppliers that sell much of what they sell to it pay late, some of them fail
weeks later, and so on, tier by tier. Knows how likely each is; hides the tiers. Nobody is hit twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from loaders.city.credit import NEVER, Cases, Loans
from loaders.city.draw import Bools, Floats, Ints, stream
from loaders.city.firms import ORDINARY, Firms
from loaders.city.frame import Frame, column
from loaders.city.money import DAY, GOODS, PREPAID, SALARY, Flows
from loaders.city.params import Params
from loaders.city.supply import Invoices, Links
from loaders.city.town import Town

#: A supplier depends on a buyer that takes such a part of its sales; a core firm has so many that do.
DEPENDS, LEAST_SUPPLIERS = 0.2, 3
_TIERS, _COMPANIES_EACH = 4, 2_000
#: Days for which one that was hit pays late, and for which one that failed still pays wages.
LATE_FOR, WAGES_FOR = 120, 60


@dataclass(frozen=True)
class Contagion(Frame):
    """Companies that were hit.

    Attributes
    ----------
    core, company, tier
        The core firm, who was hit, and by how many steps from it (0: itself).
    by
        The buyer by whom it was hit, itself for a core firm.
    day, fails
        The day on which it was hit, and on which it failed, ``NEVER`` where it did not.
    late
        By how many days it pays late.
    owed
        Fen that its buyer took from it a year.
    """

    core: Ints
    company: Ints
    tier: Ints
    by: Ints
    day: Ints
    fails: Ints
    late: Ints
    owed: Ints


def drawn(params: Params, firms: Firms, tied: Links, taken: Ints) -> Contagion:
    """Return who is hit by the end of the period; companies ``taken`` by plots are no core firms."""
    rng = stream(params.seed, "contagion")
    part = tied.volume / np.maximum(firms.sales[tied.seller], 1)
    depends, part = tied.take(part >= DEPENDS), part[part >= DEPENDS]
    found = [_cores(rng, params, firms, depends, taken)]
    for tier in range(1, _TIERS + 1):
        hit = _next(rng, depends, part, found[-1], tier)
        earlier = np.concatenate([each.company for each in found])
        found.append(hit.take(~np.isin(hit.company, earlier) & (hit.day < params.days)))
    return Contagion.stacked(found)


def _cores(rng: np.random.Generator, params: Params, firms: Firms, depends: Links, taken: Ints) -> Contagion:
    """Draw the core firms that fail, those with more dependent suppliers more often, and their days."""
    old = depends.buyer[depends.start < 0]
    suppliers = np.bincount(old, minlength=len(firms)).astype(np.float64)
    fits = (firms.role == ORDINARY) & (suppliers >= LEAST_SUPPLIERS) & (firms.founded < 0) & (firms.closed >= params.days)
    fits[taken] = False
    weight = np.where(fits, suppliers**2, 0.0)
    count = min(max(params.least, params.companies // _COMPANIES_EACH), int(fits.sum()))
    core = rng.choice(len(firms), count, replace=False, p=weight / weight.sum()) if count else column(0, 0)
    day = rng.integers(params.days // 5, params.days // 2, count)
    return Contagion(core, core, column(0, count), core, day, day, column(0, count), column(0, count))


def _next(rng: np.random.Generator, depends: Links, part: Floats, before: Contagion, tier: int) -> Contagion:
    """Return the suppliers that depend on those of the tier before that failed, each hit by one of them."""
    failed = before.take(before.fails < NEVER)
    order = np.argsort(failed.company)
    place = np.minimum(np.searchsorted(failed.company[order], depends.buyer), max(len(failed) - 1, 0))
    rows = np.flatnonzero(failed.company[order][place] == depends.buyer) if len(failed) else column(0, 0)
    _, first = np.unique(depends.seller[rows], return_index=True)
    rows = rows[first]
    of = order[place[rows]] if rows.size else rows
    day = failed.fails[of] + rng.integers(5, 40, rows.size)
    rows, of, day = rows[depends.start[rows] < day], of[depends.start[rows] < day], day[depends.start[rows] < day]
    falls = rng.random(rows.size) < np.clip(0.1 + 0.6 * part[rows], 0.0, 0.7)
    fails = np.where(falls, day + rng.integers(10, 60, rows.size), NEVER)
    late, buyer = rng.integers(12, 60, rows.size), depends.buyer[rows]
    return Contagion(failed.core[of], depends.seller[rows], column(tier, rows.size), buyer, day, fails, late, depends.volume[rows])


def failing(hit: Contagion, count: int) -> Ints:
    """Return the day on which each of so many parties fails, ``NEVER`` where it does not."""
    day = column(NEVER, count)
    day[hit.company] = hit.fails
    return day


def sold(hit: Contagion, firms: Firms, orders: Invoices) -> Bools:
    """Tell which orders are still made out: none to or by a company some days after it failed."""
    fails = failing(hit, len(firms))
    kept: Bools = orders.day < np.minimum(fails[orders.buyer] + 7, fails[orders.seller] + 20)
    return kept


def suffered(hit: Contagion, town: Town, flows: Flows) -> Flows:
    """Return payments without those of companies that failed (but wages, for a while), and those of others that were hit later."""
    concerned = np.zeros(len(town.firms) + len(town.people), np.bool_)
    concerned[hit.company] = True
    rows = np.flatnonzero(concerned[town.accounts.owner[flows.payer]])
    payer = town.accounts.owner[flows.payer[rows]]
    day, purpose = flows.second[rows].astype(np.int64) // DAY, flows.purpose[rows]
    fails = failing(hit, concerned.size)[payer]
    begin, late = column(NEVER, concerned.size), column(0, concerned.size)
    begin[hit.company], late[hit.company] = hit.day, hit.late
    slow = (day >= begin[payer]) & (day < begin[payer] + LATE_FOR) & np.isin(purpose, (GOODS, PREPAID))
    then = np.where(slow, town.calendar.office(day + late[payer]), day)
    stopped = then >= np.where(purpose == SALARY, fails + WAGES_FOR, fails)
    second, kept = flows.second.copy(), np.ones(len(flows), np.bool_)
    second[rows] = flows.second[rows] % DAY + np.minimum(then, town.params.days + 1) * DAY
    kept[rows[stopped]] = False
    return replace(flows, second=second).take(kept)


def lent(hit: Contagion, firms: Firms, loans: Loans, params: Params) -> Loans:
    """Return loans with those failed whose borrower failed, some weeks after it; nobody lends to one that failed."""
    after = stream(params.seed, "contagion loans").integers(3, 35, len(loans))
    fails = failing(hit, len(firms))[loans.borrower]
    known = np.where(fails < NEVER, np.minimum(loans.fails, fails + after), loans.fails)
    return replace(loans, fails=known).take(loans.second // DAY < fails)


def sued(hit: Contagion, params: Params) -> Cases:
    """Return the court cases of suppliers that were not paid, some weeks later."""
    rng = stream(params.seed, "contagion court")
    rows = hit.take((hit.tier > 0) & (rng.random(len(hit)) < 0.5))
    fen = (rows.owed * rng.uniform(0.05, 0.4, len(rows))).astype(np.int64) // 100 * 100 + 100
    return Cases(rows.company, rows.by, fen, rows.day + rng.integers(20, 90, len(rows)), column(1, len(rows)))
