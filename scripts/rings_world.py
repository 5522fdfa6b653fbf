"""Transfers for the benchmark of cycles: few accounts make and get very many, amounts are widely spread, rows stand in no order."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

DAY = 86_400_000_000
#: Of so heavy a tail are the accounts (Pareto), and so spread the amounts (log-normal).
_TAIL, _SPREAD = 2.0, 1.5


def world(transfers: int, accounts: int, days: int, seed: int = 1) -> pa.Table:
    """Return ``transfer_id, payer, payee, amount_fen, at``: the same accounts are hubs on both sides."""
    rng = np.random.default_rng(seed)
    weight = np.cumsum((1 - rng.random(accounts)) ** (-1 / _TAIL))
    payer, payee = (np.searchsorted(weight, rng.random(transfers) * weight[-1]) for _ in range(2))
    return pa.table(
        {
            "transfer_id": rng.permutation(transfers),
            "payer": payer,
            "payee": payee,
            "amount_fen": np.exp(rng.normal(11, _SPREAD, transfers)).astype(np.int64) + 1,
            "at": rng.integers(0, days * DAY, transfers),
        }
    )
