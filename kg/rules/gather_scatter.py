"""Parts of one size from several parties gathered on an account and then scattered from it to several others.

Look-alikes that are no hit: a shop or a platform that is paid, and pays, all the time (more than ``max_fan`` payments in the time, or more
than ``most_payments`` between two accounts); an employer who is paid by customers and pays wages, where the parts differ in size.

References
----------
.. [1] FATF, Professional Money Laundering, 2018; Suzumura and Kanezashi, AMLSim, 2021 (typology ``gather_scatter``).
.. [2] 《金融机构大额交易和可疑交易报告管理办法》 (中国人民银行令〔2016〕第 3 号): funds concentrated and dispersed without reason.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from kg.algorithms.gathering import Size, gathering
from kg.graph import Graph
from kg.payments.legs import legs, told
from kg.payments.transfers import around_clients, as_flow, few, few_between, to_owners, usable
from kg.reason import GATHERED_AND_SCATTERED
from kg.rule import FOUND, Need, Rule, Tables, conform, parameter, refuse_outside

_DAY = 86_400_000_000


@dataclass(frozen=True)
class GatherScatterParameters:
    """How many parties, how fast and how alike the parts are."""

    min_parties: int = parameter(3, "parties on each side", "two are chance or a couple; the field says three")
    window_days: int = parameter(30, "days of 24 hours, inclusive", "whoever hides where money goes does not leave it on the way")
    in_percent: int = parameter(95, "% of the largest part that came in", "who cuts a sum up makes parts of one size; trade differs")
    out_percent: int = parameter(85, "% of the largest part that came in", "what is kept on the way is a tenth or little more")
    most_payments: int = parameter(3, "payments between two accounts", "who pays the same party more often trades with it")
    max_fan: int = parameter(1_000, "payments of the account on each side in the time", "beyond it parts of one size are there by chance")
    min_fen: int = parameter(100_000, "fen", "below 1,000 yuan it is daily life, and not worth the trouble")

    def __post_init__(self) -> None:
        refuse_outside("min_parties", self.min_parties, 2, 1_000)
        refuse_outside("window_days", self.window_days, 0, 366)
        refuse_outside("in_percent", self.in_percent, 1, 100)
        refuse_outside("out_percent", self.out_percent, 1, 100)
        refuse_outside("most_payments", self.most_payments, 1, 1_000_000)
        refuse_outside("max_fan", self.max_fan, 1, 1_000_000)
        refuse_outside("min_fen", self.min_fen, 1, 2**62)


def _untraded(transfers: ir.Table, graph: Graph, parameters: GatherScatterParameters) -> ir.Table:  # noqa: ARG001 - as every narrowing
    return few_between(transfers, parameters.most_payments, parameters.min_fen)


REQUIRES = (
    Need("TRANSFERRED_TO", ("id", "src", "dst", "amount_fen", "currency", "at"), narrow=_untraded, scope=around_clients),
    Need("OWNS_ACCOUNT", ("id", "src", "dst")),
)


def find_gather_scatter(tables: Tables, parameters: GatherScatterParameters) -> pa.Table:
    """Find accounts that gather parts of one size and then scatter them.

    Accounts with one owner are folded to it. What parts are, and which are told, says `kg.algorithms.gathering`: all in at or before all
    out, within ``window_days``, from at least ``min_parties`` parties to as many others. Left out are transfers below ``min_fen``, those
    between two accounts with more than ``most_payments`` of them, and what `kg.payments.transfers.usable` leaves out.

    Parameters
    ----------
    tables
        ``TRANSFERRED_TO`` and ``OWNS_ACCOUNT``; rows that hold today.

    Returns
    -------
    Table of the columns `kg.rule.FOUND`: a row for the owner of each such account; those who paid and were paid stand in the evidence.
        ``root``: the owner; ``amount_fen``: what was scattered; ``at``: the last part; ``evidence``:
        the parts in, then those out.
    """
    given = conform(REQUIRES, tables)
    transfers = to_owners(few(given["TRANSFERRED_TO"], parameters.most_payments, parameters.min_fen), given["OWNS_ACCOUNT"])
    row = usable(transfers, least=parameters.min_fen)
    if not len(row):
        return FOUND.empty_table()
    money, accounts = as_flow(transfers, row)
    window, most = parameters.window_days * _DAY, (parameters.in_percent, parameters.out_percent, parameters.max_fan)
    sides = [np.flatnonzero(side) for side in gathering(money, Size(window, parameters.min_parties, *most))]
    centres = (money.payee[sides[0]], money.payer[sides[1]])
    names = (accounts, transfers.column("id"))
    rows = [legs(money, names, centre, part, side=side) for side, (centre, part) in enumerate(zip(centres, sides, strict=True))]
    centre = np.unique(centres[1])
    roots = pa.table({"case": centre, "root": accounts.names(centre)})
    return told(pa.concat_tables(rows), roots, given["OWNS_ACCOUNT"], counted=1, members=roots.rename_columns(["case", "entity_id"]))


RULE = Rule(
    name="gather_scatter",
    version="1",
    about="Parts of one size are gathered on an account and then scattered from it.",
    reason=GATHERED_AND_SCATTERED,
    severity="medium",
    action="refer",
    parameters=GatherScatterParameters(),
    requires=REQUIRES,
    find=find_gather_scatter,
)
