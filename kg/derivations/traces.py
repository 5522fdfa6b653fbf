"""Four questions about one account, person or loan, after the complex reads 4, 5, 8 and 11 of the LDBC Financial Benchmark.

Windows hold both of their ends, and no step is cut short (no truncation). Where the specification says two things, the one that its
results describe counts: in read 4 ``edge2`` leads from the other account to the first.

References
----------
.. [1] LDBC Financial Benchmark, specification of the transaction workload, complex reads 4, 5, 8, 11.
"""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from kg.errors import UsageError
from kg.tables import refuse_missing

Window = tuple[datetime, datetime]
_STEPS = 3
_WIDE = pa.decimal128(19)


def _within(name: str, table: pa.Table, columns: tuple[str, ...], window: Window) -> pa.Table:
    """Return the columns of the rows within a window."""
    if window[0] > window[1]:
        raise UsageError(f"a window begins at {window[0]} and ends at {window[1]}; turn it round")
    refuse_missing(name, table, (*columns, "at"))
    first, last = (pa.scalar(end, table["at"].type) for end in window)
    return table.filter(pc.and_(pc.greater_equal(table["at"], first), pc.less_equal(table["at"], last))).select([*columns, "at"])


def triangles(transfers: pa.Table, source: str | int, target: str | int, window: Window) -> pa.Table:
    """Return the third accounts of triangles: ``source`` paid ``target``, that paid them, and they paid ``source`` (read 4).

    Parameters
    ----------
    transfers
        ``payer, payee, amount_fen, at``.
    window
        First and last moment.

    Returns
    -------
    Table
        ``other, num_edge2, sum_edge2_fen, max_edge2_fen, num_edge3, sum_edge3_fen, max_edge3_fen``: edge2 leads from the other account
        to the source, edge3 from the target to it; the largest sums first, edge2 before edge3, then by id.

    Raises
    ------
    UsageError
        If a column is missing or the window is turned round.

    Examples
    --------
    >>> day = datetime(2024, 1, 1)
    >>> rows = {"payer": ["a", "b", "c"], "payee": ["b", "c", "a"], "amount_fen": [9, 8, 7], "at": [day] * 3}
    >>> triangles(pa.table(rows), "a", "b", (day, day)).to_pylist()[0]["other"]
    'c'
    """
    rows = _within("transfers", transfers, ("payer", "payee", "amount_fen"), window)
    payer, payee = rows["payer"], rows["payee"]
    first = pc.any(pc.and_(pc.equal(payer, source), pc.equal(payee, target))).as_py()
    home = rows.filter(pc.and_(pc.equal(payee, source), first or False)).rename_columns({"payer": "other"})
    out = rows.filter(pc.equal(payer, target)).rename_columns({"payee": "other"})
    sides = []
    for name, side in (("edge2", home), ("edge3", out)):
        sums = side.group_by("other").aggregate([("amount_fen", "count"), ("amount_fen", "sum"), ("amount_fen", "max")])
        sides.append(sums.rename_columns(["other", f"num_{name}", f"sum_{name}_fen", f"max_{name}_fen"]))
    both = sides[0].join(sides[1], "other", join_type="inner")
    both = both.filter(pc.and_(pc.not_equal(both["other"], source), pc.not_equal(both["other"], target)))
    return both.sort_by([("sum_edge2_fen", "descending"), ("sum_edge3_fen", "descending"), ("other", "ascending")])


