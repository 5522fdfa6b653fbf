"""Links by loan money: it ends, or comes by, with somebody who neither sells to the borrower nor stands in its register."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from kg.algorithms.kernel import Ints
from kg.algorithms.proceeds import Bounds, Payments, Reached, follow, payments
from kg.algorithms.sharing import Floats, among, distinct, joined, unique_pairs, weight
from kg.derivations.linked.evidence import Bools, Names, World
from kg.derivations.linked.found import Found
from kg.derivations.linked.kinds import LinkParams

_DAY = 86_400 * 1_000_000
#: A payment of loan money is followed while it carries so much of the loan.
_LEAST_PPM = 30_000
#: What is left of the strength for each payment on the way beyond the first, and where a company gets the money, which may have sold
#: something without an invoice; a person who has neither wages nor a stake has not.
_EACH_HOP, _COMPANY = 0.95, 0.6
_NEEDED = ("borrowed", "paid_out", "transfers", "owns_account")


class _Accounts(NamedTuple):
    """Accounts by number: of pay-outs, payers and payees; owned ones with the row of who owns them; how many there are."""

    start: Ints
    payer: Ints
    payee: Ints
    owned: Ints
    n: int


class _Ends(NamedTuple):
    """Where loan money came by: row of what was reached, the borrower, the party, the part of the loan."""

    row: Ints
    borrower: Ints
    party: Ints
    share: Floats

    def take(self, kept: Bools) -> _Ends:
        """Return some of them."""
        return _Ends(self.row[kept], self.borrower[kept], self.party[kept], self.share[kept])


def by_loans(world: World, params: LinkParams) -> Iterator[Found]:
    """Yield borrowers with those whom their loans' money reached."""
    graph = world.graph
    if any(getattr(graph, name) is None for name in _NEEDED):
        return
    out, moved = graph.paid_out, graph.transfers
    assert out is not None and moved is not None  # noqa: S101, PT018 - asked above
    accounts = _accounts(world)
    bounds = Bounds(params.proceeds_days * _DAY, params.proceeds_hops, _LEAST_PPM)
    reached = follow(_flow(world, accounts), accounts.start, _micros(out), out["amount_fen"].to_numpy(), bounds)
    ends = _ends(world, accounts, reached)
    ends = ends.take((ends.share >= params.proceeds_ppm / 1e6) & world.undisclosed(ends.borrower, ends.party))
    degree = _borrowers(world, ends)
    few = degree <= params.caps["proceeds"]
    ends, degree = ends.take(few), degree[few]
    part = ends.share * np.where(world.person[ends.party], 1.0, _COMPANY) * _EACH_HOP ** (reached.hops[ends.row] - 1) * weight(degree)
    loans = _flat(out["src"].take(pa.array(reached.loan[ends.row])))
    last = _flat(moved["id"].take(pa.array(reached.row[ends.row]))) if "id" in moved.column_names else pa.nulls(part.size, pa.string())
    yield Found("loan_proceeds", ends.borrower, ends.party, part, [loans, last])


def _accounts(world: World) -> _Accounts:
    graph = world.graph
    out, moved, owned = graph.paid_out, graph.transfers, graph.owns_account
    assert out is not None and moved is not None and owned is not None  # noqa: S101, PT018 - asked by the caller
    names, (start, payer, payee, mine) = Names.of([out["dst"], moved["src"], moved["dst"], owned["dst"]])
    return _Accounts(start, payer, payee, mine, len(names.ids))


def _flow(world: World, accounts: _Accounts) -> Payments:
    """Return the payments that may carry loan money on: not those to who sells to the payer by invoice, nor to hubs."""
    moved = world.graph.transfers
    assert moved is not None  # noqa: S101 - asked by the caller
    owner = np.full(accounts.n, -1)
    mine = world.ends("owns_account", "src")[0]
    order = np.argsort(-mine, kind="stable")  # of a joint account the first owner by id
    owner[accounts.owned[order]] = mine[order]
    payer, payee = owner[accounts.payer], owner[accounts.payee]
    seller, buyer = world.ends("invoiced")
    sold = distinct(seller * world.n + buyer)
    known = (payer >= 0) & (payee >= 0)
    free = ~known
    free[known] = ~among(payee[known] * world.n + payer[known], sold) & ~world.hub[payee[known]]
    kept = np.flatnonzero(free)
    tie = Names.of([moved["id"]])[1][0] if "id" in moved.column_names else np.arange(moved.num_rows)
    ends = accounts.payer[kept], accounts.payee[kept]
    found = payments(ends, _micros(moved)[kept], moved["amount_fen"].to_numpy()[kept], tie[kept], accounts.n)
    return found._replace(row=kept[found.row])


def _ends(world: World, accounts: _Accounts, reached: Reached) -> _Ends:
    """Return the parties behind the accounts and the borrowers behind the loans."""
    out, borrowed = world.graph.paid_out, world.graph.borrowed
    assert out is not None and borrowed is not None  # noqa: S101, PT018 - asked by the caller
    _, (loan, taken) = Names.of([out["src"], borrowed["dst"]])
    row, owned = joined(reached.account, accounts.owned)
    party = world.ends("owns_account", "src")[0][owned]
    of, borrow = joined(loan[reached.loan[row]], taken)
    row, party = row[of], party[of]
    fen = out["amount_fen"].to_numpy()[reached.loan[row]]
    return _Ends(row, world.ends("borrowed", "src")[0][borrow], party, np.minimum(reached.fen[row] / np.maximum(fen, 1), 1.0))


def _flat(column: pa.ChunkedArray) -> pa.Array:
    return column.cast(pa.string()).combine_chunks()


def _micros(table: pa.Table) -> Ints:
    kind = table["at"].type
    at = table["at"] if pa.types.is_integer(kind) else table["at"].cast(pa.timestamp("us", kind.tz)).cast(pa.int64())
    return np.asarray(at.to_numpy(), np.int64)


def _borrowers(world: World, ends: _Ends) -> Ints:
    """Return of how many houses loan money came to each party."""
    to, _ = unique_pairs(ends.party, world.house[ends.borrower])
    found: Ints = np.bincount(to, minlength=world.n)[ends.party]
    return found
