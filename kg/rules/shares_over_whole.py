"""Companies whose shares sum up to more than the whole: the register is wrong, or a share was sold or pledged twice.

Nothing that follows from such holdings is sure, and it is never put right silently.

Look-alikes that are no hit: many small shares, each rounded up; a seller whose share ended before that of the buyer began;
one holding of which two registers tell.

References
----------
.. [1] 《中华人民共和国公司法》(2023 revision), art. 34, 56 and 86: shareholders are kept in a register, and changes are to be entered.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.ownership.registers import of_fullest_source
from kg.reason import SHARES_OVER_WHOLE
from kg.rule import Need, Rule, Tables, conform, listed, parameter, refuse_outside

REQUIRES = (Need("HOLDS_SHARES", ("id", "src", "dst", "share_ppm", "valid_from", "source")),)
_WHOLE = 1_000_000


@dataclass(frozen=True)
class SharesOverWholeParameters:
    """What is too much."""

    tolerance_ppm: int = parameter(1_000, "ppm", "what rounding of many small shares may add")

    def __post_init__(self) -> None:
        refuse_outside("tolerance_ppm", self.tolerance_ppm, 0, 100_000)


def find_shares_over_whole(tables: Tables, parameters: SharesOverWholeParameters) -> pa.Table:
    """Find companies whose known shares sum up to more than the whole.

    Rows of one source are added up, the source that says most of a company counts.

    Parameters
    ----------
    tables
        ``HOLDS_SHARES`` (``id, src, dst, share_ppm, valid_from, source``); rows that hold today.

    Returns
    -------
    Table of the columns `kg.rule.FOUND`, one row for each such company.
        ``root``: ``shares:`` and the company; ``evidence``: all its holdings by that source; ``amount_fen``: null.
    """
    rows = of_fullest_source(conform(REQUIRES, tables)["HOLDS_SHARES"], ["dst"], "share_ppm")
    sums = rows.group_by("dst").aggregate([("share_ppm", "sum"), ("valid_from", "max")])
    over = sums.filter(pc.fill_null(pc.greater(sums["share_ppm_sum"], _WHOLE + parameters.tolerance_ppm), False)).sort_by("dst")
    found = pa.table(
        {
            "finding": np.arange(over.num_rows),
            "entity_id": over["dst"],
            "root": pc.binary_join_element_wise("shares:", over["dst"], ""),
            "amount_fen": pa.nulls(over.num_rows, pa.int64()),
            "at": over["valid_from_max"],
        }
    )
    evidence = rows.join(found.select(["finding", "entity_id"]), "dst", "entity_id", join_type="inner").select(["finding", "id"])
    return listed(found, evidence.append_column("position", pa.repeat(pa.scalar(0), evidence.num_rows)))


RULE = Rule(
    name="shares_over_whole",
    version="2",
    about="The shares of a company sum up to more than the whole.",
    reason=SHARES_OVER_WHOLE,
    severity="low",
    action="watch",
    parameters=SharesOverWholeParameters(),
    requires=REQUIRES,
    find=find_shares_over_whole,
)
