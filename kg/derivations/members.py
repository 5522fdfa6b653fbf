"""MEMBER_OF: the groups of connected clients, as they are each night."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from kg.derivation import Derivation, id_of
from kg.derivations.control import control_now
from kg.derivations.groups import find_groups
from kg.graph import Graph
from kg.ownership.register import REBUTTALS, REQUIRES, rebutted, register


def groups_now(graph: Graph) -> pa.Table:
    """Return the groups under the graph's rule set as they follow from its register, dependences and rebuttals.

    Returns
    -------
    Table
        See `kg.derivations.groups.find_groups`; groups keep the ids that ``MEMBER_OF`` gives them.
    """
    rules, of, table = graph.chosen.groups, register(graph), graph.engine.table
    before = graph.edges("MEMBER_OF")
    earlier = table(before.filter(before.rules == rules.id).select(group_id="dst", party="src", role="role", because="because"))
    return find_groups(
        control_now(graph),
        table(graph.edges("DEPENDS_ON").select(dependent="src", on="dst", test="test", ppm="ppm")),
        rules,
        previous=earlier if earlier.num_rows else None,
        rebuttals=rebutted(graph),
        parties=of.parties,
    )


def _run(graph: Graph) -> ir.Table:
    rules, rows = graph.chosen.groups, graph.engine.arrow(groups_now(graph))
    return rows.select(
        id=id_of(rows.party, rows.group_id),
        src="party",
        dst="group_id",
        role="role",
        because="because",
        rules=ibis.literal(rules.id),
        rules_version=ibis.literal(rules.version),
    )


DERIVATION = Derivation("members", (*REQUIRES, "DEPENDS_ON", REBUTTALS), "MEMBER_OF", _run)
