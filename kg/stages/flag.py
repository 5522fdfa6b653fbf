"""Rules held against the graph: hits, and the flags that follow from them."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from kg import history, schema
from kg.derivation import store
from kg.flags import CONTENT, FLAGS, customers, flag_edges, flag_nodes, flags_of, stamped
from kg.history import Written
from kg.lake import Lake
from kg.rule import HITS, Reading, evaluate
from kg.rules import RULES
from kg.stage import Night, Result, Stage, tell
from kg.stages.score import SCORES_TABLE

HITS_TABLE, FLAGS_TABLE = "derived/hits", "derived/flags"


def _flag(night: Night) -> Result:
    graph = night.graph()
    with night.progress.task("holding the rules against the graph", total=len(RULES)) as task:
        hits = graph.engine.arrow(evaluate(RULES, Reading(graph)))
        task.advance(len(RULES))
    parties = graph.engine.keep(customers(graph))
    scores = history.current(night.lake.view(SCORES_TABLE)) if night.lake.has(SCORES_TABLE) else None
    flags = graph.engine.keep(flags_of(hits, parties, scores))
    # a rule may meet a party, or an account without an owner, that no source registers: it is told, and hangs nowhere
    known = flags.semi_join(parties.select(entity_id="id"), "entity_id")
    written = {
        HITS_TABLE: _keep(night, HITS_TABLE, hits.mutate(id=history.digest(hits, HITS.names)), HITS.names),
        FLAGS_TABLE: _keep(night, FLAGS_TABLE, flags.mutate(id=flags.flag_id), CONTENT),
        "graph/Flag": store(night.lake, schema.node("Flag"), flag_nodes(flags), "derived.flags", night.moment),
        "graph/FLAGGED": store(night.lake, schema.edge("FLAGGED"), flag_edges(known), "derived.flags", night.moment),
    }
    return {**tell(written), "flags": graph.engine.count(flags), "hits": graph.engine.count(hits)}


def _keep(night: Night, name: str, rows: ir.Table, columns: Sequence[str]) -> Written:
    content = rows.select("id", *columns)
    content = content.mutate(digest=history.digest(content, columns), valid_from=ibis.null("date"), valid_to=ibis.null("date"))
    return history.update(night.lake, name, content, ["id"], night.moment)


def told(lake: Lake, night: Night) -> pa.Table:
    """Return the flags of the night as the loan system is told of them."""
    if not lake.has(FLAGS_TABLE):
        return FLAGS.empty_table()
    return lake.engine.table(stamped(history.current(lake.view(FLAGS_TABLE)), night.moment.as_of, night.run_id))


STAGE = Stage("flag", _flag)
