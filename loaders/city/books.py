"""What the bank itself keeps of its parties, as rows: exposures, its capital, hubs, agreements it was told of, rebuttals.

Knows the columns and how each thing is numbered; hides nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loaders.city.build import City
from loaders.city.draw import Bools, Ints
from loaders.city.exposures import KINDS
from loaders.city.firms import CLEARING, LANDLORD, LENDER, ORDINARY, PLATFORM, TAX, UTILITY
from loaders.city.money import DAY
from loaders.city.rebuttals import ACTIONS, REASONS, RESTORED
from loaders.city.text import dates, digits, numbers, times, words

Named = Callable[[str, Ints], dict[str, pa.Array]]
#: Institutions with which everybody deals, and why their ties tell nothing.
_HUBS = {LENDER: "bank", TAX: "tax", UTILITY: "utility", PLATFORM: "platform", LANDLORD: "landlord", CLEARING: "clearing"}
#: One company is listed for so many, and the fewest are; none is younger in days.
_COMPANIES_EACH, _FEWEST, _YOUNGEST = 1_000, 2, 1_095


def listed(city: City) -> Bools:
    """Tell which companies are listed: a few of the largest that two or more hold."""
    firms, held = city.firms, city.ownership.holdings
    several = np.bincount(held.company, minlength=len(firms)) > 1
    fits = several & (firms.role == ORDINARY) & (firms.founded < -_YOUNGEST) & (firms.standing(city.params.days - 1) == 0)
    able = np.flatnonzero(fits)
    largest = able[np.argsort(-firms.employees[able], kind="stable")]
    found = np.zeros(len(firms), np.bool_)
    found[largest[: max(city.params.companies // _COMPANIES_EACH, _FEWEST)]] = True
    return found


def hubs(city: City, named: Named) -> pa.Table:
    """Return the institutions with which everybody deals."""
    role = city.firms.role
    party = np.flatnonzero(np.isin(role, list(_HUBS)))
    reasons = [_HUBS.get(each) for each in range(int(role.max()) + 1)]
    return pa.table({**named("party", party), "reason": words(reasons, role[party])})


def exposures(city: City, named: Named, loan_numbers: Callable[[Ints], pa.Array]) -> pa.Table:
    """Return what the bank stands to lose by each party; a loan has its own number."""
    rows = city.books.exposures
    borne = rows.provider >= 0
    other = np.cumsum((rows.loan < 0).astype(np.int64))
    provider = named("provider", np.maximum(rows.provider, 0))
    return pa.table(
        {
            **named("party", rows.party),
            "kind": words(KINDS, rows.kind),
            "number": pc.if_else(pa.array(rows.loan >= 0), loan_numbers(np.maximum(rows.loan, 0)), digits(other, 8, "XD")),
            "amount_fen": numbers(rows.fen),
            "mitigated_fen": numbers(rows.mitigated, borne),
            **{name: pc.if_else(pa.array(borne), values, None) for name, values in provider.items()},
        }
    )


def capital(city: City) -> pa.Table:
    """Return the capital at the ends of quarters."""
    rows = city.books.capital
    sums = {"net_capital_fen": numbers(rows.net), "tier_1_fen": numbers(rows.tier_1)}
    return pa.table({"reported_on": dates(city.params.first_day, rows.day), **sums})


def concert(city: City, named: Named) -> pa.Table:
    """Return the pairs of those who act in concert."""
    a, b, number = city.agreements.concert.pairs()
    return pa.table({**named("a", a), **named("b", b), "agreement": digits(number + 1, 6, "YZ")})


def nominations(city: City, named: Named) -> pa.Table:
    """Return the holdings in another's name that were disclosed."""
    rows = city.agreements.nominations
    company = named("company", rows.company)["company"]
    ends = {**named("nominator", rows.nominator), **named("nominee", rows.nominee)}
    return pa.table({**ends, "company": company, "agreement": digits(np.arange(len(rows)) + 1, 6, "DC")})


def rebuttals(city: City, named: Named) -> tuple[Ints, pa.Table]:
    """Return what officers did about links, and the day of each."""
    rows, first = city.rebuttals, city.params.first_day
    said = {"action": words(ACTIONS, rows.action), "reason": words((*REASONS.values(), RESTORED), rows.reason)}
    when = {"until_on": dates(first, rows.until, rows.action == 0), "decided_at": times(first, rows.second)}
    return rows.second // DAY, pa.table({**named("a", rows.a), **named("b", rows.b), **said, "user": digits(rows.user, 5, "E"), **when})
