"""Which cycles speak of a ring by themselves, and which rings of more than friends: what comes again, goes far, or through private hands.

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
from kg.algorithms.windows import apart
from kg.derivations.cycles import Cycles
from kg.errors import UsageError

_PPM, _HOUR = 1_000_000, 3_600_000_000


def corroborated(
    cycles: Cycles | pa.Table,
    transfers: pa.Table | None = None,
    *,
    alike_ppm: int = 700_000,
    alone: int = 5,
    covered_ppm: int = 750_000,
    often_ppm: int = 500_000,
) -> pa.Table:
    """Return the cycles that are no chance.

    Parameters
    ----------
    cycles
        See `kg.derivations.rings.find_rings`.
    transfers
        ``payer, payee`` of all transfers among which the cycles were sought; None: what else is paid says nothing.
    alike_ppm
        A cycle counts if it shares so much of the members of the smaller with another that has no transfer in common with it. One of two
        members says nothing of longer ones: neighbours pay back what they borrowed.
    alone
        One of so many members counts by itself.
    covered_ppm
        Of all transfers from each member of a cycle to the next, so many must lie in cycles that count.
    often_ppm
        So many, where it is smaller, for a cycle of ``alone`` members or more that goes round again: partners of a ring trade, too.

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
    if not 0 < alike_ppm <= _PPM or not (0 <= covered_ppm <= _PPM and 0 <= often_ppm <= _PPM) or alone < 2:
        given = f"alike_ppm, covered_ppm, often_ppm and alone are {alike_ppm}, {covered_ppm}, {often_ppm} and {alone}"
        raise UsageError(f"{given}; give ppm, and 2 members or more")
    table = cycles.table if isinstance(cycles, Cycles) else cycles
    if not table.num_rows:
        return table
    cycle = np.unique(table["cycle_id"].to_numpy(), return_inverse=True)[1].astype(np.int64)
    members, moved = (_had(cycle, table[name]) for name in ("payer", "transfer_id"))
    size = np.asarray(members.sum(axis=1)).ravel()
    again = np.isin(np.arange(size.size), _again(members, moved, size, alike_ppm))
    counts: Bools = (size >= alone) | again
    often = pc.unique(table["cycle_id"].filter(pa.array(((size >= alone) & again)[cycle])))
    table = table.filter(pa.array(counts[cycle]))
    return table if transfers is None or not table.num_rows else _covered(table, transfers, covered_ppm, often, min(often_ppm, covered_ppm))


def _covered(table: pa.Table, transfers: pa.Table, covered_ppm: int, often: pa.Array, often_ppm: int) -> pa.Table:
    """Return the cycles whose members pay one another little but by cycles; ``often_ppm`` is asked of those in ``often``."""
    pair = ["payer", "payee"]
    used = table.group_by([*pair, "transfer_id"]).aggregate([]).group_by(pair).aggregate([([], "count_all")])
    every = transfers.select(pair).group_by(pair).aggregate([([], "count_all")])
    hops = table.group_by(["cycle_id", *pair]).aggregate([])
    hops = hops.join(used.rename_columns([*pair, "used"]), pair).join(every.rename_columns([*pair, "every"]), pair)
    sums = hops.group_by("cycle_id").aggregate([("used", "sum"), ("every", "sum")])
    asked = pc.if_else(pc.is_in(sums["cycle_id"], value_set=often.cast(sums["cycle_id"].type)), often_ppm, covered_ppm)
    enough = pc.greater_equal(pc.multiply(sums["used_sum"], _PPM), pc.multiply(sums["every_sum"], asked))
    return table.filter(pc.is_in(table["cycle_id"], value_set=sums.filter(enough)["cycle_id"].combine_chunks()))


def _had(cycle: Ints, column: pa.ChunkedArray) -> csr_array:
    """Return which cycle (row) has which thing (column), as 0 and 1."""
    thing = pc.rank(column, tiebreaker="dense").to_numpy().astype(np.int64) - 1
    had = csr_array((np.ones(thing.size, np.int64), (cycle, thing)))
    had.data[:] = 1
    return had


def _again(members: csr_array, moved: csr_array, size: Ints, alike_ppm: int) -> Ints:
    """Return the cycles that share enough with another, of which no transfer is theirs; those of two count among themselves."""
    shared = (members @ members.T).tocoo()
    one, other = shared.row, shared.col
    enough = shared.data * _PPM >= np.minimum(size[one], size[other]) * alike_ppm
    enough &= (size[one] > 2) == (size[other] > 2)
    one, other = one[enough], other[enough]
    common = moved @ moved.T
    apart = np.asarray(common[one, other]).ravel() == 0 if one.size else np.empty(0, np.bool_)
    return np.unique(one[apart])


