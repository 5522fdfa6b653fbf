"""Invoices that the seller makes void after money was lent against them (融资后作废): the lender holds a paper that is worth nothing.

Look-alike that is no hit: a seller of whose financed invoices one or two were wrong and are written anew. Who asked for two in the place of
three would hit one or two honest companies of 1,000 within three years, of generated cities, and of 18 planted sellers ten, not nine.

References
----------
.. [1] 中国人民银行等八部门《关于规范发展供应链金融…的意见》 (银发〔2020〕226号): 严格交易真实性审核, 警惕虚增、虚构应收账款.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.graph import Graph
from kg.papers import meant, registered, spelt_alike
from kg.reason import INVOICES_VOIDED_AFTER_FINANCING
from kg.rule import DAY, FOUND, Need, Rule, Tables, conform, listed, parameter, refuse_outside


def _of_borrowers(bills: ir.Table, graph: Graph, parameters: Any) -> ir.Table:  # noqa: ARG001 - all parameters leave the same rows out
    """Leave out the invoices of sellers who never borrowed against a paper."""
    lent = graph.records("financings", "borrower")
    if lent is None:
        return bills.limit(0)
    who = lent.select(_who="borrower").distinct()
    return bills.semi_join(who, bills.seller == who["_who"])


REQUIRES = (
    Need.records("financings", parties=("borrower",), paper_kind="string", paper_number="string", amount_fen="int64", at="timestamp"),
    Need.records("invoices", parties=("seller", "buyer"), narrow=_of_borrowers, number="string", void_on="date"),
    DAY,
)


@dataclass(frozen=True)
class VoidedAfterFinancingParameters:
    """How many, how large a part and how soon."""

    min_invoices: int = parameter(3, "invoices", "one or two that are made void may have been wrong")
    min_percent: int = parameter(20, "% of the financed invoices", "where nothing is the matter one in fifty is made void")
    within_days: int = parameter(
        90, "days after the financing, inclusive", "what a lender holds is paid within three months; later nobody gains"
    )

    def __post_init__(self) -> None:
        refuse_outside("min_invoices", self.min_invoices, 1, 1_000)
        refuse_outside("min_percent", self.min_percent, 1, 100)
        refuse_outside("within_days", self.within_days, 0, 3_660)


def find_voided_after_financing(tables: Tables, parameters: VoidedAfterFinancingParameters) -> pa.Table:
    """Find sellers who made a good part of the invoices void against which they had borrowed.

    A financing means the seller's invoice whose number is spelt so, else the one that is so but for letters and zeros in front; one
    that may mean several or none is left out. The invoice is taken back where it was made void on the day of its first financing
    or later, up to ``within_days`` after it. A seller is hit where so many of its financed invoices were, and so large a part.

    Parameters
    ----------
    tables
        ``records/financings``, ``records/invoices`` and the business date, with the columns of `REQUIRES`; days of financings are those
        of UTC. An invoice is void from the day on which the first of its rows is; one of which that day is not stated is not counted
        as void, nor one that is to be void after the business date.

    Returns
    -------
    Table of the columns `kg.rule.FOUND`, one row for each seller.
        ``root``: the seller; ``amount_fen``: what was lent against those invoices; ``at``: the day of the last void, as midnight UTC;
        ``evidence``: the financings, then the invoices (the smallest id of each one's rows).
    """
    given = conform(REQUIRES, tables)
    lent, bills = given["records/financings"], given["records/invoices"]
    lent = lent.filter(lent["at"].is_valid())
    if not lent.num_rows:
        return FOUND.empty_table()
    pairs = _financed(lent, _known(bills, given[DAY.name]))
    papers = pairs.group_by(["seller", "paper", "void_on"]).aggregate([("at", "min")])
    voided = papers.filter(_soon(papers, parameters))
    sellers = _often(papers, voided, parameters)
    return _told(sellers, pairs.join(voided.select(["paper"]), "paper", join_type="inner"))


def _known(bills: pa.Table, today: pa.Table) -> pa.Table:
    """Return invoices without the days on which they are to be void after today: a row may tell of them before they come."""
    last = pc.max(today["day"])
    void = pc.if_else(pc.less_equal(bills["void_on"], last), bills["void_on"], None) if last.is_valid else bills["void_on"]
    return bills.set_column(bills.column_names.index("void_on"), "void_on", void)


def _financed(lent: pa.Table, bills: pa.Table) -> pa.Table:
    """Return the financings of which it is clear what invoice they mean: ``id, amount_fen, at, paper, seller, void_on``."""
    papers = registered(bills.append_column("amount_fen", pa.nulls(bills.num_rows, pa.int64())), "invoice")
    means = meant(lent, papers)
    one = means.group_by("id").aggregate([("paper", "count"), ("paper", "min")])
    one = one.filter(pc.equal(one["paper_count"], 1)).select(["id", "paper_min"]).rename_columns(["id", "paper"])
    key = ["spelt", "seller", "buyer"]
    void = bills.append_column("spelt", spelt_alike(bills["number"])).group_by(key).aggregate([("void_on", "min")])
    void = papers.join(void, key).select(["paper", "seller", "void_on_min"]).rename_columns(["paper", "seller", "void_on"])
    found = lent.select(["id", "borrower", "amount_fen", "at"]).join(one, "id", join_type="inner").join(void, "paper", join_type="inner")
    return found.filter(pc.equal(found["borrower"], found["seller"])).drop_columns(["borrower"])


def _soon(papers: pa.Table, parameters: VoidedAfterFinancingParameters) -> pa.ChunkedArray:
    """Tell which papers were made void soon after their first financing."""
    financed = papers["at_min"].cast(pa.date32(), safe=False).cast(pa.int32()).cast(pa.int64())
    after = pc.subtract(papers["void_on"].cast(pa.int32()).cast(pa.int64()), financed)
    return pc.fill_null(pc.and_(pc.greater_equal(after, 0), pc.less_equal(after, parameters.within_days)), False)


def _often(papers: pa.Table, voided: pa.Table, parameters: VoidedAfterFinancingParameters) -> pa.Table:
    """Return the sellers of whom so many papers and so large a part are void: ``seller, at``."""
    every = papers.group_by("seller").aggregate([("paper", "count")]).rename_columns({"paper_count": "all"})
    found = voided.group_by("seller").aggregate([("paper", "count"), ("void_on", "max")]).join(every, "seller", join_type="inner")
    enough = pc.greater_equal(found["paper_count"], parameters.min_invoices)
    part = pc.greater_equal(pc.multiply(found["paper_count"], 100), pc.multiply(found["all"], parameters.min_percent))
    return found.filter(pc.and_(enough, part)).select(["seller", "void_on_max"]).rename_columns(["seller", "at"])


def _told(sellers: pa.Table, rows: pa.Table) -> pa.Table:
    """Give each seller one finding with its financings and invoices."""
    found = sellers.sort_by("seller")
    found = found.append_column("finding", pa.array(np.arange(found.num_rows)))
    mine = rows.join(found.select(["seller", "finding"]), "seller", join_type="inner")
    sums = mine.group_by("finding").aggregate([("amount_fen", "sum")]).rename_columns({"amount_fen_sum": "amount_fen"})
    found = found.join(sums, "finding").append_column("root", found["seller"]).rename_columns({"seller": "entity_id"})
    parts = [mine.select(["finding", name]).rename_columns(["finding", "id"]) for name in ("id", "paper")]
    return listed(found, pa.concat_tables(parts).append_column("position", pa.array(np.repeat([0, 1], mine.num_rows))))


RULE = Rule(
    name="voided_after_financing",
    version="2",
    about="A seller makes a good part of its invoices void after money was lent against them.",
    reason=INVOICES_VOIDED_AFTER_FINANCING,
    severity="high",
    action="refer",
    parameters=VoidedAfterFinancingParameters(),
    requires=REQUIRES,
    find=find_voided_after_financing,
)
