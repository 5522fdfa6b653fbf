"""Sales that a company invoiced and sales that it declared lie far apart (开票与申报不符): one of the two was made up.

Look-alikes that are no hit: a shop or an inn, which declares sales to people whom it writes no invoice; one large invoice that is declared
with the next month; months of which the bank has filings but no invoices.

References
----------
.. [1] 国家税务总局《关于走逃（失联）企业开具增值税专用发票认定处理有关问题的公告》, 2016年第76号: 开票与申报不符.
.. [2] FATF, Egmont Group, Trade-based money laundering: risk indicators, 2021, on documents that contradict one another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.algorithms.interning import Interner
from kg.algorithms.sharing import distinct, joined
from kg.graph import Graph
from kg.reason import FILINGS_CONTRADICTED
from kg.rule import Need, Rule, Tables, conform, listed, parameter, refuse_outside


def _of_filers(rows: ir.Table, graph: Graph, parameters: Any) -> ir.Table:  # noqa: ARG001 - all parameters leave the same rows out
    """Leave out what companies invoiced of which no filing is known."""
    filed = graph.records("tax_filings", "company")
    if filed is None:
        return rows.limit(0)
    who = filed.select(_who="company").distinct()
    return rows.semi_join(who, rows.src == who["_who"])


REQUIRES = (
    Need.records("tax_filings", parties=("company",), period="date", months="int64", sales_fen="int64"),
    Need("INVOICED", ("id", "src", "month", "net_fen"), narrow=_of_filers),
    Need("Company", ("id", "industry")),
)
#: Divisions that sell to people, who need no invoice: retail, inns and meals, services to residents, culture and sport.
_TO_PEOPLE = ("F52", "H61", "H62", "O", "R")


@dataclass(frozen=True)
class FilingsContradictedParameters:
    """From when on invoices and filings contradict one another."""

    max_invoiced_percent: int = parameter(
        150, "% of the sales declared", "what is invoiced is taxed; half as much again is no delay by a month"
    )
    max_declared_percent: int = parameter(
        1_000, "% of the sales invoiced", "who sells to companies invoices more than a tenth of its sales"
    )
    min_gap_fen: int = parameter(50_000_000, "fen", "below half a million yuan one late filing explains it")

    def __post_init__(self) -> None:
        refuse_outside("max_invoiced_percent", self.max_invoiced_percent, 100, 10_000)
        refuse_outside("max_declared_percent", self.max_declared_percent, 100, 100_000)
        refuse_outside("min_gap_fen", self.min_gap_fen, 1, 2**62)


def find_contradicted_filings(tables: Tables, parameters: FilingsContradictedParameters) -> pa.Table:
    """Find companies whose invoices contradict their tax filings.

    Of each company the filings of its shortest tax period count in whose months it invoiced anything; of several filings of one period
    that which declares most. What it invoiced in all the months of these (net, void invoices left out) is held against what it declared
    of them. It is hit where the one is more than ``max_invoiced_percent`` of the other, or, unless by its industry it sells to
    people, what it declared more than ``max_declared_percent`` of what it invoiced, and they lie ``min_gap_fen`` apart at least.

    Parameters
    ----------
    tables
        ``records/tax_filings``, ``INVOICED`` and ``Company`` with the columns of `REQUIRES`. A filing that states no sales is left out;
        one that states no length is of one month.

    Returns
    -------
    Table of the columns `kg.rule.FOUND`, one row for each company.
        ``root``: the company; ``amount_fen``: how far the two lie apart; ``at``: null; ``evidence``: the filings, then what was
        invoiced, by id.
    """
    given = conform(REQUIRES, tables)
    filed, bills = _inside(_filings(given["records/tax_filings"]), _bills(given["INVOICED"]))
    sums = [rows.group_by("company").aggregate([("fen", "sum")]).rename_columns(["company", "fen"]) for rows in (bills, filed)]
    both = sums[0].join(sums[1], "company", join_type="inner", left_suffix="_invoiced", right_suffix="_declared")
    hit = both.filter(_apart(both, given["Company"], parameters)).sort_by("company")
    finding = pa.table({"finding": np.arange(hit.num_rows), "company": hit["company"]})
    gap = pc.abs(pc.subtract(hit["fen_invoiced"], hit["fen_declared"]))
    names = {"entity_id": hit["company"], "root": hit["company"]}
    found = pa.table({"finding": finding["finding"], **names, "amount_fen": gap, "at": pa.nulls(hit.num_rows)})
    parts = [finding.join(rows.select(["company", "id", "position"]), "company", join_type="inner") for rows in (filed, bills)]
    return listed(found, pa.concat_tables([part.select(["finding", "position", "id"]) for part in parts]))


def _filings(rows: pa.Table) -> pa.Table:
    """Return the filings that may count: ``id, company, begin, end`` (months), ``fen, position``."""
    months = pc.fill_null(rows["months"], 1)
    rows = rows.append_column("length", months).append_column("begin", _month(rows["period"]))
    rows = rows.filter(pc.and_(rows["sales_fen"].is_valid(), pc.and_(rows["begin"].is_valid(), pc.greater(rows["length"], 0))))
    shortest = rows.group_by("company").aggregate([("length", "min")]).rename_columns(["company", "length"])
    rows = rows.join(shortest, ["company", "length"], join_type="inner")
    rows = rows.sort_by([("company", "ascending"), ("begin", "ascending"), ("sales_fen", "descending"), ("id", "ascending")])
    new = np.ones(rows.num_rows, np.bool_)
    company, begin = Interner.of(rows["company"]).codes(rows["company"]), rows["begin"].to_numpy()
    new[1:] = (company[1:] != company[:-1]) | (begin[1:] != begin[:-1])
    rows = rows.filter(pa.array(new))
    columns = {"id": rows["id"], "company": rows["company"], "begin": rows["begin"], "end": pc.add(rows["begin"], rows["length"])}
    return pa.table({**columns, "fen": rows["sales_fen"], "position": np.zeros(rows.num_rows, np.int64)})


def _bills(rows: pa.Table) -> pa.Table:
    """Return what was invoiced: ``id, company, month, fen, position``."""
    rows = rows.filter(pc.and_(rows["month"].is_valid(), rows["net_fen"].is_valid()))
    columns = {"id": rows["id"], "company": rows["src"], "month": _month(rows["month"]), "fen": rows["net_fen"]}
    return pa.table({**columns, "position": np.ones(rows.num_rows, np.int64)})


def _month(day: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the number of the month of each day."""
    return pc.add(pc.multiply(pc.year(day), 12), pc.month(day))


