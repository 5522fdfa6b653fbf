"""Which pairs the register ties: whose answer a bank has, of the companies whose register was withheld.

Knows what counts as a tie of control, and which other ties leave the answer open; reads the whole register, which no feature does.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from gnn.pairs.houses import control
from gnn.pairs.withheld import PERIODS, asked
from kg.engine import union
from kg.graph import Graph


def stated(whole: Graph, pairs: ir.Table, period: str) -> ir.Table:
    """Return what the whole register says of pairs.

    Parameters
    ----------
    whole
        The graph of the day with nothing withheld; it makes ``CONTROLS``.
    pairs
        ``id, a, b``.

    Returns
    -------
    ir.Table
        ``id, stated``: 1 where one party controls both or one the other, 0 where the register ties them in no way, -1 where it does in
        another (a common representative, holder or relative), and for pairs of which neither's register was withheld.
    """
    keep = whole.engine.keep
    one = _under_one(whole, pairs)
    tied = keep(union([_with_common(pairs, keep(_near(whole))), _directly(whole, pairs)]).distinct())
    digits = PERIODS[period]
    rows = pairs.mutate(_asked=asked(pairs.a, digits) | asked(pairs.b, digits) & pairs.b.startswith("company:"))
    rows = rows.left_join(one.mutate(_one=True), "id", rname="{name}_1").left_join(tied.mutate(_tied=True), "id", rname="{name}_2")
    answer = ibis.cases((~rows._asked, -1), (rows._one.notnull(), 1), (rows._tied.notnull(), -1), else_=0)
    return rows.select("id", stated=answer)


def _under_one(whole: Graph, pairs: ir.Table) -> ir.Table:
    """Return ``id`` of the pairs under one certain control by the register."""
    rows = control(whole)
    direct = [
        pairs.semi_join(rows.select(**ends), ["a", "b"]).select("id") for ends in ({"a": "src", "b": "dst"}, {"a": "dst", "b": "src"})
    ]
    mine = pairs.inner_join(rows.select(a="dst", src="src"), "a")
    both = mine.semi_join(rows.select(b="dst", src="src"), ["b", "src"]).select("id")
    return whole.engine.keep(union([*direct, both]).distinct())


def _near(whole: Graph) -> ir.Table:
    """Return ``company, party``: those in the register of each company, and their relatives."""
    rows = union([whole.edges(name).select(company="dst", party="src") for name in ("HOLDS_SHARES", "REPRESENTS", "OFFICER_OF")]).distinct()
    rows = whole.engine.keep(rows)
    kin = whole.edges("KIN_OF").select(party="src", other="dst")
    kin = union([kin, kin.select(party="other", other="party")])
    relatives = rows.inner_join(kin, "party").select("company", party="other")
    return union([rows, relatives]).distinct()


def _with_common(pairs: ir.Table, near: ir.Table) -> ir.Table:
    """Return ``id`` of the pairs of companies that have somebody in common."""
    mine = pairs.inner_join(near.select(a="company", party="party"), "a")
    return mine.semi_join(near.select(b="company", party="party"), ["b", "party"]).select("id")


def _directly(whole: Graph, pairs: ir.Table) -> ir.Table:
    """Return ``id`` of the pairs of which one stands in the register of the other, or is a relative of who does."""
    near = whole.engine.keep(_near(whole))
    ways = ({"a": "company", "b": "party"}, {"a": "party", "b": "company"})
    return union([pairs.semi_join(near.select(**ends), ["a", "b"]).select("id") for ends in ways])
