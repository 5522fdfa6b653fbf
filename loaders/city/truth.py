"""The truth about a city, which no run may read: schemes and all that belongs to them, who controls and owns whom, look-alikes, balances.

Knows everything; hides nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loaders.city import owners
from loaders.city.acting import plot
from loaders.city.build import City
from loaders.city.draw import Ints, Whole
from loaders.city.firms import ORDINARY
from loaders.city.papers import contract_numbers, invoice_numbers, paper_numbers
from loaders.city.plot import Actors, Deeds
from loaders.city.tables import Tables, loan_numbers, transfer_numbers
from loaders.city.text import dates, numbers, times, words


def truth(tables: Tables) -> dict[str, pa.Table]:
    """Return the tables of the truth by name."""
    city = tables.city
    guilty = [(of, deed) for of, deed in zip(city.actors, city.deeds, strict=True) if of.number > 0]
    honest = [(of, deed) for of, deed in zip(city.actors, city.deeds, strict=True) if of.number < 0]
    return {
        "schemes": _mixed(_plots(city, [of for of, _ in guilty]), [of for of, _ in guilty]),
        "members": _members(tables, guilty),
        "transfers": _transfers(city),
        "past_schemes": _plots(city, list(city.past)),
        "past_members": _members(tables, [(of, Deeds(("member",) * of.firms.size)) for of in city.past]),
        "closed": _closed(tables),
        "loans": _marked("loan", loan_numbers, city.loans.scheme),
        "invoices": _marked("invoice", invoice_numbers, city.invoices.scheme),
        "contracts": _marked("contract", contract_numbers, city.papers.contracts.scheme),
        "financings": _financings(tables),
        "fronts": _fronts(tables),
        "lookalikes": _plots(city, [of for of, _ in honest]),
        "lookalike_members": _members(tables, honest),
        "controllers": _controllers(tables),
        "concert": _concert(tables),
        "groups": _groups(tables),
        "owners": _owners(tables),
        "contagion": _contagion(tables),
        "balances": _balances(tables),
    }


def _plots(city: City, actors: list[Actors]) -> pa.Table:
    """Return a row for each plot, with its parameters and how many of them lie beyond what a rule's default catches."""
    outside = [beyond(of) for of in actors]
    values = [json.dumps(dict(of.values), sort_keys=True) for of in actors]
    return pa.table(
        {
            "number": pa.array([abs(of.number) for of in actors], pa.int64()),
            "kind": pa.array([of.name for of in actors], pa.string()),
            "start": dates(city.params.first_day, np.array([of.start for of in actors], np.int64)),
            "members": pa.array([of.firms.size for of in actors], pa.int64()),
            "parameters": pa.array(values, pa.string()),
            "beyond_defaults": pa.array(outside, pa.int64()),
        }
    )


def _mixed(table: pa.Table, actors: list[Actors]) -> pa.Table:
    """Return schemes with the second kind that some do besides, and its parameters."""
    kind = [of.also.name if of.also else None for of in actors]
    values = [json.dumps(dict(of.also.values), sort_keys=True) if of.also else None for of in actors]
    return table.append_column("also", pa.array(kind, pa.string())).append_column("also_parameters", pa.array(values, pa.string()))


def beyond_defaults(city: City) -> tuple[int, int]:
    """Return how many schemes have a parameter beyond what a rule's default would catch, and how many schemes there are."""
    guilty = [of for of in city.actors if of.number > 0]
    return sum(beyond(of) > 0 for of in guilty), len(guilty)


def beyond(of: Actors) -> int:
    """Count what lies beyond a rule's default, in what else the same companies do too."""
    kind = plot(of.name)
    own = int(kind.members.beyond(of.firms.size)) + sum(kind.ranges[name].beyond(value) for name, value in of.values.items())
    return own + (beyond(of.also) if of.also else 0)


def _members(tables: Tables, plots: Iterable[tuple[Actors, Deeds]]) -> pa.Table:
    """Return a row for each company in a plot, with its part."""
    kept = list(plots)
    firms = np.concatenate([of.firms for of, _ in kept] or [np.empty(0, np.int64)])
    number = np.repeat([abs(of.number) for of, _ in kept], [of.firms.size for of, _ in kept]).astype(np.int64)
    role = [role for _, deed in kept for role in deed.roles]
    return pa.table({"number": numbers(number), "company": tables.party.take(pa.array(firms)), "role": pa.array(role, pa.string())})


def _transfers(city: City) -> pa.Table:
    """Return the transfers that belong to schemes."""
    return _marked("transfer", transfer_numbers, city.ledger.flows.scheme)


def _marked(name: str, named: Callable[[Ints], pa.Array], scheme: Whole) -> pa.Table:
    """Return the things of schemes, by the name that the files give them, each with the number of its scheme."""
    guilty = np.flatnonzero(scheme)
    return pa.table({name: named(guilty), "number": numbers(scheme[guilty])})


