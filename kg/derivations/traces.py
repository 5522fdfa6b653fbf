"""Four questions about one account, person or loan, after the complex reads 4, 5, 8 and 11 of the LDBC Financial Benchmark.

Windows hold both of their ends, to the microsecond, in whatever unit a table keeps its times (a timestamp, a date, or a number where the
window is given in numbers); a moment without a time zone is one of UTC, and a date is its midnight. Ids are strings or whole numbers, alike
wherever they name the same kind of thing; amounts are whole fen below 2^62. A null in a column that is read is refused. No step is cut
short (no truncation). Where the specification says two things, the one that its results describe counts: in read 4 ``edge2`` leads from
the other account to the first.

References
----------
.. [1] LDBC Financial Benchmark, specification of the transaction workload, complex reads 4, 5, 8, 11.
"""

from __future__ import annotations

from numbers import Integral

import pyarrow as pa
import pyarrow.compute as pc

from kg.derivations.happened import MOST, Window, checked, summed, total, within
from kg.errors import UsageError
from kg.tables import alike_ids, refuse_repeated

_STEPS = 3
_WIDE = pa.decimal128(19)
_MONEY = ("payer", "payee", "amount_fen", "at")
#: Where ids of accounts stand.
_ACCOUNTS = ("payer", "payee", "account")


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
        If a column is missing, a row is wrong, ids are not alike, the window makes no sense, or 64 bits do not hold a sum.

    Examples
    --------
    >>> from datetime import datetime
    >>> day = datetime(2024, 1, 1)
    >>> rows = {"payer": ["a", "b", "c"], "payee": ["b", "c", "a"], "amount_fen": [9, 8, 7], "at": [day] * 3}
    >>> triangles(pa.table(rows), "a", "b", (day, day)).to_pylist()[0]["other"]
    'c'
    """
    given = alike_ids({"transfers": checked("transfers", transfers, _MONEY)}, _ACCOUNTS, source=source, target=target)
    rows = within("transfers", given["transfers"], window)
    payer, payee = rows["payer"], rows["payee"]
    first = pc.any(pc.and_(pc.equal(payer, source), pc.equal(payee, target))).as_py()
    home = rows.filter(pc.and_(pc.equal(payee, source), first or False)).rename_columns({"payer": "other"})
    out = rows.filter(pc.equal(payer, target)).rename_columns({"payee": "other"})
    sides = []
    for name, side in (("edge2", home), ("edge3", out)):
        names = ["other", f"num_{name}", f"sum_{name}_fen", f"max_{name}_fen"]
        sides.append(summed("transfers between two accounts", side, "other").rename_columns(names))
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
    window
        First and last moment.

    Returns
    -------
    Table
        ``path`` (a list of accounts, none twice), each once, the longest first, then by its accounts.

    Raises
    ------
    UsageError
        If a column is missing, a row is wrong, ids are not alike, or the window makes no sense.

    Examples
    --------
    >>> from datetime import datetime
    >>> days = [datetime(2024, 1, day) for day in (1, 2)]
    >>> rows = pa.table({"payer": ["a", "b"], "payee": ["b", "c"], "at": days})
    >>> traces(rows, pa.table({"owner": ["p"], "account": ["a"]}), "p", (days[0], days[1]))["path"].to_pylist()
    [['a', 'b', 'c'], ['a', 'b']]
    """
    given = {
        "owners": checked("owners", owners, ("owner", "account")),
        "transfers": checked("transfers", transfers, ("payer", "payee", "at")),
    }
    given = alike_ids(alike_ids(given, ("owner",), owner=owner), _ACCOUNTS)
    rows = within("transfers", given["transfers"], window).group_by(["payer", "payee", "at"]).aggregate([])
    ways = given["owners"].filter(pc.equal(given["owners"]["owner"], owner)).select(["account"]).rename_columns(["n0"])
    ways = ways.group_by("n0").aggregate([])
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
        ``loan, amount_fen``, each loan once.
    window
        First and last moment.
    threshold_ppm
        A whole number, from 0 to below 10^10; more than a million is more than all that came in.

    Returns
    -------
    Table
        ``account, ratio_permille, distance``: what came to the account by what was followed, in thousandths of the loan (rounded, half up);
        the fewest steps from the loan, 2 to 4. The furthest first, then the greatest ratio, then by id.

    Raises
    ------
    UsageError
        If a column is missing, a row is wrong, ids are not alike, the loan is unknown or of 0 fen or less, ``loans`` has a loan twice, the
        window or the threshold makes no sense, or 64 bits do not hold a sum or a ratio.

    Examples
    --------
    >>> from datetime import datetime
    >>> day = datetime(2024, 1, 1)
    >>> paid = pa.table({"loan": ["l"], "account": ["a"], "amount_fen": [100], "at": [day]})
    >>> moved = pa.table({"payer": ["a"], "payee": ["b"], "amount_fen": [60], "at": [day]})
    >>> loans = pa.table({"loan": ["l"], "amount_fen": [100]})
    >>> loan_flow(paid, moved, moved.slice(1), loans, loan="l", window=(day, day), threshold_ppm=500_000).to_pylist()
    [{'account': 'b', 'ratio_permille': 600, 'distance': 2}]
    """
    _refuse_threshold(threshold_ppm)
    given = {"deposits": checked("deposits", deposits, ("loan", "account", "amount_fen", "at"))}
    given |= {"transfers": checked("transfers", transfers, _MONEY), "withdrawals": checked("withdrawals", withdrawals, _MONEY)}
    given["loans"] = checked("loans", loans, ("loan", "amount_fen"))
    given = alike_ids(alike_ids(given, ("loan",), loan=loan), _ACCOUNTS)
    lent = _lent(given["loans"], loan)
    moved, withdrawn, paid = (within(name, given[name], window) for name in ("transfers", "withdrawals", "deposits"))
    paid = paid.filter(pc.equal(paid["loan"], loan))
    edges = pa.concat_tables([moved, withdrawn])
    came = summed("transfers and deposits to one account", pa.concat_tables([_renamed(moved, "payee"), _renamed(paid, "account")]), "payer")
    edges = edges.join(came.select(["payer", "sum"]), "payer", join_type="left outer")
    # as decimals, which hold the products of any amounts
    amount, upstream = (pc.fill_null(edges[name], 0).cast(_WIDE) for name in ("amount_fen", "sum"))
    whole, part = (pa.scalar(number, pa.decimal128(10)) for number in (1_000_000, int(threshold_ppm)))
    followed = edges.filter(pc.greater(pc.multiply(amount, whole), pc.multiply(upstream, part)))
    return _downstream(followed, paid["account"], lent)


def _refuse_threshold(threshold_ppm: object) -> None:
    if not isinstance(threshold_ppm, Integral) or isinstance(threshold_ppm, bool) or not 0 <= int(threshold_ppm) < 10**10:
        raise UsageError(f"threshold_ppm is {threshold_ppm!r}; a part of what came in is a whole number of ppm, from 0 to below 10^10")


def _lent(loans: pa.Table, loan: str | int) -> int:
    """Return the amount of a loan of which parts can be told."""
    refuse_repeated("loans", loans, "loan")
    row = pc.index(loans["loan"], pa.scalar(loan, loans["loan"].type)).as_py()
    if row < 0:
        raise UsageError(f"no loan is called {loan}")
    lent: int = loans["amount_fen"][row].as_py()
    if lent <= 0:
        raise UsageError(f"loans row {row}: amount_fen is {lent}; the flow is told in thousandths of the loan, which must be more than 0")
    return lent


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
    sums = summed("transfers and withdrawals to one account", pa.concat_tables(taken), "payee").rename_columns({"payee": "account"})
    found = pa.concat_tables(distances).join(sums, "account", join_type="inner")
    # in Python, whose products do not end at 64 bits
    permille = [(2_000 * fen + lent) // (2 * lent) for fen in found["sum"].to_pylist()]
    if abs(most := max(permille, key=abs, default=0)) > MOST:
        raise UsageError(f"{most} thousandths of the loan came to one account; check the unit of amount_fen in loans ({lent})")
    found = pa.table({"account": found["account"], "ratio_permille": pa.array(permille, pa.int64()), "distance": found["distance"]})
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
        ``loan, amount_fen``, each loan once. A loan that is borrowed and not listed here is left out, of the sum and of the number.
    window
        First and last moment.

    Raises
    ------
    UsageError
        If a column is missing, a row is wrong, ``loans`` has a loan twice, ids are not alike, the window makes no sense, or 64 bits do not
        hold the sum.

    Examples
    --------
    >>> from datetime import datetime
    >>> day = datetime(2024, 1, 1)
    >>> chain = pa.table({"guarantor": ["p", "q"], "guaranteed": ["q", "r"], "at": [day] * 2})
    >>> loans = pa.table({"loan": ["l", "m"], "amount_fen": [5, 7]})
    >>> guaranteed_loans(chain, pa.table({"borrower": ["q", "r"], "loan": ["l", "m"]}), loans, "p", (day, day))
    (12, 2)
    """
    given = {"guarantees": checked("guarantees", guarantees, ("guarantor", "guaranteed", "at"))}
    given |= {"borrowed": checked("borrowed", borrowed, ("borrower", "loan")), "loans": checked("loans", loans, ("loan", "amount_fen"))}
    given = alike_ids(alike_ids(given, ("guarantor", "guaranteed", "borrower"), person=person), ("loan",))
    refuse_repeated("loans", given["loans"], "loan")
    rows, borrowed, loans = within("guarantees", given["guarantees"], window), given["borrowed"], given["loans"]
    front = rows.filter(pc.equal(rows["guarantor"], person))["guaranteed"].unique()
    reached = front
    while len(front):
        ends = rows.filter(pc.is_in(rows["guarantor"], value_set=front))["guaranteed"].unique()
        front = ends.filter(pc.invert(pc.is_in(ends, value_set=reached)))
        reached = pa.concat_arrays([reached, front])
    theirs = borrowed.filter(pc.is_in(borrowed["borrower"], value_set=reached))["loan"].unique()
    own = loans.filter(pc.is_in(loans["loan"], value_set=theirs))
    return total("loans of those whom one person guarantees", own["amount_fen"]), own.num_rows
