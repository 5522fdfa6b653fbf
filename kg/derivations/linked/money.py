"""Links by money: drawings of somebody outside the register, sums to and fro, loan money that ends elsewhere, who stands for whose debt."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from kg.algorithms.kernel import Ints
from kg.algorithms.proceeds import follow, payments
from kg.algorithms.sharing import Floats, Sums, among, joined, pair_sums, unique_pairs, weight
from kg.algorithms.simple_cycles import circles
from kg.derivations.linked.evidence import Bools, Names, World
from kg.derivations.linked.found import Found, leading
from kg.derivations.linked.kinds import LinkParams

_DAY = 86_400 * 1_000_000
#: Somebody paid in so many months, never more than so many times as much as in the least of them, is paid wages.
_WAGE_MONTHS, _WAGE_SPREAD = 3, 4
#: A payment of loan money is followed while it carries so much of the loan.
_LEAST_PPM = 30_000
#: Guarantees in longer circles are a trade's habit; of one component so many circles are looked at.
_LONGEST_CIRCLE, _MOST_CIRCLES = 6, 1_000
#: What is left of the strength where the money pays for goods, and for each payment on the way beyond the first.
_EACH_HOP = 0.95
_ONLY_OUT, _HEAD, _DEALS = 0.85, 0.5, 0.35
_COMPANY = 0.6


def by_money(world: World, params: LinkParams) -> Iterator[Found]:
    """Yield the pairs that money links."""
    if world.graph.paid is not None:
        src, dst = world.ends("paid")
        sums = pair_sums(src, dst, world.graph.paid["amount_fen"].to_numpy(), world.n)
        sums = sums.take(world.undisclosed(sums.src, sums.dst))
        yield _drawings(world, params, sums)
        yield _round_trips(world, params, sums)
    if all(getattr(world.graph, name) is not None for name in ("borrowed", "paid_out", "transfers", "owns_account")):
        yield _proceeds(world, params)
    if world.graph.guarantees is not None:
        yield from _guarantees(world, params)


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
    waged = np.unique(world.keys(sums.src[wage & one_person], sums.dst[wage & one_person]))
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
    dealt = np.unique(world.keys(*world.ends("paid")))
    row, place = joined(person, head)
    deals = np.unique(row[among(world.keys(company[row], of[place]), dealt)])
    found = np.where(among(person, np.unique(head)), _HEAD, 1.0)
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


def _proceeds(world: World, params: LinkParams) -> Found:
    """Return borrowers with those whom their loans' money reached."""
    graph = world.graph
    out, moved, owned, borrowed = (getattr(graph, name) for name in ("paid_out", "transfers", "owns_account", "borrowed"))
    accounts, (start, payer, payee, mine) = Names.of([out["dst"], moved["src"], moved["dst"], owned["dst"]])
    tie = Names.of([moved["id"]])[1][0] if "id" in moved.column_names else np.arange(moved.num_rows)
    own = np.full(len(accounts.ids), -1)
    own[mine] = world.ends("owns_account", "src")[0]
    kept_ = np.flatnonzero(_free(world, own[payer], own[payee]))
    flow = payments(payer[kept_], payee[kept_], _micros(moved)[kept_], moved["amount_fen"].to_numpy()[kept_], tie[kept_], len(accounts.ids))
    flow = flow._replace(row=kept_[flow.row])
    fen = out["amount_fen"].to_numpy()
    reached = follow(flow, start, _micros(out), fen, params.proceeds_days * _DAY, params.proceeds_hops, _LEAST_PPM)
    _, (loan, taken) = Names.of([out["src"], borrowed["dst"]])
    row, who = joined(reached.account, mine)
    party = world.ends("owns_account", "src")[0][who]
    row, party = row[:], party[:]
    of, borrow = joined(loan[reached.loan[row]], taken)
    row, party, borrower = row[of], party[of], world.ends("borrowed", "src")[0][borrow]
    share = np.minimum(reached.fen[row] / np.maximum(fen[reached.loan[row]], 1), 1.0)
    kept = (share >= params.proceeds_ppm / 1e6) & world.undisclosed(borrower, party)
    row, party, borrower, share = row[kept], party[kept], borrower[kept], share[kept]
    degree = _borrowers(party, borrower, world)
    few = degree <= params.caps["proceeds"]
    row, party, borrower, share, degree = row[few], party[few], borrower[few], share[few], degree[few]
    part = share * np.where(world.person[party], 1.0, _COMPANY) * _EACH_HOP ** (reached.hops[row] - 1) * weight(degree)
    loans, ids = out["src"].take(pa.array(reached.loan[row])).cast(pa.string()), pa.nulls(row.size, pa.string())
    if "id" in moved.column_names:
        ids = _flat(moved["id"].take(pa.array(reached.row[row])).cast(pa.string()))
    return Found("loan_proceeds", borrower, party, part, [_flat(loans), ids])