def traces(transfers: pa.Table, owners: pa.Table, owner: str | int, window: Window) -> pa.Table:
    """Return the ways of money from an owner's accounts, in at most three steps, each later than the one before (read 5).

    Parameters
    ----------
    transfers
        ``payer, payee, at``.
    owners
        ``owner, account``.

    Returns
    -------
    Table
        ``path`` (a list of accounts, none twice), each once, the longest first, then by its accounts.

    Raises
    ------
    UsageError
        If a column is missing or the window is turned round.

    Examples
    --------
    >>> days = [datetime(2024, 1, day) for day in (1, 2)]
    >>> rows = pa.table({"payer": ["a", "b"], "payee": ["b", "c"], "at": days})
    >>> traces(rows, pa.table({"owner": ["p"], "account": ["a"]}), "p", (days[0], days[1]))["path"].to_pylist()
    [['a', 'b', 'c'], ['a', 'b']]
    """
    refuse_missing("owners", owners, ("owner", "account"))
    rows = _within("transfers", transfers, ("payer", "payee"), window).group_by(["payer", "payee", "at"]).aggregate([])
    ways = pa.table({"n0": owners.filter(pc.equal(owners["owner"], owner))["account"]}).group_by("n0").aggregate([])
    paths, names = [], ["n0"]
    for step in range(1, _STEPS + 1):
        ways = ways.join(rows.rename_columns([names[-1], f"n{step}", "later"]), names[-1], join_type="inner")
        fits = pc.greater(ways["later"], ways["at"]) if step > 1 else pc.is_valid(ways["later"])
        for name in names:
            fits = pc.and_(fits, pc.not_equal(ways[name], ways[f"n{step}"]))
        names.append(f"n{step}")
        # of one way the earliest arrival leads everywhere that a later one does
        ways = ways.filter(fits).group_by(names).aggregate([("later", "min")]).rename_columns([*names, "at"])
        paths.append(ways.sort_by([(name, "ascending") for name in names]).select(names))
    return pa.table({"path": pa.chunked_array([_lists(table) for table in reversed(paths)])})


def _lists(table: pa.Table) -> pa.Array:
    """Return the rows of a table as lists."""
    width = table.num_columns
    flat = pa.concat_arrays([column.combine_chunks() for column in table.columns])
    place = [column * table.num_rows + row for row in range(table.num_rows) for column in range(width)]
    return pa.ListArray.from_arrays(pa.array(range(0, len(place) + 1, width), pa.int32()), flat.take(pa.array(place, pa.int64())))


def loan_flow(
    deposits: pa.Table,
    transfers: pa.Table,
    withdrawals: pa.Table,
    loans: pa.Table,
    *,
    loan: str | int,
    window: Window,
    threshold_ppm: int,
) -> pa.Table:
    """Return the accounts downstream of a loan, in at most three steps from the accounts into which it was paid (read 8).

    A transfer or withdrawal is followed where it is more than ``threshold_ppm`` of its upstream: all that came into its payer by
    transfers in the window, and by the loan.

    Parameters
    ----------
    deposits
        ``loan, account, amount_fen, at``.
    transfers, withdrawals
        ``payer, payee, amount_fen, at``.
    loans
        ``loan, amount_fen``.

    Returns
    -------
    Table
        ``account, ratio_permille, distance``: what came to the account by what was followed, in thousandths of the loan (rounded, half up);
        the fewest steps from the loan, 2 to 4. The furthest first, then the greatest ratio, then by id.

    Raises
    ------
    UsageError
        If a column is missing, the loan is unknown, or the window or the threshold makes no sense.

    Examples
    --------
    >>> day = datetime(2024, 1, 1)
    >>> paid = pa.table({"loan": ["l"], "account": ["a"], "amount_fen": [100], "at": [day]})
    >>> moved = pa.table({"payer": ["a"], "payee": ["b"], "amount_fen": [60], "at": [day]})
    >>> loans = pa.table({"loan": ["l"], "amount_fen": [100]})
    >>> loan_flow(paid, moved, moved.slice(1), loans, loan="l", window=(day, day), threshold_ppm=500_000).to_pylist()
    [{'account': 'b', 'ratio_permille': 600, 'distance': 2}]
    """
    if threshold_ppm < 0:
        raise UsageError(f"threshold_ppm is {threshold_ppm}; a part of what came in is 0 or more")
    columns = ("payer", "payee", "amount_fen")
    moved = _within("transfers", transfers, columns, window)
    edges = pa.concat_tables([moved, _within("withdrawals", withdrawals, columns, window)])
    paid = _within("deposits", deposits, ("loan", "account", "amount_fen"), window)
    paid = paid.filter(pc.equal(paid["loan"], loan))
    lent = loans.filter(pc.equal(loans["loan"], loan))["amount_fen"]
    if not len(lent):
        raise UsageError(f"no loan is called {loan}")
    came = pa.concat_tables([_renamed(moved, "payee"), _renamed(paid, "account")]).group_by("payer").aggregate([("amount_fen", "sum")])
    edges = edges.join(came, "payer", join_type="left outer")
    # as decimals, which hold the products of any amounts
    amount, upstream = (pc.fill_null(edges[name], 0).cast(_WIDE) for name in ("amount_fen", "amount_fen_sum"))
    whole, part = (pa.scalar(number, pa.decimal128(10)) for number in (1_000_000, threshold_ppm))
    followed = edges.filter(pc.greater(pc.multiply(amount, whole), pc.multiply(upstream, part)))
    return _downstream(followed, paid["account"], lent[0].as_py())


