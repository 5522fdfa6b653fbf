"""A whole city: every part in the order in which it needs the others.

Knows that order and nothing else; what it returns is numbers, which ``loaders.city.tables`` and ``loaders.city.truth``
turn into rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from kg.progress import Progress, Silent
from loaders.city import casting, contacts, credit, firms, holdings, labels, money, past, people, regular, supply, survival
from loaders.city.contacts import Contacts, SignIns
from loaders.city.credit import Cases, Guarantees, LoanFlows, Loans
from loaders.city.draw import Ints, stream
from loaders.city.firms import Firms
from loaders.city.frame import Frame, column
from loaders.city.holdings import Ownership
from loaders.city.labels import Known
from loaders.city.lookalikes import LOOKALIKES
from loaders.city.money import DAY, Accounts, Flows, Ledger
from loaders.city.params import Params
from loaders.city.people import People
from loaders.city.plot import Actors, Deeds, Kin, Parents, Plot, Shared
from loaders.city.rhythm import Calendar
from loaders.city.schemes import SCHEMES
from loaders.city.supply import Invoices, Links
from loaders.city.town import Town

Part = TypeVar("Part", bound=Frame)
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
    invoices: Invoices
    loans: Loans
    loan_flows: LoanFlows
    guarantees: Guarantees
    court: Cases
    ownership: Ownership
    contacts: Contacts
    sign_ins: SignIns
    ledger: Ledger
    known: Known
    past: tuple[Actors, ...]
    actors: tuple[Actors, ...]
    deeds: tuple[Deeds, ...]


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
        tied = survival.ties(town.firms, supply.links(params, town.firms))
        trading, tied = supply.balanced(town.firms, tied)
        town = replace(town, firms=trading)
        task.advance()
        deeds = tuple(_acts(town, of) for of in actors)
        town = survival.ended(town, actors, deeds)
        task.advance()
        invoices, trade = _trade(town, tied)
        task.advance()
        loans, given = _credit(town, deeds)
        moved = credit.flows(params, town.calendar, loans)
        planned = [trade, _everyday(town, tied, loans), *(deed.flows for deed in deeds)]
        ledger = money.settled(params, town.accounts, Flows.stacked(planned), moved.both_ways())
        task.advance()
        city = _city(town, (survival.ties(town.firms, tied), invoices), (loans, moved, given), ledger, (actors, deeds))
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


def plot(name: str) -> Plot:
    """Return the scheme or look-alike of that name."""
    return {each.name: each for each in (*SCHEMES, *LOOKALIKES)}[name]


def _acts(town: Town, of: Actors) -> Deeds:
    return plot(of.name).act(town, of, stream(town.params.seed, of.name, abs(of.number)))


def _trade(town: Town, tied: Links) -> tuple[Invoices, Flows]:
    """Return the invoices of the period in the order of their days, and what is paid for all that matter."""
    params, calendar = town.params, town.calendar
    orders, link = survival.orders(town.firms, *supply.orders(params, calendar, tied))
    orders = supply.priced(orders, town.firms)
    paid = supply.paid(town, tied, orders, link)
    issued = Invoices.stacked([orders, supply.red(params, orders)])
    issued = issued.take((issued.day >= 0) & (issued.day < np.minimum(town.firms.last_day(issued.seller, issued.buyer), params.days)))
    return issued.take(np.argsort(issued.day, kind="stable")), paid


def _credit(town: Town, deeds: tuple[Deeds, ...]) -> tuple[Loans, Guarantees]:
    """Return all loans of which any was paid out by the end, in the order of time, and all guarantees."""
    own = credit.honest(town.params, town.calendar, town.firms)
    loans = Loans.stacked([own, *(deed.loans for deed in deeds)])
    loans = survival.owed(town.params, town.firms, loans.take(loans.second < town.params.days * DAY))
    loans = loans.take(np.argsort(loans.second, kind="stable"))
    given = credit.guarantees(town.params, town.firms, town.people, own)
    given = Guarantees.stacked([given, *(deed.guarantees for deed in deeds)])
    return loans, survival.given(town.firms, given.take(given.day < town.params.days))


def _everyday(town: Town, tied: Links, loans: Loans) -> Flows:
    """Return the regular payments and what honest borrowers do with their loans."""
    bought = np.bincount(tied.seller, tied.volume, len(town.firms)).astype(np.float64)
    every = regular.flows(town, bought)
    return Flows.stacked([every, credit.spent(town.params, tied, loans.take(loans.scheme == 0))])


def _city(
    town: Town,
    trade: tuple[Links, Invoices],
    lent: tuple[Loans, LoanFlows, Guarantees],
    ledger: Ledger,
    plots: tuple[tuple[Actors, ...], tuple[Deeds, ...]],
) -> City:
    """Put the city together, with what follows from the plots: who is held by whom, and what is shared."""
    (tied, invoices), (loans, moved, given), (actors, deeds) = trade, lent, plots
    params, held = town.params, Parents.stacked(deed.parents for deed in deeds)
    folk = people.related(town.people, Kin.stacked(deed.kin for deed in deeds).rows())
    old = past.crimes(params, town.firms, actors)
    known = labels.known(params, actors, KINDS, _sent(ledger.flows, len(town.firms)))
    at = contacts.drawn(params, town.firms, town.people, Shared.stacked(deed.shared for deed in deeds))
    return City(
        params=params,
        firms=town.firms,
        people=folk,
        accounts=town.accounts,
        links=tied,
        invoices=invoices,
        loans=loans,
        loan_flows=moved,
        guarantees=given,
        court=survival.sued(town.firms, credit.sued(params, loans, tied)),
        ownership=holdings.drawn(params, town.firms, town.people, _parents(held, len(town.firms))),
        contacts=at,
        sign_ins=contacts.sign_ins(params, town.calendar, town.firms, at, town.accounts.opened),
        ledger=ledger,
        known=past.cases(params, town.firms, old, KINDS, known),
        past=old[0],
        actors=actors,
        deeds=deeds,
    )


def _parents(held: Parents, count: int) -> Ints:
    parent = column(-1, count)
    parent[held.company] = held.parent
    return parent


def _sent(flows: Flows, firms: int) -> Ints:
    """Return the fen that each company sent for schemes."""
    guilty = flows.take((flows.scheme > 0) & (flows.payer < firms))
    sent = column(0, firms)
    np.add.at(sent, guilty.payer, guilty.fen)
    return sent
