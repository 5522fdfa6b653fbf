"""Guarantee circles that serve one member: the others borrow on one another's guarantee and pass the money to it.

Beside ``guarantee_circle``, which tells every circle, this one tells those that an officer should look at first.

Look-alike that is no hit: a trade association whose members have long stood for one another and spend what they borrow in their own
trade, now and then with one another.

References
----------
.. [1] 中国银监会办公厅《关于加强企业担保圈贷款风险防范和化解工作的通知》, 2014.
.. [2] 《流动资金贷款管理办法》 (国家金融监督管理总局令 2024 年第 2 号): loan money is used by the borrower as agreed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.algorithms.components import strong_components
from kg.algorithms.interning import Interner
from kg.payments import loan_money
from kg.payments.spending import COLUMNS, after_pay_outs, spent
from kg.payments.transfers import least_share
from kg.reason import GUARANTEES_SERVE_ONE
from kg.rule import FOUND, Need, Rule, Tables, conform, listed, parameter, refuse_outside

REQUIRES = (
    Need("GUARANTEES", ("id", "src", "dst", "amount_fen", "valid_from")),
    Need("BORROWED", ("id", "src", "dst")),
    Need("PAID_OUT_TO", ("id", "src", "dst", "amount_fen", "at")),
    Need("OWNS_ACCOUNT", ("id", "src", "dst")),
    Need("TRANSFERRED_TO", COLUMNS, narrow=after_pay_outs),
)
_GUARANTEE, _BORROWED, _PAID_OUT, _PAID = range(4)


@dataclass(frozen=True)
class GuaranteesServeOneParameters:
    """How many pass on how much, and how soon."""

    min_members: int = parameter(2, "members that pass money on to one other", "one may owe it something; two and more were asked to")
    min_part_percent: int = parameter(50, "% of the other members of the circle", "where most keep their money the circle serves them")
    least_percent: int = parameter(35, "% of a pay-out, in sum", "who needs the loan does not give a third of it away")
    within_days: int = parameter(14, "days of 24 hours after a pay-out, inclusive", "money borrowed for another is not left lying")

    def __post_init__(self) -> None:
        refuse_outside("min_members", self.min_members, 1, 1_000)
        refuse_outside("min_part_percent", self.min_part_percent, 1, 100)
        refuse_outside("least_percent", self.least_percent, 1, 100)
        refuse_outside("within_days", self.within_days, 0, 366)


def find_guarantees_that_serve_one(tables: Tables, parameters: GuaranteesServeOneParameters) -> pa.Table:
    """Find circles of guarantees of which one member gets what the others borrow.

    A circle is a strong component of who guarantees whom. A member *serves* another where its payments to that one, in the
    ``within_days`` after a pay-out, sum up to ``least_percent`` of it. Told are the members that are served by at least ``min_members``
    others and at least ``min_part_percent`` of these, and those who serve them.

    Parameters
    ----------
    tables
        The tables of `REQUIRES`, rows that hold today.

    Returns
    -------
    Table of the columns `kg.rule.FOUND`, a row for each such member and one for each that serves it.
        ``root``: ``served:`` and the one served; ``amount_fen``: what it got; ``at``: the last payment; ``evidence``: the guarantees of the
        circle, the borrowings, the pay-outs, the payments.
    """
    given = conform(REQUIRES, tables)
    stands = loan_money.guaranteed(given["GUARANTEES"], given["BORROWED"])
    circle = _circles(stands)
    paid = spent(given, parameters.within_days).join(circle, "borrower", "member", join_type="inner")
    paid = paid.join(circle.rename_columns(["served", "served_circle", "others"]).select(["served", "served_circle"]), "dst", "served")
    paid = paid.filter(pc.fill_null(pc.equal(paid["circle"], paid["served_circle"]), False))
    paid = paid.filter(pc.not_equal(paid["borrower"], paid["dst"]))
    serving = _serving(paid, parameters)
    if not serving.num_rows:
        return FOUND.empty_table()
    rows = paid.join(serving.select(["payout", "borrower", "dst"]), ["payout", "borrower", "dst"], join_type="inner")
    return _told(rows, stands, circle)


def _circles(stands: pa.Table) -> pa.Table:
    """Return ``member, circle, others``: the number of each party's circle, and how many others are in it."""
    ids, (source, target) = Interner.encode(stands["src"], stands["dst"])
    circle = strong_components(source, target, len(ids))
    others = np.bincount(circle, minlength=len(ids))[circle] - 1 if len(ids) else circle
    rows = np.flatnonzero(others > 0)
    return pa.table({"member": ids.names(rows), "circle": circle[rows], "others": others[rows]})


