"""What the rules find on the day, of those that read what sources state and nothing derived."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import ibis
import ibis.expr.types as ir

from gnn.behind import Behind, hit_rows
from gnn.family import Column, Family
from kg import schema
from kg.graph import Graph
from kg.rule import Reading, Rule, evaluate

_DERIVED = {t.label for t in schema.ALL_NODES if t.derived} | {t.type for t in schema.ALL_EDGES if t.derived}


def family(rules: Sequence[Rule[Any]]) -> Family:
    """Return the family of hits of those rules that can be held against an earlier day."""
    held = _held(rules)
    columns = (
        Column("hits", "hits of rules", "规则命中次数", "hits", told=True),
        Column("rules", "different rules that hit it", "命中规则数", "rules", told=True),
        *(Column(rule.name, f"hits of the rule {rule.name}", f"规则 {rule.name} 命中次数", "hits") for rule in held),
    )
    return Family("schemes", "规则命中", "what the rules find on the day", columns, partial(_hits, held))


def behind(rules: Sequence[Rule[Any]]) -> Behind:
    """Return the rows that the hits of the family of these rules rest on."""
    held = _held(rules)
    return hit_rows(partial(_found, held), tuple(rule.name for rule in held))


def _held(rules: Sequence[Rule[Any]]) -> tuple[Rule[Any], ...]:
    return tuple(rule for rule in rules if not any(need.name.removeprefix("ended/") in _DERIVED for need in rule.requires))


def _found(rules: Sequence[Rule[Any]], graph: Graph) -> ir.Table:
    return graph.engine.arrow(evaluate(rules, Reading(graph)).select(["entity_id", "rule", "root", "evidence"]))


def _hits(rules: Sequence[Rule[Any]], graph: Graph) -> ir.Table:
    """Return the hits of each rule."""
    hits = _found(rules, graph)
    hits = hits.filter(hits.entity_id.startswith("company:"))
    sums = {rule.name: ibis.ifelse(hits.rule == rule.name, 1, 0).sum() for rule in rules}
    return hits.group_by(id=hits.entity_id).aggregate(hits=hits.count(), rules=hits.rule.nunique(), **sums)
