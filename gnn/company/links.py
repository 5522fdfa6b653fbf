"""Evidence that ties a company to others beside equity, as the night of the day would tell it."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from gnn.company.known import cases
from gnn.family import Column, Family
from kg.engine import union
from kg.graph import Graph

#: The kind of evidence that speaks of a person behind a company whom no register names.
BEHIND = "hidden_control"


def make(graph: Graph) -> ir.Table:
    """Return with how many parties undisclosed evidence ties a company, how strong it is, and how many of them are known cases."""
    rows = tied(graph)
    known = graph.engine.keep(cases(graph).mutate(is_case=ibis.literal(True)))
    rows = graph.engine.keep(rows.left_join(known, "other", rname="{name}_k"))
    secret, case = ~rows.disclosed & ~rows.behind, rows.is_case.fill_null(False)
    found = rows.group_by("id").aggregate(
        undisclosed=rows.other.nunique(where=secret),
        strong=rows.other.nunique(where=secret & (rows.level == "strong")),
        strongest=rows.score.max(where=secret),
        behind=rows.score.max(where=rows.behind & ~rows.onward),
        known=rows.other.nunique(where=case),
        known_ppm=rows.score.max(where=case),
    )
    return found.filter(found.id.startswith("company:")).select("id", *(column.name for column in COLUMNS))


def tied(graph: Graph) -> ir.Table:
    """Return ``id, other, row, score, level, disclosed, behind, onward``: evidence from both its ends; ``onward`` at its source."""
    rows = graph.edges("LINKED_TO")
    rows = rows.select("src", "dst", "score", "level", row="id", disclosed=rows.disclosed.fill_null(False), behind=rows.kind == BEHIND)
    names = ("row", "score", "level", "disclosed", "behind")
    both = [rows.select(*names, id=one, other=far, onward=ibis.literal(one == "src")) for one, far in (("src", "dst"), ("dst", "src"))]
    return graph.engine.keep(union(both))


COLUMNS = (
    Column("undisclosed", "parties to whom evidence ties it of which no register tells", "未披露关联方数", "parties"),
    Column("strong", "parties to whom such evidence ties it strongly", "强证据未披露关联方数", "parties"),
    Column("strongest", "the strongest such evidence", "最强未披露关联", "ppm"),
    Column("behind", "how much speaks for a person behind it whom no register names", "隐名控制人证据", "ppm"),
    Column("known", "parties tied to it that were known cases by the day", "关联方中已确认欺诈主体数", "parties"),
    Column("known_ppm", "the strongest evidence that ties it to a known case", "与已确认欺诈主体的最强关联", "ppm"),
)
FAMILY = Family("links", "关联证据", "evidence beside equity that ties the company to others", COLUMNS, make)