def _serving(paid: pa.Table, parameters: GuaranteesServeOneParameters) -> pa.Table:
    """Return ``payout, borrower, dst`` of the pay-outs that serve one whom enough others serve."""
    sums = paid.group_by(["payout", "out_fen", "borrower", "dst", "others"]).aggregate([("amount_fen", "sum")])
    least = least_share(sums["out_fen"].to_numpy(), parameters.least_percent)
    sums = sums.filter(pc.greater_equal(sums["amount_fen_sum"], pa.array(least)))
    members = sums.group_by(["dst", "others"]).aggregate([("borrower", "count_distinct")])
    many = pc.greater_equal(members["borrower_count_distinct"], parameters.min_members)
    part = pc.greater_equal(
        pc.multiply(members["borrower_count_distinct"], 100), pc.multiply(members["others"], parameters.min_part_percent)
    )
    return sums.join(members.filter(pc.and_(many, part)).select(["dst"]), "dst", join_type="left semi")


def _told(rows: pa.Table, stands: pa.Table, circle: pa.Table) -> pa.Table:
    ends = [rows.select(["dst", end]).rename_columns(["served", "entity_id"]) for end in ("borrower",)]
    ends.append(pa.table({"served": rows["dst"], "entity_id": rows["dst"]}))
    found = pa.concat_tables(ends).group_by(["served", "entity_id"]).aggregate([])
    found = found.append_column("finding", pa.array(np.arange(found.num_rows)))
    once = rows.group_by(["dst", "id", "amount_fen", "at"]).aggregate([])
    sums = once.group_by("dst").aggregate([("amount_fen", "sum"), ("at", "max")])
    sums = sums.rename_columns({"dst": "served", "amount_fen_sum": "amount_fen", "at_max": "at"})
    sums = sums.append_column("root", pc.binary_join_element_wise("served:", sums["served"], ""))
    among = stands.join(circle.rename_columns(["src", "one", "n"]).select(["src", "one"]), "src", join_type="inner")
    among = among.join(circle.rename_columns(["dst", "other", "n"]).select(["dst", "other"]), "dst", join_type="inner")
    among = among.filter(pc.equal(among["one"], among["other"]))
    of = rows.select(["dst", "circle"]).rename_columns(["served", "one"]).group_by(["served", "one"]).aggregate([])
    guarantees = among.select(["one", "id"]).join(of, "one", join_type="inner")
    parts = [(_GUARANTEE, guarantees["served"], guarantees["id"])]
    parts += [(place, rows["dst"], rows[name]) for place, name in ((_BORROWED, "borrowed"), (_PAID_OUT, "payout"), (_PAID, "id"))]
    listed_ids = [pa.table({"served": served, "position": np.full(len(ids), place), "id": ids}) for place, served, ids in parts]
    evidence = found.select(["finding", "served"]).join(pa.concat_tables(listed_ids), "served", join_type="inner")
    return listed(found.join(sums, "served"), evidence.select(["finding", "position", "id"]))


RULE = Rule(
    name="guarantees_serve_one",
    version="1",
    about="Members of a guarantee circle pass what they borrow to one of them.",
    reason=GUARANTEES_SERVE_ONE,
    severity="high",
    action="refer",
    parameters=GuaranteesServeOneParameters(),
    requires=REQUIRES,
    find=find_guarantees_that_serve_one,
)
