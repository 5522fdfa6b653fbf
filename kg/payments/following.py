"""Sums followed from party to party: where what came to one went on, as `kg.algorithms.proceeds` follows loans.

Knows which payments carry a sum on: not those to who sells to the payer by invoice, nor to and from known hubs. Hides accounts and numbers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kg.algorithms.interning import Interner
from kg.algorithms.kernel import Ints
from kg.algorithms.proceeds import Bounds, Payments, follow, payments
from kg.algorithms.sharing import among

Bools = NDArray[np.bool_]


class Moved(NamedTuple):
    """Payments between parties that may carry a sum on.

    Attributes
    ----------
    payer, payee, fen, at : int64, shape (n,)
        Parties by number, fen, microseconds.
    row : int64, shape (n,)
        Their rows in the table.
    flow
        The same, as they are followed; its rows are places in these columns.
    """

    payer: Ints
    payee: Ints
    fen: Ints
    at: Ints
    row: Ints
    flow: Payments


class Came(NamedTuple):
    """What came by of which start: its place, the party, fen, and the place of the greatest payment to that party, and who made it."""

    start: Ints
    party: Ints
    fen: Ints
    last: Ints
    sender: Ints


def moved(transfers: pa.Table, row: Ints, names: Interner, sold: Ints, hub: Bools) -> Moved:
    """Return the rows of transfers between parties that may carry a sum on.

    Parameters
    ----------
    transfers
        ``id, src, dst, amount_fen, at``; ``src`` and ``dst`` are parties, see `kg.payments.transfers.to_owners`.
    row : int64, shape (n,)
        The rows that count, of which nothing is null; in others anything may be.
    names
        The parties; payments of others are left out.
    sold : int64, sorted
        Keys ``seller * len(names) + buyer`` of those who trade by invoice.
    hub : bool, shape (n_parties,)
        Through whom nothing is followed.
    """
    n = len(names)
    payer, payee = (names.codes(transfers[end])[row] for end in ("src", "dst"))
    known = np.flatnonzero((payer >= 0) & (payee >= 0) & (payer != payee))
    payer, payee, row = payer[known], payee[known], row[known]
    kept = np.flatnonzero(~hub[payer] & ~hub[payee] & ~among(payee * n + payer, sold))
    payer, payee, row = payer[kept], payee[kept], row[kept]
    # a column with nulls would become one of floats, though no row that counts has any
    fen, at = (pc.fill_null(transfers[name].cast(pa.int64()), 0).to_numpy()[row] for name in ("amount_fen", "at"))
    tie = Interner.encode(transfers["id"].take(pa.array(row)))[1][0]
    return Moved(payer, payee, fen, at, row, payments((payer, payee), at, fen, tie, n))


def came_by(money: Moved, start: tuple[Ints, Ints, Ints], bounds: Bounds) -> Came:
    """Follow sums from parties on.

    Parameters
    ----------
    start : int64, shape (n,) each
        Who had the sum, since when, and fen.
    bounds
        See `kg.algorithms.proceeds.follow`.

    Examples
    --------
    >>> at = pa.array([5, 6]).cast(pa.timestamp("us"))
    >>> rows = {"id": ["t1", "t2"], "src": ["a", "b"], "dst": ["b", "c"], "amount_fen": [90, 80], "at": at}
    >>> names, nobody = Interner.of(pa.array(["a", "b", "c"])), np.zeros(3, np.bool_)
    >>> known = moved(pa.table(rows), np.arange(2), names, np.empty(0, np.int64), nobody)
    >>> found = came_by(known, (np.array([0]), np.array([5]), np.array([100])), Bounds(9, 3, 100_000))
    >>> found.party.tolist(), found.fen.tolist(), known.row[found.last].tolist()
    ([1, 2], [90, 80], [0, 1])
    """
    found = follow(money.flow, *start, bounds)
    return Came(found.loan, found.account, found.fen, found.row, found.sender)
