"""Accounts through which money only passes: what strangers pay in is gone within two days, and nothing else happens there.

Look-alikes that are no hit: a shop whose platform settles with it every few days, and who pays its suppliers at once (the same partners
over and over); a firm with a thin balance whose customers pay again.

References
----------
.. [1] FATF, Professional Money Laundering, 2018: funnel and pass-through accounts.
.. [2] 《金融机构大额交易和可疑交易报告管理办法》 (中国人民银行令〔2016〕第 3 号): 快进快出, no balance left.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from kg.algorithms.holding import held
from kg.algorithms.temporal_paths import Flow
from kg.engine import union
from kg.graph import Graph
from kg.payments.legs import legs, told
from kg.payments.transfers import around_clients, as_flow, aside, least_share, seen_whole, usable
from kg.reason import MONEY_PASSES_THROUGH
from kg.rule import FOUND, Need, Rule, Tables, conform, parameter, refuse_outside

_HOUR = 3_600_000_000


@dataclass(frozen=True)
class PassThroughParameters:
    """How fast, how much, among how many strangers."""

    window_hours: int = parameter(48, "hours, inclusive", "who needs the money for trade keeps some of it for longer")
    least_percent: int = parameter(90, "% of all that came in", "a low balance: what stays is the fee")
    min_fen: int = parameter(30_000_000, "fen that came in, in all", "below 300,000 yuan nobody rents an account")
    min_parties: int = parameter(5, "different accounts on each side", "one employer and one landlord are a poor man's account")
    most_payments: int = parameter(2, "payments between two accounts", "who pays again is a customer, an employer, a platform")
    stranger_percent: int = parameter(90, "% of what came in and of what went out", "the rest of an account's life is not there")

    def __post_init__(self) -> None:
        refuse_outside("window_hours", self.window_hours, 0, 8_784)
        refuse_outside("least_percent", self.least_percent, 50, 100)
        refuse_outside("min_fen", self.min_fen, 1, 2**62)
        refuse_outside("min_parties", self.min_parties, 1, 1_000_000)
        refuse_outside("most_payments", self.most_payments, 1, 1_000_000)
        refuse_outside("stranger_percent", self.stranger_percent, 1, 100)


def _balanced(transfers: ir.Table, graph: Graph, parameters: PassThroughParameters) -> ir.Table:  # noqa: ARG001 - as every narrowing
    """Leave out transfers that touch no account of which as much goes out as comes in, and tell nothing of others that they touch."""
    moved = transfers.filter((transfers.src != transfers.dst) & (transfers.amount_fen > 0) & transfers["at"].notnull())
    moved = moved.filter(moved.currency.fill_null("CNY") == "CNY")
    none = ibis.literal(0, "int64")
    sides = [
        moved.select(account="dst", came="amount_fen", went=none),
        moved.select(account="src", came=none, went="amount_fen"),
    ]
    sums = union(sides).group_by("account").aggregate(came=ibis._.came.sum(), went=ibis._.went.sum())
    enough = (sums.came >= parameters.min_fen) & (sums.went * 100 >= sums.came * parameters.least_percent)
    return aside(moved, sums.filter(enough & (sums.went * 100 <= sums.came * (200 - parameters.least_percent))).select("account"))


REQUIRES = (
    Need("TRANSFERRED_TO", ("id", "src", "dst", "amount_fen", "currency", "at"), narrow=_balanced, scope=around_clients, judged=seen_whole),
    Need("OWNS_ACCOUNT", ("id", "src", "dst")),
)


def find_pass_through(tables: Tables, parameters: PassThroughParameters) -> pa.Table:
    """Find accounts through which money passes.

    Told are accounts into which at least ``min_fen`` came, of which at least ``least_percent`` may have gone out again within
    ``window_hours`` (see `kg.algorithms.holding`), and from which about as much went as came (by as many percent more at most); with at
    least ``min_parties`` accounts on each side; of both sums at least ``stranger_percent`` with accounts with which it has at most
    ``most_payments`` payments.

    Parameters
    ----------
    tables
        ``TRANSFERRED_TO`` and ``OWNS_ACCOUNT``; rows that hold today.

    Returns
    -------
    Table of the columns `kg.rule.FOUND`, one row for each owner of such an account.
        ``root``: the account; ``amount_fen``: what came in; ``at``: the last payment; ``evidence``: the payments in, then those out.
    """
    given = conform(REQUIRES, tables)
    transfers = given["TRANSFERRED_TO"]
    row = usable(transfers)
    if not len(row):
        return FOUND.empty_table()
    money, accounts = as_flow(transfers, row)
    chosen = _passing(money, len(accounts), parameters)
    sides = [np.flatnonzero(chosen[end]) for end in (money.payee, money.payer)]
    names = (accounts, transfers.column("id"))
    rows = [
        legs(money, names, centre[part], part, side=side)
        for side, (centre, part) in enumerate(zip((money.payee, money.payer), sides, strict=True))
    ]
    case = np.flatnonzero(chosen)
    roots = pa.table({"case": case, "root": accounts.names(case)})
    members = roots.join(given["OWNS_ACCOUNT"].select(["src", "dst"]), "root", "dst", join_type="inner").select(["case", "src"])
    members = members.rename_columns(["case", "entity_id"])
    return told(pa.concat_tables(rows), roots, given["OWNS_ACCOUNT"], counted=0, members=members)


def _passing(money: Flow, count: int, parameters: PassThroughParameters) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    found = held(money, parameters.window_hours * _HOUR)
    through = found.passed >= np.maximum(least_share(found.came, parameters.least_percent), 1)
    through &= (found.came >= parameters.min_fen) & (found.went * 100 <= found.came * (200 - parameters.least_percent))
    pair, place, times = np.unique(money.payer * np.int64(count) + money.payee, return_inverse=True, return_counts=True)
    strange = times[place] <= parameters.most_payments
    for end, total, other in ((money.payee, found.came, pair % count), (money.payer, found.went, pair // count)):
        sums = np.zeros(count, np.int64)
        np.add.at(sums, end[strange], money.amount[strange])
        through &= sums >= least_share(total, parameters.stranger_percent)
        through &= np.bincount(other, minlength=count) >= parameters.min_parties
    return through


RULE = Rule(
    name="pass_through",
    version="1",
    about="What strangers pay into an account is gone within two days, and nothing else happens there.",
    reason=MONEY_PASSES_THROUGH,
    severity="medium",
    action="refer",
    parameters=PassThroughParameters(),
    requires=REQUIRES,
    find=find_pass_through,
)
