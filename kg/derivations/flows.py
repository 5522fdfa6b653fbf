"""Transfers as tables give them: checked, by dense numbers, and those of them that can be in a cycle in the order of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.algorithms.csr import group_rows
from kg.algorithms.cycle_pruning import Bools, Int32s
from kg.algorithms.cycle_reach import Sums
from kg.algorithms.kernel import Ints, kernel
from kg.algorithms.temporal_moves import EVER
from kg.errors import UsageError
from kg.ownership.holdings import numbered_alike
from kg.tables import first_row, plain_column, refuse_missing, refuse_nulls

COLUMNS = ("transfer_id", "payer", "payee", "amount_fen", "at")
#: Ids that are numbers are told apart by a table of all between the least and the greatest, of at most so many places for a transfer.
_PLACES, _FLOOR = 8, 1_000
_AMOUNTS = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null)


@dataclass(frozen=True)
class Given:
    """All transfers of a table, in its order.

    Attributes
    ----------
    payer, payee : int32, shape (n_transfers,)
        Accounts by their place in ``accounts``.
    at, amount : int64, shape (n_transfers,)
        Microseconds, fen.
    accounts
        Ids, in their order.
    ids
        Of the transfers.
    """

    payer: Int32s
    payee: Int32s
    at: Ints
    amount: Ints
    accounts: pa.Array
    ids: pa.ChunkedArray


@dataclass(frozen=True)
class Flow:
    """Transfers, or several between two accounts as one, in the order of (time, id).

    Attributes
    ----------
    payer, payee, at, until, amount : int64, shape (n,)
        ``at`` and ``until`` are the times of the first and of the last part.
    first, parts : int64, shape (n,)
        ``rows[first : first + parts]`` are the rows of the table that it is made of.
    rows : int64
    """

    payer: Ints
    payee: Ints
    at: Ints
    until: Ints
    amount: Ints
    first: Ints
    parts: Ints
    rows: Ints


def plain_transfers(transfers: pa.Table) -> pa.Table:
    """Return transfers whose ids are strings or int64, however they were kept.

    Raises
    ------
    UsageError
        If a column is missing, or ids are neither strings nor whole numbers of 64 bits.

    Examples
    --------
    >>> kept = {"transfer_id": pa.array([1], pa.uint8()), "payer": pa.array(["a"], pa.large_string()), "payee": ["b"]}
    >>> plain = plain_transfers(pa.table({**kept, "amount_fen": [5], "at": [0]}))
    >>> [str(plain[name].type) for name in ("transfer_id", "payer", "payee")]
    ['int64', 'string', 'string']
    """
    refuse_missing("transfers", transfers, COLUMNS)
    for name in ("transfer_id", "payer", "payee"):
        transfers = transfers.set_column(transfers.column_names.index(name), name, plain_column("transfers", name, transfers[name]))
    return transfers


def read_transfers(transfers: pa.Table) -> Given:
    """Read a table of transfers.

    Raises
    ------
    UsageError
        If a column is missing or of a wrong type, a value is null or an amount too large.

    Examples
    --------
    >>> rows = {"transfer_id": [1, 2], "payer": ["a", "c"], "payee": ["b", "a"], "amount_fen": [5, 5], "at": [0, 0]}
    >>> read_transfers(pa.table(rows)).payer.tolist()
    [0, 2]
    """
    at, amount = _checked(transfers)
    accounts, (payer, payee) = _numbered(transfers["payer"], transfers["payee"])
    return Given(payer, payee, at, amount, accounts, transfers["transfer_id"])


def read_sums(transfers: pa.Table) -> Sums:
    """Read a table of transfers, of which accounts are not numbered where their ids are numbers.

    Raises
    ------
    UsageError
        As `read_transfers` does.

    Examples
    --------
    >>> rows = {"transfer_id": [1, 2], "payer": [7, 9], "payee": [9, 7], "amount_fen": [5, 5], "at": [0, 0]}
    >>> read_sums(pa.table(rows)).payer.tolist()
    [7, 9]
    """
    at, amount = _checked(transfers)
    ends = transfers["payer"], transfers["payee"]
    in_numbers = all(pa.types.is_int64(end.type) for end in ends)
    payer, payee = (end.to_numpy() for end in ends) if in_numbers else numbered_alike("transfers", *ends)[1]
    return Sums(payer, payee, at, amount)


def _checked(transfers: pa.Table) -> tuple[Ints, Ints]:
    """Return times and amounts of a table of transfers that is what it must be."""
    refuse_missing("transfers", transfers, COLUMNS)
    if any(transfers[name].null_count for name in COLUMNS):
        refuse_nulls("transfers", transfers, COLUMNS)
    amount = _numbers(transfers, "amount_fen", pa.int64())
    if amount.size and amount.max() >= EVER:
        row = first_row(pc.greater_equal(transfers["amount_fen"], int(EVER)))
        raise UsageError(f"transfers row {row}: amount_fen is {amount.max()}, more than all money; check its unit")
    at = _numbers(transfers, "at", pa.int64() if pa.types.is_integer(transfers["at"].type) else pa.timestamp("us"))
    if at.size and not -EVER < at.min() <= at.max() < EVER:
        row = int(np.argmax((at <= -EVER) | (at >= EVER)))
        raise UsageError(f"transfers row {row}: at is {transfers['at'][row]}, before or after all time; is it in microseconds?")
    return at, amount


def _numbers(transfers: pa.Table, name: str, form: pa.DataType) -> Ints:
    """Return a column as int64, by way of a type whose numbers are meant."""
    column, what = transfers[name], "whole fen" if name == "amount_fen" else "timestamps or dates to the microsecond, or int64 microseconds"
    other = pa.types.is_timestamp(form) and not pa.types.is_temporal(column.type)
    if other or (name == "amount_fen" and not any(of(column.type) for of in _AMOUNTS)):
        raise UsageError(f"transfers: {name} must hold {what}, not {column.type}")
    try:
        if column.type != form:
            # a zone is left away, the moment is what it was
            column = column.cast(pa.timestamp(column.type.unit) if pa.types.is_timestamp(column.type) else form).cast(form)
        numbers: Ints = column.cast(pa.int64()).to_numpy()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise UsageError(f"transfers: {name} must hold {what}; {error}") from error
    return numbers


def _numbered(payer: pa.ChunkedArray, payee: pa.ChunkedArray) -> tuple[pa.Array, list[Int32s]]:
    """Return the ids of both columns in their order, and each column by number."""
    if not len(payer) and pa.types.is_integer(payer.type):
        return pa.array([], pa.int64()), [np.empty(0, np.int32) for _ in range(2)]
    if len(payer) and pa.types.is_int64(payer.type) and pa.types.is_int64(payee.type):
        bounds = [pc.min_max(column) for column in (payer, payee)]
        least = min(bound["min"].as_py() for bound in bounds)
        width = max(bound["max"].as_py() for bound in bounds) - least + 1
        if width <= _PLACES * len(payer) + _FLOOR:
            ends = [column.to_numpy() for column in (payer, payee)]
            number, known = _places(ends[0], ends[1], least, width)
            return pa.array(known), [_placed(column, number, least) for column in ends]
    accounts, codes = numbered_alike("transfers", payer, payee)
    return accounts, [column.astype(np.int32) for column in codes]


@kernel
def _places(payer: Ints, payee: Ints, least: int, width: int) -> tuple[Int32s, Ints]:
    """Return the number of each id from the least on, and the ids that there are."""
    there = np.zeros(width, np.bool_)
    for r in range(len(payer)):
        there[payer[r] - least] = True
        there[payee[r] - least] = True
    number, known, count = np.empty(width, np.int32), np.empty(width, np.int64), 0
    for k in range(width):
        number[k], known[count] = count, k + least
        count += there[k]
    return number, known[:count].copy()


@kernel
def _placed(ids: Ints, number: Int32s, least: int) -> Int32s:
    placed = np.empty(len(ids), np.int32)
    for r in range(len(ids)):
        placed[r] = number[ids[r] - least]
    return placed


def single(given: Given, row: Ints) -> Flow:
    """Return some transfers in the order of time, equal times in that of their ids.

    Parameters
    ----------
    row
        In the table.
    """
    row = row[_by_time(given, given.at[row], row)]
    ends = given.payer[row].astype(np.int64), given.payee[row].astype(np.int64)
    return Flow(*ends, given.at[row], given.at[row], given.amount[row], np.arange(row.size), np.ones(row.size, np.int64), row)


def _by_time(given: Given, at: Ints, row: Ints) -> Ints:
    """Return the order of times, of equal ones that of the ids of rows; what is alike in both stays as it is."""
    order = np.argsort(at, kind="stable")
    at, row = at[order], row[order]
    same = at[1:] == at[:-1]
    tied = np.flatnonzero(np.append(same, False) | np.append(False, same))
    if tied.size:
        names = pa.table({"at": at[tied], "id": given.ids.take(pa.array(row[tied])), "place": tied})
        keys = [(name, "ascending") for name in names.column_names]
        order[tied] = order[tied][pc.sort_indices(names, sort_keys=keys).to_numpy()]
    return order


def bundled(given: Given, row: Ints, max_parts: int, span: int) -> Flow:
    """Return some transfers and, as one, each run of up to so many from one account to another within a span of time.

    The parts of a run follow one another without another transfer between the two accounts.
    """
    row = row[_by_time(given, given.at[row], row)]
    row = row[np.lexsort((given.payee[row], given.payer[row]))]
    payer, payee, at = given.payer[row].astype(np.int64), given.payee[row].astype(np.int64), given.at[row]
    so_far = np.append(0, np.cumsum(given.amount[row]))
    starts, sizes = [np.arange(row.size)], [np.ones(row.size, np.int64)]
    for size in range(2, max_parts + 1):
        last, run = np.arange(size - 1, row.size), np.arange(max(row.size - size + 1, 0))
        within = (payer[run] == payer[last]) & (payee[run] == payee[last]) & (at[last] - at[run] <= span)
        starts.append(run[within])
        sizes.append(np.full(starts[-1].size, size))
    first, parts = np.concatenate(starts), np.concatenate(sizes)
    order = _by_time(given, at[first], row[first])
    first, parts = first[order], parts[order]
    return Flow(payer[first], payee[first], at[first], at[first + parts - 1], so_far[first + parts] - so_far[first], first, parts, row)


def some(flow: Flow, kept: Ints) -> Flow:
    """Return some transfers of a flow."""
    ends = flow.payer[kept], flow.payee[kept]
    return Flow(*ends, flow.at[kept], flow.until[kept], flow.amount[kept], flow.first[kept], flow.parts[kept], flow.rows)


def named(given: Given, hubs: Sequence[str] | Sequence[int]) -> Bools:
    """Tell which accounts are among some ids.

    Raises
    ------
    UsageError
        If the ids are numbers and those of accounts are not, or the other way round.
    """
    if not len(hubs):
        return np.zeros(len(given.accounts), np.bool_)
    ids = pa.array(list(hubs))
    if pa.types.is_integer(ids.type) != pa.types.is_integer(given.accounts.type):
        raise UsageError(f"hubs are {ids.type}, but accounts are {given.accounts.type}; name them alike")
    found: Bools = pc.is_in(given.accounts, value_set=ids.cast(given.accounts.type)).to_numpy(zero_copy_only=False)
    return found.copy()


def fans(given: Given, max_fan: int, window: int, since: int) -> Ints:
    """Return the accounts that make more transfers, and get more, than so many within a window of time."""
    usable = (given.amount > 0) & (given.payer != given.payee) & (given.at >= since)
    most = np.full(len(given.accounts), 2**62)
    for ends in (given.payer, given.payee):
        many = np.bincount(ends[usable], minlength=len(given.accounts)) > max_fan
        row = np.flatnonzero(usable & many[ends])
        row = row[np.argsort(given.at[row], kind="stable")]
        most = np.minimum(most, _busiest(*group_rows(ends[row].astype(np.int64), len(given.accounts)), given.at[row], window))
    return np.flatnonzero(most > max_fan)


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
