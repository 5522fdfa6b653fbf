"""What members pay and invoice one another besides, what they share, and what they are."""

from __future__ import annotations

from functools import partial

import ibis
import ibis.expr.types as ir

from gnn.company.reading import YEAR, begin, day_before, invoices, part, partners, sole_owners
from gnn.family import NOTHING, Column, Family
from gnn.rings.candidates import Find, members, transfers
from kg.engine import union
from kg.graph import Graph

#: What more parties share is a park's or an agent's.
_HUB = 12


def _make(find: Find, graph: Graph) -> ir.Table:
    keep = graph.engine.keep
    found = members(graph, find).select(id="ring_id").distinct()
    for rows in (_paid(graph, find), _papers(graph, find), _shared(graph, find), _lent(graph, find), _aged(graph, find)):
        found = keep(found.left_join(keep(rows), "id", rname="{name}_r").drop("id_r"))
    moved = transfers(graph, find)
    sums = moved.group_by(id="ring_id").aggregate(_fen=moved.amount_fen.sum(), _count=moved.count())
    found = found.left_join(keep(sums), "id", rname="{name}_r")
    return found.mutate(
        ring_part=part(found._count, found.payments),
        of_members=part(found._fen, found.members_fen),
        invoiced_part=part(found.net_fen, found.paid_fen),
        lent_part=part(found.lent_fen, found._fen),
    ).select("id", *(column.name for column in COLUMNS))


def _pairs(graph: Graph, find: Find) -> ir.Table:
    """Return ``id, one, other``: members of one ring, both ways round."""

    def made() -> ir.Table:
        of = members(graph, find).select(id="ring_id", one="member")
        rows = of.inner_join(of.select("id", other="one"), "id")
        return graph.engine.keep(rows.filter(rows.one != rows.other))

    return graph.once("gnn.rings.pairs", made)


def _paid(graph: Graph, find: Find) -> ir.Table:
    """Return payments of a year between members, and what members pay at all."""
    dealt = _dealt(graph)
    rows = _pairs(graph, find).inner_join(dealt.select(one="id", other="other", paid_fen="paid_fen", paid="paid"), ["one", "other"])
    rows = rows.filter(rows.paid > 0)
    inside = rows.group_by("id").aggregate(payments=rows.paid.sum(), paid_fen=rows.paid_fen.sum(), ways=rows.count())
    sums = graph.engine.keep(dealt.group_by(one="id").aggregate(all_fen=dealt.paid_fen.sum()))
    mine = members(graph, find).select(id="ring_id", one="member").inner_join(sums, "one")
    whole = graph.engine.keep(mine.group_by("id").aggregate(members_fen=mine.all_fen.sum()))
    return graph.engine.keep(inside).outer_join(whole, "id", rname="{name}_w").mutate(id=ibis._.id.coalesce(ibis._.id_w)).drop("id_w")


def _dealt(graph: Graph) -> ir.Table:
    """Return what parties paid others within a year: ``id, other, paid_fen, paid``; of persons what companies got from them."""

    def made() -> ir.Table:
        rows = partners(graph)
        of_persons = rows.filter(rows.other.startswith("person:"))
        sides = [rows.select("id", "other", "paid_fen", "paid")]
        sides.append(of_persons.select(id="other", other="id", paid_fen="got_fen", paid="got"))
        return graph.engine.keep(union(sides))

    return graph.once("gnn.rings.dealt", made)


def _papers(graph: Graph, find: Find) -> ir.Table:
    """Return invoices of a year between members."""
    papers = invoices(graph)
    pairs = _pairs(graph, find)
    if papers is None:
        return pairs.limit(0).select("id", invoices=ibis.literal(0), net_fen=ibis.literal(0), invoiced_ways=ibis.literal(0))
    sold = (
        papers.filter(papers.sold, ~papers.void).group_by(one="id", other="other").aggregate(net=ibis._.net_fen.sum(), count=ibis._.count())
    )
    rows = pairs.inner_join(graph.engine.keep(sold), ["one", "other"])
    return rows.group_by("id").aggregate(invoices=rows["count"].sum(), net_fen=rows.net.sum(), invoiced_ways=rows.count())


