"""Transfers as rules follow them: the rows that count, as arrays over dense account numbers.

Knows which transfers are money that moved (yuan, an amount above 0, a time, two accounts); hides their ids and strings.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.algorithms.interning import Interner
from kg.algorithms.kernel import Ints
from kg.algorithms.temporal_paths import Flow, flow
from kg.engine import union
from kg.graph import Graph
from kg.ownership.register import clients

#: Before the name of an account of which nothing may be told.
_ELSEWHERE = "elsewhere:"


def usable(transfers: pa.Table, *, least: int = 1, first: int | None = None, last: int | None = None) -> Ints:
    """Return the rows of the transfers that can be followed.

    Left out are transfers to the own account, in a stated currency other than CNY, and without an amount or a time.

    Parameters
    ----------
    transfers
        ``src, dst, amount_fen, currency, at``.
    least
        The least amount in fen.
    first, last
        Microseconds between which the time must lie, both included; None where it may be any.

    Returns
    -------
    int64, shape (n,)

    Examples
    --------
    >>> from datetime import datetime
    >>> at = pa.array([datetime(2024, 1, 1)] * 3, pa.timestamp("us", "UTC"))
    >>> rows = {"src": ["a", "b", "a"], "dst": ["b", "b", "b"], "amount_fen": [5, 5, 5], "currency": [None, "CNY", "USD"], "at": at}
    >>> usable(pa.table(rows)).tolist()
    [0]
    """
    at, currency = transfers.column("at").cast(pa.int64()), transfers.column("currency")
    good = pc.and_(pc.fill_null(pc.equal(currency, "CNY"), True), _moved(transfers))
    good = pc.and_(good, pc.and_(pc.greater_equal(transfers.column("amount_fen"), max(least, 1)), at.is_valid()))
    if first is not None:
        good = pc.and_(good, pc.greater_equal(at, first))
    if last is not None:
        good = pc.and_(good, pc.less_equal(at, last))
    rows: Ints = np.flatnonzero(pc.fill_null(good, False).to_numpy())
    return rows


def as_flow(transfers: pa.Table, row: Ints) -> tuple[Flow, Interner]:
    """Return some rows of the transfers, none with a null, as a flow between accounts, and the accounts."""
    ends = [transfers.column(name).take(pa.array(row)) for name in ("src", "dst")]
    accounts, (payer, payee) = Interner.encode(*ends)
    del ends  # as large as the transfers themselves
    # a column with nulls would become one of floats, though no row of interest has any
    at, amount = (pc.fill_null(transfers.column(name).cast(pa.int64()), 0).to_numpy()[row] for name in ("at", "amount_fen"))
    return flow(payer, payee, at, amount, row=row, ids=transfers.column("id"), n_accounts=len(accounts)), accounts


def least_share(amount: Ints, percent: int) -> Ints:
    """Return the least whole amounts that are at least ``percent`` % of the amounts, without overflow.

    >>> least_share(np.array([10_000, 10_001, 1]), 80).tolist()
    [8000, 8001, 1]
    """
    whole, rest = amount // 100, amount % 100
    least: Ints = whole * percent - (-rest * percent) // 100
    return least


def around_clients(transfers: ir.Table, graph: Graph, _: object) -> ir.Table:
    """Return the transfers to and from accounts of the bank's clients, and to and from those who pay or are paid by these.

    An Ibis step, for `kg.rule.Need.scope`: a bank that sees many accounts and lends to few looks at what its clients have a part in.
    """
    near = _known_near(transfers, graph)
    return transfers.limit(0) if near is None else _touching(transfers, near)


def further(transfers: ir.Table, near: ir.Table, graph: Graph) -> ir.Table:
    """Return the transfers to and from all accounts on some transfers: those one payment further away.

    An Ibis step, but for the accounts, which are kept.
    """
    ends = graph.engine.keep(ibis.union(near.select(id="src"), near.select(id="dst"), distinct=True))
    return _touching(transfers, ends)


def seen_whole(parties: ir.Table, graph: Graph) -> ir.Table:
    """Leave out parties (``entity_id``) of whom `around_clients` leaves out transfers.

    An Ibis step, for `kg.rule.Need.judged`: those who are two payments away from the bank's clients were looked at in part.
    """
    near = _known_near(graph.edges("TRANSFERRED_TO"), graph)
    if near is None:
        return parties.limit(0)
    far = graph.edges("OWNS_ACCOUNT").anti_join(near.select(dst="id"), "dst").select(entity_id="src")
    return parties.anti_join(far, "entity_id")


def aside(transfers: ir.Table, whole: ir.Table) -> ir.Table:
    """Return the transfers to and from some accounts, the other ends under names by which nobody owns them.

    Of these others not all transfers are there, so nothing may be told of them.

    Parameters
    ----------
    whole
        ``account``, each once.
    """
    payers, payees = whole.select(src="account", _src="account"), whole.select(dst="account", _dst="account")
    joined = transfers.left_join(payers, "src").drop("src_right").left_join(payees, "dst").drop("dst_right")
    joined = joined.filter(joined["_src"].notnull() | joined["_dst"].notnull())
    src, dst = (joined[f"_{end}"].fill_null(_ELSEWHERE + joined[end]) for end in ("src", "dst"))
    return joined.mutate(src=src, dst=dst).drop("_src", "_dst")


def _known_near(transfers: ir.Table, graph: Graph) -> ir.Table | None:
    near: ir.Table | None = graph.once("accounts around clients", lambda: _near(transfers, graph))
    return near


def _near(transfers: ir.Table, graph: Graph) -> ir.Table | None:
    """Return the accounts of clients and of those whom transfers join to these: ``id``; None where clients have no account."""
    owners, known = graph.edges("OWNS_ACCOUNT"), clients(graph)
    own = graph.engine.keep(owners.semi_join(known.select(src="id"), "src").select(id="dst").distinct())
    if not graph.engine.count(own):
        return None
    near = _touching(transfers, own)
    return graph.engine.keep(ibis.union(near.select(id="src"), near.select(id="dst"), distinct=True))


def _touching(transfers: ir.Table, accounts: ir.Table) -> ir.Table:
    """Return the transfers of which one end at least is among the accounts."""
    payers, payees = accounts.select(src="id"), accounts.select(dst="id")
    return union([transfers.semi_join(payers, "src"), transfers.anti_join(payers, "src").semi_join(payees, "dst")])


def few_between(transfers: ir.Table, most: int, least: int) -> ir.Table:
    """Leave out transfers below an amount, and all between two accounts that have more than ``most`` of them: that is trade.

    An Ibis step, for `kg.rule.Need.narrow`; `few` does the same to Arrow data.
    """
    kept = transfers.filter((transfers.amount_fen >= least) & (transfers.src != transfers.dst))
    trade = kept.group_by("src", "dst").aggregate(_count=kept.count()).filter(ibis._._count > most)
    return kept.anti_join(trade, ["src", "dst"])


def few(transfers: pa.Table, most: int, least: int) -> pa.Table:
    """Leave out transfers below an amount, and all between two accounts that have more than ``most`` of them.

    >>> rows = pa.table({"src": ["a", "a", "b"], "dst": ["b", "b", "a"], "amount_fen": [5, 6, 7]})
    >>> few(rows, 1, 1).to_pylist()
    [{'src': 'b', 'dst': 'a', 'amount_fen': 7}]
    """
    kept = transfers.filter(pc.fill_null(pc.and_(pc.greater_equal(transfers["amount_fen"], least), _moved(transfers)), False))
    ends = ["src", "dst"]
    trade = kept.group_by(ends).aggregate([([], "count_all")]).filter(pc.greater(pc.field("count_all"), most))
    return kept.join(trade, ends, join_type="left anti")


def _moved(transfers: pa.Table) -> pa.ChunkedArray:
    return pc.not_equal(transfers.column("src"), transfers.column("dst"))


def to_owners(transfers: pa.Table, owners: pa.Table) -> pa.Table:
    """Return transfers whose ``src`` and ``dst`` are parties, where an account has one owner, and accounts else.

    >>> rows = pa.table({"src": ["a", "b"], "dst": ["b", "c"]})
    >>> owns = pa.table({"src": ["p", "q", "r"], "dst": ["a", "b", "b"]})
    >>> to_owners(rows, owns).to_pylist()
    [{'src': 'p', 'dst': 'b'}, {'src': 'b', 'dst': 'c'}]
    """
    once = owners.group_by("dst").aggregate([("src", "min"), ("src", "max")])
    once = once.filter(pc.equal(once["src_min"], once["src_max"]))
    account, owner = once["dst"].combine_chunks(), once["src_min"].combine_chunks()
    for place, end in enumerate(transfers.column_names):
        if end in ("src", "dst"):
            known = owner.take(pc.index_in(transfers[end], value_set=account).combine_chunks())
            transfers = transfers.set_column(place, end, pc.coalesce(known, transfers[end]))
    return transfers
