"""Links by trade: half of what a company sells or buys with one other, and the main supplier and the main customer in common."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from kg.algorithms.kernel import Ints
from kg.algorithms.sharing import Sums, pair_sums, shared, unique_pairs, weight
from kg.derivations.linked.evidence import Bools, World
from kg.derivations.linked.found import Found, leading
from kg.derivations.linked.kinds import LinkParams

_AMOUNT = {"paid": "amount_fen", "invoiced": "net_fen"}
#: A company trades with another when it does so in this many rows (months) at least.
_LEAST_ROWS = 3


def by_trade(world: World, params: LinkParams) -> Iterator[Found]:
    """Yield the pairs that trade links, by payments and by invoices."""
    for name, amount in _AMOUNT.items():
        table = getattr(world.graph, name)
        if table is None:
            continue
        src, dst = world.ends(name)
        fen = table[amount].to_numpy()
        sums = pair_sums(src, dst, fen, world.n)
        whole = _whole(sums.src, sums.total, world.n), _whole(sums.dst, sums.total, world.n)
        sums = sums.take(_between_companies(world, params, sums))
        keys = src * world.n + dst
        for side in (0, 1):
            share = sums.total / np.maximum(whole[side][sums[side]], 1)
            kept = (share >= params.dependence_ppm / 1e6) & (sums.rows >= _LEAST_ROWS) & world.undisclosed(sums.src, sums.dst)
            of = sums.take(kept)
            ids = leading(table, keys, of.src * world.n + of.dst, fen)
            yield Found("trade_dependence", of.src, of.dst, np.minimum(share[kept], 1.0), [ids])
        yield _partners(world, params, sums, whole)


def _whole(party: Ints, fen: Ints, n: int) -> Ints:
    """Return the sum of each party."""
    found = np.zeros(n, np.int64)
    np.add.at(found, party, fen)
    return found


def busy(world: World, params: LinkParams) -> Iterator[tuple[Ints, Ints]]:
    """Yield, of payments and of invoices, the companies that deal with more others than the cap, and with how many."""
    for name, amount in _AMOUNT.items():
        table = getattr(world.graph, name)
        if table is not None:
            src, dst = world.ends(name)
            degree = _degrees(world, pair_sums(src, dst, table[amount].to_numpy(), world.n))
            party = np.flatnonzero(degree > params.caps["counterparty"])
            yield party, degree[party]


def _companies(world: World, sums: Sums) -> Bools:
    """Tell which pairs are of two companies that are no known hubs."""
    return ~world.person[sums.src] & ~world.person[sums.dst] & ~world.hub[sums.src] & ~world.hub[sums.dst]


def _degrees(world: World, sums: Sums) -> Ints:
    """Return with how many other companies each deals."""
    of = sums.take(_companies(world, sums))
    pair, _ = unique_pairs(np.concatenate([of.src, of.dst]), np.concatenate([of.dst, of.src]))
    return np.bincount(pair, minlength=world.n)


def _between_companies(world: World, params: LinkParams, sums: Sums) -> Bools:
    """Tell which pairs are two companies of which neither deals with so many that it is a hub."""
    many = _degrees(world, sums) > params.caps["counterparty"]
    return _companies(world, sums) & ~many[sums.src] & ~many[sums.dst]


def _main(sums: Sums, whole: Ints, params: LinkParams, side: int, n: int) -> Ints:
    """Return the main partner of each party, -1 where nobody has so large a part."""
    own, other = (sums.src, sums.dst) if side == 0 else (sums.dst, sums.src)
    order = np.lexsort((other, -sums.total, own))
    first = np.flatnonzero(np.diff(own[order], prepend=-1))
    best = order[first]
    best = best[sums.total[best] >= whole[own[best]] * (params.main_ppm / 1e6)]
    found = np.full(n, -1)
    found[own[best]] = other[best]
    return found


def _partners(world: World, params: LinkParams, sums: Sums, whole: tuple[Ints, ...]) -> Found:
    supplier, customer = (_main(sums, whole[side], params, side, world.n) for side in (0, 1))
    party = np.flatnonzero((supplier >= 0) & (customer >= 0) & (supplier != customer))
    shares = shared(supplier[party] * world.n + customer[party], party, world.house, cap=params.caps["partners"])
    kept = world.undisclosed(shares.a, shares.b)
    a, b, key, degree = (column[kept] for column in shares[:4])
    items: list[pa.Array] = [world.names.texts(key // world.n), world.names.texts(key % world.n)]
    return Found("common_partners", a, b, weight(degree), items)
