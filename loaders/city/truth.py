"""The truth about a city, which no run may read: schemes, their members and transfers, who controls whom, honest look-alikes, balances.

Knows everything; hides nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from loaders.city.build import City, plot
from loaders.city.plot import Actors, Deeds
from loaders.city.tables import Tables, transfer_numbers
from loaders.city.text import dates, digits, numbers


def truth(tables: Tables) -> dict[str, pa.Table]:
    """Return the tables of the truth by name."""
    city = tables.city
    guilty = [(of, deed) for of, deed in zip(city.actors, city.deeds, strict=True) if of.number > 0]
    honest = [(of, deed) for of, deed in zip(city.actors, city.deeds, strict=True) if of.number < 0]
    return {
        "schemes": _plots(city, [of for of, _ in guilty]),
        "members": _members(tables, guilty),
        "transfers": _transfers(city),
        "loans": _loans(city),
        "past_schemes": _plots(city, list(city.past)),
        "past_members": _members(tables, [(of, Deeds(("member",) * of.firms.size)) for of in city.past]),
        "closed": _closed(tables),
        "lookalikes": _plots(city, [of for of, _ in honest]),
        "lookalike_members": _members(tables, honest),
        "controllers": _controllers(tables),
        "balances": _balances(tables),
    }


def _plots(city: City, actors: list[Actors]) -> pa.Table:
    """Return a row for each plot, with its parameters and how many of them lie beyond what a rule's default catches."""
    beyond = [_beyond(of) for of in actors]
    values = [json.dumps(dict(of.values), sort_keys=True) for of in actors]
    return pa.table(
        {
            "number": pa.array([abs(of.number) for of in actors], pa.int64()),
            "kind": pa.array([of.name for of in actors], pa.string()),
            "start": dates(city.params.first_day, np.array([of.start for of in actors], np.int64)),
            "members": pa.array([of.firms.size for of in actors], pa.int64()),
            "parameters": pa.array(values, pa.string()),
            "beyond_defaults": pa.array(beyond, pa.int64()),
        }
    )


def beyond_defaults(city: City) -> tuple[int, int]:
    """Return how many schemes have a parameter beyond what a rule's default would catch, and how many schemes there are."""
    guilty = [of for of in city.actors if of.number > 0]
    return sum(_beyond(of) > 0 for of in guilty), len(guilty)


def _beyond(of: Actors) -> int:
    kind = plot(of.name)
    return int(kind.members.beyond(of.firms.size)) + sum(kind.ranges[name].beyond(value) for name, value in of.values.items())


def _members(tables: Tables, plots: Iterable[tuple[Actors, Deeds]]) -> pa.Table:
    """Return a row for each company in a plot, with its part."""
    kept = list(plots)
    firms = np.concatenate([of.firms for of, _ in kept] or [np.empty(0, np.int64)])
    number = np.repeat([abs(of.number) for of, _ in kept], [of.firms.size for of, _ in kept]).astype(np.int64)
    role = [role for _, deed in kept for role in deed.roles]
    return pa.table({"number": numbers(number), "company": tables.party.take(pa.array(firms)), "role": pa.array(role, pa.string())})


def _transfers(city: City) -> pa.Table:
    """Return the transfers that belong to schemes."""
    guilty = np.flatnonzero(city.ledger.flows.scheme)
    return pa.table({"transfer": transfer_numbers(guilty), "number": numbers(city.ledger.flows.scheme[guilty])})


def _loans(city: City) -> pa.Table:
    """Return the loans that belong to schemes."""
    guilty = np.flatnonzero(city.loans.scheme)
    return pa.table({"loan": digits(guilty, 9, "L"), "number": numbers(city.loans.scheme[guilty])})


def _closed(tables: Tables) -> pa.Table:
    """Return the companies that were struck off the register by the end, and when."""
    firms, params = tables.city.firms, tables.city.params
    gone = np.flatnonzero(firms.standing(params.days - 1))
    return pa.table({"company": tables.party.take(pa.array(gone)), "closed_on": dates(params.first_day, firms.closed[gone])})


def _controllers(tables: Tables) -> pa.Table:
    """Return who truly controls each company, and whether a nominee stands in the register."""
    owned = tables.city.ownership
    count = len(tables.city.firms)
    controller = tables.party.take(pa.array(owned.controller))
    return pa.table({"company": tables.party.slice(0, count), "controller": controller, "nominee": pa.array(owned.nominee)})


def _balances(tables: Tables) -> pa.Table:
    """Return what lay on each account before the first and after the last payment, and how far it may be overdrawn."""
    ledger, held = tables.city.ledger, tables.city.accounts
    amounts = {"opening_fen": ledger.opening, "closing_fen": ledger.closing, "overdraft_fen": held.overdraft}
    return pa.table({"account": tables.account, **{name: numbers(fen) for name, fen in amounts.items()}})