def _shared(graph: Graph, find: Find) -> ir.Table:
    """Return how many members share an address, a phone or a device with another one, where few share it."""
    signed = graph.edges("SIGNED_IN")
    signed = signed.filter(signed["at"] >= begin(graph, YEAR)).select(device="src", account="dst")
    used = signed.join(sole_owners(graph), "account").select(party="owner", thing="device")
    places = [graph.edges(name).select(party="src", thing="dst") for name in ("LOCATED_AT", "REACHED_AT")]
    things = graph.engine.keep(union([used, *places]).distinct())
    few = graph.engine.keep(things.group_by("thing").aggregate(size=things.count()).filter(ibis._["size"] <= _HUB))
    things = graph.engine.keep(things.semi_join(few, "thing"))
    rows = _pairs(graph, find).inner_join(things.select(one="party", thing="thing"), "one")
    both = graph.engine.keep(rows.semi_join(things.select(other="party", thing="thing"), ["other", "thing"]))
    return both.group_by("id").aggregate(sharing=both.one.nunique(), things=both.thing.nunique())


def _lent(graph: Graph, find: Find) -> ir.Table:
    """Return loans of a year to members, and guarantees among them."""
    owed = graph.edges("BORROWED").select(member="src", loan="dst")
    out = graph.edges("PAID_OUT_TO")
    out = out.filter(out["at"] >= begin(graph, YEAR)).group_by(loan="src").aggregate(fen=ibis._.amount_fen.sum())
    lent = graph.engine.keep(owed.inner_join(out, "loan"))
    of = members(graph, find).select(id="ring_id", member="member")
    rows = graph.engine.keep(of.inner_join(lent, "member"))
    loans = graph.engine.keep(rows.group_by("id").aggregate(loans=rows.count(), lent_fen=rows.fen.sum()))
    given = graph.edges("GUARANTEES").select(one="src", to="dst")
    given = given.left_join(owed.select(to="loan", borrower="member"), "to", rname="{name}_r")
    given = graph.engine.keep(given.select("one", other=given.borrower.fill_null(given.to)).distinct())
    stands = _pairs(graph, find).semi_join(given, ["one", "other"])
    found = loans.outer_join(graph.engine.keep(stands.group_by("id").aggregate(guarantees=stands.count())), "id", rname="{name}_g")
    return found.mutate(id=found.id.coalesce(found.id_g)).drop("id_g")


def _aged(graph: Graph, find: Find) -> ir.Table:
    """Return how old and how alike the companies are."""
    firms = graph.nodes("Company").select("id", "founded_on", "region", "industry").rename(member="id")
    rows = members(graph, find).select(id="ring_id", member="member").inner_join(firms, "member")
    rows = graph.engine.keep(rows.mutate(age=day_before(graph, 0).delta(rows.founded_on, unit="day")))
    return rows.group_by("id").aggregate(
        youngest=rows.age.min(),
        oldest=rows.age.max(),
        regions=part(rows.region.nunique(), rows.count()),
        industries=part(rows.industry.nunique(), rows.count()),
    )


COLUMNS = (
    Column("payments", "payments between members within a year", "成员间付款笔数", "payments"),
    Column("ring_part", "part of the payments between members that go round", "环内转账占成员间付款比", "1", NOTHING),
    Column("ways", "pairs of members of whom one pays the other", "成员间付款方向数", "pairs"),
    Column("of_members", "money that goes round, of all that members pay within a year", "环内资金占成员付款比", "1", NOTHING),
    Column("invoices", "valid invoices between members within a year", "成员间发票数", "invoices"),
    Column("invoiced_ways", "pairs of members of whom one invoices the other", "成员间开票方向数", "pairs"),
    Column("invoiced_part", "what members invoice one another, of what they pay one another", "成员间开票占付款比", "1", NOTHING),
    Column("sharing", "members who share an address, a phone or a device with another", "共用地址电话设备的成员数", "parties"),
    Column("things", "addresses, phones and devices that members share", "共用地址电话设备数", "things"),
    Column("loans", "loans paid out to members within a year", "成员近一年贷款数", "loans"),
    Column("lent_part", "what was lent to members within a year, of what goes round", "成员贷款与环内资金之比", "1", NOTHING),
    Column("guarantees", "pairs of members of whom one stands for the other", "成员间担保数", "pairs"),
    Column("youngest", "age of the youngest company", "最年轻成员年龄", "days", NOTHING),
    Column("oldest", "age of the oldest company", "最年长成员年龄", "days", NOTHING),
    Column("regions", "different regions, of the number of companies", "地区分散度", "1", NOTHING),
    Column("industries", "different industries, of the number of companies", "行业分散度", "1", NOTHING),
)


def family(find: Find) -> Family:
    """Return the family over who finds the rings."""
    return Family("inside", "成员关系", "what is between the members of a ring", COLUMNS, partial(_make, find))
