"""Hits (and, where a model is registered, probabilities) → flags: one for each party, reason and root of the evidence."""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from kg import history
from kg.derivation import json_list
from kg.graph import Graph

SCHEMA_VERSION = 1

#: The flags as the loan system gets them.
FLAGS = pa.schema(
    [
        pa.field("flag_id", pa.string(), nullable=False),
        pa.field("entity_id", pa.string(), nullable=False),
        pa.field("customer_ref", pa.string()),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("severity", pa.string(), nullable=False),
        pa.field("probability", pa.float64()),
        pa.field("amount_fen", pa.int64()),
        pa.field("evidence", pa.list_(pa.string()), nullable=False),
        pa.field("as_of", pa.date32(), nullable=False),
        pa.field("run_id", pa.string(), nullable=False),
        pa.field("rule", pa.string(), nullable=False),
        pa.field("rule_version", pa.string(), nullable=False),
        pa.field("action", pa.string(), nullable=False),
        pa.field("schema_version", pa.int64(), nullable=False),
    ]
)
#: What a flag says, whatever the night: it is new when one of these changes.
CONTENT = tuple(name for name in FLAGS.names if name not in ("as_of", "run_id"))
_FLAG_ID_LENGTH = 32


def customers(graph: Graph) -> ir.Table:
    """Return ``id, customer_ref`` of all parties."""
    return ibis.union(*(graph.nodes(label).select("id", "customer_ref") for label in ("Company", "Person")), distinct=False)


def flag_id(hits: ir.Table) -> ir.StringValue:
    """Return the id of the flag that a hit leads to: 32 hex digits of the SHA-256 of entity, reason and root.

    Each of the three is written behind its length, so that no two different hits read the same. The id
    stays from night to night for as long as the rule tells the finding by the same root.
    """
    return history.digest(hits, ("entity_id", "reason", "root")).substr(0, _FLAG_ID_LENGTH)


def flags_of(hits: ir.Table, parties: ir.Table, scores: ir.Table | None = None) -> ir.Table:
    """Turn hits into flags, without the night that they are told in.

    Hits of one flag become one: that with the largest amount speaks for it; among equals the earliest,
    then the first by rule and evidence.

    Parameters
    ----------
    hits
        The columns `kg.rule.HITS`.
    parties
        ``id, customer_ref``, each id once.
    scores
        ``company, probability``, each company once; None where nobody was scored.

    Returns
    -------
    The columns `CONTENT`; ``probability`` is null where nobody was scored, and of parties that are not.
    """
    told = hits.mutate(flag_id=flag_id(hits))
    best_first = [
        told.amount_fen.fill_null(-1).desc(),
        told["at"].isnull(),
        told["at"],
        told.rule,
        told.rule_version,
        told.evidence.join("\n"),
    ]
    ranked = told.mutate(_rank=ibis.row_number().over(group_by=told.flag_id, order_by=best_first))
    one = ranked.filter(ranked["_rank"] == 0)
    parties = parties.select(_party="id", customer_ref="customer_ref")
    known = one.left_join(parties, one.entity_id == parties["_party"])
    if scores is None:
        known = known.mutate(probability=ibis.null("float64"))
    else:
        scored = scores.select(_scored="company", probability="probability")
        known = known.left_join(scored, known.entity_id == scored["_scored"])
    return known.mutate(schema_version=ibis.literal(SCHEMA_VERSION, "int64")).select(*CONTENT)


def stamped(flags: ir.Table, as_of: date, run_id: str) -> ir.Table:
    """Return flags as they are told on a business date in a run: the columns `FLAGS`."""
    return flags.mutate(as_of=ibis.literal(as_of), run_id=ibis.literal(run_id)).select(*FLAGS.names)


def in_order(flags: pa.Table) -> pa.Table:
    """Return flags in exactly the columns and types of `FLAGS`, sorted by ``flag_id``."""
    return flags.select(FLAGS.names).cast(FLAGS).sort_by("flag_id").combine_chunks()


def flag_nodes(flags: ir.Table) -> ir.Table:
    """Return the ``Flag`` nodes of flags; their evidence is written as a JSON list."""
    names = ("reason", "severity", "action", "amount_fen", "rule", "rule_version")
    return flags.select(*names, id=_node_id(flags), evidence=json_list(flags.evidence))


def flag_edges(flags: ir.Table) -> ir.Table:
    """Return the ``FLAGGED`` relationships, from each party to its flags."""
    return flags.select(id=ibis.literal("flagged:") + flags.flag_id, src=flags.entity_id, dst=_node_id(flags))


def _node_id(flags: ir.Table) -> ir.StringValue:
    return ibis.literal("flag:") + flags.flag_id
