"""Cycles of transfers that respect time: money that goes on from account to account and comes back to where it started."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

import numpy as np
import pyarrow as pa

from kg.algorithms.cycle_pruning import Asked, Bools, Rows, asked_of, possible, usable
from kg.algorithms.cycle_reach import reaching
from kg.algorithms.kernel import Ints
from kg.algorithms.temporal_cycles import search
from kg.algorithms.temporal_moves import EVER, Bounds, Limits, least_of, most_of, moves
from kg.derivations.cycle_params import CycleParams
from kg.derivations.flows import COLUMNS, Flow, Given, bundled, fans, named, plain_transfers, read_sums, read_transfers, single, some
from kg.errors import UsageError
from kg.ownership.holdings import numbered

_DAY = 86_400_000_000
_PPM = 1_000_000
_BECAUSE = tuple(f"more than {limit}" for limit in ("max_fan", "max_steps", "max_all_steps", "max_told"))
#: From new transfers old ones are sought first where amounts are so much alike and cycles no longer: else they lead nearly everywhere.
_ALIKE, _NEAR_HOPS = 0.5, 10


@dataclass(frozen=True)
class Cycles:
    """Cycles that were found.

    Attributes
    ----------
    table
        ``cycle_id, position, transfer_id, payer, payee, at, amount_fen``: a row for each transfer, in the order of cycle and position
        (both counted from 0); the parts of a split hop bear one position. Cycles stand in the order of their first transfer.
    truncated
        ``transfer_id, account, because``: transfers from which the search stopped before its end (with ``new_from``: the last ones of
        their cycles), and accounts that were left out for their fan. Without a row, every cycle is in ``table``.
    params
        What was sought; its ``name`` is the tier.
    """

    table: pa.Table
    truncated: pa.Table
    params: CycleParams

    @property
    def tier(self) -> str:
        """Return the name of what was sought."""
        return self.params.name


def find_cycles(transfers: pa.Table, params: CycleParams, *, new_from: datetime | date | int | None = None) -> Cycles:
    """Find all cycles in which money moves on in the order of time and comes back.

    A cycle is a way of at least two transfers, each from the payee of the one before, at its time or later, back to the first payer; no
    account is passed twice. It is told once, beginning with its earliest transfer: where all are at one moment, with the smallest id
    from which the amounts allow it. Parallel transfers make cycles of their own. Amounts are compared as whole fen.

    Parameters
    ----------
    transfers
        ``transfer_id, payer, payee, amount_fen, at``; ids int64 or strings, ``at`` a timestamp, a date, or int64 microseconds. Each
        row is a transfer, also where a ``transfer_id`` comes again.
        A transfer to oneself is in no cycle, and one of 0 or less moves no money on: these are left out.
    params
        One of `TIERS` or one's own.
    new_from
        Only cycles whose last transfer is at this time or later are sought; a date begins at midnight UTC. They are sought from that one
        back, so that older transfers are looked at only where they lead to a new one.

    Raises
    ------
    UsageError
        If a column is missing or of a wrong type, a value is null, an amount is 2^62 fen or more, or ``new_from`` is no moment; the
        sentence names the row, counted from 0.

    References
    ----------
    .. [1] Kumar & Calders, 2SCENT: an efficient algorithm to enumerate all simple temporal cycles, VLDB 11(11), 2018.

    Examples
    --------
    >>> from kg.derivations.cycle_params import TIERS
    >>> rows = {"transfer_id": [1, 2], "payer": ["a", "b"], "payee": ["b", "a"], "amount_fen": [100, 80], "at": [5, 5]}
    >>> find_cycles(pa.table(rows), TIERS["A"]).table.to_pydict()["transfer_id"]
    [1, 2]
    """
    transfers = plain_transfers(transfers)
    since, window = _moment(new_from, transfers), params.window_days * _DAY
    transfers = _near(transfers, params, since)
    given = read_transfers(transfers)
    first = -int(EVER) if since is None else since - window
    left_out = named(given, params.hubs)
    hubs = np.empty(0, np.int64) if params.max_fan is None else fans(given, params.max_fan, window, first)
    hubs = hubs[~left_out[hubs]]
    left_out[hubs] = True
    flow = _possible(given, params, left_out, first)
    found, stopped = _searched(flow, params, window, since)
    accounts = given.accounts.take(pa.array(hubs))
    return Cycles(_table(found, flow, transfers), _truncated(flow, stopped, accounts, transfers), params)


def _near(transfers: pa.Table, params: CycleParams, since: int | None) -> pa.Table:
    """Return the transfers that may lie in a cycle with a new one, or all where it does not pay to seek these."""
    alone = params.max_parts == 1 and params.max_fan is None
    if since is None or not alone or params.max_hops > _NEAR_HOPS or (params.min_amount_ratio or 0) < _ALIKE:
        return transfers
    row = reaching(read_sums(transfers), since, params.window_days * _DAY, params.max_hops, _asked(params))
    return transfers if row is None else transfers.select(COLUMNS).take(pa.array(row))


def _asked(params: CycleParams) -> Asked:
    """Return what the parameters ask of two transfers."""
    parts = (float(_part(part)) for part in (params.min_amount_ratio, params.min_hop_retention, params.min_total_retention))
    wait = params.window_days if params.max_wait_days is None else params.max_wait_days + (params.max_parts > 1) * params.part_days
    return asked_of(min(params.window_days, wait) * _DAY, params.window_days * _DAY, *parts, gain=params.max_hop_gain)


def _possible(given: Given, params: CycleParams, left_out: Bools, first: int) -> Flow:
    """Return what can lie in a cycle."""
    asked = _asked(params)
    rows = Rows(given.payer, given.payee, given.at, given.amount, left_out, first)
    if params.max_parts == 1:
        return single(given, possible(rows, asked))
    flow = bundled(given, usable(rows), params.max_parts, params.part_days * _DAY)
    ends = flow.payer.astype(np.int32), flow.payee.astype(np.int32)
    return some(flow, possible(Rows(*ends, flow.at, flow.amount, left_out, first), asked))


def _moment(new_from: datetime | date | int | None, transfers: pa.Table) -> int | None:
    """Return a moment as the microseconds in which times are counted."""
    if new_from is None:
        return None
    if isinstance(new_from, int) and not isinstance(new_from, bool):
        if abs(new_from) > EVER:
            raise UsageError(f"new_from is {new_from}; as a number it counts microseconds since 1970")
        return new_from
    if not isinstance(new_from, date):
        raise UsageError(f"new_from is {new_from!r}; give a date, a datetime or integer microseconds")
    if "at" in transfers.column_names and pa.types.is_integer(transfers["at"].type):
        raise UsageError(f"new_from is {new_from}, but the times of the transfers are numbers; give a number too")
    moment: int = pa.scalar(new_from).cast(pa.timestamp("us")).cast(pa.int64()).as_py()
    return moment


def _searched(flow: Flow, params: CycleParams, window: int, since: int | None) -> tuple[list[Ints], tuple[Ints, Ints]]:
    """Return the cycles as places in the flow, those of one size in one array; and the places from which the search stopped, and why."""
    backward = since is not None
    size = len(flow.at)
    # turned round, the last transfer of a cycle is its first
    ends, times, amount = (flow.payer, flow.payee), (flow.at, flow.until), flow.amount
    if backward:
        ends, times = (flow.payee[::-1].copy(), flow.payer[::-1].copy()), (-flow.until[::-1], -flow.at[::-1])
        amount = flow.amount[::-1].copy()
    _, (payer, payee) = numbered(*(pa.chunked_array([column]) for column in ends))
    money = moves(payer, payee, *times, amount, by_amount=_by_amount(params))
    roots = np.arange(size) if since is None else np.flatnonzero(money.at <= -since)
    wait = window if params.max_wait_days is None else params.max_wait_days * _DAY
    most = params.max_steps, params.max_all_steps, params.max_told
    limits = Limits(params.max_hops, window, wait, *most, backward, _by_amount(params))
    told, stopped = search(money, _bounds(money.amount, params, backward=backward), roots, limits)
    place = size - 1 - money.rank if backward else money.rank
    return [place[cycles[:, ::-1] if backward else cycles] for cycles in _by_size(told, params.max_hops)], (
        place[roots[stopped > 0]],
        stopped[stopped > 0].astype(np.int64),
    )


def _by_size(told: Ints, most: int) -> list[Ints]:
    """Return cycles written one after another as arrays, one for each size.

    >>> [cycles.tolist() for cycles in _by_size(np.array([2, 7, 8, 3, 4, 5, 6, 2, 1, 0]), 3)]
    [[[7, 8], [1, 0]], [[4, 5, 6]]]
    """
    starts = []
    at = 0
    while at < told.size:
        starts.append(at)
        at += int(told[at]) + 1
    begin = np.array(starts, np.int64)
    size = told[begin]
    return [told[begin[size == n][:, np.newaxis] + np.arange(1, n + 1)] for n in range(2, most + 1)]


def _by_amount(params: CycleParams) -> bool:
    """Tell whether amounts are bounded on both sides, so that they tell a hub's transfers apart better than time does."""
    return bool(params.min_amount_ratio or (params.max_hop_gain and (params.min_hop_retention or params.min_total_retention)))


