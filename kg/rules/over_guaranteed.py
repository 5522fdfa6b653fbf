"""Companies that guarantee far more than they have: their guarantees are worth nothing when they are called.

Look-alikes that are no hit: an owner who stands for the own company (persons are left out: their means are not known); a parent that
stands for a few large subsidiaries within its capital; a guarantee company, whose trade it is up to ten times its capital; one
guarantee of which two registers tell.

References
----------
.. [1] 《融资担保公司监督管理条例》 (国务院令第 683 号), art. 15: a guarantee company stands for ten times its net assets at most.
.. [2] 中国银监会办公厅《关于加强企业担保圈贷款风险防范和化解工作的通知》, 2014: firms must not stand for more than they can bear.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from kg.algorithms.interning import Interner
from kg.ownership.registers import of_fullest_source
from kg.payments.loan_money import guaranteed
from kg.reason import OVER_GUARANTEED
from kg.rule import FOUND, Need, Rule, Tables, conform, listed, parameter, refuse_outside

REQUIRES = (
    Need("GUARANTEES", ("id", "src", "dst", "amount_fen", "valid_from", "source")),
    Need("BORROWED", ("id", "src", "dst")),
    Need("Company", ("id", "capital_fen")),
)


@dataclass(frozen=True)
class OverGuaranteedParameters:
    """How much is too much."""

    max_times: int = parameter(10, "times the registered capital", "more is forbidden even to those whose trade it is")
    min_beneficiaries: int = parameter(3, "parties guaranteed", "one or two may be the own group, whose limit others watch")
    min_fen: int = parameter(500_000_000, "fen, in sum", "below 5 million yuan the capital of small firms says little")

    def __post_init__(self) -> None:
        refuse_outside("max_times", self.max_times, 1, 1_000)
        refuse_outside("min_beneficiaries", self.min_beneficiaries, 1, 1_000_000)
        refuse_outside("min_fen", self.min_fen, 1, 2**62)


def find_over_guaranteed(tables: Tables, parameters: OverGuaranteedParameters) -> pa.Table:
    """Find companies whose guarantees sum up to more than ``max_times`` their registered capital.

    Guarantees for others count, each once, where an amount above 0 is stated. Those for one borrower (or for several who owe a guaranteed
    loan together) are added up by source, and the source that says most counts. Companies whose capital is not stated, or not above 0,
    are left out.

    Parameters
    ----------
    tables
        ``GUARANTEES`` (of a party, or of a loan and so of its borrowers), ``BORROWED`` and ``Company``; rows that hold today.

    Returns
    -------
    Table of the columns `kg.rule.FOUND`, one row for each such company.
        ``root``: ``guarantees:`` and the company; ``amount_fen``: the sum; ``at``: the day on which the last began, as midnight UTC;
        ``evidence``: all its guarantees by the sources that count, and the borrowings through which they do.
    """
    given = conform(REQUIRES, tables)
    stands = guaranteed(given["GUARANTEES"], given["BORROWED"])
    stands = stands.filter(pc.fill_null(pc.greater(stands["amount_fen"], 0), False))
    companies = given["Company"].filter(pc.fill_null(pc.greater(given["Company"]["capital_fen"], 0), False))
    once = _counted(stands)
    sums = once.group_by("src").aggregate([("amount_fen_max", "sum"), ("valid_from_max", "max")])
    many = stands.group_by("src").aggregate([("dst", "count_distinct")])
    joined = sums.join(many, "src").join(companies, "src", "id", join_type="inner")
    fen, capital = (joined[name].to_numpy() for name in ("amount_fen_max_sum", "capital_fen"))
    over = (fen // parameters.max_times >= capital) & ((fen // parameters.max_times > capital) | (fen % parameters.max_times > 0))
    enough = (fen >= parameters.min_fen) & (joined["dst_count_distinct"].to_numpy() >= parameters.min_beneficiaries)
    told = joined.filter(pa.array(over & enough)).sort_by("src")
    if not told.num_rows:
        return FOUND.empty_table()
    found = pa.table(
        {
            "finding": np.arange(told.num_rows),
            "entity_id": told["src"],
            "root": pc.binary_join_element_wise("guarantees:", told["src"], ""),
            "amount_fen": told["amount_fen_max_sum"],
            "at": told["valid_from_max_max"],
        }
    )
    stands = stands.filter(pc.is_in(stands["id"], value_set=once["id"].combine_chunks()))
    rows = stands.join(found.select(["finding", "entity_id"]), "src", "entity_id", join_type="inner")
    links = rows.filter(rows["loan_link"].is_valid())
    parts = [(0, rows["finding"], rows["id"]), (1, links["finding"], links["loan_link"])]
    return listed(
        found, pa.concat_tables([pa.table({"finding": of, "position": np.full(len(of), at), "id": ids}) for at, of, ids in parts])
    )


def _counted(stands: pa.Table) -> pa.Table:
    """Return, each once, the guarantees of the sources that count: ``src, id, amount_fen_max, valid_from_max``."""
    once = stands.append_column("together", _together(stands)).group_by(["src", "id", "source", "together"])
    return of_fullest_source(once.aggregate([("amount_fen", "max"), ("valid_from", "max")]), ["together"], "amount_fen_max")


def _together(stands: pa.Table) -> pa.Array:
    """Return a number for each row: those of a guarantor have one that are for one borrower, or for borrowers of one guaranteed loan."""
    nodes, (guarantee, pair) = Interner.encode(stands["id"], pc.binary_join_element_wise(stands["src"], stands["dst"], ">"))
    if not len(nodes):
        return pa.array([], pa.int32())
    links = csr_array((np.ones(len(guarantee)), (guarantee, pair)), shape=(len(nodes), len(nodes)))
    return pa.array(connected_components(links, directed=False)[1][guarantee])


RULE = Rule(
    name="over_guaranteed",
    version="2",
    about="A company guarantees more than ten times its capital.",
    reason=OVER_GUARANTEED,
    severity="medium",
    action="watch",
    parameters=OverGuaranteedParameters(),
    requires=REQUIRES,
    find=find_over_guaranteed,
)
