"""Integrated ownership: how much of a company a party owns, directly and through every chain of companies.

With C the holdings of companies in companies and P those of everybody else, Z = P (I − C)⁻¹: a party's share of a company is the sum, over
all chains from one to the other, of the products along them. Strong components (companies that hold one another in a circle) are solved
exactly; everything else follows from top to bottom, level by level. A closed group, which owns itself entirely, makes I − C singular: it
is named, and nobody owns it. Unknown shares count as nothing.

References
----------
.. [1] Chapelle, Szafarz, Controlling firms through the majority voting rule, Physica A 355, 2005.
.. [2] Vitali, Glattfelder, Battiston, The network of global corporate control, PLoS ONE 6(10), 2011 (the de-looped variant).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import pyarrow as pa
from scipy.sparse import csr_array

from kg.algorithms.ownership import Floats, Network, cut_off, network, swept, upward
from kg.errors import UsageError
from kg.ownership.holdings import Holdings, read_holdings

#: What is carried on from level to level is cut off so many times later than what is told.
_FINER = 32


@dataclass(frozen=True)
class Ownership:
    """Integrated ownership.

    Attributes
    ----------
    shares
        ``owner, company, share, error_bound``: fractions of the whole, in the order of company and owner.
    closed_groups
        ``component, company``: companies that own one another entirely, so that nobody else owns them.
    """

    shares: pa.Table
    closed_groups: pa.Table


def integrate_ownership(
    holdings: pa.Table,
    *,
    prune: float = 1e-3,
    method: Literal["integrated", "delooped"] = "integrated",
    owners: Literal["ultimate", "all"] = "ultimate",
    parties: pa.Table | None = None,
    as_of: date | None = None,
) -> Ownership:
    """Compute integrated ownership.

    Parameters
    ----------
    holdings, parties, as_of
        See `kg.ownership.holdings.read_holdings`.
    prune
        Shares below are left out, but for the greatest of a company; 0 leaves none out.
    method
        ``integrated``: Z = P (I − C)⁻¹. ``delooped``: Y[i, j] / Y[i, i] with Y = (I − C)⁻¹, in which an owner's shares through itself
        do not count; of ultimate owners both are the same.
    owners
        ``ultimate``: parties that nobody holds. ``all``: companies on the way too.

    Returns
    -------
    Ownership
        ``error_bound`` bounds how far the true share lies from the one told; a pair that is missing is at most its company's bound.

    Raises
    ------
    UsageError
        If a row is wrong, or ``prune``, ``method`` or ``owners`` makes no sense.

    Examples
    --------
    >>> rows = {"holder": ["p", "a", "b"], "held": ["a", "b", "c"], "share_ppm": [510_000] * 3}
    >>> integrate_ownership(pa.table(rows)).shares.to_pylist()[-1]
    {'owner': 'p', 'company': 'c', 'share': 0.132651, 'error_bound': 0.0}
    """
    _refuse(prune, method, owners)
    held = read_holdings(holdings, parties=parties, as_of=as_of)
    net = network(held.holder, held.held, held.low, len(held.parties))
    owned, missing = swept(net, prune / _FINER, every=owners == "all")
    # what an owner owns of itself, by which its shares are divided, may be too small too: they are too great then
    too_great = missing if method == "delooped" else np.zeros_like(missing)
    if method == "delooped":
        owned = _delooped(owned)
    return Ownership(_told(held, net, owned, (missing, too_great), prune), _closed(held, net))


def _delooped(owned: csr_array) -> csr_array:
    """Divide each owner's shares by what it owns of itself and 1: Y[i, j] / Y[i, i]."""
    return csr_array(owned / (1.0 + owned.diagonal())[np.newaxis, :]) if owned.nnz else owned


def _told(held: Holdings, net: Network, owned: csr_array, wrong: tuple[Floats, Floats], prune: float) -> pa.Table:
    """Return the table of shares, which are too small by the first of two errors, of the company, or too great by the second, a part."""
    missing, too_great = wrong
    rows, dropped = cut_off(owned, np.arange(len(held.parties)), prune)
    entries = rows.tocoo()
    kept = (entries.row != entries.col) & (entries.data > 0)
    company, owner, share = entries.row[kept], entries.col[kept], entries.data[kept]
    order = np.lexsort((owner, company))
    company, owner, share = company[order], owner[order], share[order]
    names = held.parties.names
    bound = np.maximum(np.where(net.closed, 0.0, missing + dropped)[company], share * too_great[owner])
    return pa.table({"owner": names(owner), "company": names(company), "share": share, "error_bound": bound})


def _closed(held: Holdings, net: Network) -> pa.Table:
    """Return the members of closed groups, each group named by its first member."""
    members = np.flatnonzero(net.closed)
    _, first, place = np.unique(net.component[members], return_index=True, return_inverse=True)
    named = held.parties.names(members[first[place]]) if members.size else held.parties.names(members)
    return pa.table({"component": named, "company": held.parties.names(members)})


def _refuse(prune: float, method: str, owners: str) -> None:
    if not 0 <= prune < 1:
        raise UsageError(f"prune is a fraction of a company, from 0 (exact) to below 1, not {prune}")
    if method not in ("integrated", "delooped"):
        raise UsageError(f"method is integrated or delooped, not {method}")
    if owners not in ("ultimate", "all"):
        raise UsageError(f"owners is ultimate or all, not {owners}")


class OwnerIndex:
    """Holdings made ready for the question who owns one company: its ultimate owners, exactly, without looking at all others.

    Parameters
    ----------
    holdings, parties, as_of
        See `kg.ownership.holdings.read_holdings`.

    Examples
    --------
    >>> index = OwnerIndex(pa.table({"holder": ["p", "a"], "held": ["a", "b"], "share_ppm": [510_000] * 2}))
    >>> index.owners_of("b").to_pylist()
    [{'owner': 'p', 'share': 0.2601}]
    """

    def __init__(self, holdings: pa.Table, *, parties: pa.Table | None = None, as_of: date | None = None) -> None:
        held = read_holdings(holdings, parties=parties, as_of=as_of)
        self._parties = held.parties
        self._net = network(held.holder, held.held, held.low, len(held.parties))

    def owners_of(self, company: str | int) -> pa.Table:
        """Return ``owner, share`` of a company, in the order of owner.

        Raises
        ------
        UsageError
            If nobody holds anything of it.
        """
        place = self._parties.number(company)
        if place < 0:
            raise UsageError(f"no holding names {company}")
        owners, shares = upward(self._net, place)
        return pa.table({"owner": self._parties.names(owners), "share": shares})
