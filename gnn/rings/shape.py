"""How a ring looks by itself: how many go round how often, with what sums, and what is kept."""

from __future__ import annotations

from functools import partial

import ibis
import ibis.expr.types as ir

from gnn.company.reading import part
from gnn.family import NOTHING, Column, Family
from gnn.rings.candidates import Find, members, transfers
from kg.engine import union
from kg.graph import Graph

_DAY = 86_400
#: The place, from 0, of the member by whom turns are counted.
_THIRD = 2


def _make(find: Find, graph: Graph) -> ir.Table:
    of, moved = members(graph, find), transfers(graph, find)
    person = of.member.startswith("person:")
    sums = of.group_by(id="ring_id").aggregate(
        members=of.count(),
        persons=person.sum(),
        support=of.support.max(),
        told=part(of.told.sum(), of.count()),
        most_fen=of.amount_fen.max(),
        least_part=part(of.amount_fen.min(), of.amount_fen.max()),
    )
    flows = moved.group_by(id="ring_id").aggregate(
        transfers=moved.count(),
        amount_fen=moved.amount_fen.sum(),
        span_days=(moved["at"].max().epoch_seconds() - moved["at"].min().epoch_seconds()) / _DAY,
        days=moved["at"].date().nunique(),
        whole_part=part(ibis.ifelse(moved.amount_fen % 1_000_000 == 0, 1, 0).sum(), moved.count()),
        spread=part(moved.amount_fen.min(), moved.amount_fen.max()),
    )
    joined = sums.left_join(graph.engine.keep(flows), "id", rname="{name}_f")
    joined = joined.left_join(graph.engine.keep(_turns(moved)), "id", rname="{name}_t")
    return joined.left_join(graph.engine.keep(_kept(moved)), "id", rname="{name}_k").select("id", *(column.name for column in COLUMNS))


def _turns(moved: ir.Table) -> ir.Table:
    """Return how often money went round: the days on which the third busiest member got any, since three make a ring: ``id, turns``."""
    days = moved.group_by("ring_id", "payee").aggregate(days=moved["at"].date().nunique())
    order = ibis.window(group_by=days.ring_id, order_by=[ibis.desc(days.days), days.payee])
    placed = days.mutate(place=ibis.row_number().over(order))
    return placed.filter(placed.place == _THIRD).select(id="ring_id", turns="days")


def _kept(moved: ir.Table) -> ir.Table:
    """Return which part of what goes round stays with members: ``id, kept_part``."""
    sides = union([moved.select("ring_id", party=end, fen=moved.amount_fen * sign) for end, sign in (("payee", 1), ("payer", -1))])
    net = sides.group_by("ring_id", "party").aggregate(net=sides.fen.sum(), all=sides.fen.abs().sum())
    return net.group_by(id="ring_id").aggregate(kept_part=part(net.net.abs().sum(), net["all"].sum()))


COLUMNS = (
    Column("members", "members", "成员数", "parties"),
    Column("persons", "members that are persons", "自然人成员数", "persons"),
    Column("support", "cycles that the ring is made of", "环路数", "cycles"),
    Column("told", "part of the members that rings of the night have", "夜间已报成员占比", "1"),
    Column("most_fen", "the most that one member got", "单一成员最多收款", "fen"),
    Column("least_part", "the least that one member got, of the most", "成员收款最少与最多之比", "1", NOTHING),
    Column("turns", "days on which the third busiest member got money that goes round", "第三活跃成员收到环内资金的天数", "days"),
    Column("transfers", "payments that go round", "环内转账笔数", "payments"),
    Column("amount_fen", "money that goes round", "环内转账金额", "fen"),
    Column("span_days", "days from the first payment to the last", "历时天数", "days", NOTHING),
    Column("days", "days with payments that go round", "有转账的天数", "days"),
    Column("whole_part", "part of the payments that are whole ten thousands of yuan", "整万转账占比", "1", NOTHING),
    Column("spread", "the smallest payment, of the largest", "最小与最大转账之比", "1", NOTHING),
    Column("kept_part", "part of the money that stays with members", "成员截留比例", "1", NOTHING),
)


def family(find: Find) -> Family:
    """Return the family over who finds the rings; it names the rings that there are."""
    return Family("shape", "资金环形态", "how a ring looks by itself", COLUMNS, partial(_make, find))
