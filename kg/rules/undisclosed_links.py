"""Parties at one loan who belong together though no register says so: a guarantor tied to the borrower guarantees nothing.

Look-alike that is no hit: an owner, a relative or a sister company that the register shows as such; the officer sees that without us.

References
----------
.. [1] 贷款通则, art. 24; 商业银行集团客户授信业务风险管理指引, 2010, art. 3 (4).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.reason import UNDISCLOSED_LINKS
from kg.rule import Need, Rule, Tables, conform, listed, parameter, refuse_outside

REQUIRES = (
    Need("GUARANTEES", ("id", "src", "dst", "amount_fen", "valid_from")),
    Need("BORROWED", ("id", "src", "dst", "amount_fen", "at")),
    Need("LINKED_TO", ("id", "src", "dst", "kind", "score", "disclosed")),
)
#: Kinds that say no more than that there is a guarantee, or speak of a person behind a company.
_NOT_TOLD = ("guarantor", "guarantee_circle", "hidden_control")


@dataclass(frozen=True)
class UndisclosedLinksParameters:
    """From when on a link counts."""

    min_score_ppm: int = parameter(400_000, "ppm", "below it evidence is weak: of honest pairs at an address or with an agent in common")

    def __post_init__(self) -> None:
        refuse_outside("min_score_ppm", self.min_score_ppm, 1, 1_000_000)


def find_undisclosed_links(tables: Tables, parameters: UndisclosedLinksParameters) -> pa.Table:
    """Find borrowers and guarantors of one loan between whom there is evidence of a link that the register does not tell.

    Parameters
    ----------
    tables
        ``GUARANTEES`` (of a party, or of a loan and so of its borrowers), ``BORROWED`` and ``LINKED_TO``; rows that hold today. That the
        one guarantees for the other is itself no evidence.

    Returns
    -------
    Table of the columns `kg.rule.FOUND`, one row for the borrower and one for the guarantor.
        ``root``: both, the smaller id first, joined by ``>``; ``evidence``: the links, then the guarantees; ``amount_fen``: the sum of the
        guarantees, null where none is stated; ``at``: the day on which the last of them began, as midnight UTC.
    """
    given = conform(REQUIRES, tables)
    pairs = _guaranteed(given["GUARANTEES"], given["BORROWED"])
    links = given["LINKED_TO"]
    told = pc.and_(pc.invert(pc.fill_null(links["disclosed"], False)), pc.greater_equal(links["score"], parameters.min_score_ppm))
    links = links.filter(pc.and_(told, pc.invert(pc.is_in(links["kind"], value_set=pa.array(_NOT_TOLD)))))
    known = pa.table({"link": links["id"], "pair": _pair(links["src"], links["dst"])})
    joined = pairs.join(known, "pair", join_type="inner")
    once = joined.group_by(["pair", "src", "dst", "id"]).aggregate([("amount_fen", "max"), ("valid_from", "max")])
    sums = once.group_by(["pair"]).aggregate([("amount_fen_max", "sum"), ("valid_from_max", "max")])
    sums = sums.rename_columns({"amount_fen_max_sum": "amount_fen", "valid_from_max_max": "at"})
    ends = pa.concat_tables([joined.select(["pair", end]).rename_columns(["pair", "entity_id"]) for end in ("src", "dst")])
    found = (
        ends.group_by(["pair", "entity_id"]).aggregate([]).join(sums, "pair").sort_by([("pair", "ascending"), ("entity_id", "ascending")])
    )
    found = found.append_column("finding", pa.array(np.arange(found.num_rows))).rename_columns({"pair": "root"})
    parts = [joined.select(["pair", name]).rename_columns(["root", "id"]) for name in ("link", "id")]
    evidence = pa.concat_tables(
        [part.append_column("position", pa.array(np.full(part.num_rows, place))) for place, part in enumerate(parts)]
    )
    return listed(found, found.select(["finding", "root"]).join(evidence, "root", join_type="inner").select(["finding", "position", "id"]))


def _pair(a: pa.ChunkedArray, b: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(pc.min_element_wise(a, b), pc.max_element_wise(a, b), ">")


def _guaranteed(given: pa.Table, borrowed: pa.Table) -> pa.Table:
    """Return guarantor, borrower and pair of each guarantee: ``id, src, dst, amount_fen, valid_from, pair``."""
    of_loan = pc.starts_with(given["dst"], "loan:")
    borrowers = borrowed.select(["src", "dst"]).rename_columns(["borrower", "dst"])
    for_loan = given.filter(of_loan).join(borrowers, "dst", join_type="inner").drop_columns(["dst"]).rename_columns({"borrower": "dst"})
    both = pa.concat_tables([given.filter(pc.invert(of_loan)), for_loan.select(given.column_names)])
    both = both.filter(pc.not_equal(both["src"], both["dst"]))
    return both.append_column("pair", _pair(both["src"], both["dst"]))


RULE = Rule(
    name="undisclosed_links",
    version="1",
    about="Borrower and guarantor belong together though no register says so.",
    reason=UNDISCLOSED_LINKS,
    severity="medium",
    action="refer",
    parameters=UndisclosedLinksParameters(),
    requires=REQUIRES,
    find=find_undisclosed_links,
)
