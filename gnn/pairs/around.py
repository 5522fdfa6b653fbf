"""What is around the two parties: others with whom both deal [1]_, and how many other pairs each of them is in.

References
----------
.. [1] Adamic & Adar, Friends and neighbors on the Web, 2003.
"""

from __future__ import annotations

from functools import partial

import ibis
import ibis.expr.types as ir

from gnn.company.reading import partners
from gnn.family import Column, Family
from gnn.pairs.candidates import Find, evidence, pairs, years
from kg.engine import union
from kg.graph import Graph

NAME = "around"
#: Who deals with more than so many others is common to anybody.
_HUB = 60


def _make(find: Find, graph: Graph) -> ir.Table:
    rows = pairs(graph, find)
    found = rows.left_join(_common(graph, rows), "id").drop("id_right")
    ranked = _ranked(graph, find)
    for end in ("a", "b"):
        of = ranked.select("id", **{end: "end"}, **{f"{name}_{end}": name for name in _RANKED})
        found = graph.engine.keep(found.left_join(of, ["id", end], rname="{name}_r").drop("id_r", f"{end}_r"))
    sizes = graph.engine.keep(_dealt(graph).group_by("end").aggregate(partners=ibis._.count()))
    for end in ("a", "b"):
        of = sizes.select(**{end: "end", f"partners_{end}": "partners"})
        found = graph.engine.keep(found.left_join(of, end, rname="{name}_r").drop(f"{end}_r"))
    return found.select("id", *(column.name for column in COLUMNS))


def _dealt(graph: Graph) -> ir.Table:
    """Return with whom each party deals in money within the years that are looked at: ``end, other``."""

    def made() -> ir.Table:
        rows = union([partners(then).select(end="id", other="other") for then in years(graph)])
        both = union([rows, rows.select(end="other", other="end")])
        return graph.engine.keep(both.distinct())

    return graph.once("gnn.pairs.dealt", made)


def _common(graph: Graph, rows: ir.Table) -> ir.Table:
    """Return with how many others both deal, each counted by how few deal with it: ``id, common, common_rare``."""
    dealt = _dealt(graph)
    degree = graph.engine.keep(dealt.group_by("other").aggregate(degree=dealt.count()).filter(ibis._.degree <= _HUB))
    few = graph.engine.keep(dealt.inner_join(degree, "other"))
    mine = rows.inner_join(few.select(a="end", other="other", degree="degree"), "a")
    both = graph.engine.keep(mine.inner_join(few.select(b="end", other="other"), ["b", "other"]))
    return graph.engine.keep(
        # in thousandths, as sums of floats depend on the order of rows
        both.group_by("id").aggregate(
            common=both.count(), common_rare=(1_000 / (both.degree + 1).log()).round().cast("int64").sum() / 1_000
        )
    )


def _ranked(graph: Graph, find: Find) -> ir.Table:
    """Return of each end of a pair how many pairs it is in, how many of them are stronger, and by how much the best other one is."""
    rows = evidence(graph, find).group_by("id", "a", "b").aggregate(score=ibis._.score.max())
    rows = graph.engine.keep(rows)
    ends = graph.engine.keep(union([rows.select("id", "score", end=end) for end in ("a", "b")]))
    of = ibis.window(group_by=ends.end, order_by=ibis.desc(ends.score))
    all_ = ibis.window(group_by=ends.end)
    return graph.engine.keep(
        ends.select("id", "end", pairs=ends.count().over(all_), rank=ibis.rank().over(of), best=ends.score.max().over(all_))
    )


_RANKED = ("pairs", "rank", "best")
COLUMNS = (
    Column("common", "others with whom both deal in money", "共同交易对手数", "parties"),
    Column("common_rare", "others with whom both deal, each counted by how few deal with it", "共同交易对手（稀有度加权）", "1"),
    *(
        column
        for end, who, zh in (("a", "the first", "甲方"), ("b", "the second", "乙方"))
        for column in (
            Column(f"pairs_{end}", f"pairs that {who} is in", f"{zh}关联对数", "pairs"),
            Column(f"rank_{end}", f"pairs of {who} with stronger evidence", f"{zh}更强关联对数", "pairs"),
            Column(f"best_{end}", f"the strongest evidence of any pair of {who}", f"{zh}最强关联", "ppm"),
            Column(f"partners_{end}", f"with how many {who} deals in money", f"{zh}交易对手数", "parties"),
        )
    ),
)


def family(find: Find) -> Family:
    """Return the family over who finds the pairs."""
    return Family(NAME, "关联环境", "what is around two parties", COLUMNS, partial(_make, find))
