"""Rings: cycles of transfers that share members, so that money goes round among the same few again and again.

Connected components of payments are no rings: what joins two cycles are two members of both that deal with few in cycles, and one cycle
is no ring.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from kg.algorithms.cycle_pruning import Bools
from kg.algorithms.kernel import Ints
from kg.algorithms.sharing import among, distinct
from kg.derivations.cycle_params import SPLIT, TIERS, CycleParams
from kg.derivations.cycles import Cycles, find_cycles
from kg.derivations.ring_ids import same_rings
from kg.errors import UsageError
from kg.ownership.holdings import numbered_alike
from kg.tables import plain_column, refuse_missing, refuse_nulls

__all__ = ["SPLIT", "TIERS", "CycleParams", "Cycles", "Rings", "find_cycles", "find_rings"]

COLUMNS = ("cycle_id", "position", "transfer_id", "payer", "payee", "at", "amount_fen")
#: Who deals with more others than so many in cycles is a hub: it joins no cycles and belongs to no ring.
_HUB = 12
_SUPPORT = 2


@dataclass(frozen=True)
class Rings:
    """Rings that were found.

    Attributes
    ----------
    table
        ``ring_id, member, role, support, first_at, last_at, amount_fen, because``: a row for each member, in the order of ring, role and
        member. ``role`` is ``leader`` (of whom most cycles start) or ``member``; ``support`` is how many cycles the ring is made of,
        ``first_at`` and ``last_at`` are the times of its first and last transfer, ``amount_fen`` is what the member got by them.
    events
        ``event, ring_id, earlier_id``: ``kept``, ``split`` (the earlier one has two members in several rings), ``merged`` (the ring has
        two members of several earlier ones), ``new`` and ``ended``: a new id that comes of no split or merger, an earlier one that is
        borne no more and went into none.
    """

    table: pa.Table
    events: pa.Table


@dataclass(frozen=True)
class _Found:
    """Transfers of cycles by number, a row for each; ``cycle`` counts from 0."""

    cycle: Ints
    payer: Ints
    payee: Ints
    rows: pa.Table
    parties: pa.Array

    def where(self, kept: Bools) -> _Found:
        return _Found(self.cycle[kept], self.payer[kept], self.payee[kept], self.rows.filter(pa.array(kept)), self.parties)


def find_rings(
    cycles: Cycles | pa.Table | Sequence[Cycles | pa.Table],
    groups: pa.Table | None = None,
    links: pa.Table | None = None,
    *,
    previous: Rings | pa.Table | None = None,
    alone: int | None = None,
) -> Rings:
    """Find the rings that cycles make.

    Cycles are merged that share two members who are no hubs; a hub deals with more than 12 others in cycles. A ring has two cycles at
    least, where one with hops in parts is as many as there are ways through its parts, and what several tiers find is one. A cycle of two,
    which refunds and cash pools make too, counts only where other evidence ties the two, and so does a ring of only two beside hubs.

    Parameters
    ----------
    cycles
        What `find_cycles` found, of one tier or of several, or tables of the same columns; on accounts, or folded to companies.
    groups
        ``group_id, party``: who are of one group are tied.
    links
        ``a, b``: who are linked are tied.
    previous
        Earlier rings. A ring keeps the id of the one with which it shares most: 0.3 of those who are in either at least.
    alone
        One cycle of so many members is a ring by itself; None: none is.

    Raises
    ------
    UsageError
        If a column is missing, a value is null, parties are strings here and numbers there, or ``alone`` is below 3.

    Examples
    --------
    >>> from kg.derivations.rings import TIERS, find_cycles
    >>> ends = {"payer": ["a", "b", "c"] * 2, "payee": ["b", "c", "a"] * 2}
    >>> rows = pa.table({"transfer_id": range(6), **ends, "amount_fen": [9] * 6, "at": [day * 10**11 for day in range(6)]})
    >>> found = find_rings(find_cycles(rows, TIERS["A"])).table
    >>> found["member"].to_pylist(), found["role"].to_pylist(), found["support"].to_pylist()
    (['a', 'b', 'c'], ['leader', 'member', 'member'], [6, 6, 6])
    """
    if alone is not None and (not isinstance(alone, int) or alone < 3):
        raise UsageError(f"alone is {alone!r}; give 3 members or more, or none")
    found = _read([cycles]) if isinstance(cycles, Cycles | pa.Table) else _once(_read(cycles))
    found = found.where(_counts(found, groups, links)[found.cycle])
    ring = _merged(found, _hubs(found), alone)
    kept = ring[found.cycle] >= 0
    table = _table(found.where(kept), ring, _hubs(found))
    ids, events = same_rings(table, previous.table if isinstance(previous, Rings) else previous)
    table = table.set_column(0, "ring_id", ids)
    return Rings(table.sort_by([(name, "ascending") for name in ("ring_id", "role", "member")]), events)


def _read(cycles: Sequence[Cycles | pa.Table]) -> _Found:
    """Number the cycles of several tables, and those who are in them."""
    tables: list[pa.Table] = []
    numbers: list[Ints] = []
    count = 0
    for each in cycles:
        table = each.table if isinstance(each, Cycles) else each
        refuse_missing("cycles", table, COLUMNS)
        refuse_nulls("cycles", table, COLUMNS)
        table = table.select(COLUMNS)
        for place in range(2, 5):  # transfers and parties
            table = table.set_column(place, COLUMNS[place], plain_column("cycles", COLUMNS[place], table[place]))
        if not pa.types.is_integer(table["amount_fen"].type):
            raise UsageError(f"cycles: amount_fen is of type {table['amount_fen'].type}; it is whole fen")
        # a table without rows says nothing but, where it is the first, of which types all are
        if tables and not table.num_rows:
            continue
        if tables and not tables[0].num_rows:
            tables.pop()
        _refuse_unlike(tables[0] if tables else table, table)
        known, number = np.unique(table["cycle_id"].to_numpy(), return_inverse=True)
        tables.append(table)
        numbers.append(number + count)
        count += known.size
    rows = (
        pa.concat_tables(tables, promote_options="permissive") if tables else pa.table({name: pa.array([], pa.int64()) for name in COLUMNS})
    )
    parties, (payer, payee) = numbered_alike("cycles", rows["payer"], rows["payee"])
    return _Found(np.concatenate([*numbers, np.empty(0, np.int64)]).astype(np.int64), payer, payee, rows, parties)


def _refuse_unlike(one: pa.Table, other: pa.Table) -> None:
    for name in ("transfer_id", "payer", "payee", "at"):
        here, there = one[name].type, other[name].type
        if here != there:
            raise UsageError(f"cycles: {name} is of type {here} in one table and {there} in another; make them alike")


def _once(found: _Found) -> _Found:
    """Leave out cycles of the same transfers as an earlier one: several tiers find them."""
    transfer = pc.rank(found.rows["transfer_id"], tiebreaker="dense").cast(pa.string())
    rows = pa.table({"cycle": found.cycle, "transfer": transfer}).sort_by([("cycle", "ascending"), ("transfer", "ascending")])
    whole = rows.group_by("cycle", use_threads=False).aggregate([("transfer", "list")])
    names = pc.binary_join(whole["transfer_list"], ",").to_numpy()
    _, first = np.unique(names.astype(str), return_index=True)
    return found.where(among(found.cycle, np.sort(whole["cycle"].to_numpy()[first])))


def _size(found: _Found) -> Ints:
    """Return how many members each cycle has."""
    pairs = distinct(found.cycle * (len(found.parties) + 1) + found.payer)
    return np.bincount(pairs // (len(found.parties) + 1), minlength=int(found.cycle.max(initial=-1)) + 1)


def _counts(found: _Found, groups: pa.Table | None, links: pa.Table | None) -> Bools:
    """Tell which cycles count: those of three or more, and those of two who are tied."""
    counts: Bools = _size(found) > 2
    width = len(found.parties)
    tied = distinct(np.concatenate([_pairs(*_grouped(found, groups), width), _pairs(*_linked(found, links), width)]))
    of_tied = among(_pairs(found.payer, found.payee, width), tied)
    counts[found.cycle[of_tied]] = True
    return counts


def _pairs(one: Ints, other: Ints, width: int) -> Ints:
    """Return a number for each two, whichever comes first."""
    return np.minimum(one, other) * width + np.maximum(one, other)


def _places(found: _Found, name: str, table: pa.Table, column: str) -> Ints:
    ids = plain_column(name, column, table[column])
    if len(ids) and len(found.parties) and ids.type != found.parties.type:
        raise UsageError(f"{name}: {column} is of type {ids.type}, but the parties of cycles are {found.parties.type}; make them alike")
    place: Ints = pc.fill_null(pc.index_in(ids.cast(found.parties.type), value_set=found.parties), -1).to_numpy().astype(np.int64)
    return place


def _linked(found: _Found, links: pa.Table | None) -> tuple[Ints, Ints]:
    if links is None:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    refuse_nulls("links", links, ("a", "b"))
    one, other = _places(found, "links", links, "a"), _places(found, "links", links, "b")
    known = (one >= 0) & (other >= 0)
    return one[known], other[known]


def _grouped(found: _Found, groups: pa.Table | None) -> tuple[Ints, Ints]:
    """Return the payers and payees of cycles who are of one group."""
    if groups is None:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    refuse_nulls("groups", groups, ("group_id", "party"))
    party = _places(found, "groups", groups, "party")
    group = groups["group_id"].combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64)[party >= 0]
    width = max(len(found.parties), 1)
    belongs = coo_array((np.ones(group.size, np.int64), (party[party >= 0], group)), (width, int(group.max(initial=0)) + 1)).tocsr()
    ends = distinct(_pairs(found.payer, found.payee, width))
    together = np.asarray(belongs[ends // width].multiply(belongs[ends % width]).sum(axis=1)).ravel() > 0
    return (ends // width)[together], (ends % width)[together]


def _hubs(found: _Found) -> Bools:
    """Tell who deals with too many in cycles."""
    width = len(found.parties)
    pairs = distinct(_pairs(found.payer, found.payee, max(width, 1)))
    hubs: Bools = np.bincount(np.concatenate([pairs // max(width, 1), pairs % max(width, 1)]), minlength=width) > _HUB
    return hubs


def _merged(found: _Found, hubs: Bools, alone: int | None) -> Ints:
    """Return the ring of each cycle, -1 where it is in none."""
    count, width = int(found.cycle.max(initial=-1)) + 1, max(len(found.parties), 1)
    member = distinct(found.cycle * width + found.payer)
    member = member[~hubs[member % width]] if len(hubs) else member
    cycle, party = member // width, member % width
    start = np.searchsorted(cycle, np.arange(count + 1))
    # each member with those after it in its cycle
    later = start[cycle + 1] - np.arange(cycle.size) - 1
    one = np.repeat(np.arange(cycle.size), later)
    other = one + 1 + np.arange(one.size) - np.repeat(np.cumsum(later) - later, later)
    _, pair = np.unique(party[one] * width + party[other], return_inverse=True)
    size = count + int(pair.max(initial=-1)) + 1
    shared = coo_array((np.ones(one.size, np.int8), (cycle[one], count + pair)), (size, size))
    _, label = connected_components(shared, directed=False)
    label = label[:count].astype(np.int64)
    there = np.zeros(count, np.bool_)
    there[found.cycle] = True
    enough = np.bincount(label, _ways(found), minlength=size) >= _SUPPORT
    if alone is not None:
        enough[label[_size(found) >= alone]] = True
    # a way over a hub leaves two who are no hubs: as for a cycle of two, something else must tie them
    mine = distinct(label[cycle] * width + party)
    tied = np.zeros(size, np.bool_)
    tied[label[there & (_size(found) == 2)]] = True
    enough &= tied | (np.bincount(mine // width, minlength=size) > 2)
    return np.where(there & enough[label], label, -1)


def _ways(found: _Found) -> Ints:
    """Return for each cycle of how many cycles of single transfers it is made: the parts of its hops, multiplied; at most a million."""
    position = found.rows["position"].to_numpy().astype(np.int64)
    width = int(position.max(initial=0)) + 1
    hop, parts = np.unique(found.cycle * width + position, return_counts=True)
    ways = np.ones(int(found.cycle.max(initial=-1)) + 1)
    np.multiply.at(ways, hop // width, parts)
    return np.minimum(ways, 1e6).astype(np.int64)


def _table(found: _Found, ring: Ints, hubs: Bools) -> pa.Table:
    """Return a row for each ring and member; ``ring_id`` is its number."""
    of, form = ring[found.cycle], found.rows["at"].type
    moment = pa.int64() if pa.types.is_integer(form) else form if pa.types.is_timestamp(form) else pa.timestamp("us")
    width = max(len(found.parties), 1)
    at = found.rows["at"].cast(moment).cast(pa.int64()).to_numpy()
    once = np.unique(
        np.stack([of, pc.rank(found.rows["transfer_id"], tiebreaker="dense").to_numpy().astype(np.int64)]), axis=1, return_index=True
    )[1]
    key, place = np.unique(of[once] * width + found.payee[once], return_inverse=True)
    got = np.zeros(key.size, np.int64)
    np.add.at(got, place, found.rows["amount_fen"].to_numpy()[once])
    members, weight = _each(of * width + found.payer, found)
    kept = ~hubs[key % width] if len(hubs) else np.ones(key.size, np.bool_)
    key, got = key[kept], got[kept]
    number, party = key // width, key % width
    support = np.bincount(*_each(of, found), minlength=int(ring.max(initial=-1)) + 1).astype(np.int64)
    first, last = np.full(support.size, np.iinfo(np.int64).max), np.full(support.size, np.iinfo(np.int64).min)
    np.minimum.at(first, of, at)
    np.maximum.at(last, of, at)
    so_far = np.append(0, np.cumsum(weight))
    mine = so_far[np.searchsorted(members, key, side="right")] - so_far[np.searchsorted(members, key)]
    size = _size(found)
    least, most = np.full(support.size, 99), np.zeros(support.size, np.int64)
    np.minimum.at(least, of, size[found.cycle])
    np.maximum.at(most, of, size[found.cycle])
    hops = [pa.array(column[number]).cast(pa.string()) for column in (support, least, most)]
    sizes = pc.if_else(pc.equal(hops[1], hops[2]), hops[1], pc.binary_join_element_wise(hops[1], "to", hops[2], " "))
    because = pc.binary_join_element_wise(pa.array(mine).cast(pa.string()), "of", hops[0], "cycles of", sizes, "hops", " ")
    return pa.table(
        {
            "ring_id": number,
            "member": found.parties.take(pa.array(party)),
            "role": pc.if_else(pa.array(_leads(found, of, key, width)), "leader", "member"),
            "support": support[number],
            "first_at": pa.array(first[number]).cast(moment).cast(form),
            "last_at": pa.array(last[number]).cast(moment).cast(form),
            "amount_fen": got,
            "because": because,
        }
    )


def _each(key: Ints, found: _Found) -> tuple[Ints, Ints]:
    """Return the keys of rows, once for each cycle that has them, in their order; and how many cycles that one is made of."""
    key, cycle = np.unique(np.stack([key, found.cycle]), axis=1)
    return key, _ways(found)[cycle]


def _leads(found: _Found, of: Ints, key: Ints, width: int) -> Bools:
    """Tell which members lead: with whom most cycles of the ring start, the one with the smallest id where several do."""
    begin = found.rows["position"].to_numpy() == 0
    started = np.unique(np.stack([of[begin] * width + found.payer[begin], found.cycle[begin]]), axis=1)[0]
    starts = np.searchsorted(started, key, side="right") - np.searchsorted(started, key)
    order = np.lexsort((key, -starts, key // width))
    leads = np.zeros(key.size, np.bool_)
    leads[order[np.diff(key[order] // width, prepend=-1) != 0]] = True
    return leads