def _inside(filed: pa.Table, bills: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Return the filings in whose months there are invoices of the company, and these invoices."""
    _, codes = Interner.encode(filed["company"], bills["company"])
    one, other = joined(*codes)
    begin, end, month = filed["begin"].to_numpy()[one], filed["end"].to_numpy()[one], bills["month"].to_numpy()[other]
    inside = (month >= begin) & (month < end)
    return filed.take(pa.array(distinct(one[inside]))), bills.take(pa.array(distinct(other[inside])))


def _apart(both: pa.Table, companies: pa.Table, parameters: FilingsContradictedParameters) -> pa.ChunkedArray:
    """Tell of which companies the two sums lie too far apart."""
    invoiced, declared = both["fen_invoiced"], both["fen_declared"]
    above = pc.greater(pc.multiply(invoiced, 100), pc.multiply(declared, parameters.max_invoiced_percent))
    below = pc.greater(pc.multiply(declared, 100), pc.multiply(invoiced, parameters.max_declared_percent))
    industry = pc.fill_null(companies["industry"], "")
    to_people = pc.match_substring_regex(industry, "^(?:" + "|".join(_TO_PEOPLE) + ")")
    exempt = pc.is_in(both["company"], value_set=companies["id"].filter(to_people).combine_chunks())
    gap = pc.greater_equal(pc.abs(pc.subtract(invoiced, declared)), parameters.min_gap_fen)
    return pc.and_(gap, pc.or_(above, pc.and_(below, pc.invert(exempt))))


RULE = Rule(
    name="filings_contradicted",
    version="1",
    about="Invoiced sales and declared sales of the same months lie far apart.",
    reason=FILINGS_CONTRADICTED,
    severity="medium",
    action="refer",
    parameters=FilingsContradictedParameters(),
    requires=REQUIRES,
    find=find_contradicted_filings,
)
