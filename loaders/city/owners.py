"""Beneficial owners: which part of each company every person holds in the end, through all chains of holdings.

Knows that the parts x of a person solve x = p + A x, where p are its own holdings and A those of companies in companies;
hides that the sparse inverse of 1 - A is a short product, (1 + A)(1 + A²)(1 + A⁴)…, as chains are short and cycles weak.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from loaders.city.draw import Ints
from loaders.city.holdings import UNKNOWN, WHOLE, Holdings, Ownership

#: What is left of a cycle of holdings after so many squarings is nothing, even with 90 % in each round.
_SQUARINGS = 10
_NOTHING = 1e-13


def registered(owned: Ownership) -> Holdings:
    """Return the holdings of which the share is known, nominees replaced by who is behind them."""
    held = owned.holdings.take(owned.holdings.ppm != UNKNOWN)
    straw = owned.nominee[held.company] & (held.holder == owned.representative[held.company])
    holder = np.where(straw, owned.behind[held.company], held.holder)
    return Holdings(holder, held.company, held.ppm, held.subscribed, held.paid_in)


def beneficial(owned: Ownership, firms: int, people: int) -> tuple[Ints, Ints, Ints]:
    """Return company, person (a party) and ppm of all that a person holds of a company, directly or through others.

    Parameters
    ----------
    firms, people
        How many there are of each.
    """
    held = registered(owned)
    by_firm = held.holder < firms
    between, part = held.take(by_firm), held.take(~by_firm)
    inner = csr_array((between.ppm / WHOLE, (between.company, between.holder)), shape=(firms, firms))
    found = csr_array((part.ppm / WHOLE, (part.company, part.holder - firms)), shape=(firms, people))
    for _ in range(_SQUARINGS):
        if not inner.nnz:
            break
        found = csr_array(found + inner @ found)
        inner = csr_array(inner @ inner)
        inner.data[inner.data < _NOTHING] = 0.0
        inner.eliminate_zeros()
    rows = found.tocoo()
    ppm = np.floor(rows.data * WHOLE + 1e-4).astype(np.int64)
    kept = np.flatnonzero(ppm > 0)
    kept = kept[np.lexsort((rows.col[kept], rows.row[kept]))]
    return rows.row[kept].astype(np.int64), rows.col[kept].astype(np.int64) + firms, ppm[kept]
