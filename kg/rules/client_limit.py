"""A single client beyond a limit of single clients, whatever its groups are.

Look-alike that is no hit: an exposure that is large, and reported as such, but within the limit.

References
----------
.. [1] 商业银行法 第三十九条; 商业银行大额风险暴露管理办法, 2018.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.reason import CLIENT_LIMIT_PASSED
from kg.rule import Need, Rule, Tables, conform, listed, parameter, refuse_outside

REQUIRES = (Need("LargeExposure", ("id", "party", "headroom_fen", "breach")),)


@dataclass(frozen=True)
class ClientLimitParameters:
    """How far beyond."""

    tolerance_fen: int = parameter(0, "fen", "what a limit is passed by before it is told; limits are sharp")

    def __post_init__(self) -> None:
        refuse_outside("tolerance_fen", self.tolerance_fen, 0, 2**62)


def find_passed_client_limits(tables: Tables, parameters: ClientLimitParameters) -> pa.Table:
    """Find the clients whose own exposure passes a limit of single clients.

    Parameters
    ----------
    tables
        ``LargeExposure`` (``id, party, headroom_fen, breach``).

    Returns
    -------
    Table of the columns `kg.rule.FOUND`, one row for each such client.
        ``root``: the large exposure's id, which is the evidence; ``amount_fen``: by how much the limit is passed; ``at``: null.
    """
    rows = conform(REQUIRES, tables)["LargeExposure"]
    over = pc.fill_null(pc.less(rows["headroom_fen"], -parameters.tolerance_fen), False)
    over = rows.filter(pc.and_(pc.fill_null(rows["breach"], False), over)).sort_by("id")
    finding = pa.array(np.arange(over.num_rows))
    found = pa.table(
        {
            "finding": finding,
            "entity_id": over["party"],
            "root": over["id"],
            "amount_fen": pc.negate(over["headroom_fen"]),
            "at": pa.nulls(over.num_rows, pa.timestamp("us", "UTC")),
        }
    )
    return listed(found, pa.table({"finding": finding, "position": np.zeros(over.num_rows, np.int64), "id": over["id"]}))


RULE = Rule(
    name="client_limit_passed",
    version="1",
    about="The exposure of a single client passes a limit.",
    reason=CLIENT_LIMIT_PASSED,
    severity="high",
    action="refer",
    parameters=ClientLimitParameters(),
    requires=REQUIRES,
    find=find_passed_client_limits,
)
