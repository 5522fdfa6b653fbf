"""Transfers as tables give them: checked, by dense numbers, in the order of time, without those that can be in no cycle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kg.algorithms.csr import group_rows
from kg.algorithms.kernel import Ints, kernel
from kg.algorithms.temporal_moves import EVER
from kg.errors import UsageError
from kg.holdings import first_row, numbered_alike, refuse_missing, refuse_nulls

COLUMNS = ("transfer_id", "payer", "payee", "amount_fen", "at")


@dataclass(frozen=True)
class Flow:
    """Transfers by number.

    Attributes
    ----------
    payer, payee, at, amount, row : int64, shape (n_transfers,)
        Accounts by their place in ``accounts``, microseconds, fen, and the row of the table.
    accounts
        Ids, in their order.
    ids
        Of the transfers, by row.
    """

    payer: Ints
    payee: Ints
    at: Ints
    amount: Ints
    row: Ints
    accounts: pa.Array
    ids: pa.ChunkedArray

    def where(self, kept: NDArray[np.bool_] | Ints) -> Flow:
        """Return some transfers, as a mask or places tell them."""
        payer, payee, at, amount, row = (column[kept] for column in (self.payer, self.payee, self.at, self.amount, self.row))
        return Flow(payer, payee, at, amount, row, self.accounts, self.ids)


def read_transfers(transfers: pa.Table) -> Flow:
    """Read a table of transfers, without those to oneself and those of 0 or less.

    Raises
    ------
    UsageError
        If a column is missing or of a wrong type, a value is null or an amount too large.

    Examples
    --------
    >>> rows = {"transfer_id": [1, 2], "payer": ["a", "a"], "payee": ["b", "a"], "amount_fen": [5, 5], "at": [0, 0]}
    >>> read_transfers(pa.table(rows)).row.tolist()
    [0]
    """
    refuse_missing("transfers", transfers, COLUMNS)
    refuse_nulls("transfers", transfers, COLUMNS)
    amount = _numbers(transfers, "amount_fen", pa.int64())
    if (wrong := first_row(pc.greater_equal(transfers["amount_fen"], int(EVER)))) is not None:
        raise UsageError(f"transfers row {wrong}: amount_fen is {transfers['amount_fen'][wrong]}, more than all money; check its unit")
    accounts, (payer, payee) = numbered_alike("transfers", transfers["payer"], transfers["payee"])
    at = _numbers(transfers, "at", pa.int64() if pa.types.is_integer(transfers["at"].type) else pa.timestamp("us"))
    row = np.flatnonzero((amount > 0) & (payer != payee))
    return Flow(payer[row], payee[row], at[row], amount[row], row, accounts, transfers["transfer_id"])


def _numbers(transfers: pa.Table, name: str, form: pa.DataType) -> Ints:
    """Return a column as int64, by way of a type whose numbers are meant."""
    column, what = transfers[name], "whole fen" if name == "amount_fen" else "timestamps or dates to the microsecond, or int64 microseconds"
    if pa.types.is_timestamp(form) and not pa.types.is_temporal(column.type):
        raise UsageError(f"transfers: {name} must hold {what}, not {column.type}")
    try:
        numbers: Ints = column.cast(form).cast(pa.int64()).to_numpy()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise UsageError(f"transfers: {name} must hold {what}; {error}") from error
    return numbers


def in_order(flow: Flow) -> Flow:
    """Return the transfers in the order of time, equal times in that of their ids."""
    order = np.argsort(flow.at, kind="stable")
    at = flow.at[order]
    same = at[1:] == at[:-1]
    tied = np.flatnonzero(np.append(same, False) | np.append(False, same))
    if tied.size:
        names = pa.table({"at": at[tied], "id": flow.ids.take(pa.array(flow.row[order[tied]]))})
        order[tied] = order[tied][pc.sort_indices(names, sort_keys=[("at", "ascending"), ("id", "ascending")]).to_numpy()]
    return flow.where(order)


def without(flow: Flow, hubs: Sequence[str] | Sequence[int], max_fan: int | None, window: int) -> tuple[Flow, Ints]:
    """Leave out the transfers of some accounts, and of those with too large a fan; return the numbers of the latter too.

    Parameters
    ----------
    flow
        In the order of time.
    """
    left_out = np.zeros(len(flow.accounts), np.bool_)
    if len(hubs):
        named = pa.array(list(hubs))
        if pa.types.is_integer(named.type) != pa.types.is_integer(flow.accounts.type):
            raise UsageError(f"hubs are {named.type}, but accounts are {flow.accounts.type}; name them alike")
        left_out = pc.is_in(flow.accounts, value_set=named.cast(flow.accounts.type)).to_numpy(zero_copy_only=False)
    fans = np.empty(0, np.int64)
    if max_fan is not None:
        made, got = (_busiest(*group_rows(ends, len(flow.accounts)), flow.at, window) for ends in (flow.payer, flow.payee))
        fans = np.flatnonzero((np.minimum(made, got) > max_fan) & ~left_out)
        left_out = left_out.copy()
        left_out[fans] = True
    return flow.where(~(left_out[flow.payer] | left_out[flow.payee])) if left_out.any() else flow, fans


@kernel
def _busiest(start: Ints, items: Ints, at: Ints, window: int) -> Ints:
    """Return for each key the most of its items that lie within some window of time."""
    most = np.zeros(len(start) - 1, np.int64)
    for key in range(len(most)):
        first = start[key]
        for k in range(start[key], start[key + 1]):
            while at[items[k]] - at[items[first]] > window:
                first += 1
            most[key] = max(most[key], k - first + 1)
    return most
