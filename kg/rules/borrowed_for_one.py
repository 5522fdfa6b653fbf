"""Several parties borrow within weeks, and most of each loan goes at once to the same one, who sold them nothing: loans in others' names.

So a group stays below the limit for one borrower, or somebody who gets no loan borrows by the hands of others. Look-alikes that are no
hit: customers of one supplier, who pay its invoices out of their loans; borrowers of whom no purchases are known are not judged. Nor are
those a hit to whom loans go at all times, or who sell to many: suppliers and agents of whose invoices the bank knows a part. So a hub that
covers what it gets by invoices is missed: who looked at such too would hit one honest company of thirty. Where invoices are known for half
a year alone, suppliers look like strangers four times as often as where they are known for three years.

What cannot be had: three or four who borrow over three months and more do what honest customers of one firm do. Of 40 groups planted in
large generated cities of three years 28 are hit, of the 8 that borrowed within a month 7.

References
----------
.. [1] 《流动资金贷款管理办法》 (国家金融监督管理总局令 2024 年第 2 号): the money is for the borrower's own trade, and its use is followed.
.. [2] 商业银行集团客户授信业务风险管理指引, 2010: parties whose loans serve one of them are one client.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.algorithms.interning import Interner
from kg.algorithms.sharing import unique_pairs
from kg.algorithms.windows import crowded
from kg.graph import Graph
from kg.payments import loan_money
from kg.payments.spending import COLUMNS, after_pay_outs, spent
from kg.payments.transfers import least_share
from kg.reason import BORROWED_FOR_ONE
from kg.rule import FOUND, Need, Rule, Tables, conform, listed, parameter, refuse_outside

_DAY = 86_400_000_000


def _to_borrowers(rows: ir.Table, graph: Graph, parameters: Any) -> ir.Table:  # noqa: ARG001 - all parameters leave the same rows out
    """Leave out what was invoiced to those who never borrowed."""
    borrowers = graph.edges("BORROWED").select(_borrower="src").distinct()
    return rows.semi_join(borrowers, rows.dst == borrowers["_borrower"])


REQUIRES = (
    Need("PAID_OUT_TO", ("id", "src", "dst", "amount_fen", "at")),
    Need("BORROWED", ("id", "src", "dst")),
    Need("OWNS_ACCOUNT", ("id", "src", "dst")),
    Need("INVOICED", ("id", "src", "dst"), narrow=_to_borrowers),
    Need("TRANSFERRED_TO", COLUMNS, narrow=after_pay_outs),
)


@dataclass(frozen=True)
class BorrowedForOneParameters:
    """How many borrow, within which time, and how much of each loan goes on."""

    min_parties: int = parameter(
        3, "parties who borrow, whoever gets the money among them", "two friends help one another; three are a plan"
    )
    window_days: int = parameter(
        60,
        "days of 24 hours between pay-outs, inclusive",
        "a group goes from lender to lender; in a year friends do it too",
    )
    within_days: int = parameter(10, "days of 24 hours after a pay-out, inclusive", "who wants the money for another does not wait")
    least_percent: int = parameter(50, "% of the pay-out, to one party in sum", "the greater part serves another")
    most_percent: int = parameter(100, "% of the pay-out", "who pays more than was lent pays out of trade")
    min_percent: int = parameter(
        60,
        "% of all who ever sent it most of a loan, within one such time",
        "a plan has an end; to a supplier or an agent loans go at all times",
    )
    max_customers: int = parameter(
        30, "borrowers whom it invoices", "who sells to more is a supplier, and not all of its invoices are known"
    )

    def __post_init__(self) -> None:
        refuse_outside("min_parties", self.min_parties, 2, 1_000)
        refuse_outside("window_days", self.window_days, 0, 366)
        refuse_outside("within_days", self.within_days, 0, 366)
        refuse_outside("least_percent", self.least_percent, 1, 100)
        refuse_outside("most_percent", self.most_percent, self.least_percent, 1_000)
        refuse_outside("min_percent", self.min_percent, 1, 100)
        refuse_outside("max_customers", self.max_customers, 0, 1_000_000_000)


def find_borrowed_for_one(tables: Tables, parameters: BorrowedForOneParameters) -> pa.Table:
    """Find parties for whom others borrow, and those others.

    A pay-out goes *to one* where the borrower's payments to one other party, a company or a person who never invoiced the borrower, sum up
    to ``least_percent`` to ``most_percent`` of it within ``within_days``. Told is a party to whom pay-outs of several borrowers went within
    ``window_days``, if they, and the party itself where it got a pay-out in that time too, are at least ``min_parties``, and at least
    ``min_percent`` of all whose pay-outs ever went to it so; and so are they. Who invoices more than ``max_customers`` borrowers is not
    told of.

    Parameters
    ----------
    tables
        The tables of `REQUIRES`, rows that hold today. Borrowers to whom nobody invoiced anything are left out.

    Returns
    -------
    Table of the columns `kg.rule.FOUND`, one row for the party and for each borrower.
        ``root``: ``one:`` and the party; ``evidence``: the borrowings, the pay-outs, the payments, all of them for the party, its own for
        a borrower; ``amount_fen``: the sum of these payments; ``at``: the last of them.
    """
    given = conform(REQUIRES, tables)
    paid = spent(given, parameters.within_days)
    if not paid.num_rows:
        return FOUND.empty_table()
    paid = _strangers(paid, given["INVOICED"], given["BORROWED"]["src"], parameters.max_customers)
    chosen = _together(_to_one(paid, parameters), _own(given), parameters)
    rows = paid.join(chosen, ["payout", "borrower", "dst"], join_type="inner")
    return _told(rows) if rows.num_rows else FOUND.empty_table()


def _strangers(paid: pa.Table, invoiced: pa.Table, borrowers: pa.ChunkedArray, most: int) -> pa.Table:
    """Return the payments of borrowers with known purchases to parties who never invoiced them, nor many others.

    Accounts of unknown owners are none.
    """
    party = pc.or_(pc.starts_with(paid["dst"], "company:"), pc.starts_with(paid["dst"], "person:"))
    buys = pc.is_in(paid["borrower"], value_set=pc.unique(invoiced["dst"]))
    paid = paid.filter(pc.and_(pc.and_(party, buys), pc.not_equal(paid["dst"], paid["borrower"])))
    known = pc.is_in(invoiced["dst"], value_set=pc.unique(borrowers))
    customers = invoiced.filter(known).group_by("src").aggregate([("dst", "count_distinct")])
    sellers = customers.filter(pc.greater(customers["dst_count_distinct"], most))["src"].combine_chunks()
    paid = paid.filter(pc.invert(pc.is_in(paid["dst"], value_set=sellers)))
    sold = invoiced.select(["src", "dst"]).rename_columns(["dst", "borrower"])
    return paid.join(sold, ["dst", "borrower"], join_type="left anti")


def _to_one(paid: pa.Table, parameters: BorrowedForOneParameters) -> pa.Table:
    """Return ``payout, borrower, dst, out_at`` of the pay-outs of which most went to one party."""
    keys = ["payout", "borrower", "out_fen", "out_at", "dst"]
    sums = paid.group_by([*keys, "id"]).aggregate([("amount_fen", "max")]).group_by(keys).aggregate([("amount_fen_max", "sum")])
    got, lent = sums["amount_fen_max_sum"].to_numpy(), sums["out_fen"].to_numpy()
    most = lent // 100 * parameters.most_percent + lent % 100 * parameters.most_percent // 100
    fits = (got >= least_share(lent, parameters.least_percent)) & (got <= most)
    return sums.filter(pa.array(fits)).select(["payout", "borrower", "dst", "out_at"])


def _own(given: dict[str, pa.Table]) -> pa.Table:
    """Return ``dst, out_at``: who got a pay-out of a loan of his own, and when."""
    out = loan_money.payouts(given["PAID_OUT_TO"], given["BORROWED"]["dst"]).select(["src", "at"]).rename_columns(["loan", "out_at"])
    lent = out.join(given["BORROWED"].select(["src", "dst"]).rename_columns(["dst", "loan"]), "loan", join_type="inner")
    return lent.select(["dst", "out_at"])


def _together(sums: pa.Table, own: pa.Table, parameters: BorrowedForOneParameters) -> pa.Table:
    """Return ``payout, borrower, dst`` of the pay-outs that lie in a time in which enough borrowed for one."""
    own = own.filter(pc.is_in(own["dst"], value_set=pc.unique(sums["dst"])))
    rows = pa.concat_tables([sums, own.append_column("borrower", own["dst"])], promote_options="default")
    _, (party, borrower) = Interner.encode(rows["dst"], rows["borrower"])
    at = rows["out_at"].cast(pa.int64()).to_numpy()
    sent = np.flatnonzero(rows["payout"].is_valid().to_numpy())
    ever = np.bincount(unique_pairs(party[sent], borrower[sent])[0], minlength=int(party.max(initial=-1)) + 1)
    least = np.maximum(-(-ever * parameters.min_percent // 100), parameters.min_parties)[party]
    near = crowded(party, borrower, at, window=parameters.window_days * _DAY, least=least) == 1
    chosen = rows.filter(pc.and_(pa.array(near), rows["payout"].is_valid()))
    # a party whose own loan makes up the number is told of only with two others, or as many as are asked for less itself
    others = chosen.group_by("dst").aggregate([("borrower", "count_distinct")])
    enough = others.filter(pc.greater_equal(others["borrower_count_distinct"], min(2, parameters.min_parties)))["dst"].combine_chunks()
    return chosen.filter(pc.is_in(chosen["dst"], value_set=enough)).select(["payout", "borrower", "dst"])


def _told(rows: pa.Table) -> pa.Table:
    """Return a finding for each party and for each of its borrowers."""
    sides = [rows.append_column("entity_id", rows[side]) for side in ("dst", "borrower")]
    both = pa.concat_tables(sides)
    keys = ["entity_id", "dst"]
    once = both.group_by([*keys, "id", "amount_fen", "at"]).aggregate([]).group_by(keys).aggregate([("amount_fen", "sum"), ("at", "max")])
    found = once.sort_by([(name, "ascending") for name in ("dst", "entity_id")])
    found = found.append_column("finding", pa.array(np.arange(found.num_rows)))
    found = found.append_column("root", pc.binary_join_element_wise("one:", found["dst"], ""))
    mine = both.join(found.select([*keys, "finding"]), keys, join_type="inner")
    evidence = [
        pa.table({"finding": mine["finding"], "position": np.full(mine.num_rows, place), "id": mine[name]})
        for place, name in enumerate(("borrowed", "payout", "id"))
    ]
    return listed(found.rename_columns({"amount_fen_sum": "amount_fen", "at_max": "at"}), pa.concat_tables(evidence))


RULE = Rule(
    name="borrowed_for_one",
    version="3",
    about="Several parties borrow within weeks, and most of each loan goes to one who sold them nothing.",
    reason=BORROWED_FOR_ONE,
    severity="high",
    action="refer",
    parameters=BorrowedForOneParameters(),
    requires=REQUIRES,
    find=find_borrowed_for_one,
)
