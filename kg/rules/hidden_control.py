"""A borrower that somebody may control whom no register names: money, access and credit lead to a person behind it.

What cannot be had: in generated cities half of the planted ones are hit, at twelve honest companies of 1,000, and at two of 1,000 none is.
Who is behind stands among the first three candidates of the company in seven to eight cases of ten, but honest owners lend to, trade and
share devices with one another too, and no score known here tells one from the other. So a hit is a question to an officer.

Look-alike that is no hit: relatives of the owners, an accountant's device that many share, a supplier who is also a landlord.

References
----------
.. [1] 最高人民法院关于适用公司法若干问题的规定（三）, art. 24 to 26, on nominee holdings (代持).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.reason import HIDDEN_CONTROL
from kg.rule import Need, Rule, Tables, conform, listed, parameter, refuse_outside

REQUIRES = (
    Need("BORROWED", ("id", "src", "dst", "amount_fen", "at")),
    Need("LINKED_TO", ("id", "src", "dst", "kind", "score", "level")),
)


@dataclass(frozen=True)
class HiddenControlParameters:
    """Which candidates are told."""

    min_score_ppm: int = parameter(400_000, "ppm", "on generated cities one honest company in forty has a candidate of that score")

    def __post_init__(self) -> None:
        refuse_outside("min_score_ppm", self.min_score_ppm, 1, 1_000_000)


def find_hidden_control(tables: Tables, parameters: HiddenControlParameters) -> pa.Table:
    """Find borrowing companies behind which there may be a person whom no register names.

    Parameters
    ----------
    tables
        ``BORROWED`` (``id, src, dst, amount_fen, at``) and ``LINKED_TO`` (``id, src, dst, kind, score, level``), of which those of the
        kind ``hidden_control`` count whose level is strong.

    Returns
    -------
    Table of the columns `kg.rule.FOUND`, one row for each company and person.
        ``root``: the person; ``evidence``: the id of the link (what it rests on stands there) and those of the borrowings;
        ``amount_fen``: what the company borrowed in all; ``at``: when it borrowed last.
    """
    given = conform(REQUIRES, tables)
    links, borrowed = given["LINKED_TO"], given["BORROWED"]
    strong = pc.and_(pc.equal(links["kind"], "hidden_control"), pc.equal(links["level"], "strong"))
    chosen = links.filter(pc.and_(strong, pc.greater_equal(links["score"], parameters.min_score_ppm)))
    chosen = chosen.select(["id", "src", "dst"]).rename_columns(["link", "root", "entity_id"])
    chosen = chosen.append_column("finding", pa.array(np.arange(chosen.num_rows)))
    loans = borrowed.select(["id", "src", "amount_fen", "at"]).rename_columns(["loan", "entity_id", "amount_fen", "at"])
    joined = chosen.join(loans, "entity_id", join_type="inner")
    found = joined.group_by(["finding", "entity_id", "root"]).aggregate([("amount_fen", "sum"), ("at", "max")])
    found = found.rename_columns({"amount_fen_sum": "amount_fen", "at_max": "at"})
    pairs = pa.concat_tables([joined.select(["finding", name]).rename_columns(["finding", "id"]) for name in ("link", "loan")])
    position = np.repeat([0, 1], joined.num_rows)
    return listed(found, pairs.append_column("position", pa.array(position)))


RULE = Rule(
    name="hidden_control",
    version="1",
    about="A person whom no register names may control a borrower.",
    reason=HIDDEN_CONTROL,
    severity="medium",
    action="refer",
    parameters=HiddenControlParameters(),
    requires=REQUIRES,
    find=find_hidden_control,
)
