"""Companies that hold one another in a circle (循环持股): capital that was paid in once is counted several times, and control hides in it.

Look-alike that is no hit: a small cross-holding, such as old friends among companies have.

References
----------
.. [1] Chapelle, Szafarz, Controlling firms through the majority voting rule, 2005.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from kg.circle import told_circles
from kg.reason import CIRCULAR_HOLDING
from kg.rule import Need, Rule, Tables, conform, listed, parameter, refuse_outside

REQUIRES = (Need("HOLDS_SHARES", ("id", "src", "dst", "share_ppm", "valid_from")),)


@dataclass(frozen=True)
class CircularHoldingParameters:
    """Which circles are told."""

    min_share_ppm: int = parameter(100_000, "ppm", "below a tenth a holding gives neither votes nor capital that matter")
    max_companies: int = parameter(6, "companies", "longer circles are told as a whole")
    max_circles: int = parameter(1000, "circles of one component", "beyond it the component is told as a whole")

    def __post_init__(self) -> None:
        refuse_outside("min_share_ppm", self.min_share_ppm, 0, 1_000_000)
        refuse_outside("max_companies", self.max_companies, 2, 20)
        refuse_outside("max_circles", self.max_circles, 1, 1_000_000)


def find_circular_holdings(tables: Tables, parameters: CircularHoldingParameters) -> pa.Table:
    """Find companies that hold one another in a circle, each holding of at least ``min_share_ppm``; one that is not known does not count.

    Parameters
    ----------
    tables
        ``HOLDS_SHARES`` (``id, src, dst, share_ppm, valid_from``); rows that hold today.

    Returns
    -------
    Table of the columns `kg.rule.FOUND`, one row for each circle and member.
        ``root``: see `kg.circle.told_circles`; ``evidence``: the ids of the holdings in it; ``amount_fen``: null; ``at``: the day on
        which the last of them began, as midnight UTC, null where none is stated.
    """
    rows = conform(REQUIRES, tables)["HOLDS_SHARES"]
    between = pc.and_(pc.starts_with(rows["src"], "company:"), pc.not_equal(rows["src"], rows["dst"]))
    rows = rows.filter(pc.and_(between, pc.fill_null(pc.greater_equal(rows["share_ppm"], parameters.min_share_ppm), False)))
    told = told_circles(rows, max_parties=parameters.max_companies, max_circles=parameters.max_circles)
    for name in ("id", "valid_from"):
        told = told.append_column(name, rows[name].take(told["row"]))
    key = ["finding", "entity_id", "root"]
    found = told.group_by(key).aggregate([("valid_from", "max")]).rename_columns({"valid_from_max": "at"})
    found = found.append_column("amount_fen", pa.nulls(found.num_rows, pa.int64()))
    return listed(found, told.select(["finding", "id"]).append_column("position", pa.repeat(pa.scalar(0), told.num_rows)))


RULE = Rule(
    name="circular_holding",
    version="1",
    about="Companies hold one another in a circle.",
    reason=CIRCULAR_HOLDING,
    severity="medium",
    action="watch",
    parameters=CircularHoldingParameters(),
    requires=REQUIRES,
    find=find_circular_holdings,
)
