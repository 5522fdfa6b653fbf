"""Group: a group of connected clients, how much the bank has lent it, and what its limits leave.

Without exposures or capital nothing is said of limits; the bank's capital is that of the last report up to the day.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from kg.derivation import Derivation
from kg.derivations.control import JOINT
from kg.derivations.limits import aggregate_exposure
from kg.graph import Graph
from kg.ruleset import RuleSet

EXPOSURES, CAPITAL = "records/exposures", "records/bank_capital"


def limits_of(graph: Graph, groups: pa.Table, client: str | None = None) -> pa.Table | None:
    """Hold the exposures of a graph's bank against the limits of its rule set.

    Parameters
    ----------
    groups
        ``group_id, party, because``.
    client
        A party that has limits though it may owe nothing.

    Returns
    -------
    Table or None
        See `kg.derivations.limits.aggregate_exposure`; None where no source states exposures, or one capital of the
        last day reported.
    """
    exposures, capital = graph.records("exposures", "party", "provider"), graph.records("bank_capital")
    if exposures is None or capital is None:
        return None
    known = capital.filter(capital.reported_on <= ibis.literal(graph.as_of))
    # what no bank can have bounds nobody
    known = known.filter((known.net_capital_fen >= 0) & (known.tier_1_fen >= 0))
    newest = known.filter(known.reported_on == known.reported_on.max()).select("net_capital_fen", "tier_1_fen").distinct()
    base, table = graph.engine.table(newest), graph.engine.table(_sound(exposures))
    if client is not None:
        owing = pa.table({"party": [client], "kind": ["loan"], "amount_fen": [0]})
        table = pa.concat_tables([table, owing], promote_options="permissive")
    return aggregate_exposure(groups, table, base, graph.chosen.groups) if base.num_rows == 1 else None


def _sound(exposures: ir.Table) -> ir.Table:
    """Return exposures in which mitigation is no more than the exposure, and nothing without somebody who provides it."""
    amount = ibis.greatest(exposures.amount_fen, 0)
    covered = ibis.ifelse(exposures.provider.notnull(), ibis.greatest(ibis.least(exposures.mitigated_fen, amount), 0), ibis.null("int64"))
    provider = ibis.ifelse(covered.notnull(), exposures.provider, ibis.null("string"))
    return exposures.select(party="party", kind="kind", amount_fen=amount, mitigated_fen=covered, provider=provider)


def _run(graph: Graph) -> ir.Table:
    rules = graph.chosen.groups
    members = graph.edges("MEMBER_OF")
    heads = members.filter(members.role == "head")
    named = heads.group_by("dst").aggregate(head=heads.src.collect(order_by=heads.src).join(JOINT))
    counted = members.group_by("dst").aggregate(members=members.count())
    groups = counted.left_join(named, "dst").select(id="dst", head="head", members="members")
    tightest = graph.engine.arrow(_tightest(graph, rules))
    told = groups.left_join(tightest, groups.id == tightest.group_id)
    return told.select(
        id="id",
        rules=ibis.literal(rules.id),
        rules_version=ibis.literal(rules.version),
        head="head",
        members="members",
        **{name: name for name in ("limit", "used_fen", "headroom_fen", "breach", "split")},
    )


def _tightest(graph: Graph, rules: RuleSet) -> pa.Table:
    """Return for each group the limit that leaves least, and whether it passes one only with those who are tied to it in secret."""
    rows = graph.edges("MEMBER_OF")
    members = rows.select(group_id="dst", party="src", because="because")
    open_, secret = (_least(graph, table, rules) for table in (members, _with_tied(graph, members)))
    if open_ is None or secret is None:
        return _NOTHING.empty_table()
    beyond = secret.select(group_id="group_id", _beyond="breach")
    told = open_.left_join(beyond, "group_id")
    split = ~told.breach & told._beyond.fill_null(False)
    return graph.engine.table(told.select(*_NOTHING.names[:-1], split=split)).cast(_NOTHING)


def _least(graph: Graph, members: ir.Table, rules: RuleSet) -> ir.Table | None:
    """Return the limit of groups that leaves each group least: ``group_id, limit, used_fen, headroom_fen, breach``."""
    found = limits_of(graph, graph.engine.table(members))
    if found is None:
        return None
    of_group = [str(limit) for limit in rules.limits if limit.of == "group" and limit.kind == "limit"]
    rows = graph.engine.arrow(found.drop_columns(["members", "edges"]))
    mine = rows.filter(rows["limit"].isin(of_group))
    return mine.group_by("group_id").aggregate(
        **{name: mine[name].argmin(mine.headroom_fen) for name in ("limit", "used_fen", "breach")}, headroom_fen=mine.headroom_fen.min()
    )


def _with_tied(graph: Graph, members: ir.Table) -> ir.Table:
    """Return groups with those whom strong evidence, of which no register tells, ties to a member."""
    links = graph.edges("LINKED_TO")
    links = links.filter((links.level == "strong") & ~links.disclosed)
    pairs = ibis.union(links.select(party="src", tied="dst"), links.select(party="dst", tied="src")).distinct()
    tied = members.inner_join(pairs, "party").select(group_id="group_id", party="tied", because=ibis.literal("linked")).distinct()
    fresh = tied.anti_join(members, ["group_id", "party"])
    return ibis.union(members, fresh)


_NOTHING = pa.schema(
    [
        ("group_id", pa.string()),
        ("limit", pa.string()),
        ("used_fen", pa.int64()),
        ("headroom_fen", pa.int64()),
        ("breach", pa.bool_()),
        ("split", pa.bool_()),
    ]
)

DERIVATION = Derivation("group_limits", ("MEMBER_OF", "LINKED_TO", EXPOSURES, CAPITAL), "Group", _run)
