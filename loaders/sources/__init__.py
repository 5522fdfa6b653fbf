"""The catalogue of source kinds, in the order in which they depend on one another.

The kinds that register nodes come first, so that a row which refers to a node is read after it.
"""

from __future__ import annotations

from kg.errors import UsageError, did_you_mean_one_of
from loaders.source import Kind
from loaders.sources import (
    accounts,
    bank_capital,
    cases,
    companies,
    concert,
    contacts,
    contracts,
    court_cases,
    devices,
    exposures,
    financings,
    goods,
    guarantees,
    hubs,
    invoices,
    kinship,
    loan_flows,
    loans,
    nominations,
    officers,
    persons,
    rebuttals,
    shareholders,
    sign_ins,
    tax_filings,
    transfers,
)

KINDS: tuple[Kind, ...] = (
    companies.KIND,
    persons.KIND,
    devices.KIND,
    goods.KIND,
    accounts.KIND,
    loans.KIND,
    court_cases.KIND,
    shareholders.KIND,
    officers.KIND,
    kinship.KIND,
    concert.KIND,
    nominations.KIND,
    rebuttals.KIND,
    hubs.KIND,
    contacts.KIND,
    transfers.KIND,
    loan_flows.KIND,
    guarantees.KIND,
    contracts.KIND,
    invoices.KIND,
    financings.KIND,
    tax_filings.KIND,
    sign_ins.KIND,
    exposures.KIND,
    bank_capital.KIND,
    cases.KIND,
)


def kind(name: str) -> Kind:
    """Return the kind of that name.

    Raises
    ------
    UsageError
        If there is no such kind; the message names the nearest one.

    Examples
    --------
    >>> kind("transfers").column("amount_fen").unit
    'fen'
    >>> kind("sharholders")
    Traceback (most recent call last):
        ...
    kg.errors.UsageError: no source kind named 'sharholders'; did you mean 'shareholders'? (kgfraud ref sources lists them)
    """
    known = {k.name: k for k in KINDS}
    if name not in known:
        raise UsageError(f"no source kind named '{name}'{did_you_mean_one_of(name, known)} (kgfraud ref sources lists them)")
    return known[name]


__all__ = ["KINDS", "kind"]
