"""Parties among whom money goes round: sales that are made up, or a way on which it is lost sight of.

What a ring is, which cycles are no chance, and which look-alikes are left out (cash pools and other circles within one group, barter,
chance circles of honest trade, hubs) say `kg.derivations.ring_members` and `kg.derivations.ring_evidence`; this rule tells of rings that
are large and recent enough to matter.

References
----------
.. [1] FATF, Trade-Based Money Laundering: Trends and Developments, 2020, on payments that circulate among shells.
.. [2] Hajdu & Krész, Temporal network analytics for fraud detection in the banking sector, ADBIS 2020, on cycles as evidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from kg.reason import MONEY_GOES_ROUND
from kg.rule import DAY, FOUND, Need, Rule, Tables, conform, parameter, refuse_outside


@dataclass(frozen=True)
class PaymentRingParameters:
    """Which rings are told of."""

    min_fen: int = parameter(10_000_000, "fen", "rings in which less was got in all move too little to pay for a look")
    recent_days: int = parameter(180, "days", "what ended longer ago was looked at when it was told of")

    def __post_init__(self) -> None:
        refuse_outside("min_fen", self.min_fen, 0, 2**62)
        refuse_outside("recent_days", self.recent_days, 1, 3_660)


REQUIRES = (
    Need("IN_RING", ("id", "src", "dst", "amount_fen", "evidence")),
    Need("Ring", ("id", "amount_fen", "last_at")),
    DAY,
)


def find_payment_rings(tables: Tables, parameters: PaymentRingParameters) -> pa.Table:
    """Find the members of rings of money.

    Parameters
    ----------
    tables
        ``IN_RING``, ``Ring`` and the business date.

    Returns
    -------
    Table of the columns `kg.rule.FOUND`, one row for each party and ring.
        ``root``: the ring; ``amount_fen``: what the party got by it; ``at``: the ring's last transfer; ``evidence``: the party's transfers.
    """
    given = conform(REQUIRES, tables)
    if not given[DAY.name].num_rows:
        return FOUND.empty_table()
    begin = datetime.combine(given[DAY.name]["day"][0].as_py() - timedelta(days=parameters.recent_days), time(), UTC)
    rings = given["Ring"]
    told = pc.and_(pc.greater_equal(rings["amount_fen"], parameters.min_fen), pc.greater_equal(rings["last_at"], pa.scalar(begin)))
    rings = rings.filter(pc.fill_null(told, False)).select(["id", "last_at"])
    members = given["IN_RING"].join(rings.rename_columns({"id": "ring", "last_at": "at"}), "dst", "ring", join_type="inner")
    members = members.sort_by([("dst", "ascending"), ("src", "ascending")])
    columns = {"entity_id": members["src"], "root": members["dst"], "amount_fen": members["amount_fen"]}
    return pa.table({**columns, "evidence": _ids(members["evidence"]), "at": members["at"]}).cast(FOUND)


def _ids(lists: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the ids of JSON lists of ids.

    >>> _ids(pa.chunked_array([['["a","b"]', '[]', '["a\\\\"b"]']])).to_pylist()
    [['a', 'b'], [], ['a"b']]
    """
    inside = pc.utf8_slice_codeunits(lists, 1, -1)
    # ids hold no control characters: one of them marks a quote that was written as \"
    marked = pc.replace_substring(pc.replace_substring(inside, "\\\\", "\x02"), '\\"', "\x01")
    split = pc.split_pattern(pc.utf8_trim(marked, '"'), '","')
    flat = pc.list_flatten(split)
    plain = pc.replace_substring(pc.replace_substring(flat, "\x01", '"'), "\x02", "\\")
    chunk = split.combine_chunks()
    ids = pa.ListArray.from_arrays(chunk.offsets, plain.combine_chunks() if isinstance(plain, pa.ChunkedArray) else plain)
    empty = pc.equal(lists, "[]").combine_chunks()
    return pa.chunked_array([pc.if_else(empty, pa.scalar([], ids.type), ids)])


RULE = Rule(
    name="payment_ring",
    version="2",
    about="Money goes round the same few parties, again and again or over five and more, and they pay one another little else.",
    reason=MONEY_GOES_ROUND,
    severity="medium",
    action="refer",
    parameters=PaymentRingParameters(),
    requires=REQUIRES,
    find=find_payment_rings,
)
