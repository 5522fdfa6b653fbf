"""Invoices that pass the contracts between two companies many times over (开票超合同): there is no deal behind them.

Look-alikes that are no hit: a contract that states a year's amount and runs for several; contracts that agree on prices and state no
amount; an order or two more than was agreed.

References
----------
.. [1] 中国人民银行等八部门《关于规范发展供应链金融…的意见》 (银发〔2020〕226号): 严格交易真实性审核.
.. [2] FATF, Egmont Group, Trade-based money laundering: risk indicators, 2021, on documents that contradict one another.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.graph import Graph
from kg.reason import CONTRACTS_PASSED
from kg.rule import Need, Rule, Tables, conform, listed, parameter, refuse_outside


def _of_pairs(rows: ir.Table, graph: Graph, parameters: Any) -> ir.Table:  # noqa: ARG001 - all parameters leave the same rows out
    """Leave out what was invoiced between companies that signed no contract."""
    signed = graph.records("contracts", "seller", "buyer")
    if signed is None:
        return rows.limit(0)
    pairs = signed.select(_seller="seller", _buyer="buyer").distinct()
    return rows.semi_join(pairs, [rows.src == pairs["_seller"], rows.dst == pairs["_buyer"]])


REQUIRES = (
    Need.records("contracts", parties=("seller", "buyer"), amount_fen="int64", signed_on="date", due_on="date"),
    Need("INVOICED", ("id", "src", "dst", "month", "net_fen", "tax_fen"), narrow=_of_pairs),
)
_NEVER = date(9999, 12, 31)


@dataclass(frozen=True)
class ContractsPassedParameters:
    """How far invoices pass contracts."""

    max_percent: int = parameter(500, "% of the contracts' amount", "orders under a contract vary; five times its amount is another deal")
    min_gap_fen: int = parameter(50_000_000, "fen", "below half a million yuan one order more explains it")

    def __post_init__(self) -> None:
        refuse_outside("max_percent", self.max_percent, 100, 10_000)
        refuse_outside("min_gap_fen", self.min_gap_fen, 1, 2**62)


def find_passed_contracts(tables: Tables, parameters: ContractsPassedParameters) -> pa.Table:
    """Find sellers and buyers of whom the invoices pass the contracts.

    Of a seller and a buyer all of whose contracts state an amount above 0 and the day of signature, what was invoiced with tax (void
    invoices left out) from the month of the first signature on, up to the month of the last due day where each states one, is held
    against the sum of the amounts, each taken once for each year, begun or whole, that its contract runs; a year goes from a day to the
    same day of the next calendar year. Both are hit where it is more than ``max_percent`` of that sum, and ``min_gap_fen`` more at least.

    Parameters
    ----------
    tables
        ``records/contracts`` and ``INVOICED`` with the columns of `REQUIRES`.

    Returns
    -------
    Table of the columns `kg.rule.FOUND`, one row for the seller and one for the buyer.
        ``root``: both, the seller first, joined by ``>``; ``amount_fen``: by how much the contracts are passed; ``at``: null;
        ``evidence``: the contracts, then what was invoiced, by id.
    """
    given = conform(REQUIRES, tables)
    signed, bills = given["records/contracts"], given["INVOICED"]
    signed = signed.append_column("root", _pair(signed["seller"], signed["buyer"]))
    bills = bills.append_column("root", _pair(bills["src"], bills["dst"]))
    agreed = _agreed(signed)
    bills = bills.join(agreed, "root", join_type="inner")
    last = pc.fill_null(pc.less_equal(bills["month"], bills["last"]), True)
    bills = bills.filter(pc.fill_null(pc.and_(pc.greater_equal(bills["month"], bills["first"]), last), False))
    gross = pc.add(pc.fill_null(bills["net_fen"], 0), pc.fill_null(bills["tax_fen"], 0))
    sums = bills.append_column("gross", gross).group_by(["root", "agreed"]).aggregate([("gross", "sum")])
    gap = pc.subtract(sums["gross_sum"], sums["agreed"])
    over = pc.greater(pc.multiply(sums["gross_sum"], 100), pc.multiply(sums["agreed"], parameters.max_percent))
    hit = sums.append_column("amount_fen", gap).filter(pc.and_(over, pc.greater_equal(gap, parameters.min_gap_fen)))
    return _told(hit.select(["root", "amount_fen"]), signed, bills)


def _pair(seller: pa.ChunkedArray, buyer: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(seller, buyer, ">")


def _agreed(signed: pa.Table) -> pa.Table:
    """Return what pairs agreed on: ``root, first`` and ``last`` (months), ``agreed`` (fen)."""
    amount = pc.if_else(pc.greater(signed["amount_fen"], 0), signed["amount_fen"], None)
    years = _years(signed["signed_on"], pc.coalesce(signed["due_on"], signed["signed_on"]))
    rows = pa.table(
        {
            "root": signed["root"],
            "agreed": pc.multiply(amount, years),
            "first": pc.floor_temporal(signed["signed_on"], unit="month"),
            "last": pc.coalesce(signed["due_on"], _NEVER),
        }
    )
    wrong = rows.filter(pc.or_(rows["agreed"].is_null(), rows["first"].is_null()))
    rows = rows.filter(pc.invert(pc.is_in(rows["root"], value_set=wrong["root"].combine_chunks())))
    found = rows.group_by("root").aggregate([("agreed", "sum"), ("first", "min"), ("last", "max")])
    return found.rename_columns(["root", "agreed", "first", "last"])


def _years(first: pa.ChunkedArray, last: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return how many calendar years were begun between two days: one from a day to the same day of the next year, leap day or not."""
    month_day = [pc.add(pc.multiply(pc.month(day), 100), pc.day(day)) for day in (first, last)]
    further = pc.cast(pc.greater(month_day[1], month_day[0]), pa.int64())
    return pc.max_element_wise(pc.add(pc.subtract(pc.year(last), pc.year(first)), further), 1)


def _told(hit: pa.Table, signed: pa.Table, bills: pa.Table) -> pa.Table:
    """Give each pair a finding for its seller and one for its buyer."""
    ends = signed.group_by(["root", "seller", "buyer"]).aggregate([]).join(hit, "root", join_type="inner")
    both = pa.concat_tables(
        [ends.select(["root", "amount_fen", end]).rename_columns(["root", "amount_fen", "entity_id"]) for end in ("seller", "buyer")]
    )
    both = both.group_by(["root", "amount_fen", "entity_id"]).aggregate([]).sort_by([("root", "ascending"), ("entity_id", "ascending")])
    both = both.append_column("finding", pa.array(np.arange(both.num_rows))).append_column("at", pa.nulls(both.num_rows))
    parts = [
        rows.select(["root", "id"]).append_column("position", pa.array(np.full(rows.num_rows, place)))
        for place, rows in enumerate((signed, bills))
    ]
    return listed(both, both.select(["finding", "root"]).join(pa.concat_tables(parts), "root", join_type="inner"))


RULE = Rule(
    name="contracts_passed",
    version="2",
    about="What was invoiced passes the contracts between two companies many times over.",
    reason=CONTRACTS_PASSED,
    severity="medium",
    action="watch",
    parameters=ContractsPassedParameters(),
    requires=REQUIRES,
    find=find_passed_contracts,
)
