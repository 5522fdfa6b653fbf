"""IN_RING and Ring: rings of money, as they are each night.

Knows which transfers are looked at and which rings are told; hides how cycles are sought. A bank sees money go round where it sees the
accounts: transfers around its clients, up to three payments away, since the same month a year before. Who owns an account alone stands
for it, so that a company's accounts are one member.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc

from kg import history
from kg.dates import year_before
from kg.derivation import Derivation, id_of, json_list
from kg.derivations.ring_evidence import convincing, corroborated
from kg.derivations.rings import SPLIT, Cycles, Rings, find_cycles, find_rings
from kg.graph import Graph
from kg.payments.transfers import around_clients, further, to_owners

#: Below so many fen a payment is daily business.
_LEAST_FEN = 100_000
#: Accounts that pay and are paid by more than this in a hundred days are hubs: through them money goes anywhere. Parts of a sum may
#: lie a spring festival apart, with the weekends beside it.
SOUGHT = replace(SPLIT, max_fan=400, part_days=12, max_told=3_000_000)
#: Of the transfers between the members of a cycle, so many must lie in cycles (ppm).
COVERED = 750_000
#: One cycle of so many members is a ring by itself, if its members pay one another little else: honest trade hardly ever closes such a one.
LONG = 5
#: Candidates may be so short.
SHORT = 3
_MOVED = ["transfer_id", "payer", "payee", "at", "amount_fen"]


@dataclass(frozen=True)
class RingsNow:
    """The rings of a night.

    Attributes
    ----------
    rings
        See `kg.derivations.rings.Rings`; a member is a party, or an account that nobody or several own.
    transfers
        ``ring_id, transfer_id, payer, payee, at, amount_fen``: the transfers of each ring's cycles, in the order of their times.
    """

    rings: Rings
    transfers: pa.Table


def rings_now(graph: Graph) -> RingsNow:
    """Return the rings of money around the bank's clients; rings keep the ids that ``IN_RING`` gives them.

    No ring is told of parties who are all of one group of connected clients: what a group pays within itself goes round in any case.
    """
    return graph.once("rings", lambda: _rings_now(graph))


def candidates_now(graph: Graph) -> RingsNow:
    """Return looser rings around the bank's clients, for people and models to judge: each that `rings_now` tells, and many of chance.

    One cycle of three is enough, whatever else its members pay one another; those within one group are left out here too.
    """
    return graph.once("ring candidates", lambda: _candidates_now(graph))


def _candidates_now(graph: Graph) -> RingsNow:
    moved, cycles = _sought(graph)
    loose = _sound(graph, cycles, moved, alone=SHORT, covered_ppm=0)
    rings = find_rings(loose, alone=SHORT)
    return RingsNow(rings, _transfers(rings.table, loose))


def _sought(graph: Graph) -> tuple[pa.Table, Cycles]:
    """Return the transfers that are looked at, between parties, and all cycles of them."""

    def made() -> tuple[pa.Table, Cycles]:
        table = graph.engine.table
        moved = to_owners(table(_looked_at(graph)), table(graph.edges("OWNS_ACCOUNT").select("src", "dst")))
        moved = moved.rename_columns({"id": "transfer_id", "src": "payer", "dst": "payee"})
        cycles = find_cycles(moved, SOUGHT)
        graph.notes.extend(_left_out(cycles))
        return moved, cycles

    return graph.once("cycles sought", made)


def _rings_now(graph: Graph) -> RingsNow:
    earlier = graph.engine.table(graph.edges("IN_RING").select(ring_id="dst", member="src"))
    moved, cycles = _sought(graph)
    sound = _sound(graph, cycles, moved, alone=LONG, covered_ppm=COVERED)
    found = find_rings(sound, alone=LONG).table
    sound = convincing(sound, found, found["member"].filter(pc.starts_with(found["member"], "person:")).combine_chunks(), long=LONG)
    rings = find_rings(sound, previous=earlier, alone=LONG)
    return RingsNow(rings, _transfers(rings.table, sound))


def _looked_at(graph: Graph) -> ir.Table:
    every = graph.edges("TRANSFERRED_TO")
    # so far that a ring of six is seen whole where one of them is a client
    rows = further(every, around_clients(every, graph, None), graph)
    since = history.day_end(year_before(graph.as_of) - timedelta(days=1), graph.zone)
    counts = (rows["at"] >= since) & (rows.amount_fen >= _LEAST_FEN) & (rows.src != rows.dst)
    rows = rows.filter(counts & (rows.currency.fill_null("CNY") == "CNY"))
    # in an order of its own, so that equal nights say the same to the last digit
    return rows.select("id", "src", "dst", "amount_fen", "at").order_by("id")


def _left_out(cycles: Cycles) -> Iterator[str]:
    """Say where cycles were not sought, or not to the end."""
    hubs, stopped = (cycles.truncated[name].is_valid().to_pylist().count(True) for name in ("account", "transfer_id"))
    if hubs:
        yield f"rings: {hubs:,} who pay or are paid by more than {SOUGHT.max_fan} others were left out"
    if stopped:
        yield f"rings: the search that begins with each of {stopped:,} transfers was stopped before its end; rings may be missing"


def _sound(graph: Graph, cycles: Cycles, moved: pa.Table, *, alone: int, covered_ppm: int) -> pa.Table:
    """Return the cycles that are no chance, and do not run within one group."""
    groups = graph.engine.table(graph.edges("MEMBER_OF").select(party="src", group_id="dst"))
    table = corroborated(cycles, moved, alone=alone, covered_ppm=covered_ppm)
    size = table.group_by("cycle_id").aggregate([("payer", "count_distinct")])
    known = table.select(["cycle_id", "payer"]).join(groups, "payer", "party", join_type="inner")
    known = known.group_by(["cycle_id", "group_id"]).aggregate([("payer", "count_distinct")])
    within = known.rename_columns({"payer_count_distinct": "known"}).join(size, "cycle_id")
    within = within.filter(pc.equal(within["known"], within["payer_count_distinct"]))
    return table.filter(pc.invert(pc.is_in(table["cycle_id"], value_set=pc.unique(within["cycle_id"]))))


def _transfers(rings: pa.Table, cycles: pa.Table) -> pa.Table:
    """Return the transfers of cycles whose both ends are members of one ring."""
    members = rings.select(["ring_id", "member"])
    rows = cycles.select(_MOVED).group_by(_MOVED).aggregate([]).join(members, "payer", "member", join_type="inner")
    rows = rows.join(members.rename_columns({"ring_id": "other"}), "payee", "member", join_type="inner")
    rows = rows.filter(pc.equal(rows["ring_id"], rows["other"])).select(["ring_id", *_MOVED])
    return rows.sort_by([(name, "ascending") for name in ("ring_id", "at", "transfer_id")])


def _members(graph: Graph) -> ir.Table:
    now = rings_now(graph)
    rows, moved = graph.engine.arrow(now.rings.table), graph.engine.arrow(now.transfers)
    ends = [moved.select("ring_id", "transfer_id", "at", member=end) for end in ("payer", "payee")]
    mine = ibis.union(*ends, distinct=True)
    mine = mine.group_by("ring_id", "member").aggregate(
        evidence=json_list(mine.transfer_id.collect(order_by=(mine["at"], mine.transfer_id)))
    )
    rows = rows.filter(rows.member.startswith("company:") | rows.member.startswith("person:")).left_join(mine, ["ring_id", "member"])
    return rows.select(
        id=id_of(rows.member, rows.ring_id),
        src="member",
        dst="ring_id",
        role="role",
        amount_fen="amount_fen",
        because="because",
        evidence="evidence",
    )


def _rings(graph: Graph) -> ir.Table:
    now = rings_now(graph)
    rows, events = graph.engine.arrow(now.rings.table), graph.engine.arrow(now.rings.events)
    became = events.filter(events.ring_id.notnull())
    became = became.group_by("ring_id").aggregate(
        event=became.event.collect(order_by=became.event, distinct=True).join(", "),
        earlier=json_list(became.earlier_id.collect(where=became.earlier_id.notnull(), order_by=became.earlier_id, distinct=True)),
    )
    sums = rows.group_by("ring_id").aggregate(
        members=rows.count(),
        support=rows.support.max(),
        first_at=rows.first_at.min(),
        last_at=rows.last_at.max(),
        amount_fen=rows.amount_fen.sum(),
    )
    joined = sums.left_join(became, "ring_id")
    return joined.select(
        id="ring_id", **{name: name for name in ("members", "support", "first_at", "last_at", "amount_fen", "event", "earlier")}
    )


REQUIRES = ("TRANSFERRED_TO", "OWNS_ACCOUNT", "MEMBER_OF", "Company", "Person", "BORROWED", "GUARANTEES")
MEMBERS = Derivation("ring_members", REQUIRES, "IN_RING", _members, by_month=True)
RINGS = Derivation("rings", ("IN_RING",), "Ring", _rings, by_month=True)
