"""Links by payments: drawings of a person outside the register, and sums to and fro between companies."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.algorithms.kernel import Ints
from kg.algorithms.sharing import Floats, Sums, among, distinct, joined, pair_sums, unique_pairs, weight
from kg.derivations.linked.evidence import World
from kg.derivations.linked.found import Found, leading
from kg.derivations.linked.kinds import LinkParams

#: Somebody paid in so many months, never more than so many times as much as in the least of them, is paid wages.
_WAGE_MONTHS, _WAGE_SPREAD = 3, 4
#: What is left of the strength where the person only takes money out and brings none in; where it heads other companies, and where one of
#: these deals with this one, which then may pay it for that.
_ONLY_OUT, _HEAD, _DEALS = 0.85, 0.5, 0.35


def by_money(world: World, params: LinkParams) -> Iterator[Found]:
    """Yield the pairs that money links."""
    if world.graph.paid is not None:
        src, dst = world.ends("paid")
        sums = pair_sums(src, dst, world.graph.paid["amount_fen"].to_numpy(), world.n)
        sums = sums.take(world.undisclosed(sums.src, sums.dst))
        # in fewer months wages cannot be told from drawings
        if pc.count_distinct(world.graph.paid["month"]).as_py() >= _WAGE_MONTHS:
            yield _drawings(world, params, sums)
        yield _round_trips(world, params, sums)


def paid_ids(world: World, src: Ints, dst: Ints) -> pa.Array:
    """Return the id of the month in which most was paid from one party to the other."""
    table = world.graph.paid
    assert table is not None  # noqa: S101 - only asked where there are payments
    one, other = world.ends("paid")
    return leading(table, one * world.n + other, src * world.n + dst, table["amount_fen"].to_numpy())


def degrees(a: Ints, b: Ints, n: int) -> Ints:
    """Return for each pair how many pairs the busier one of the two stands in."""
    count = np.bincount(np.concatenate([a, b]), minlength=n)
    return np.maximum(count[a], count[b]) if a.size else np.empty(0, np.int64)


def _drawings(world: World, params: LinkParams, sums: Sums) -> Found:
    """Return companies with persons outside their registers to whom, or from whom, money goes now and then, as an owner's does."""
    wage = (sums.rows >= _WAGE_MONTHS) & (sums.most <= _WAGE_SPREAD * sums.least)
    one_person = world.person[sums.src] != world.person[sums.dst]
    # who gets wages from a company draws nothing from it
    waged = distinct(world.keys(sums.src[wage & one_person], sums.dst[wage & one_person]))
    kept = sums.take(one_person & ~among(world.keys(sums.src, sums.dst), waged))
    a, b = unique_pairs(np.minimum(kept.src, kept.dst), np.maximum(kept.src, kept.dst))
    degree = degrees(a, b, world.n)
    few = degree <= params.caps["drawings"]
    a, b, degree = a[few], b[few], degree[few]
    person, company = np.where(world.person[a], a, b), np.where(world.person[a], b, a)
    brought = among(person * world.n + company, kept.src * world.n + kept.dst)
    part = np.where(brought, 1.0, _ONLY_OUT * _business(world, person, company)) * weight(degree)
    return Found("drawings", a, b, part, [paid_ids(world, a, b), paid_ids(world, b, a)])


def _business(world: World, person: Ints, company: Ints) -> Floats:
    """Return what is left of the strength where the person heads other companies: less still where one of them deals with this one."""
    own = np.flatnonzero(~world.person & world.person[world.house])
    head, of = (np.concatenate(ends) for ends in zip((world.house[own], own), world.ends("represents"), strict=True))
    dealt = distinct(world.keys(*world.ends("paid")))
    row, place = joined(person, head)
    deals = distinct(row[among(world.keys(company[row], of[place]), dealt)])
    found = np.where(among(person, distinct(head)), _HEAD, 1.0)
    found[deals] = _DEALS
    return found


def _round_trips(world: World, params: LinkParams, sums: Sums) -> Found:
    """Return companies that pay one another about as much as they get."""
    of = sums.take(~world.person[sums.src] & ~world.person[sums.dst])
    key, turned = of.src * world.n + of.dst, of.dst * world.n + of.src
    forth = np.flatnonzero(among(turned, key) & (of.src < of.dst))
    back = np.searchsorted(key, turned[forth])
    small, large = np.minimum(of.total[forth], of.total[back]), np.maximum(of.total[forth], of.total[back])
    kept = small >= large * (params.balance_ppm / 1e6)
    a, b, balance = of.src[forth][kept], of.dst[forth][kept], (small / np.maximum(large, 1))[kept]
    degree = degrees(a, b, world.n)
    few = degree <= params.caps["round_trip"]
    a, b = a[few], b[few]
    return Found("round_trip", a, b, balance[few] * weight(degree[few] + 1), [paid_ids(world, a, b), paid_ids(world, b, a)])
