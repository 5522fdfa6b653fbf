"""A whole city: every part in the order in which it needs the others.

Knows that order and nothing else; what it returns is numbers, which ``loaders.city.tables`` and ``loaders.city.truth``
turn into rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from kg.progress import Progress, Silent
from loaders.city import (
    affairs,
    agreements,
    casting,
    connected,
    contacts,
    contagion,
    credit,
    exposures,
    filed,
    financing,
    firms,
    holdings,
    labels,
    money,
    past,
    people,
    rebuttals,
    regular,
    supply,
    survival,
)
from loaders.city.acting import acted
from loaders.city.agreements import Agreements
from loaders.city.contacts import Contacts, SignIns
from loaders.city.contagion import Contagion
from loaders.city.credit import Cases, Guarantees, LoanFlows, Loans
from loaders.city.draw import Ints
from loaders.city.exposures import Books
from loaders.city.filed import Papers
from loaders.city.firms import Firms
from loaders.city.frame import column
from loaders.city.holdings import Ownership
from loaders.city.labels import Known
from loaders.city.lookalikes import LOOKALIKES
from loaders.city.money import DAY, Accounts, Flows, Ledger
from loaders.city.params import Params
from loaders.city.people import People
from loaders.city.plot import Actors, Deeds, Fronts, Parents, gathered
from loaders.city.rebuttals import Rebuttals
from loaders.city.rhythm import Calendar
from loaders.city.schemes import SCHEMES
from loaders.city.supply import Invoices, Links
from loaders.city.town import Town

_STEPS = 6
#: Names of the schemes: what a case is about.
KINDS = tuple(scheme.name for scheme in SCHEMES)


@dataclass(frozen=True)
class City:
    """Everything of a city, as numbers."""

    params: Params
    firms: Firms
    people: People
    accounts: Accounts
    links: Links
    papers: Papers
    loans: Loans
    loan_flows: LoanFlows
    guarantees: Guarantees
    court: Cases
    ownership: Ownership
    agreements: Agreements
    books: Books
    rebuttals: Rebuttals
    contacts: Contacts
    sign_ins: SignIns
    ledger: Ledger
    known: Known
    past: tuple[Actors, ...]
    contagion: Contagion
    fronts: Fronts
    actors: tuple[Actors, ...]
    deeds: tuple[Deeds, ...]

    @property
    def invoices(self) -> Invoices:
        """The invoices of the period, in the order of their days."""
        return self.papers.invoices


@dataclass(frozen=True)
class _Trade:
    """Who trades with whom, who is hit by the failure of a core firm, and the orders with the link of each."""

    links: Links
    hit: Contagion
    orders: Invoices
    link: Ints


def build(params: Params, progress: Progress | None = None) -> City:
    """Build a city; the same choices give the same city, whatever the machine's threads.

    >>> city = build(Params(companies=150, days=40))
    >>> int(city.ledger.opening.sum() + city.loan_flows.fen[city.loan_flows.out == 1].sum()
    ...     - city.loan_flows.fen[city.loan_flows.out == 0].sum() - city.ledger.closing.sum())
    0
    """
    with (progress or Silent()).task("building the city", total=_STEPS) as task:
        town, actors = _settled(params)
        task.advance()
        town, trade = _ordered(town, actors)
        task.advance()
        actors, deeds = acted(town, actors)
        town = survival.ended(town, actors, deeds)
        done = gathered(deeds)
        town, trade = _with_plots(town, trade, done)
        task.advance()
        papers = filed.papers(town, trade.links, trade.orders, done)
        loans, given = _credit(town, trade.hit, done)
        task.advance()
        moved = credit.flows(params, town.calendar, loans)
        planned = _planned(town, trade, papers, loans, done)
        trade = replace(trade, orders=Invoices.empty(), link=column(0, 0))  # their copies lie among the papers
        ledger = money.settled(params, town.accounts, planned, moved.both_ways())
        del planned
        task.advance()
        city = _city(town, trade, (papers, loans, moved, given), ledger, (actors, deeds, done))
        task.advance()
    return city


def _settled(params: Params) -> tuple[Town, tuple[Actors, ...]]:
    """Return the town before anybody trades, and the actors of its plots."""
    plots = (*SCHEMES, *LOOKALIKES)
    drawn = firms.drawn(params)
    actors = tuple(casting.cast(params, drawn, SCHEMES, LOOKALIKES))
    drawn = casting.shaped(params, drawn, actors, plots)
    folk = people.drawn(params, drawn)
    held, second = money.accounts(params, drawn, folk)
    return Town(params, Calendar.of(params.first_day, params.days), drawn, folk, held, second), actors


def _ordered(town: Town, actors: tuple[Actors, ...]) -> tuple[Town, _Trade]:
    """Return the town with the sales and revenues that follow from its trade, and that trade."""
    params = town.params
    trading, tied = supply.balanced(town.firms, survival.ties(town.firms, supply.links(params, town.firms)))
    hit = contagion.drawn(params, trading, tied, np.concatenate([column(0, 0), *(of.firms for of in actors if of.number > 0)]))
    orders, link = supply.orders(params, town.calendar, tied)
    kept = contagion.sold(hit, trading, orders)
    orders, link = orders.take(kept), link[kept]
    return replace(town, firms=trading, revenue=supply.revenue(params, len(trading), orders)), _Trade(tied, hit, orders, link)


def _with_plots(town: Town, trade: _Trade, done: Deeds) -> tuple[Town, _Trade]:
    """Return the town with the owners who stand in the register for its plots, and the trade without what is not sold in silence."""
    owner = town.people.owner.copy()
    owner[done.fronts.company] = done.fronts.straw - town.people.offset
    begin, end = column(town.params.days, len(town.firms)), column(0, len(town.firms))
    begin[done.silences.company], end[done.silences.company] = done.silences.begin, done.silences.end
    orders = trade.orders
    kept = (orders.day < begin[orders.seller]) | (orders.day >= end[orders.seller])
    town = replace(town, people=replace(town.people, owner=owner))
    orders, link = survival.orders(town.firms, orders.take(kept), trade.link[kept])
    return town, replace(trade, orders=orders, link=link)


def _credit(town: Town, hit: Contagion, done: Deeds) -> tuple[Loans, Guarantees]:
    """Return all loans of which any was paid out by the end, and all guarantees, both in the order of time."""
    params = town.params
    own = contagion.lent(hit, town.firms, credit.honest(params, town.calendar, town.firms), params)
    loans = Loans.stacked([own, done.loans])
    loans = survival.owed(params, town.firms, loans.take(loans.second < params.days * DAY))
    loans = loans.take(np.argsort(loans.second, kind="stable"))
    given = credit.guarantees(params, town.firms, town.people, own)
    given = Guarantees.stacked([given, done.guarantees])
    given = given.take(np.lexsort((given.beneficiary, given.guarantor, given.day)))  # so that no place tells those of plots
    return loans, survival.given(town.firms, given.take(given.day < params.days))


def _planned(town: Town, trade: _Trade, papers: Papers, loans: Loans, done: Deeds) -> Flows:
    """Return all payments that are planned: for trade, from day to day, for loans and papers, by plots."""
    tied = trade.links
    paid = contagion.suffered(trade.hit, town, supply.paid(town, tied, trade.orders, trade.link))
    bought = np.bincount(tied.seller, tied.volume, len(town.firms)).astype(np.float64)
    spent = credit.spent(town.params, tied, loans.take(loans.scheme == 0))
    every = Flows.stacked([regular.flows(town, bought), affairs.flows(town, tied), spent])
    every = contagion.suffered(trade.hit, town, every)
    return Flows.stacked([paid, every, financing.flows(town.params, papers.financings), done.flows])


def _city(
    town: Town,
    trade: _Trade,
    lent: tuple[Papers, Loans, LoanFlows, Guarantees],
    ledger: Ledger,
    plots: tuple[tuple[Actors, ...], tuple[Deeds, ...], Deeds],
) -> City:
    """Put the city together, with what follows from the plots: who is held by whom, and what is shared."""
    (papers, loans, moved, given), (actors, deeds, done) = lent, plots
    params, count = town.params, len(town.firms)
    at = contacts.drawn(params, town.firms, town.people, done.shared)
    old = past.crimes(params, town.firms, actors)
    owned = holdings.drawn(params, town.firms, town.people, *_held(done.parents, done.fronts, count))
    return City(
        params=params,
        firms=town.firms,
        people=people.related(town.people, done.kin.rows()),
        accounts=town.accounts,
        links=survival.ties(town.firms, trade.links),
        papers=papers,
        loans=loans,
        loan_flows=moved,
        guarantees=given,
        court=survival.sued(town.firms, credit.sued(params, loans, trade.links, contagion.sued(trade.hit, params))),
        ownership=owned,
        agreements=agreements.drawn(params, town.firms, owned, done.fronts),
        books=_books(town, papers, (loans, given), owned, done.fronts),
        rebuttals=rebuttals.drawn(params, town.calendar, actors),
        contacts=at,
        sign_ins=contacts.sign_ins(params, town.calendar, town.firms, at, town.accounts.opened),
        ledger=ledger,
        known=past.cases(params, town.firms, old, KINDS, labels.known(params, actors, KINDS, _sent(ledger.flows, count))),
        past=old[0],
        contagion=trade.hit,
        fronts=done.fronts,
        actors=actors,
        deeds=deeds,
    )


def _held(parents: Parents, fronts: Fronts, count: int) -> tuple[Ints, Ints]:
    """Return the parent that each company must have, and who is behind it, where plots settle that."""
    parent, behind = column(-1, count), column(-1, count)
    parent[fronts.company] = holdings.ALONE
    parent[parents.company] = parents.parent
    behind[fronts.company] = fronts.behind
    return parent, behind


def _books(town: Town, papers: Papers, lent: tuple[Loans, Guarantees], owned: Ownership, fronts: Fronts) -> Books:
    """Return the bank's books, made for the groups that it can know."""
    firms, parties = town.firms, len(town.firms) + len(town.people)
    ties = [connected.control(firms, owned, fronts), connected.dependence(town.params, firms, papers.invoices, lent[1])]
    return exposures.drawn(town.params, firms, lent, parties, connected.groups(connected.Ties.stacked(ties), parties))


def _sent(flows: Flows, firms: int) -> Ints:
    """Return the fen that each company sent for schemes."""
    guilty = flows.take((flows.scheme > 0) & (flows.payer < firms))
    sent = column(0, firms)
    np.add.at(sent, guilty.payer, guilty.fen)
    return sent