def _flat(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _micros(table: pa.Table) -> Ints:
    return np.asarray(table["at"].cast(pa.timestamp("us", table["at"].type.tz)).cast(pa.int64()).to_numpy(), np.int64)


def _borrowers(party: Ints, borrower: Ints, world: World) -> Ints:
    """Return of how many houses loan money came to each party."""
    to, _ = unique_pairs(party, world.house[borrower])
    found: Ints = np.bincount(to, minlength=world.n)[party]
    return found


def _free(world: World, payer: Ints, payee: Ints) -> Bools:
    """Tell which payments may carry loan money on: not those to who sells to the payer by invoice, nor to hubs."""
    seller, buyer = world.ends("invoiced")
    sold = np.unique(seller * world.n + buyer)
    known = (payer >= 0) & (payee >= 0)
    found = ~known
    found[known] = ~among(payee[known] * world.n + payer[known], sold) & ~world.hub[payee[known]]
    return found


def _guarantees(world: World, params: LinkParams) -> Iterator[Found]:
    table = world.graph.guarantees
    assert table is not None  # noqa: S101 - asked by the caller
    giver, taker = _sides(world)
    row = np.flatnonzero((taker >= 0) & (giver != taker))
    giver, taker = giver[row], taker[row]
    keys = giver * world.n + taker
    yield _circles(world, (giver, taker, row))
    a, b = unique_pairs(giver, taker)
    kept = world.undisclosed(a, b)
    a, b = a[kept], b[kept]
    to, _ = unique_pairs(a, world.house[b])
    degree = np.bincount(to, minlength=world.n)[a]
    few = degree <= params.caps["guarantor"]
    a, b, degree = a[few], b[few], degree[few]
    yield Found("guarantor", a, b, np.where(world.person[a], 1.0, _COMPANY) * weight(degree), [leading(table, keys, a * world.n + b, rows=row)])


def _sides(world: World) -> tuple[Ints, Ints]:
    """Return who guarantees whose debt; a loan's debt is its borrower's."""
    table, borrowed = world.graph.guarantees, world.graph.borrowed
    assert table is not None  # noqa: S101 - asked by the caller
    (giver,), taker = world.ends("guarantees", "src"), world.names.numbers(table["dst"])
    if borrowed is not None:
        _, (loan, taken) = Names.of([table["dst"], borrowed["dst"]])
        row, of = joined(loan, taken)
        taker = taker.copy()
        taker[row] = world.ends("borrowed", "src")[0][of]
    return giver, taker


def _circles(world: World, edges: tuple[Ints, Ints, Ints]) -> Found:
    """Return all pairs within circles of guarantees; the longer the circle, the less it says."""
    giver, taker, row = edges
    found = circles(giver, taker, world.n, max_length=_LONGEST_CIRCLE, max_circles=_MOST_CIRCLES)
    size = (found.nodes >= 0).sum(axis=1)
    parts = []
    for i in range(_LONGEST_CIRCLE):
        for j in range(i + 1, _LONGEST_CIRCLE):
            of = np.flatnonzero(size > j)
            parts.append((found.nodes[of, i], found.nodes[of, j], of))
    a, b, of = (np.concatenate(column) for column in zip(*parts, strict=True))
    kept: Bools = world.undisclosed(a, b)
    a, b, of = a[kept], b[kept], of[kept]
    keys, items = giver * world.n + taker, []
    for step in range(_LONGEST_CIRCLE):
        begin, end = found.nodes[of, step], found.nodes[of, (step + 1) % _LONGEST_CIRCLE]
        end = np.where((end < 0) | (step + 1 >= size[of]), found.nodes[of, 0], end)
        wanted = np.where(begin >= 0, begin * world.n + end, -1)
        items.append(leading(world.graph.guarantees, keys, wanted, rows=row))
    return Found("guarantee_circle", a, b, weight(size[of] - 1), items)
