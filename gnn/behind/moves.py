"""Transfers behind what a company's money did."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from gnn.behind.behind import Behind
from gnn.company.reading import YEAR, begin, day_before, sole_owners
from kg import dates
from kg.engine import union
from kg.graph import Graph

_ROUND, _NEW = 1_000_000, 90


def moves(graph: Graph, companies: ir.Table) -> ir.Table:
    """Return a year's transfers of some companies with other parties: ``id, other, out, row, amount_fen, at, day``.

    They are the rows that `gnn.company.reading.payments` counts, with their ids.
    """
    rows = graph.edges("TRANSFERRED_TO")
    rows = rows.filter(rows["at"] >= begin(graph, YEAR), rows.amount_fen > 0, rows.currency.fill_null("CNY") == "CNY")
    rows = rows.select("src", "dst", "amount_fen", "at", row="id")
    owners = graph.engine.keep(sole_owners(graph))
    mine = graph.engine.keep(owners.semi_join(companies, [("owner", "id")]))
    sides = []
    for own, far, out in (("src", "dst", True), ("dst", "src", False)):
        ours = rows.join(mine.select(**{own: "account", "id": "owner"}), own)
        ours = graph.engine.keep(ours.left_join(owners.select(**{far: "account", "party": "owner"}), far, rname="{name}_far"))
        sides.append(ours.select("id", "row", "amount_fen", "at", other=ours.party.fill_null(ours[far]), out=ibis.literal(out)))
    found = union(sides)
    found = found.filter(found.id != found.other)
    return graph.engine.keep(found.mutate(day=dates.local_date(found["at"], graph.zone)))


def _told(graph: Graph, companies: ir.Table) -> ir.Table:
    rows = moves(graph, companies)
    days = rows.group_by("id", "day").aggregate(count=rows.count(), goes=rows.out.sum().fill_null(0), comes=(~rows.out).sum().fill_null(0))
    days = days.mutate(most=days["count"].max().over(group_by="id"))
    far = rows.group_by("id", "other").aggregate(
        times=rows.count(), goes=rows.out.sum().fill_null(0), comes=(~rows.out).sum().fill_null(0), first=rows.day.min()
    )
    rows = graph.engine.keep(rows.join(graph.engine.keep(days), ["id", "day"], rname="{name}_d"))
    rows = graph.engine.keep(rows.join(graph.engine.keep(far), ["id", "other"], rname="{name}_o"))
    person = rows.other.startswith("person:")
    last = {days: rows.day > day_before(graph, days) for days in (30, 90)}
    found = {"comes_in": ~rows.out, "goes_out": rows.out, "every": ibis.literal(True)}
    for side, is_side in (("in", ~rows.out), ("out", rows.out)):
        found |= {f"{side}_{days}": is_side & at for days, at in last.items()} | {
            f"{side}_not_{days}": is_side & ~at for days, at in last.items()
        }
    found |= {
        "round": rows.amount_fen % _ROUND == 0,
        "uneven": rows.amount_fen % _ROUND != 0,
        "to_person": rows.out & person,
        "to_firm": rows.out & ~person,
        "from_person": ~rows.out & person,
        "from_firm": ~rows.out & ~person,
        "through": (rows.goes > 0) & (rows.comes > 0),
        "busiest": rows["count"] == rows.most,
        "weekend": rows.day.day_of_week.index() >= 5,
        "workday": rows.day.day_of_week.index() < 5,
        "both": (rows.goes_o > 0) & (rows.comes_o > 0),
        "one_way": (rows.goes_o == 0) | (rows.comes_o == 0),
        "once": rows.times == 1,
        "often": rows.times > 1,
        "new": rows["first"] > day_before(graph, _NEW),
        "old": rows["first"] <= day_before(graph, _NEW),
    }
    return rows.select("id", "row", weight="amount_fen", **found)


MOVES = Behind(
    "payments",
    _told,
    high={
        **dict.fromkeys(("in_fen", "in_count", "largest_in", "payers", "in_concentration"), "comes_in"),
        **dict.fromkeys(("out_fen", "out_count", "largest_out", "payees", "out_concentration", "balance"), "goes_out"),
        **{name: name for name in ("in_30", "out_30", "in_90", "out_90", "once", "weekend")},
        "round_sums": "round",
        "to_persons": "to_person",
        "from_persons": "from_person",
        "active": "every",
        "same_day": "through",
        "busiest_day": "busiest",
        "both_ways": "both",
        "new_partners": "new",
    },
    low={
        **{name: name.replace("_", "_not_") for name in ("in_30", "out_30", "in_90", "out_90")},
        "quiet_days": "in_30",
        "balance": "comes_in",
        "round_sums": "uneven",
        "to_persons": "to_firm",
        "from_persons": "from_firm",
        "weekend": "workday",
        "both_ways": "one_way",
        "once": "often",
        "new_partners": "old",
        "in_concentration": "comes_in",
        "out_concentration": "goes_out",
    },
)