def _renamed(table: pa.Table, into: str) -> pa.Table:
    return table.select([into, "amount_fen"]).rename_columns(["payer", "amount_fen"])


def _downstream(edges: pa.Table, begin: pa.ChunkedArray, lent: int) -> pa.Table:
    """Follow edges from some accounts; those that begin from an account at the last step are not followed."""
    front, reached, taken = begin.unique(), begin.unique(), []
    distances = []
    for step in range(1, _STEPS + 1):
        of_front = edges.filter(pc.is_in(edges["payer"], value_set=front))
        taken.append(of_front)
        ends = of_front["payee"].unique()
        front = ends.filter(pc.invert(pc.is_in(ends, value_set=reached)))
        reached = pa.concat_arrays([reached, front])
        distances.append(pa.table({"account": front, "distance": pa.array([step + 1] * len(front), pa.int64())}))
    sums = pa.concat_tables(taken).group_by("payee").aggregate([("amount_fen", "sum")]).rename_columns(["account", "fen"])
    found = pa.concat_tables(distances).join(sums, "account", join_type="inner")
    permille = pc.floor(pc.divide(pc.add(pc.multiply(found["fen"], 2_000), lent), 2 * lent)).cast(pa.int64())
    found = pa.table({"account": found["account"], "ratio_permille": permille, "distance": found["distance"]})
    return found.sort_by([("distance", "descending"), ("ratio_permille", "descending"), ("account", "ascending")])


def guaranteed_loans(guarantees: pa.Table, borrowed: pa.Table, loans: pa.Table, person: str | int, window: Window) -> tuple[int, int]:
    """Return the sum of the loans of all whom a person guarantees, directly or along a chain, and their number (read 11).

    Parameters
    ----------
    guarantees
        ``guarantor, guaranteed, at``.
    borrowed
        ``borrower, loan``.
    loans
        ``loan, amount_fen``.

    Raises
    ------
    UsageError
        If a column is missing or the window is turned round.

    Examples
    --------
    >>> day = datetime(2024, 1, 1)
    >>> chain = pa.table({"guarantor": ["p", "q"], "guaranteed": ["q", "r"], "at": [day] * 2})
    >>> loans = pa.table({"loan": ["l", "m"], "amount_fen": [5, 7]})
    >>> guaranteed_loans(chain, pa.table({"borrower": ["q", "r"], "loan": ["l", "m"]}), loans, "p", (day, day))
    (12, 2)
    """
    refuse_missing("borrowed", borrowed, ("borrower", "loan"))
    refuse_missing("loans", loans, ("loan", "amount_fen"))
    rows = _within("guarantees", guarantees, ("guarantor", "guaranteed"), window)
    front = rows.filter(pc.equal(rows["guarantor"], person))["guaranteed"].unique()
    reached = front
    while len(front):
        ends = rows.filter(pc.is_in(rows["guarantor"], value_set=front))["guaranteed"].unique()
        front = ends.filter(pc.invert(pc.is_in(ends, value_set=reached)))
        reached = pa.concat_arrays([reached, front])
    theirs = borrowed.filter(pc.is_in(borrowed["borrower"], value_set=reached))["loan"].unique()
    own = loans.filter(pc.is_in(loans["loan"], value_set=theirs))
    return pc.sum(own["amount_fen"]).as_py() or 0, own.num_rows
