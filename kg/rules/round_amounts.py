"""Series of large round amounts: trade pays what the invoice says, who moves money for other reasons pays ten thousands.

Look-alikes that are no hit: now and then a round prepayment or deposit among many payments; a loan that is repaid in round instalments to
one party.

References
----------
.. [1] Nigrini, Benford's Law, 2012: round numbers in invented amounts.
.. [2] 《金融机构大额交易和可疑交易报告管理办法》 (中国人民银行令〔2016〕第 3 号): amounts that do not fit the business.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.algorithms.sharing import distinct
from kg.algorithms.windows import crowded
from kg.graph import Graph
from kg.payments.legs import legs, told
from kg.payments.transfers import around_clients, as_flow, seen_whole, to_owners, usable
from kg.reason import ROUND_AMOUNTS
from kg.rule import FOUND, Need, Rule, Tables, conform, parameter, refuse_outside

_DAY = 86_400_000_000


@dataclass(frozen=True)
class RoundAmountsParameters:
    """How round, how many, how unlike the rest."""

    step_fen: int = parameter(1_000_000, "fen", "whole ten thousands of yuan")
    min_payments: int = parameter(8, "payments", "fewer are deposits and loans among friends")
    min_parties: int = parameter(3, "different payees", "one or two are instalments")
    window_days: int = parameter(30, "days of 24 hours, inclusive", "as long as the field looks at a series")
    least_percent: int = parameter(60, "% of the payer's payments of such size", "in trade a third of them at most is round")

    def __post_init__(self) -> None:
        refuse_outside("step_fen", self.step_fen, 100, 2**55)
        refuse_outside("min_payments", self.min_payments, 2, 1_000_000)
        refuse_outside("min_parties", self.min_parties, 1, 1_000_000)
        refuse_outside("window_days", self.window_days, 0, 366)
        refuse_outside("least_percent", self.least_percent, 1, 100)


def _large(transfers: ir.Table, graph: Graph, parameters: RoundAmountsParameters) -> ir.Table:  # noqa: ARG001 - as every narrowing
    return transfers.filter(transfers.amount_fen >= parameters.step_fen)


REQUIRES = (
    Need("TRANSFERRED_TO", ("id", "src", "dst", "amount_fen", "currency", "at"), narrow=_large, scope=around_clients, judged=seen_whole),
    Need("OWNS_ACCOUNT", ("id", "src", "dst")),
)


def find_round_amounts(tables: Tables, parameters: RoundAmountsParameters) -> pa.Table:
    """Find payers of series of round amounts.

    Accounts with one owner are folded to it. A payment is *round* where it is a multiple of ``step_fen``. Told are payers with at least
    ``min_payments`` round payments within ``window_days``, to at least ``min_parties`` payees in all such times, where at least
    ``least_percent`` of all their payments of ``step_fen`` or more are round.

    Parameters
    ----------
    tables
        ``TRANSFERRED_TO`` and ``OWNS_ACCOUNT``; rows that hold today.

    Returns
    -------
    Table of the columns `kg.rule.FOUND`, one row for each such payer.
        ``root``: ``round:`` and the payer; ``amount_fen``: the sum of the round payments of such times; ``at``: the last of them;
        ``evidence``: these payments.
    """
    given = conform(REQUIRES, tables)
    transfers = to_owners(given["TRANSFERRED_TO"], given["OWNS_ACCOUNT"])
    row = usable(transfers, least=parameters.step_fen)
    if not len(row):
        return FOUND.empty_table()
    money, accounts = as_flow(transfers, row)
    even = np.flatnonzero(money.amount % parameters.step_fen == 0)
    window = parameters.window_days * _DAY
    marked = crowded(money.payer[even], np.arange(len(even)), money.at[even], window=window, least=parameters.min_payments)
    kept = even[marked > 0]
    every, round_ones = (np.bincount(payer, minlength=len(accounts)) for payer in (money.payer, money.payer[even]))
    pairs = distinct(money.payer[kept] * np.int64(len(accounts)) + money.payee[kept])
    enough = np.bincount(pairs // len(accounts), minlength=len(accounts)) >= parameters.min_parties
    enough &= round_ones * 100 >= every * parameters.least_percent
    kept = kept[enough[money.payer[kept]]]
    payer = distinct(money.payer[kept])
    names = accounts.names(payer)
    roots = pa.table({"case": payer, "root": pc.binary_join_element_wise("round:", names, "")})
    rows = legs(money, (accounts, transfers.column("id")), money.payer[kept], kept, side=0)
    return told(rows, roots, given["OWNS_ACCOUNT"], counted=0, members=pa.table({"case": payer, "entity_id": names}))


RULE = Rule(
    name="round_amounts",
    version="1",
    about="Most of a party's large payments within a month are round.",
    reason=ROUND_AMOUNTS,
    severity="low",
    action="watch",
    parameters=RoundAmountsParameters(),
    requires=REQUIRES,
    find=find_round_amounts,
)