def _bounds(amount: Ints, params: CycleParams, *, backward: bool) -> Bounds:
    """Return what each transfer's amount asks of others; going back, the next is the one before."""
    free = np.zeros(amount.size, np.int64), np.full(amount.size, EVER)
    band, hop, total = (_part(part) for part in (params.min_amount_ratio, params.min_hop_retention, params.min_total_retention))
    gain = 1 / _part(params.max_hop_gain) if params.max_hop_gain else Fraction(0)
    band_low, band_high = least_of(amount, band), most_of(amount, band)
    kept, grown, end = ((least_of(amount, part), most_of(amount, part)) for part in (hop, gain, total))
    # what is known of all from the root: no less than is kept at every hop, or than what can still grow to enough of it at the end
    low, high = (end[0], grown[1]) if not backward else (grown[0], end[1])
    far_low, far_high = (kept[0], high) if not backward else (low, kept[1])
    for _ in range(params.max_hops - 2):
        low, high = least_of(low, gain), most_of(high, gain)
        far_low, far_high = (least_of(far_low, hop), high) if not backward else (low, most_of(far_high, hop))
    every = np.maximum(np.maximum(low, far_low), band_low), np.minimum(np.minimum(high, far_high), band_high)
    hops = (grown[0], kept[1]) if backward else (kept[0], grown[1])
    ends = (free[0], end[1]) if backward else (end[0], free[1])
    return Bounds(band_low, band_high, hops[0], hops[1], ends[0], ends[1], every[0], every[1])


