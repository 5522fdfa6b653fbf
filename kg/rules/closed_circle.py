"""Companies that own one another entirely, so that in the end nobody owns them: no person answers for the loan.

Look-alikes that are no hit: a circle beside which anybody outside holds a part, however small, and shares of which the register does not
know how many they are; these are `circular_holding`'s. Nor do two registers that both tell of one half make a whole.

References
----------
.. [1] Chapelle, Szafarz, Controlling firms through the majority voting rule, 2005, on closed groups.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.algorithms.components import strong_components
from kg.algorithms.interning import Interner
from kg.ownership.registers import of_fullest_source
from kg.reason import CLOSED_HOLDING_CIRCLE
from kg.rule import Need, Rule, Tables, conform, listed, parameter, refuse_outside

REQUIRES = (Need("HOLDS_SHARES", ("id", "src", "dst", "share_ppm", "valid_from", "source")),)
_WHOLE = 1_000_000


@dataclass(frozen=True)
class ClosedCircleParameters:
    """What counts as entirely."""

    tolerance_ppm: int = parameter(0, "ppm", "what shares rounded by the source may lack of the whole")

    def __post_init__(self) -> None:
        refuse_outside("tolerance_ppm", self.tolerance_ppm, 0, 10_000)


def find_closed_circles(tables: Tables, parameters: ClosedCircleParameters) -> pa.Table:
    """Find sets of companies whose known shares are held by one another alone, and sum up to the whole in each.

    A holder's share is what the rows of one source sum up to, of the source that says most of this holder and company.

    Parameters
    ----------
    tables
        ``HOLDS_SHARES`` (``id, src, dst, share_ppm, valid_from, source``); rows that hold today.

    Returns
    -------
    Table of the columns `kg.rule.FOUND`, one row for each company of such a set.
        ``root``: ``closed:`` and the smallest company of the set; ``evidence``: all holdings in it, by these sources; ``amount_fen``: null.
    """
    rows = conform(REQUIRES, tables)["HOLDS_SHARES"]
    # who holds nothing neither opens a circle nor closes one
    rows = rows.filter(pc.fill_null(pc.not_equal(rows["share_ppm"], 0), True))
    rows = of_fullest_source(rows, ["src", "dst"], "share_ppm")
    ids, (holder, held) = Interner.encode(rows["src"], rows["dst"])
    share = pc.fill_null(rows["share_ppm"], 0).to_numpy()
    component = strong_components(holder, held, len(ids))
    inside = component[holder] == component[held]
    owned = np.bincount(held[inside], share[inside], len(ids))
    # one company of the set that somebody else holds a part of opens all of it
    is_held = np.bincount(held, minlength=len(ids)) > 0
    foreign = np.bincount(held[~inside], minlength=len(ids)) > 0
    lacking = ~is_held | foreign | (owned < _WHOLE - parameters.tolerance_ppm)
    closed = np.bincount(component[lacking], minlength=len(ids)) == 0
    member = np.flatnonzero(closed[component])
    root = pc.binary_join_element_wise("closed:", ids.names(component[member]), "")
    evidence = np.flatnonzero(inside & closed[component[holder]])
    rows = rows.take(pa.array(evidence))
    links = pa.table({"component": component[held[evidence]], "id": rows["id"], "from": rows["valid_from"]})
    found = pa.table({"finding": member, "component": component[member], "entity_id": ids.names(member), "root": root})
    joined = found.select(["finding", "component"]).join(links, "component", join_type="inner")
    began = joined.group_by("finding").aggregate([("from", "max")]).rename_columns({"from_max": "at"})
    found = found.drop_columns(["component"]).join(began, "finding").append_column("amount_fen", pa.nulls(found.num_rows, pa.int64()))
    return listed(found, joined.select(["finding", "id"]).append_column("position", pa.repeat(pa.scalar(0), joined.num_rows)))


RULE = Rule(
    name="closed_circle",
    version="2",
    about="Companies own one another entirely, and nobody else owns them.",
    reason=CLOSED_HOLDING_CIRCLE,
    severity="high",
    action="refer",
    parameters=ClosedCircleParameters(),
    requires=REQUIRES,
    find=find_closed_circles,
)
