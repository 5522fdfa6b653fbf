"""Many strangers pay one account within days, or one account pays many (fan-in, fan-out), and before and after there is nothing like it.

Look-alikes that are no hit: a shop, a platform, an employer or a tax office, whom many pay, or who pays many, week after week; whoever
is paid by the same customers again.

References
----------
.. [1] FATF, Professional Money Laundering, 2018; Suzumura and Kanezashi, AMLSim, 2021 (typologies ``fan_in`` and ``fan_out``).
.. [2] 《金融机构大额交易和可疑交易报告管理办法》 (中国人民银行令〔2016〕第 3 号): funds concentrated or dispersed within a short time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from kg.algorithms.kernel import Ints
from kg.algorithms.windows import crowded
from kg.graph import Graph
from kg.payments.legs import legs, told
from kg.payments.transfers import around_clients, as_flow, few, few_between, seen_whole, to_owners, usable
from kg.reason import MANY_PAID_BY_ONE, ONE_PAID_BY_MANY
from kg.rule import FOUND, Need, Rule, Tables, conform, parameter, refuse_outside

_DAY = 86_400_000_000


@dataclass(frozen=True)
class FanParameters:
    """How many, how fast, and how unlike the rest of the time."""

    min_parties: int = parameter(10, "different parties on the other side", "the field's figure; fewer strangers in a week are chance")
    window_days: int = parameter(7, "days of 24 hours, inclusive", "a collection is over within a week")
    burst_days: int = parameter(21, "days of 24 hours, inclusive", "whom many pay for longer does business with them")
    least_percent: int = parameter(50, "% of all such payments of the party", "the burst is the greater part of what strangers ever paid")
    most_payments: int = parameter(2, "payments between two accounts", "who pays again is a customer")
    min_fen: int = parameter(500_000, "fen", "below 5,000 yuan it is retail trade")

    def __post_init__(self) -> None:
        refuse_outside("min_parties", self.min_parties, 2, 1_000_000)
        refuse_outside("window_days", self.window_days, 0, 366)
        refuse_outside("burst_days", self.burst_days, self.window_days, 3_660)
        refuse_outside("least_percent", self.least_percent, 1, 100)
        refuse_outside("most_payments", self.most_payments, 1, 1_000_000)
        refuse_outside("min_fen", self.min_fen, 1, 2**62)


def _untraded(transfers: ir.Table, graph: Graph, parameters: FanParameters) -> ir.Table:  # noqa: ARG001 - as every narrowing
    return few_between(transfers, parameters.most_payments, parameters.min_fen)


REQUIRES = (
    Need("TRANSFERRED_TO", ("id", "src", "dst", "amount_fen", "currency", "at"), narrow=_untraded, scope=around_clients, judged=seen_whole),
    Need("OWNS_ACCOUNT", ("id", "src", "dst")),
)


def find_fans(tables: Tables, parameters: FanParameters, *, into: bool) -> pa.Table:
    """Find parties whom many strangers pay within days, or who pay many.

    Accounts with one owner are folded to it. A *burst* are the payments that lie within ``window_days`` with others of at least
    ``min_parties`` different parties. Told are parties whose bursts lie within ``burst_days`` in all and hold at least ``least_percent`` of
    their payments of that side. Payments below ``min_fen``, those between two accounts with more than ``most_payments`` of them, and what
    `kg.payments.transfers.usable` leaves out do not count.

    Parameters
    ----------
    tables
        ``TRANSFERRED_TO`` and ``OWNS_ACCOUNT``; rows that hold today.
    into
        Whether payments to the party are looked at, or those from it.

    Returns
    -------
    Table of the columns `kg.rule.FOUND`, one row for each such party.
        ``root``: the party; ``amount_fen``: the sum of the burst; ``at``: its last payment; ``evidence``: its payments.
    """
    given = conform(REQUIRES, tables)
    transfers = to_owners(few(given["TRANSFERRED_TO"], parameters.most_payments, parameters.min_fen), given["OWNS_ACCOUNT"])
    row = usable(transfers, least=parameters.min_fen)
    if not len(row):
        return FOUND.empty_table()
    money, accounts = as_flow(transfers, row)
    party, other = (money.payee, money.payer) if into else (money.payer, money.payee)
    marked = crowded(party, other, money.at, window=parameters.window_days * _DAY, least=parameters.min_parties)
    burst = np.flatnonzero(marked)
    kept = burst[_unlike(party, money.at, burst, parameters)[party[burst]]]
    roots = pa.table({"case": np.unique(party[kept]), "root": accounts.names(np.unique(party[kept]))})
    rows = legs(money, (accounts, transfers.column("id")), party[kept], kept, side=0)
    return told(rows, roots, given["OWNS_ACCOUNT"], counted=0, members=roots.rename_columns(["case", "entity_id"]))


def _unlike(party: Ints, at: Ints, burst: Ints, parameters: FanParameters) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Tell of which parties the bursts are short, and the greater part of all."""
    size = int(party.max(initial=-1)) + 1
    first, last = np.full(size, np.iinfo(np.int64).max), np.full(size, np.iinfo(np.int64).min)
    np.minimum.at(first, party[burst], at[burst])
    np.maximum.at(last, party[burst], at[burst])
    inside, every = np.bincount(party[burst], minlength=size), np.bincount(party, minlength=size)
    short = (inside > 0) & (last - np.where(inside > 0, first, last) <= parameters.burst_days * _DAY)
    found: np.ndarray[tuple[int], np.dtype[np.bool_]] = short & (inside * 100 >= every * parameters.least_percent)
    return found


IN = Rule(
    name="fan_in",
    version="1",
    about="Ten strangers or more pay one party within a week, and hardly any before or after.",
    reason=ONE_PAID_BY_MANY,
    severity="low",
    action="watch",
    parameters=FanParameters(),
    requires=REQUIRES,
    find=partial(find_fans, into=True),
)
OUT = Rule(
    name="fan_out",
    version="1",
    about="A party pays ten strangers or more within a week, and hardly any before or after.",
    reason=MANY_PAID_BY_ONE,
    severity="low",
    action="watch",
    parameters=FanParameters(),
    requires=REQUIRES,
    find=partial(find_fans, into=False),
)
