"""Borrowing from many lenders within weeks, before any of them hears of the others (多头借贷).

A loan does not say whose money it is, so each counts as a lender of its own; who draws one loan in parts has one loan with several
pay-outs. Money lent against papers is repaid by them and does not count. Borrowers with two loans only are left to ``loans_passed_on``:
one honest borrower in twenty has two within two weeks.

Look-alikes that are no hit: a firm that grows and borrows every few months; a loan that is drawn in parts.

References
----------
.. [1] 《流动资金贷款管理办法》 (国家金融监督管理总局令 2024 年第 2 号): the need is reckoned with all that is borrowed.
.. [2] 《银行业金融机构联合授信管理办法（试行）》 (银保监发〔2018〕24 号): lenders of firms with three of them or more tell one another.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.algorithms.interning import Interner
from kg.algorithms.windows import crowded
from kg.reason import MANY_LENDERS
from kg.rule import Need, Rule, Tables, conform, listed, parameter, refuse_outside

_DAY = 86_400_000_000
REQUIRES = (
    Need("BORROWED", ("id", "src", "dst", "amount_fen", "at")),
    Need("PAID_OUT_TO", ("id", "src", "amount_fen", "at")),
)


@dataclass(frozen=True)
class ManyLendersParameters:
    """How many, and how soon one after the other."""

    min_lenders: int = parameter(3, "lenders", "two loans in a month are not rare; the rule on joint lending begins with three")
    window_days: int = parameter(30, "days of 24 hours, inclusive", "lenders report loans by the month: within it none knows of the others")

    def __post_init__(self) -> None:
        refuse_outside("min_lenders", self.min_lenders, 2, 1_000)
        refuse_outside("window_days", self.window_days, 0, 366)


def find_many_lenders(tables: Tables, parameters: ManyLendersParameters) -> pa.Table:
    """Find borrowers who took at least ``min_lenders`` loans within ``window_days``.

    A loan counts on the day on which it was applied for or granted, or else paid out first; without either it is left out, as is an amount
    that is not above 0, where it is stated.

    Parameters
    ----------
    tables
        The tables of `REQUIRES`, rows that hold today.

    Returns
    -------
    Table of the columns `kg.rule.FOUND`, one row for each such borrower.
        ``root``: ``lenders:`` and the borrower; ``evidence``: the borrowings of all such times, the earliest first;
        ``amount_fen``: their sum, null where none is stated; ``at``: the last of them.
    """
    taken = _taken(conform(REQUIRES, tables))
    _, (borrower, loan) = Interner.encode(taken["src"], taken["dst"])
    at = taken["at"].cast(pa.int64()).to_numpy()
    marked = crowded(borrower, loan, at, window=parameters.window_days * _DAY, least=parameters.min_lenders)
    rows = np.flatnonzero(marked)
    kept = taken.take(pa.array(rows)).append_column("finding", pa.array(borrower[rows]))
    sums = kept.group_by(["finding", "src"]).aggregate([("amount_fen", "sum"), ("at", "max")])
    found = sums.rename_columns({"src": "entity_id", "amount_fen_sum": "amount_fen", "at_max": "at"})
    found = found.append_column("root", pc.binary_join_element_wise("lenders:", found["entity_id"], ""))
    return listed(found, pa.table({"finding": borrower[rows], "position": at[rows], "id": kept["id"]}))


def _taken(given: dict[str, pa.Table]) -> pa.Table:
    """Return ``id, src, dst, amount_fen, at`` of each borrowing whose time is known."""
    first = given["PAID_OUT_TO"].group_by("src").aggregate([("at", "min"), ("amount_fen", "sum")])
    first = first.rename_columns({"src": "dst", "at_min": "out_at", "amount_fen_sum": "out_fen"})
    loans = given["BORROWED"].join(first, "dst", join_type="left outer")
    amount, at = (pc.coalesce(loans[name], loans[other]) for name, other in (("amount_fen", "out_fen"), ("at", "out_at")))
    rows = pa.table({"id": loans["id"], "src": loans["src"], "dst": loans["dst"], "amount_fen": amount, "at": at})
    return rows.filter(pc.and_(pc.fill_null(pc.greater(amount, 0), True), at.is_valid()))


RULE = Rule(
    name="many_lenders",
    version="1",
    about="A party borrows from three lenders or more within a month.",
    reason=MANY_LENDERS,
    severity="medium",
    action="refer",
    parameters=ManyLendersParameters(),
    requires=REQUIRES,
    find=find_many_lenders,
)
