"""What several registers tell of the same: whose rows count, and who holds more than half by the word of one.

Knows that rows of one source are added up and rows of two are not; hides how they are told apart.
"""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc

from kg.engine import Engine, union

_HALF_PPM = 500_000


def majorities(holdings: pa.Table) -> pa.Table:
    """Return ``id, src, dst`` of the rows by which one source has a party hold more than half of a company.

    >>> held = {"id": ["h1", "h2"], "src": ["p", "p"], "dst": ["c", "c"], "share_ppm": [300_000, 300_000], "source": ["a", "a"]}
    >>> majorities(pa.table(held)).num_rows
    2
    """
    pair = ["src", "dst", "source"]
    holdings = holdings.set_column(holdings.column_names.index("source"), "source", pc.fill_null(holdings.column("source"), ""))
    sums = holdings.group_by(pair).aggregate([("share_ppm", "sum")])
    above = sums.filter(pc.greater(sums.column("share_ppm_sum"), _HALF_PPM))
    return holdings.join(above, pair, join_type="inner").select(["id", "src", "dst"])


def of_fullest_source(rows: pa.Table, keys: Sequence[str], amount: str) -> pa.Table:
    """Return of each key the rows of that source alone whose amounts sum up to most; of several that say as much, of the first by name.

    Two registers that tell the same tell it in two rows, which are not to be added up.

    Parameters
    ----------
    rows
        ``source``, ``keys`` without nulls, and ``amount``, of which nulls count for nothing.

    Examples
    --------
    >>> held = {"id": ["h1", "h2", "h3"], "dst": ["c", "c", "c"], "share_ppm": [600_000, 400_000, 900_000], "source": ["a", "a", "b"]}
    >>> of_fullest_source(pa.table(held), ["dst"], "share_ppm")["id"].to_pylist()
    ['h1', 'h2']
    """
    rows = rows.set_column(rows.column_names.index("source"), "source", pc.fill_null(rows["source"], ""))
    if pc.count_distinct(rows["source"]).as_py() <= 1:
        return rows
    said = rows.append_column("_said", pc.fill_null(rows[amount], 0)).group_by([*keys, "source"]).aggregate([("_said", "sum")])
    most = said.group_by(keys).aggregate([("_said_sum", "max")])
    said = said.join(most, keys, join_type="inner")
    said = said.filter(pc.equal(said["_said_sum"], said["_said_sum_max"])).group_by(keys).aggregate([("source", "min")])
    return rows.join(said.rename_columns({"source_min": "source"}), [*keys, "source"], join_type="inner").select(rows.column_names)


def told_once(engine: Engine, rows: ir.Table) -> ir.Table:
    """Return holdings without those that another source tells as well: of each holder in each company those of one source stay.

    It is, of the sources that say how much the holder has, the fullest register of the company: one that states votes, then that with
    most holders, with the largest sum of shares, of money, and the first by name. A holder whom one source alone knows stays, whatever
    others say of the company.

    Parameters
    ----------
    rows
        ``src, dst, share_ppm, votes_ppm, subscribed_fen, source`` and others.
    """
    pair = ["src", "dst"]
    if engine.count(rows.select("source").distinct().limit(2)) < 2:
        return rows
    doubled = rows.group_by(pair).aggregate(_sources=rows.source.nunique()).filter(ibis._._sources > 1).select(*pair)
    doubled = engine.keep(doubled)
    if not engine.count(doubled):
        return rows
    several = rows.semi_join(doubled, pair)
    known = several.share_ppm.notnull() | several.votes_ppm.notnull() | several.subscribed_fen.notnull()
    said = several.group_by([*pair, "source"]).aggregate(_known=known.any()).inner_join(_registers(rows, doubled), ["dst", "source"])
    best = [ibis.desc(said[name]) for name in ("_known", "_votes", "_holders", "_share", "_money")]
    ranked = said.mutate(_rank=ibis.row_number().over(group_by=pair, order_by=[*best, said.source]))
    chosen = ranked.filter(ranked._rank == 0).select(*pair, "source")
    return union([rows.anti_join(doubled, pair), several.semi_join(chosen, [*pair, "source"])])


def _registers(rows: ir.Table, doubled: ir.Table) -> ir.Table:
    """Return how full each source's register of a company is: ``dst, source, _votes, _holders, _share, _money``."""
    of = rows.semi_join(doubled.select("dst").distinct(), "dst")
    return of.group_by(["dst", "source"]).aggregate(
        _votes=of.votes_ppm.notnull().any(),
        _holders=of.src.nunique(),
        _share=of.share_ppm.sum().fill_null(-1),
        _money=of.subscribed_fen.sum().fill_null(-1),
    )
