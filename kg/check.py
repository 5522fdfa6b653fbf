"""What is held against a whole delivery: gates that stop the run, and warnings that do not.

Knows the counts of tonight and of the last accepted delivery; hides nothing of the rows themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from kg.config import Gate


@dataclass(frozen=True)
class Tally:
    """How many rows a delivery had and how many of them were refused, and how many the last accepted one had.

    Of a source that adds to what was there, ``rows`` and ``refused`` count what is new, and ``standing`` all that lies there
    now; it is ``idle`` where nothing new lies there.
    """

    source: str
    rows: int
    refused: int
    previous: int | None = None
    standing: int | None = None
    idle: bool = False


def stopped_by(gate: Gate, tally: Tally) -> list[str]:
    """Return a sentence for each gate that the delivery does not pass.

    >>> stopped_by(Gate(min_rows=10), Tally("crm.companies", 3, 0))
    ['crm.companies: 3 rows, and [sources.gate] min_rows asks for 10']
    >>> stopped_by(Gate(max_drop=0.2), Tally("crm.companies", 70, 0, previous=100))
    ['crm.companies: 70 rows after 100 in the last accepted delivery, 30.0 % fewer, and max_drop allows 20.0 %']
    """
    said = []
    standing, rows = (tally.rows, "rows") if tally.standing is None else (tally.standing, "new rows")
    if tally.rows < gate.min_rows and not tally.idle:
        said.append(f"{tally.source}: {tally.rows} {rows}, and [sources.gate] min_rows asks for {gate.min_rows}")
    if tally.previous and standing < tally.previous * (1 - gate.max_drop):
        drop = 1 - standing / tally.previous
        said.append(
            f"{tally.source}: {standing} rows after {tally.previous} in the last accepted delivery,"
            f" {drop:.1%} fewer, and max_drop allows {gate.max_drop:.1%}".replace("%", " %")
        )
    if tally.rows and tally.refused > tally.rows * gate.max_rejects:
        share = tally.refused / tally.rows
        said.append(
            f"{tally.source}: {tally.refused} of {tally.rows} {rows} refused, {share:.1%},"
            f" and max_rejects allows {gate.max_rejects:.1%}".replace("%", " %")
        )
    return said


def over_held(holdings: ir.Table) -> ir.Table:
    """Return the companies whose shares, as one source tells them, sum above 100 % by more than rounding (1 ppm for each holder).

    Parameters
    ----------
    holdings
        Current rows with ``company``, ``source`` and ``share_ppm`` (null = unknown).

    Returns
    -------
    ir.Table
        ``company``, ``source``, ``share_ppm`` (the sum) and ``holders``.
    """
    known = holdings.filter(holdings.share_ppm.notnull())
    sums = known.group_by(["company", "source"]).aggregate(share_ppm=known.share_ppm.sum(), holders=known.count())
    return sums.filter(sums.share_ppm > ibis.literal(1_000_000) + sums.holders)