def _part(ratio: float | None) -> Fraction:
    return Fraction(round((ratio or 0) * _PPM), _PPM)


def _table(found: list[Ints], flow: Flow, transfers: pa.Table) -> pa.Table:
    """Return the cycles in the order of their transfers' times and ids, a row for each transfer."""
    width = max((cycles.shape[1] for cycles in found if cycles.size), default=2)
    padded = [np.pad(cycles, ((0, 0), (0, width - cycles.shape[1])), constant_values=-1) for cycles in found if cycles.size]
    every = np.concatenate(padded) if padded else np.empty((0, width), np.int64)
    every = every[np.lexsort(every.T[::-1])]
    cycle, position = np.nonzero(every >= 0)
    hop = every[cycle, position]
    parts = flow.parts[hop]
    cycle, position = np.repeat(cycle, parts), np.repeat(position, parts)
    place = np.repeat(flow.first[hop] - np.cumsum(parts) + parts, parts) + np.arange(cycle.size)
    rows = pa.array(flow.rows[place])
    told = {name: transfers[name].take(rows) for name in ("transfer_id", "payer", "payee", "at", "amount_fen")}
    return pa.table({"cycle_id": cycle, "position": position, **told})


def _truncated(flow: Flow, stopped: tuple[Ints, Ints], accounts: pa.Array, transfers: pa.Table) -> pa.Table:
    place, why = (column[np.argsort(stopped[0], kind="stable")] for column in stopped)
    ids = transfers["transfer_id"].take(pa.array(flow.rows[flow.first[place]])).combine_chunks()
    return pa.table(
        {
            "transfer_id": pa.concat_arrays([ids, pa.nulls(len(accounts), ids.type)]),
            "account": pa.concat_arrays([pa.nulls(len(ids), accounts.type), accounts]),
            "because": pa.array(_BECAUSE).take(pa.array(np.append(why, np.zeros(len(accounts), np.int64)))),
        }
    )
