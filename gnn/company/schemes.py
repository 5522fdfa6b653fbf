"""What the rules find on the day, and how long ago it was: a case is found within months of the deed, or hardly ever."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from gnn.behind import Behind, hit_rows
from gnn.company.reading import days_since
from gnn.family import NOTHING, Column, Family
from kg import dates, schema
from kg.graph import Graph
from kg.rule import Reading, Rule, evaluate

_DERIVED = {t.label for t in schema.ALL_NODES if t.derived} | {t.type for t in schema.ALL_EDGES if t.derived}
#: What is held against limits follows from the bank's books as they are today, and so is known of no earlier day.
_OF_BOOKS = {"Group", "LargeExposure"}
#: The action of rules that send whom they hit to a person.
_REFERS = "refer"


def family(rules: Sequence[Rule[Any]]) -> Family:
    """Return the family of hits of those rules that can be held against an earlier day.

    Rules that read what is derived find only what the graph of the day derives.
    """
    held = _held(rules)
    columns = (
        Column("hits", "hits of rules", "规则命中次数", "hits", told=True),
        Column("rules", "different rules that hit it", "命中规则数", "rules", told=True),
        Column("referred", "hits of rules that refer to a person", "需人工核查的规则命中次数", "hits"),
        Column("newest_days", "time since the newest of what rules hit it for", "最近命中事项距今", "days", NOTHING),
        Column("referred_days", "time since the newest of what rules refer it for", "最近需核查事项距今", "days", NOTHING),
        *(Column(rule.name, f"hits of the rule {rule.name}", f"规则 {rule.name} 命中次数", "hits") for rule in held),
    )
    return Family("schemes", "规则命中", "what the rules find on the day", columns, partial(_hits, held))


def behind(rules: Sequence[Rule[Any]]) -> Behind:
    """Return the rows that the hits of the family of these rules rest on."""
    held = _held(rules)
    return hit_rows(partial(_found, held), tuple(rule.name for rule in held), tuple(rule.name for rule in held if rule.action == _REFERS))


def declared(rules: Sequence[Rule[Any]]) -> tuple[Rule[Any], ...]:
    """Return the rules that read what sources state and nothing derived."""
    return tuple(rule for rule in rules if not _read(rule) & _DERIVED)


def _held(rules: Sequence[Rule[Any]]) -> tuple[Rule[Any], ...]:
    return tuple(rule for rule in rules if not _read(rule) & _OF_BOOKS)


def _read(rule: Rule[Any]) -> set[str]:
    return {need.name.removeprefix("ended/") for need in rule.requires}


def _found(rules: Sequence[Rule[Any]], graph: Graph) -> ir.Table:
    def made() -> ir.Table:
        hits = evaluate(rules, Reading(graph)).select(["entity_id", "rule", "action", "root", "evidence", "at"])
        # moments are naive UTC within the engine
        return graph.engine.arrow(hits.set_column(hits.column_names.index("at"), "at", hits["at"].cast(pa.timestamp("us"))))

    return graph.once("gnn.hits of " + ", ".join(rule.name for rule in rules), made)


def _hits(rules: Sequence[Rule[Any]], graph: Graph) -> ir.Table:
    """Return the hits of each rule, and how long ago the newest was."""
    hits = _found(rules, graph)
    hits = hits.filter(hits.entity_id.startswith("company:")).mutate(_day=dates.local_date(hits["at"], graph.zone))
    refers = hits.action == _REFERS
    sums = {rule.name: ibis.ifelse(hits.rule == rule.name, 1, 0).sum() for rule in rules}
    return hits.group_by(id=hits.entity_id).aggregate(
        hits=hits.count(),
        rules=hits.rule.nunique(),
        referred=refers.sum().fill_null(0),
        newest_days=days_since(graph, hits._day.max()),
        referred_days=days_since(graph, hits._day.max(where=refers)),
        **sums,
    )
