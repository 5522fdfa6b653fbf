"""LargeExposure: single clients whose exposure is large, or passes a limit of single clients.

The limits are those of the bank's rule set: by CN-LE-2018 loans of 10 % of net capital and exposure of 15 % of tier 1; an exposure is
large from 2.5 % of tier 1 on. Without exposures or capital nothing is said.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from kg.derivation import Derivation, id_of, nothing
from kg.derivations.group_limits import CAPITAL, EXPOSURES, limits_of
from kg.graph import Graph
from kg.ruleset import RuleSet

_NO_GROUPS = pa.schema([(name, pa.string()) for name in ("group_id", "party", "because")]).empty_table()


def _run(graph: Graph) -> ir.Table:
    rules = graph.chosen.groups
    found = limits_of(graph, _NO_GROUPS) if any(limit.of == "client" for limit in rules.limits) else None
    if found is None:
        return nothing(graph, "LargeExposure")
    rows = graph.engine.arrow(found.drop_columns(["members", "edges"]))
    told = by_client(rows, rules)
    return told.select(
        id=id_of(told.party, ibis.literal(rules.id)),
        rules=ibis.literal(rules.id),
        rules_version=ibis.literal(rules.version),
        **{name: name for name in ("party", "limit", "used_fen", "headroom_fen", "breach", "large")},
    )


def by_client(found: ir.Table, rules: RuleSet) -> ir.Table:
    """Return the limit that leaves each client least, of those whose exposure is large or beyond it.

    Parameters
    ----------
    found
        ``group_id, limit, used_fen, headroom_fen, breach`` as `kg.derivations.limits.aggregate_exposure` returns them, without groups.

    Returns
    -------
    ir.Table
        ``party, limit, used_fen, headroom_fen, breach, large``.
    """
    notices = [str(limit) for limit in rules.limits if limit.kind == "notice"]
    limits = [str(limit) for limit in rules.limits if limit.of in ("client", "bank") and limit.kind == "limit"]
    large = found.filter(found["limit"].isin(notices) & found.breach).select(party="group_id").distinct()
    mine = found.filter(found["limit"].isin(limits))
    least = mine.group_by(party="group_id").aggregate(
        **{name: mine[name].argmin(mine.headroom_fen) for name in ("limit", "used_fen", "breach")}, headroom_fen=mine.headroom_fen.min()
    )
    joined = least.left_join(large.select(_large="party"), least.party == large.party)
    told = joined.mutate(large=joined["_large"].notnull())
    return told.filter(told.large | told.breach).select("party", "limit", "used_fen", "headroom_fen", "breach", "large")


DERIVATION = Derivation("client_limits", (EXPOSURES, CAPITAL), "LargeExposure", _run)
