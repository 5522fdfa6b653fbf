"""Which cycles speak of a ring by themselves: those that come again among the same members, and those too long to be chance.

Honest trade closes many a circle of three or four by chance, each among others, and its payments go on beside it; money that is sent round
goes the same way again, and little else goes that way.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import csr_array

from kg.algorithms.cycle_pruning import Bools
from kg.algorithms.kernel import Ints
from kg.derivations.cycles import Cycles
from kg.errors import UsageError

_PPM = 1_000_000


def corroborated(
    cycles: Cycles | pa.Table,
    transfers: pa.Table | None = None,
    *,
    alike_ppm: int = 700_000,
    alone: int = 5,
    covered_ppm: int = 750_000,
) -> pa.Table:
    """Return the cycles that are no chance.

    Parameters
    ----------
    cycles
        See `kg.derivations.rings.find_rings`.
    transfers
        ``payer, payee`` of all transfers among which the cycles were sought; None: what else is paid says nothing.
    alike_ppm
        A cycle counts if it shares so much of the members of the smaller with another that has no transfer in common with it.
    alone
        One of so many members counts by itself.
    covered_ppm
        Of all transfers from each member of a cycle to the next, so many must lie in cycles that count.

    Raises
    ------
    UsageError
        If a parameter is out of range.

    Examples
    --------
    >>> ends = {"payer": ["a", "b", "c"], "payee": ["b", "c", "a"], "amount_fen": [9] * 3, "at": [0, 1, 2]}
    >>> one = pa.table({"cycle_id": [0] * 3, "position": [0, 1, 2], "transfer_id": [1, 2, 3], **ends})
    >>> corroborated(one).num_rows, corroborated(one, alone=3).num_rows
    (0, 3)
    """
    if not 0 < alike_ppm <= _PPM or not 0 <= covered_ppm <= _PPM or alone < 2:
        raise UsageError(f"alike_ppm, covered_ppm and alone are {alike_ppm}, {covered_ppm} and {alone}; give ppm, and 2 members or more")
    table = cycles.table if isinstance(cycles, Cycles) else cycles
    if not table.num_rows:
        return table
    cycle = np.unique(table["cycle_id"].to_numpy(), return_inverse=True)[1].astype(np.int64)
    members, moved = (_had(cycle, table[name]) for name in ("payer", "transfer_id"))
    size = np.asarray(members.sum(axis=1)).ravel()
    counts: Bools = size >= alone
    counts[_again(members, moved, size, alike_ppm)] = True
    table = table.filter(pa.array(counts[cycle]))
    return table if transfers is None or not table.num_rows else _covered(table, transfers, covered_ppm)


def _covered(table: pa.Table, transfers: pa.Table, covered_ppm: int) -> pa.Table:
    """Return the cycles whose members pay one another little but by cycles."""
    pair = ["payer", "payee"]
    used = table.group_by([*pair, "transfer_id"]).aggregate([]).group_by(pair).aggregate([([], "count_all")])
    every = transfers.select(pair).group_by(pair).aggregate([([], "count_all")])
    hops = table.group_by(["cycle_id", *pair]).aggregate([])
    hops = hops.join(used.rename_columns([*pair, "used"]), pair).join(every.rename_columns([*pair, "every"]), pair)
    sums = hops.group_by("cycle_id").aggregate([("used", "sum"), ("every", "sum")])
    enough = pc.greater_equal(pc.multiply(sums["used_sum"], _PPM), pc.multiply(sums["every_sum"], covered_ppm))
    return table.filter(pc.is_in(table["cycle_id"], value_set=sums.filter(enough)["cycle_id"].combine_chunks()))


def _had(cycle: Ints, column: pa.ChunkedArray) -> csr_array:
    """Return which cycle (row) has which thing (column), as 0 and 1."""
    thing = pc.rank(column, tiebreaker="dense").to_numpy().astype(np.int64) - 1
    had = csr_array((np.ones(thing.size, np.int64), (cycle, thing)))
    had.data[:] = 1
    return had


def _again(members: csr_array, moved: csr_array, size: Ints, alike_ppm: int) -> Ints:
    """Return the cycles that share enough with another, of which no transfer is theirs."""
    shared = (members @ members.T).tocoo()
    one, other = shared.row, shared.col
    enough = shared.data * _PPM >= np.minimum(size[one], size[other]) * alike_ppm
    one, other = one[enough], other[enough]
    common = moved @ moved.T
    apart = np.asarray(common[one, other]).ravel() == 0 if one.size else np.empty(0, np.bool_)
    return np.unique(one[apart])
