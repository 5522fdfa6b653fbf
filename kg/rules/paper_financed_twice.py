"""One paper financed at several lenders at once (重复融资): the same invoice or contract, or one whose number is spelt a little otherwise.

Look-alikes that are no hit: one paper financed again after the first financing fell due; two lenders who each lend a part within what the
paper is worth; the instalments or the renewal of one lender.

References
----------
.. [1] 中国人民银行等八部门《关于规范发展供应链金融…的意见》 (银发〔2020〕226号): 警惕虚增、虚构应收账款、存货及重复抵押质押行为.
.. [2] FATF, Egmont Group, Trade-based money laundering: trends and developments, 2020, on one document shown to several banks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.algorithms.interning import Interner
from kg.algorithms.kernel import Ints
from kg.algorithms.sharing import distinct, joined, unique_pairs
from kg.graph import Graph
from kg.papers import meant, registered, spelt_alike, without_letters
from kg.reason import PAPER_FINANCED_TWICE
from kg.rule import FOUND, Need, Rule, Tables, conform, listed, parameter, refuse_outside


def _of_borrowers(papers: ir.Table, graph: Graph, parameters: Any) -> ir.Table:  # noqa: ARG001 - all parameters leave the same rows out
    """Leave out the papers of which no party ever borrowed against a paper."""
    lent = graph.records("financings", "borrower")
    if lent is None:
        return papers.limit(0)
    who = lent.select(_who="borrower").distinct()
    return ibis.union(*(papers.semi_join(who, papers[party] == who["_who"]) for party in ("seller", "buyer")), distinct=True)


REQUIRES = (
    Need.records(
        "financings",
        parties=("lender", "borrower"),
        paper_kind="string",
        paper_number="string",
        amount_fen="int64",
        at="timestamp",
        due_on="date",
    ),
    Need.records(
        "invoices",
        parties=("seller", "buyer"),
        narrow=_of_borrowers,
        number="string",
        net_fen="int64",
        tax_fen="int64",
        gross_fen="int64",
    ),
    Need.records("contracts", parties=("seller", "buyer"), narrow=_of_borrowers, number="string", amount_fen="int64"),
)
_DAY = 86_400_000_000
#: A day begins so long before midnight UTC where it begins first on earth.
_EARLIEST = 14 * 3_600_000_000


@dataclass(frozen=True)
class PaperFinancedTwiceParameters:
    """When several financings of a paper are too much."""

    min_lenders: int = parameter(2, "lenders", "instalments and renewals of one lender are its own affair")
    max_percent: int = parameter(100, "% of the paper's amount", "lenders who share a paper stay within what it is worth")
    unstated_days: int = parameter(180, "days", "no due day is stated: receivables are financed for half a year at most")
    max_financings: int = parameter(50, "financings", "a number that so many financings name is a placeholder and no number")

    def __post_init__(self) -> None:
        refuse_outside("min_lenders", self.min_lenders, 2, 100)
        refuse_outside("max_percent", self.max_percent, 1, 1_000)
        refuse_outside("unstated_days", self.unstated_days, 1, 3_660)
        refuse_outside("max_financings", self.max_financings, 2, 1_000)


def find_papers_financed_twice(tables: Tables, parameters: PaperFinancedTwiceParameters) -> pa.Table:
    """Find papers against which several lenders had lent, at one time, more together than the paper is worth.

    A financing means the invoice or contract of the borrower (as seller or buyer) whose number is spelt so, case, separators, O for 0 and
    I or l for 1 apart; where there is none, the one that is so but for letters and zeros in front. Where it means one paper, all
    financings of that paper count together, whoever borrowed; where it means several, or one that no register holds, those of the
    borrower and kind of paper whose numbers are alike. A financing runs from its time until its due day begins (anywhere
    on earth). A paper is hit where at the
    time of some financing at least ``min_lenders`` lenders have lent more than ``max_percent`` of the amount of all papers that may
    be meant, reckoned exactly in fen. Where no register tells that amount, it is the largest sum lent: instalments cannot be told from
    repeated financing there.

    Parameters
    ----------
    tables
        The records of `REQUIRES`. An invoice is worth its gross amount, else net and tax, of all its rows; what is void still counts, as
        it was valid when it was financed or never was. Financings without an amount above 0 or a time are left out.

    Returns
    -------
    Table of the columns `kg.rule.FOUND`, one row for each paper and borrower.
        ``root``: the paper, by the smallest id of its rows; for one that no register holds the borrower, its kind and its number.
        ``amount_fen``: by how much the sum lent passes the paper's amount at the most. ``at``: when it was passed first. ``evidence``: the
        financings that ran at such times, by time, then the papers.
    """
    given = conform(REQUIRES, tables)
    lent = given["records/financings"]
    lent = lent.filter(pc.fill_null(pc.and_(pc.greater(lent["amount_fen"], 0), lent["at"].is_valid()), False)).sort_by("id")
    if not lent.num_rows:
        return FOUND.empty_table()
    papers = _papers(given)
    means = meant(lent, papers)
    paper = _grouped(lent, means)
    overlaps = _overlaps(lent, Interner.of(paper).codes(paper), parameters)
    passed = _passed(lent, _worth(lent, means, papers, paper), overlaps, parameters)
    return _told(lent, means, paper, overlaps, passed)


def _papers(given: dict[str, pa.Table]) -> pa.Table:
    bills, signed = given["records/invoices"], given["records/contracts"]
    whole = pc.add(bills["net_fen"], pc.fill_null(bills["tax_fen"], 0))
    bills = bills.append_column("amount_fen", pc.coalesce(bills["gross_fen"], whole))
    names = ["id", "number", "seller", "buyer", "amount_fen"]
    return pa.concat_tables([registered(bills.select(names), "invoice"), registered(signed.select(names), "contract")])


def _grouped(lent: pa.Table, means: pa.Table) -> pa.Array:
    """Return the root of each financing: the paper that it means, else the borrower, its kind and its number."""
    count = means.group_by("id").aggregate([("paper", "count"), ("paper", "min")])
    one = count.filter(pc.equal(count["paper_count"], 1))
    place = pc.index_in(lent["id"], value_set=one["id"].combine_chunks())
    alike = without_letters(spelt_alike(lent["paper_number"]))
    other = pc.binary_join_element_wise(lent["borrower"], lent["paper_kind"], alike, "|")
    return pc.coalesce(one["paper_min"].take(place), other).combine_chunks()


def _worth(lent: pa.Table, means: pa.Table, papers: pa.Table, paper: pa.Array) -> Ints:
    """Return for each financing what all papers are worth that its group may mean, -1 where it is not known."""
    group = pa.table({"id": lent["id"], "group": paper})
    once = means.join(group, "id").group_by(["group", "paper"]).aggregate([])
    sums = once.join(papers.select(["paper", "amount_fen"]), "paper").group_by("group").aggregate([("amount_fen", "sum")])
    found = sums["amount_fen_sum"].take(pc.index_in(paper, value_set=sums["group"].combine_chunks()))
    worth: Ints = pc.fill_null(found, -1).to_numpy()
    return worth


def _overlaps(lent: pa.Table, group: Ints, parameters: PaperFinancedTwiceParameters) -> tuple[Ints, Ints]:
    """Return the rows of financings, each with every one of its group that runs at its time, itself among them."""
    often = np.bincount(group)[group]
    row = np.flatnonzero((often > 1) & (often <= parameters.max_financings))
    one, other = joined(group[row], group[row])
    one, other = row[one], row[other]
    begin: Ints = lent["at"].cast(pa.int64()).to_numpy()
    due = pc.fill_null(lent["due_on"].cast(pa.int32()).cast(pa.int64()), 0).to_numpy() * _DAY - _EARLIEST
    end = np.where(lent["due_on"].is_valid().to_numpy(), due, begin + parameters.unstated_days * _DAY)
    runs = (begin[other] <= begin[one]) & ((end[other] > begin[one]) | (one == other))
    return one[runs], other[runs]


def _passed(lent: pa.Table, worth: Ints, overlaps: tuple[Ints, Ints], parameters: PaperFinancedTwiceParameters) -> pa.Table:
    """Return the financings at whose time too much runs, and by how much: ``row, excess``."""
    (one, other), fen, count = overlaps, lent["amount_fen"].to_numpy(), lent.num_rows
    total, largest = np.zeros(count, np.int64), np.zeros(count, np.int64)
    np.add.at(total, one, fen[other])
    np.maximum.at(largest, one, fen[other])
    _, (lender,) = Interner.encode(lent["lender"])
    several = np.bincount(unique_pairs(one, lender[other])[0], minlength=count) >= parameters.min_lenders
    worth = np.where(worth < 0, largest, worth)
    most = worth // 100 * parameters.max_percent + worth % 100 * parameters.max_percent // 100
    over = np.flatnonzero(several & (total > most))
    return pa.table({"row": over, "excess": (total - worth)[over]})


def _told(lent: pa.Table, means: pa.Table, paper: pa.Array, overlaps: tuple[Ints, Ints], passed: pa.Table) -> pa.Table:
    """Give each paper that is hit a finding for each borrower whose financing ran at such a time."""
    (one, other), over = overlaps, passed["row"].to_numpy()
    ran = pa.array(distinct(other[np.isin(one, over)]))
    rows = pa.table({name: lent[name].take(ran) for name in ("id", "borrower", "at")}).append_column("root", paper.take(ran))
    when = pa.table({"root": paper.take(pa.array(over)), "excess": passed["excess"], "at": lent["at"].take(pa.array(over))})
    when = when.group_by("root").aggregate([("excess", "max"), ("at", "min")])
    found = rows.group_by(["root", "borrower"]).aggregate([]).sort_by([("root", "ascending"), ("borrower", "ascending")])
    found = found.append_column("finding", pa.array(np.arange(found.num_rows))).join(when, "root")
    found = found.rename_columns({"borrower": "entity_id", "excess_max": "amount_fen", "at_min": "at"})
    # the place of a financing among all, by time and id, is its position
    rows = rows.sort_by([("at", "ascending"), ("id", "ascending")]).append_column("position", pa.array(np.arange(rows.num_rows)))
    named = rows.select(["id", "root"]).join(means, "id", join_type="inner").select(["root", "paper"]).rename_columns(["root", "id"])
    evidence = pa.concat_tables(
        [rows.select(["root", "id", "position"]), named.append_column("position", pa.repeat(pa.scalar(rows.num_rows), named.num_rows))]
    )
    return listed(found, found.select(["finding", "root"]).join(evidence, "root", join_type="inner"))


RULE = Rule(
    name="paper_financed_twice",
    version="1",
    about="Several lenders lend against one paper at a time, more together than it is worth.",
    reason=PAPER_FINANCED_TWICE,
    severity="high",
    action="refer",
    parameters=PaperFinancedTwiceParameters(),
    requires=REQUIRES,
    find=find_papers_financed_twice,
)
