"""Several loans within weeks, of each of which nearly all goes to one other party at once: the borrower needed none of them.

Look-alikes that are no hit: a firm that pays its suppliers out of loans, a part to each; one loan for one machine.

What cannot be had: two loans alone, of which a part stays beyond ``within_days`` or goes to others. Of 18 planted in generated cities of
half a year 16 are hit by this rule or by ``many_lenders``; the others have two loans.

References
----------
.. [1] 《流动资金贷款管理办法》 (国家金融监督管理总局令 2024 年第 2 号): working capital is lent for the borrower's own trade.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.algorithms.interning import Interner
from kg.algorithms.windows import crowded
from kg.payments.spending import COLUMNS, after_pay_outs, spent
from kg.payments.transfers import least_share
from kg.reason import LOANS_PASSED_ON
from kg.rule import FOUND, Need, Rule, Tables, conform, listed, parameter, refuse_outside

_DAY = 86_400_000_000
_PAID = 2
REQUIRES = (
    Need("PAID_OUT_TO", ("id", "src", "dst", "amount_fen", "at")),
    Need("BORROWED", ("id", "src", "dst")),
    Need("OWNS_ACCOUNT", ("id", "src", "dst")),
    Need("TRANSFERRED_TO", COLUMNS, narrow=after_pay_outs),
)


@dataclass(frozen=True)
class LoansPassedOnParameters:
    """How many loans, how much of each, how soon."""

    min_loans: int = parameter(2, "loans", "one may be for one machine; that a second goes whole to somebody else is no trade")
    window_days: int = parameter(14, "days of 24 hours between pay-outs, inclusive", "lenders hear of one another's loans by the month")
    within_days: int = parameter(10, "days of 24 hours after a pay-out, inclusive", "who wants the money for another does not wait")
    least_percent: int = parameter(88, "% of the pay-out, to one party in sum", "a tenth is kept for the first instalments")
    most_percent: int = parameter(100, "% of all pay-outs of those days", "who pays one party more than was lent pays for goods")

    def __post_init__(self) -> None:
        refuse_outside("min_loans", self.min_loans, 1, 1_000)
        refuse_outside("window_days", self.window_days, 0, 366)
        refuse_outside("within_days", self.within_days, 0, 366)
        refuse_outside("least_percent", self.least_percent, 1, 100)
        refuse_outside("most_percent", self.most_percent, self.least_percent, 1_000)


def find_loans_passed_on(tables: Tables, parameters: LoansPassedOnParameters) -> pa.Table:
    """Find borrowers who passed several loans on.

    A pay-out is *passed on* where the borrower's payments to one other party sum up to at least ``least_percent`` of it within
    ``within_days``, and to at most ``most_percent`` of all that was paid out to the borrower not more than ``within_days`` before or after
    it; of several that went to one party only as many count, the earliest first, as all payments to it cover. Told are borrowers with
    pay-outs of at least ``min_loans`` loans passed on, all of them within ``window_days``.

    Parameters
    ----------
    tables
        The tables of `REQUIRES`, rows that hold today.

    Returns
    -------
    Table of the columns `kg.rule.FOUND`, one row for each such borrower.
        ``root``: ``passed:`` and the borrower; ``evidence``: the borrowings, the pay-outs, the payments; ``amount_fen``: the sum of the
        payments, for each pay-out to the one party who got most; ``at``: the last of them.
    """
    paid = spent(conform(REQUIRES, tables), parameters.within_days)
    if not paid.num_rows:
        return FOUND.empty_table()
    best = _covered(_passed(paid, parameters), paid, parameters)
    _, (borrower, loan) = Interner.encode(best["borrower"], best["loan"])
    at = best["out_at"].cast(pa.int64()).to_numpy()
    marked = np.flatnonzero(crowded(borrower, loan, at, window=parameters.window_days * _DAY, least=parameters.min_loans))
    best = best.take(pa.array(marked)).append_column("finding", pa.array(borrower[marked]))
    rows = paid.join(best.select(["payout", "borrower", "dst", "finding"]), ["payout", "borrower", "dst"], join_type="inner")
    once = rows.group_by(["finding", "borrower", "id", "amount_fen", "at"]).aggregate([])
    found = once.group_by(["finding", "borrower"]).aggregate([("amount_fen", "sum"), ("at", "max")])
    found = found.rename_columns({"borrower": "entity_id", "amount_fen_sum": "amount_fen", "at_max": "at"})
    found = found.append_column("root", pc.binary_join_element_wise("passed:", found["entity_id"], ""))
    evidence = [
        pa.table({"finding": rows["finding"], "position": np.full(rows.num_rows, place), "id": rows[name]})
        for place, name in ((0, "borrowed"), (1, "payout"), (_PAID, "id"))
    ]
    return listed(found, pa.concat_tables(evidence))


def _passed(paid: pa.Table, parameters: LoansPassedOnParameters) -> pa.Table:
    """Return ``payout, loan, borrower, out_at, dst, amount_fen`` of the pay-outs passed on, each to the party who got most."""
    lent = paid.group_by(["payout", "borrower", "out_fen", "out_at"]).aggregate([])
    both = lent.join(lent.select(["borrower", "out_fen", "out_at"]).rename_columns(["borrower", "fen", "other"]), "borrower")
    apart = pc.abs(pc.subtract(both["out_at"].cast(pa.int64()), both["other"].cast(pa.int64())))
    near = both.filter(pc.less_equal(apart, parameters.within_days * _DAY)).group_by(["payout", "borrower"]).aggregate([("fen", "sum")])
    keys = ["payout", "loan", "borrower", "out_fen", "out_at", "dst"]
    sums = paid.group_by(keys).aggregate([("amount_fen", "sum")]).rename_columns({"amount_fen_sum": "amount_fen"})
    sums = sums.join(near, ["payout", "borrower"])
    least = least_share(sums["out_fen"].to_numpy(), parameters.least_percent)
    most = sums["fen_sum"].to_numpy() * parameters.most_percent
    whole = pc.and_(pc.greater_equal(sums["amount_fen"], pa.array(least)), pa.array(sums["amount_fen"].to_numpy() * 100 <= most))
    sums = sums.filter(pc.and_(whole, pc.not_equal(sums["dst"], sums["borrower"]))).drop_columns(["fen_sum"])
    sums = sums.sort_by([("payout", "ascending"), ("borrower", "ascending"), ("amount_fen", "descending"), ("dst", "ascending")])
    first = np.unique(pc.binary_join_element_wise(sums["payout"], sums["borrower"], "\n").to_numpy(zero_copy_only=False), return_index=True)
    return sums.take(pa.array(np.sort(first[1])))


def _covered(best: pa.Table, paid: pa.Table, parameters: LoansPassedOnParameters) -> pa.Table:
    """Leave out pay-outs for which the payments to their party do not suffice, since they were made for earlier ones."""
    once = paid.group_by(["borrower", "dst", "id", "amount_fen"]).aggregate([])
    sums = once.group_by(["borrower", "dst"]).aggregate([("amount_fen", "sum")])
    both = best.join(sums, ["borrower", "dst"])
    both = both.sort_by([(name, "ascending") for name in ("borrower", "dst", "out_at", "payout")])
    _, (borrower, party) = Interner.encode(both["borrower"], both["dst"])
    need = np.cumsum(least_share(both["out_fen"].to_numpy(), parameters.least_percent))
    begins = np.append(True, (borrower[1:] != borrower[:-1]) | (party[1:] != party[:-1]))[: len(need)]
    before = np.append(0, need)[np.flatnonzero(begins)][np.cumsum(begins) - 1] if len(need) else need
    return both.filter(pa.array(need - before <= both["amount_fen_sum"].to_numpy()))


RULE = Rule(
    name="loans_passed_on",
    version="1",
    about="Several loans within weeks are passed on nearly whole, each to one other party.",
    reason=LOANS_PASSED_ON,
    severity="high",
    action="refer",
    parameters=LoansPassedOnParameters(),
    requires=REQUIRES,
    find=find_loans_passed_on,
)