def convincing(cycles: pa.Table, rings: pa.Table, private: pa.Array, *, long: int = 5, rounds: int = 3, rest_hours: int = 24) -> pa.Table:
    """Return the cycles of rings that are more than what friends do for one another.

    Owners of small companies lend one another money for a day, over one or two hands, and get it back; that happens twice among the same
    three or four now and then. A ring is told of where money goes farther, where it goes through private accounts, or where it goes round
    again and again and stays away for days.

    Parameters
    ----------
    cycles
        See `kg.derivations.rings.find_rings`.
    rings
        ``ring_id, member``: what it found in them.
    private
        The members that are natural persons.
    long
        A ring with a cycle of so many members is told of.
    rounds, rest_hours
        Likewise one in which money went round so many times, one after the other, if half of its cycles or more took so many hours. There
        and back between two is no round.

    Raises
    ------
    UsageError
        If a parameter is out of range.

    Examples
    --------
    >>> ends = {"payer": ["a", "b", "c"], "payee": ["b", "c", "a"], "amount_fen": [9] * 3, "at": [0, 1, 2]}
    >>> one = pa.table({"cycle_id": [0] * 3, "position": [0, 1, 2], "transfer_id": [1, 2, 3], **ends})
    >>> ring = pa.table({"ring_id": ["r"] * 3, "member": ["a", "b", "c"]})
    >>> [convincing(one, ring, pa.array(persons, pa.string())).num_rows for persons in ([], ["b"])]
    [0, 3]
    """
    if long < 2 or rounds < 1 or rest_hours < 0:
        raise UsageError(f"long, rounds and rest_hours are {long}, {rounds} and {rest_hours}; give 2 members, 1 round and 0 hours or more")
    of = _of_rings(cycles, rings)
    farther = of.filter(pc.greater(of["size"], 2))
    if not farther.num_rows:
        return cycles.slice(0, 0)
    rests = pc.greater_equal(pc.subtract(farther["last"], farther["first"]), rest_hours * _HOUR)
    facts = farther.append_column("rests", rests.cast(pa.int64())).group_by("ring_id")
    facts = facts.aggregate([("size", "max"), ("rests", "sum"), ("cycle_id", "count")]).join(_rounds(farther), "ring_id")
    hands = rings.filter(pc.is_in(rings["member"], value_set=private))["ring_id"].combine_chunks()
    again = pc.greater_equal(facts["rounds"], rounds)
    slow = pc.greater_equal(pc.multiply(facts["rests_sum"], 2), facts["cycle_id_count"])
    told = pc.or_(pc.or_(pc.greater_equal(facts["size_max"], long), pc.is_in(facts["ring_id"], value_set=hands)), pc.and_(again, slow))
    kept = of.filter(pc.is_in(of["ring_id"], value_set=facts.filter(told)["ring_id"].combine_chunks()))
    return cycles.filter(pc.is_in(cycles["cycle_id"], value_set=kept["cycle_id"].combine_chunks()))


def _of_rings(cycles: pa.Table, rings: pa.Table) -> pa.Table:
    """Return the cycles all of whose members are in one ring: ``ring_id, cycle_id, size, first, last`` (microseconds)."""
    rows = cycles.select(["cycle_id", "payer"]).append_column("at", cycles["at"].cast(pa.int64()))
    size = rows.group_by("cycle_id").aggregate([("payer", "count_distinct"), ("at", "min"), ("at", "max")])
    size = size.rename_columns({"payer_count_distinct": "size", "at_min": "first", "at_max": "last"})
    inside = rows.join(rings.select(["ring_id", "member"]), "payer", "member", join_type="inner")
    inside = inside.group_by(["ring_id", "cycle_id"]).aggregate([("payer", "count_distinct")]).join(size, "cycle_id")
    return inside.filter(pc.equal(inside["payer_count_distinct"], inside["size"])).drop_columns(["payer_count_distinct"])


def _rounds(of: pa.Table) -> pa.Table:
    """Return how many times money went round each ring, one after the other at most: ``ring_id, rounds``."""
    of = of.sort_by([("ring_id", "ascending"), ("last", "ascending")])
    ring = pc.rank(of["ring_id"], tiebreaker="dense").to_numpy().astype(np.int64)
    first, last = (of[name].to_numpy().astype(np.int64) for name in ("first", "last"))
    counts = pa.table({"ring_id": of["ring_id"], "begins": apart(ring, first, last)}).group_by("ring_id").aggregate([("begins", "sum")])
    return counts.rename_columns({"begins_sum": "rounds"})