def _financings(tables: Tables) -> pa.Table:
    """Return what was lent against papers for schemes, with the number that each paper truly bears."""
    city, rows = tables.city, tables.city.papers.financings
    rows = rows.take(rows.scheme > 0)
    ends = {"lender": tables.party.take(pa.array(rows.lender)), "borrower": tables.party.take(pa.array(rows.borrower))}
    paper = {"paper_kind": words(("invoice", "contract"), rows.kind), "paper": paper_numbers(rows.kind, rows.paper)}
    sums = {"amount_fen": numbers(rows.fen), "at": times(city.params.first_day, rows.second)}
    return pa.table({"number": numbers(rows.scheme), **ends, **paper, **sums})


def _fronts(tables: Tables) -> pa.Table:
    """Return the companies whose control a scheme hides: who stands in the register and who is behind (the same, where held openly)."""
    rows = tables.city.fronts.take(tables.city.fronts.scheme > 0)
    parties = {"company": rows.company, "straw": rows.straw, "controller": rows.behind}
    return pa.table({"number": numbers(rows.scheme), **{name: tables.party.take(pa.array(of)) for name, of in parties.items()}})


def _closed(tables: Tables) -> pa.Table:
    """Return the companies that were struck off the register by the end, and when."""
    firms, params = tables.city.firms, tables.city.params
    gone = np.flatnonzero(firms.standing(params.days - 1))
    return pa.table({"company": tables.party.take(pa.array(gone)), "closed_on": dates(params.first_day, firms.closed[gone])})


def _controllers(tables: Tables) -> pa.Table:
    """Return who truly controls each company, and, where a nominee stands in the register, who that is and whether the bank was told.

    Who controls a company ``jointly`` with others is the first of those in ``concert``.
    """
    city = tables.city
    owned, count = city.ownership, len(city.firms)
    straw = pc.if_else(pa.array(owned.nominee), tables.party.take(pa.array(owned.representative)), None)
    company = np.arange(count)
    marks = {
        "nominee": owned.nominee,
        "disclosed": np.isin(company, city.agreements.nominations.company),
        "jointly": np.isin(company, city.agreements.concert.company),
    }
    columns = {"company": tables.party.slice(0, count), "controller": tables.party.take(pa.array(owned.controller))}
    return pa.table({**columns, **{name: pa.array(values) for name, values in marks.items()}, "straw": straw})


def _concert(tables: Tables) -> pa.Table:
    """Return who together controls the companies whose holders act in concert, a row for each of them."""
    rows = tables.city.agreements.concert
    return pa.table({"company": tables.party.take(pa.array(rows.company)), "member": tables.party.take(pa.array(rows.member))})


def _groups(tables: Tables) -> pa.Table:
    """Return the true groups: companies of one person's control, where there are two or more; the state's make none."""
    city = tables.city
    company = np.flatnonzero((city.firms.role == ORDINARY) & (city.ownership.controller >= len(city.firms)))
    controller, group, sizes = np.unique(city.ownership.controller[company], return_inverse=True, return_counts=True)
    kept = np.flatnonzero(sizes[group] > 1)
    kept = kept[np.argsort(group[kept], kind="stable")]
    who, of = tables.party.take(pa.array(controller[group[kept]])), tables.party.take(pa.array(company[kept]))
    return pa.table({"controller": who, "company": of})


def _owners(tables: Tables) -> pa.Table:
    """Return the beneficial owners of each company: every person's share through all chains, in ppm."""
    company, person, ppm = owners.beneficial(tables.city.ownership, len(tables.city.firms), len(tables.city.people))
    return pa.table({"company": tables.party.take(pa.array(company)), "person": tables.party.take(pa.array(person)), "ppm": numbers(ppm)})


def _contagion(tables: Tables) -> pa.Table:
    """Return who was hit by the failure of a core firm, by which buyer and when, and the day on which it failed in turn."""
    hit, params = tables.city.contagion, tables.city.params
    parties = {"core": hit.core, "company": hit.company, "by": hit.by}
    days = {
        "hit_on": dates(params.first_day, hit.day),
        "failed_on": dates(params.first_day, hit.fails, hit.fails < params.days),
    }
    return pa.table({**{name: tables.party.take(pa.array(of)) for name, of in parties.items()}, "tier": numbers(hit.tier), **days})


def _balances(tables: Tables) -> pa.Table:
    """Return what lay on each account before the first and after the last payment, and how far it may be overdrawn."""
    ledger, held = tables.city.ledger, tables.city.accounts
    amounts = {"opening_fen": ledger.opening, "closing_fen": ledger.closing, "overdraft_fen": held.overdraft}
    return pa.table({"account": tables.account, **{name: numbers(fen) for name, fen in amounts.items()}})
