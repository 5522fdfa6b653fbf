"""Parties that guarantee one another in a circle (担保圈): the default of one calls on all.

Look-alike that is no hit: a chain or a star of guarantees, however long, in which nobody stands for himself again.

References
----------
.. [1] 中国银监会办公厅《关于加强企业担保圈贷款风险防范和化解工作的通知》, 2014.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from kg.circle import told_circles
from kg.payments.loan_money import guaranteed
from kg.reason import GUARANTEE_CIRCLE
from kg.rule import Need, Rule, Tables, conform, listed, parameter, refuse_outside

REQUIRES = (
    Need("GUARANTEES", ("id", "src", "dst", "amount_fen", "valid_from")),
    Need("BORROWED", ("id", "src", "dst")),
)


@dataclass(frozen=True)
class GuaranteeCircleParameters:
    """How circles are told."""

    max_parties: int = parameter(6, "parties", "longer circles are seldom agreed on by their members; they are told as a whole")
    max_circles: int = parameter(
        1000, "circles of one component", "beyond it nobody reads them one by one; the component is told as a whole"
    )

    def __post_init__(self) -> None:
        refuse_outside("max_parties", self.max_parties, 2, 20)
        refuse_outside("max_circles", self.max_circles, 1, 1_000_000)


def find_guarantee_circles(tables: Tables, parameters: GuaranteeCircleParameters) -> pa.Table:
    """Find the circles in which parties guarantee one another.

    ``A`` guarantees ``B`` where it guarantees ``B`` itself or a loan that ``B`` borrowed; a guarantee
    for oneself makes no circle. A strong component is told circle by circle (each elementary circle
    of up to ``max_parties`` once) where it has at most ``max_circles`` of them and each of its
    members is in one; any other component is told as a whole, so that no member of a circle is missed.

    Parameters
    ----------
    tables
        ``GUARANTEES`` (``id, src, dst, amount_fen, valid_from``) and, for guarantees of loans,
        ``BORROWED`` (``id, src, dst``); rows that hold today.

    Returns
    -------
    Table of the columns `kg.rule.FOUND`, one row for each circle and member.
        ``root``: the members in the order of the guarantees, the smallest id first, joined by ``>``;
        for a component ``component:`` and its smallest member. ``evidence``: the ids of the circle's
        guarantees (and of the borrowings through which they count), sorted; for a component those
        that the member gave or received. ``amount_fen``: their sum, null where none is stated.
        ``at``: the day on which the last of them began, as midnight UTC, null where none is stated.
    """
    read = conform(REQUIRES, tables)
    given = guaranteed(read["GUARANTEES"], read["BORROWED"])
    return _with_evidence(told_circles(given, max_parties=parameters.max_parties, max_circles=parameters.max_circles), given)


def _with_evidence(table: pa.Table, given: pa.Table) -> pa.Table:
    """Sum up the guarantees of each finding and list their ids."""
    key = ["finding", "entity_id", "root"]
    for name in ("id", "amount_fen", "valid_from", "loan_link"):
        table = table.append_column(name, given.column(name).take(table.column("row")))
    # a guarantee of a loan with two borrowers stands in two rows; its amount counts once
    once = table.group_by([*key, "id"]).aggregate([("amount_fen", "max"), ("valid_from", "max")])
    sums = once.group_by(key).aggregate([("amount_fen_max", "sum"), ("valid_from_max", "max")])
    sums = sums.rename_columns({"amount_fen_max_sum": "amount_fen", "valid_from_max_max": "at"})
    links = table.select(["finding", "loan_link"]).rename_columns(["finding", "id"])
    evidence = pa.concat_tables([once.select(["finding", "id"]), links.filter(links.column("id").is_valid())])
    return listed(sums, evidence.append_column("position", pa.repeat(pa.scalar(0), evidence.num_rows)))


RULE = Rule(
    name="guarantee_circle",
    version="1",
    about="Parties guarantee one another in a circle.",
    reason=GUARANTEE_CIRCLE,
    severity="medium",
    action="watch",
    parameters=GuaranteeCircleParameters(),
    requires=REQUIRES,
    find=find_guarantee_circles,
)
