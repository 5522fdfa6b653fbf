"""A group of connected clients beyond a limit: passed outright, or split over parties of whose tie no register tells.

Look-alike that is no hit: a large group whose exposures together are within the limits, however many its members.

What cannot be had: a group whose members nothing ties but that their loans end with one of them; `borrowed_for_one` tells of most of these.

References
----------
.. [1] 商业银行大额风险暴露管理办法, 2018; 商业银行集团客户授信业务风险管理指引, 2010.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.reason import GROUP_LIMIT_PASSED, GROUP_LIMIT_SPLIT
from kg.rule import Need, Rule, Tables, conform, listed, parameter, refuse_outside

REQUIRES = (
    Need("Group", ("id", "used_fen", "headroom_fen", "breach", "split")),
    Need("MEMBER_OF", ("id", "src", "dst")),
)


@dataclass(frozen=True)
class GroupLimitParameters:
    """How far beyond."""

    tolerance_fen: int = parameter(0, "fen", "what a limit is passed by before it is told; limits are sharp")

    def __post_init__(self) -> None:
        refuse_outside("tolerance_fen", self.tolerance_fen, 0, 2**62)


def find_passed_limits(tables: Tables, parameters: GroupLimitParameters) -> pa.Table:
    """Find the members of groups whose exposures pass a limit of groups.

    Parameters
    ----------
    tables
        ``Group`` (``id, used_fen, headroom_fen, breach, split``) and ``MEMBER_OF`` (``id, src, dst``).

    Returns
    -------
    Table of the columns `kg.rule.FOUND`, one row for each member of such a group.
        ``root``: the group's id; ``amount_fen``: by how much the limit is passed; ``evidence``: the group and all who belong to it
        (ids of ``MEMBER_OF``); ``at``: null.
    """
    groups = conform(REQUIRES, tables)["Group"]
    over = pc.fill_null(pc.less(groups["headroom_fen"], -parameters.tolerance_fen), False)
    chosen = groups.filter(pc.and_(pc.fill_null(groups["breach"], False), over))
    return _members(chosen.append_column("amount_fen", pc.negate(chosen["headroom_fen"])), tables)


def find_split_limits(tables: Tables, parameters: GroupLimitParameters) -> pa.Table:  # noqa: ARG001 - both rules are called alike
    """Find the members of groups within their limits that pass one together with parties tied to them by strong, undisclosed evidence.

    Returns
    -------
    Table of the columns `kg.rule.FOUND`; ``amount_fen`` is what the group has used. Else as `find_passed_limits`.
    """
    groups = conform(REQUIRES, tables)["Group"]
    chosen = groups.filter(pc.fill_null(groups["split"], False))
    return _members(chosen.append_column("amount_fen", chosen["used_fen"]), tables)


def _members(groups: pa.Table, tables: Tables) -> pa.Table:
    members = conform(REQUIRES, tables)["MEMBER_OF"].rename_columns({"id": "link", "src": "entity_id", "dst": "root"})
    mine = members.join(groups.select(["id", "amount_fen"]), "root", "id", join_type="inner").sort_by(
        [("root", "ascending"), ("entity_id", "ascending")]
    )
    found = mine.append_column("finding", pa.array(np.arange(mine.num_rows))).append_column(
        "at", pa.nulls(mine.num_rows, pa.timestamp("us", "UTC"))
    )
    links = found.select(["finding", "root"]).join(members.select(["root", "link"]), "root", join_type="inner")
    evidence = pa.table(
        {
            "finding": pa.chunked_array([*found["finding"].chunks, *links["finding"].chunks], pa.int64()),
            "position": np.concatenate([np.zeros(found.num_rows, np.int64), np.ones(links.num_rows, np.int64)]),
            "id": pa.chunked_array([*found["root"].chunks, *links["link"].chunks], pa.string()),
        }
    )
    return listed(found.select(["finding", "entity_id", "root", "amount_fen", "at"]), evidence)


PASSED = Rule(
    name="group_limit_passed",
    version="1",
    about="The exposures of a group of connected clients pass a limit.",
    reason=GROUP_LIMIT_PASSED,
    severity="high",
    action="refer",
    parameters=GroupLimitParameters(),
    requires=REQUIRES,
    find=find_passed_limits,
)
SPLIT = Rule(
    name="group_limit_split",
    version="1",
    about="A group passes a limit together with parties whose tie to it no register tells.",
    reason=GROUP_LIMIT_SPLIT,
    severity="medium",
    action="refer",
    parameters=GroupLimitParameters(),
    requires=REQUIRES,
    find=find_split_limits,
)
