"""What the end of a company brings with it: no more trade, accounts closed, loans settled before or never.

Knows that a company with a part in a plot, or through whose accounts a scheme sends money, lives until that is over; hides
how rows of later days are told. Who is closed by chance is drawn in ``loaders.city.firms``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from loaders.city.credit import NEVER, Cases, Guarantees, Loans
from loaders.city.draw import Ints, chance, stream
from loaders.city.firms import Firms
from loaders.city.frame import column
from loaders.city.money import DAY
from loaders.city.params import Params
from loaders.city.plot import Actors, Deeds
from loaders.city.supply import Invoices, Links
from loaders.city.town import Town

#: Parties of plots that are closed after it, median days until then; loans that are settled early where the borrower is closed.
_AFTER_PPM, _AFTER_DAYS, _SETTLED_PPM = 60_000, 50, 700_000
#: A loan may be repaid so many days late.
_LATE = 65


def ended(town: Town, actors: Sequence[Actors], deeds: Sequence[Deeds]) -> Town:
    """Return the town in which nobody is closed before it has acted, and a few of the actors are closed after that."""
    firms, rng = town.firms, stream(town.params.seed, "closed actors")
    last, needed = column(-1, len(firms)), np.zeros(len(firms), np.bool_)
    for of, deed in zip(actors, deeds, strict=True):
        _note(last, town, deed)
        np.maximum.at(last, of.firms, column(of.start, of.firms.size))
        needed[_through(town, deed)] |= of.number > 0
    acting = np.zeros(len(firms), np.bool_)
    acting[np.concatenate([of.firms for of in actors] or [np.empty(0, np.int64)])] = True
    after = last + 2 + rng.exponential(_AFTER_DAYS, len(firms)).astype(np.int64)
    closed = np.where(needed & (firms.closed <= last + 1), after, firms.closed)
    closed = np.where(acting, np.where(chance(rng, len(firms), _AFTER_PPM), after, NEVER), closed)
    firms = replace(firms, closed=closed)
    return replace(town, firms=firms, accounts=replace(town.accounts, closed=firms.last_day(town.accounts.owner)))


def _through(town: Town, deed: Deeds) -> Ints:
    """Return the companies from or to whose accounts a plot sends money, or that stand on its papers."""
    paid = town.accounts.owner[np.concatenate([deed.flows.payer, deed.flows.payee])]
    party = np.concatenate([paid, deed.invoices.seller, deed.invoices.buyer])
    found: Ints = party[party < len(town.firms)]
    return found


def _note(last: Ints, town: Town, deed: Deeds) -> None:
    """Note the last day on which each company does something in a plot."""
    flows, loans, given = deed.flows, deed.loans, deed.guarantees
    for party, day in (
        (town.accounts.owner[flows.payer], flows.second // DAY),
        (town.accounts.owner[flows.payee], flows.second // DAY),
        (loans.borrower, loans.second // DAY + _LATE),
        (given.guarantor, given.day),
        (given.beneficiary, given.day),
        (deed.invoices.seller, deed.invoices.day),
        (deed.invoices.buyer, deed.invoices.day),
        (deed.financings.borrower, deed.financings.second // DAY),
    ):
        ours = party < last.size
        np.maximum.at(last, party[ours], day[ours].astype(np.int64))


def ties(firms: Firms, tied: Links) -> Links:
    """Return the trade of companies that are there in the period and were when it began."""
    end = firms.last_day(tied.buyer, tied.seller)
    return tied.take((end > 0) & (tied.start < end))


def orders(firms: Firms, issued: Invoices, link: Ints) -> tuple[Invoices, Ints]:
    """Return the orders, with the link of each, between companies that are there."""
    kept = issued.day < firms.last_day(issued.seller, issued.buyer)
    return issued.take(kept), link[kept]


def given(firms: Firms, guarantees: Guarantees) -> Guarantees:
    """Return the guarantees between parties that are there."""
    return guarantees.take(guarantees.day < firms.last_day(guarantees.guarantor, guarantees.beneficiary))


def sued(firms: Firms, cases: Cases) -> Cases:
    """Return the court cases of plaintiffs that are there."""
    return cases.take(cases.day < firms.last_day(cases.plaintiff))


def owed(params: Params, firms: Firms, loans: Loans) -> Loans:
    """Return the loans of borrowers that are there, due before they are closed or failed by then."""
    loans = loans.take(loans.second // DAY < firms.last_day(loans.borrower))
    rng, end, day = stream(params.seed, "loans of the closed"), firms.last_day(loans.borrower), loans.second // DAY
    open_then = (day + loans.term + _LATE >= end) & (loans.fails >= end)
    early = end - day - _LATE
    settles = open_then & chance(rng, len(loans), _SETTLED_PPM) & (early > 30)
    failed = end - 1 - (rng.random(len(loans)) * np.minimum(end - day, 60)).astype(np.int64)
    fails = np.where(open_then & ~settles, np.maximum(failed, day), loans.fails)
    return replace(loans, term=np.where(settles, early, loans.term), fails=fails)
