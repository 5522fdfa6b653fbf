"""Accounts that lay still for months and then move large sums within days.

Look-alikes that are no hit: a seasonal trader, whose season comes every year but whose account is used in between; an account on which now
and then a fee is booked (payments below ``min_fen`` do not wake it); one payment after a long time.

References
----------
.. [1] 《金融机构大额交易和可疑交易报告管理办法》 (中国人民银行令〔2016〕第 3 号): 长期闲置的账户原因不明地突然启用.
.. [2] FATF, Money Laundering through Money Remittance and Currency Exchange Providers, 2010: dormant accounts that become active.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from kg.algorithms.windows import Gap, after_gaps
from kg.engine import union
from kg.graph import Graph
from kg.payments.legs import legs, told
from kg.payments.transfers import around_clients, as_flow, seen_whole, usable
from kg.reason import DORMANT_THEN_ACTIVE
from kg.rule import FOUND, Need, Rule, Tables, conform, parameter, refuse_outside

_DAY = 86_400_000_000


@dataclass(frozen=True)
class DormantParameters:
    """How long it lay still, and how much it moves then."""

    dormant_days: int = parameter(180, "days of 24 hours between two payments", "banks call an account idle after half a year")
    active_days: int = parameter(7, "days of 24 hours, inclusive", "an account that was woken for a purpose is used at once")
    min_payments: int = parameter(4, "payments in and out", "one or two are a bill and its payment")
    min_total_fen: int = parameter(50_000_000, "fen in and out", "500,000 yuan, from which transfers of persons are reported")
    min_fen: int = parameter(10_000, "fen", "below 100 yuan it is interest and fees")

    def __post_init__(self) -> None:
        refuse_outside("dormant_days", self.dormant_days, 1, 3_660)
        refuse_outside("active_days", self.active_days, 0, 366)
        refuse_outside("min_payments", self.min_payments, 1, 1_000_000)
        refuse_outside("min_total_fen", self.min_total_fen, 1, 2**62)
        refuse_outside("min_fen", self.min_fen, 1, 2**62)


def _with_a_gap(transfers: ir.Table, graph: Graph, parameters: DormantParameters) -> ir.Table:  # noqa: ARG001 - as every narrowing
    """Leave out transfers that touch no account which lay still for so long."""
    moved = transfers.filter((transfers.src != transfers.dst) & (transfers.amount_fen >= parameters.min_fen) & transfers["at"].notnull())
    moved = moved.filter(moved.currency.fill_null("CNY") == "CNY")
    booked = union([moved.select(account=end, at="at") for end in ("src", "dst")])
    before = booked.mutate(_before=booked["at"].lag().over(group_by=booked.account, order_by=booked["at"]))
    still = before.filter(before["at"] >= before["_before"] + ibis.interval(days=parameters.dormant_days)).select("account").distinct()
    paid = moved.semi_join(still, moved.src == still.account)
    return union([paid, moved.anti_join(still, moved.src == still.account).semi_join(still, [("dst", "account")])])


REQUIRES = (
    Need(
        "TRANSFERRED_TO", ("id", "src", "dst", "amount_fen", "currency", "at"), narrow=_with_a_gap, scope=around_clients, judged=seen_whole
    ),
    Need("OWNS_ACCOUNT", ("id", "src", "dst")),
)


def find_dormant_then_active(tables: Tables, parameters: DormantParameters) -> pa.Table:
    """Find accounts that lay still and then move large sums.

    An account is *woken* by a payment to it or from it at least ``dormant_days`` after the one before. Told are accounts that in the
    ``active_days`` from then on have at least ``min_payments`` payments of ``min_total_fen`` in sum.

    Parameters
    ----------
    tables
        ``TRANSFERRED_TO`` and ``OWNS_ACCOUNT``; rows that hold today.

    Returns
    -------
    Table of the columns `kg.rule.FOUND`, one row for each owner of such an account.
        ``root``: the account; ``amount_fen``: the sum of the payments after it was woken, of all times that it was; ``at``: the last of
        them; ``evidence``: these payments.
    """
    given = conform(REQUIRES, tables)
    transfers = given["TRANSFERRED_TO"]
    row = usable(transfers, least=parameters.min_fen)
    if not len(row):
        return FOUND.empty_table()
    money, accounts = as_flow(transfers, row)
    place = np.tile(np.arange(len(money.at)), 2)
    account = np.concatenate([money.payer, money.payee])
    order = np.lexsort((place, account))  # a transfer's number is its place in the order of time
    account, place = account[order], place[order]
    gap = Gap(parameters.dormant_days * _DAY, parameters.active_days * _DAY, parameters.min_payments, parameters.min_total_fen)
    kept = np.flatnonzero(after_gaps(account, money.at[place], money.amount[place], gap))
    rows = legs(money, (accounts, transfers.column("id")), account[kept], place[kept], side=0)
    case = np.unique(account[kept])
    roots = pa.table({"case": case, "root": accounts.names(case)})
    members = roots.join(given["OWNS_ACCOUNT"].select(["src", "dst"]), "root", "dst", join_type="inner").select(["case", "src"])
    return told(rows, roots, given["OWNS_ACCOUNT"], counted=0, members=members.rename_columns(["case", "entity_id"]))


RULE = Rule(
    name="dormant_then_active",
    version="1",
    about="An account that lay still for half a year moves large sums within a week.",
    reason=DORMANT_THEN_ACTIVE,
    severity="medium",
    action="watch",
    parameters=DormantParameters(),
    requires=REQUIRES,
    find=find_dormant_then_active,
)
