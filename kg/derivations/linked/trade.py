"""Links by trade: half of what a company sells or buys with one other, and the main supplier and the main customer in common."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from kg.algorithms.kernel import Ints
from kg.algorithms.sharing import Sums, pair_sums, shared, weight
from kg.derivations.linked.evidence import World
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
        whole = np.bincount(sums.src, sums.total, world.n), np.bincount(sums.dst, sums.total, world.n)
        sums = sums.take(_between_companies(world, params, sums))
        keys = src * world.n + dst
        for side in (0, 1):
            share = sums.total / np.maximum(whole[side][sums[side]], 1.0)
            kept = (share >= params.dependence_ppm / 1e6) & (sums.rows >= _LEAST_ROWS) & world.undisclosed(sums.src, sums.dst)
            of = sums.take(kept)
            ids = leading(table, keys, of.src * world.n + of.dst, fen)
            yield Found("trade_dependence", of.src, of.dst, np.minimum(share[kept], 1.0), [ids])
        yield _partners(world, params, sums, whole)


def _between_companies(world: World, params: LinkParams, sums: Sums) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Tell which pairs are two companies of which neither deals with so many that it is a hub."""
    companies = ~world.person[sums.src] & ~world.person[sums.dst] & ~world.hub[sums.src] & ~world.hub[sums.dst]
    many = np.bincount(np.concatenate([sums.src[companies], sums.dst[companies]]), minlength=world.n) > params.caps["counterparty"]
    found: np.ndarray[tuple[int], np.dtype[np.bool_]] = companies & ~many[sums.src] & ~many[sums.dst]
    return found


def _main(sums: Sums, whole: np.ndarray[tuple[int], np.dtype[np.float64]], params: LinkParams, side: int, n: int) -> Ints:
    """Return the main partner of each party, -1 where nobody has so large a part."""
    own, other = (sums.src, sums.dst) if side == 0 else (sums.dst, sums.src)
    order = np.lexsort((other, -sums.total, own))
    first = np.flatnonzero(np.diff(own[order], prepend=-1))
    best = order[first]
    best = best[sums.total[best] >= whole[own[best]] * (params.main_ppm / 1e6)]
    found = np.full(n, -1)
    found[own[best]] = other[best]
    return found


def _partners(world: World, params: LinkParams, sums: Sums, whole: tuple[np.ndarray[tuple[int], np.dtype[np.float64]], ...]) -> Found:
    supplier, customer = (_main(sums, whole[side], params, side, world.n) for side in (0, 1))
    party = np.flatnonzero((supplier >= 0) & (customer >= 0) & (supplier != customer))
    shares = shared(supplier[party] * world.n + customer[party], party, world.house, cap=params.caps["partners"])
    kept = world.undisclosed(shares.a, shares.b)
    a, b, key, degree = (column[kept] for column in shares[:4])
    items: list[pa.Array] = [world.names.texts(key // world.n), world.names.texts(key % world.n)]
    return Found("common_partners", a, b, weight(degree), items)
