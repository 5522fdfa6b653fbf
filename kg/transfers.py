"""Transfers as rules follow them: the rows that count, as arrays over dense account numbers.

Knows which transfers are money that moved (yuan, an amount above 0, a time, two accounts); hides their ids and strings.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.algorithms.interning import Interner
from kg.algorithms.kernel import Ints
from kg.algorithms.temporal_paths import Flow, flow


def usable(transfers: pa.Table, *, least: int = 1, first: int | None = None, last: int | None = None) -> Ints:
    """Return the rows of the transfers that can be followed.

    Left out are transfers to the own account, in a stated currency other than CNY, and without an amount or a time.

    Parameters
    ----------
    transfers
        ``src, dst, amount_fen, currency, at``.
    least
        The least amount in fen.
    first, last
        Microseconds between which the time must lie, both included; None where it may be any.

    Returns
    -------
    int64, shape (n,)

    Examples
    --------
    >>> from datetime import datetime
    >>> at = pa.array([datetime(2024, 1, 1)] * 3, pa.timestamp("us", "UTC"))
    >>> rows = {"src": ["a", "b", "a"], "dst": ["b", "b", "b"], "amount_fen": [5, 5, 5], "currency": [None, "CNY", "USD"], "at": at}
    >>> usable(pa.table(rows)).tolist()
    [0]
    """
    at, currency = transfers.column("at").cast(pa.int64()), transfers.column("currency")
    good = pc.and_(pc.fill_null(pc.equal(currency, "CNY"), True), pc.not_equal(transfers.column("src"), transfers.column("dst")))
    good = pc.and_(good, pc.and_(pc.greater_equal(transfers.column("amount_fen"), max(least, 1)), at.is_valid()))
    if first is not None:
        good = pc.and_(good, pc.greater_equal(at, first))
    if last is not None:
        good = pc.and_(good, pc.less_equal(at, last))
    rows: Ints = np.flatnonzero(pc.fill_null(good, False).to_numpy())
    return rows


def as_flow(transfers: pa.Table, row: Ints) -> tuple[Flow, Interner]:
    """Return some rows of the transfers, none with a null, as a flow between accounts, and the accounts."""
    ends = [transfers.column(name).take(pa.array(row)) for name in ("src", "dst")]
    accounts, (payer, payee) = Interner.encode(*ends)
    del ends  # as large as the transfers themselves
    # a column with nulls would become one of floats, though no row of interest has any
    at, amount = (pc.fill_null(transfers.column(name).cast(pa.int64()), 0).to_numpy()[row] for name in ("at", "amount_fen"))
    return flow(payer, payee, at, amount, row=row, ids=transfers.column("id"), n_accounts=len(accounts)), accounts


def least_share(amount: Ints, percent: int) -> Ints:
    """Return the least whole amounts that are at least ``percent`` % of the amounts, without overflow.

    >>> least_share(np.array([10_000, 10_001, 1]), 80).tolist()
    [8000, 8001, 1]
    """
    whole, rest = amount // 100, amount % 100
    least: Ints = whole * percent - (-rest * percent) // 100
    return least
