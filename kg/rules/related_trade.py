"""Undisclosed related trade (隐性关联交易): a good part of a seller's revenue comes from companies that belong to who is behind it.

What ties them is a person who controls both over holding companies, or evidence that the register does not tell: a device or a contact
in common. A buyer in the name of a straw person who leaves no such trace cannot be found by it: of 90 planted cases of generated cities
26 have no buyer that anything ties to the seller, and of several buyers often one alone is tied, so that 48 are hit at 30 % of the
revenue, 60 at 10 %. So there are two tiers: what the field calls much, and a lesser part, told with less weight, of which an officer may
find that it is more; beyond two in three nothing that a bank sees ties buyer and seller. Of 50 in large cities of three years 33 are hit.

Look-alikes that are no hit: a group whose members hold one another or have a parent in common, an owner with two companies in his own
name, and relatives' companies: the register shows these at a glance. Trade itself, loans and guarantees are no ties.

References
----------
.. [1] 企业会计准则第36号——关联方披露; 商业银行集团客户授信业务风险管理指引, 2010, art. 3 and 18.
.. [2] IAS 24, Related party disclosures.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kg.algorithms.interning import Interner
from kg.algorithms.kernel import Ints
from kg.algorithms.sharing import among, distinct, joined
from kg.graph import Graph
from kg.reason import RELATED_TRADE, RELATED_TRADE_MINOR
from kg.rule import DAY, FOUND, Need, Rule, Tables, conform, listed, parameter, refuse_outside

Bools: TypeAlias = NDArray[np.bool_]
#: Kinds of evidence that do not come of trade, loans or guarantees themselves, and of which two honest strangers have none.
_KINDS = ("shared_device", "same_contact")


@dataclass(frozen=True)
class RelatedTradeParameters:
    """How much, how tied, and how far back."""

    min_percent: int = parameter(30, "% of the revenue", "a part on which the seller depends; of less, chance trade makes as much")
    min_score_ppm: int = parameter(400_000, "ppm", "below it evidence is weak: of honest pairs with an agent in common")
    min_fen: int = parameter(100_000, "fen", "below a thousand yuan nobody inflates a revenue")
    months: int = parameter(12, "months before that of the business date", "revenue is that of a year")

    def __post_init__(self) -> None:
        refuse_outside("min_percent", self.min_percent, 1, 100)
        refuse_outside("min_score_ppm", self.min_score_ppm, 1, 1_000_000)
        refuse_outside("min_fen", self.min_fen, 1, 2**62)
        refuse_outside("months", self.months, 1, 120)


# -- which rows can matter ----------------------------------------------------------------------------------------


def _links(rows: ir.Table, parameters: RelatedTradeParameters) -> ir.Table:
    told = rows.kind.isin(_KINDS) & ~rows.disclosed.fill_null(False) & (rows.score >= parameters.min_score_ppm)
    return rows.filter(told & rows.src.startswith("company:") & rows.dst.startswith("company:"))


def _alone(rows: ir.Table) -> ir.Table:
    return rows.filter(rows.jointly.isnull() & rows.src.startswith("person:"))


def _tied(graph: Graph, parameters: RelatedTradeParameters) -> ir.Table:
    """Return the pairs ``src, dst`` of companies that traded and that something ties, openly or not."""
    pairs = graph.edges("INVOICED").select("src", "dst").distinct()
    controls = _alone(graph.edges("CONTROLS")).select(person="src", company="dst").distinct()
    links = _links(graph.edges("LINKED_TO"), parameters)
    links = ibis.union(links.select(a="src", b="dst"), links.select(a="dst", b="src")).distinct()
    over = links.inner_join(controls.select("person", a="company"), "a").select("person", company="b")
    reach = ibis.union(controls.mutate(steps=2), over.mutate(steps=3)).distinct()
    ends = pairs.inner_join(reach.select(person="person", src="company", one="steps"), "src")
    ends = ends.inner_join(reach.select(person="person", dst="company", other="steps"), ["person", "dst"])
    by_person = ends.filter(ends.one + ends.other < 6).select("src", "dst")
    by_link = pairs.inner_join(links.select(src="a", dst="b"), ["src", "dst"]).select("src", "dst")
    return ibis.union(by_person, by_link, distinct=True)


def _of_tied(rows: ir.Table, graph: Graph, parameters: RelatedTradeParameters) -> ir.Table:
    return rows.semi_join(_tied(graph, parameters).select("src").distinct(), "src")


def _of_told(rows: ir.Table, graph: Graph, parameters: RelatedTradeParameters) -> ir.Table:  # noqa: ARG001 - all narrowing steps are called alike
    return _links(rows, parameters)


def _of_several(rows: ir.Table, graph: Graph, parameters: RelatedTradeParameters) -> ir.Table:  # noqa: ARG001 - likewise
    return _alone(rows)


REQUIRES = (
    Need("INVOICED", ("id", "src", "dst", "month", "net_fen"), narrow=_of_tied),
    Need("LINKED_TO", ("id", "src", "dst", "kind", "score", "disclosed"), narrow=_of_told),
    Need("CONTROLS", ("id", "src", "dst", "jointly"), narrow=_of_several),
    Need("HOLDS_SHARES", ("src", "dst")),
    Need("KIN_OF", ("src", "dst")),
    Need.records("hubs", parties=("party",)),
    DAY,
)


# -- what is found in them ----------------------------------------------------------------------------------------


def find_related_trade(tables: Tables, parameters: RelatedTradeParameters) -> pa.Table:
    """Find sellers who make a good part of their revenue with companies that are secretly of one hand with them.

    A buyer is *tied* to the seller where one person alone controls both (two steps), where a link of the kinds ``shared_device`` or
    ``same_contact`` that the register does not tell joins them (one step), or where such a link joins one of them to a company that one
    person controls with the other (three steps). The tie is *open*, and does not count, where one holds the other, or a company or a
    person directly holds both; and, unless one person controls both, where holders or controllers of both are relatives, also over a
    third. A known hub is tied to nobody.

    The revenue is what the seller invoiced (net, void invoices left out) in the month of the business date and ``months`` before it.
    It is hit where at least ``min_percent`` of it, and ``min_fen``, come from tied buyers.

    Parameters
    ----------
    tables
        The tables of `REQUIRES`; rows that hold today.

    Returns
    -------
    Table of the columns `kg.rule.FOUND`, one row for each seller.
        ``root``: the seller; ``amount_fen``: what it invoiced to tied buyers; ``at``: null; ``evidence``: the links and ``CONTROLS`` that
        tie them, then what was invoiced to them, by id.
    """
    given = conform(REQUIRES, tables)
    sold = _in_time(given["INVOICED"], given[DAY.name], parameters)
    if not sold.num_rows:
        return FOUND.empty_table()
    world = _World.of(sold, given, parameters)
    seller, buyer = world.ends(sold)
    pair, place = np.unique(seller * world.n + buyer, return_inverse=True)
    ties = _hidden(_ties(world, pair), world, pair)
    tied = among(place, distinct(ties["pair"].to_numpy()))
    return _told(sold.append_column("pair", pa.array(place)).append_column("tied", pa.array(tied)), ties, parameters)


def _in_time(sold: pa.Table, today: pa.Table, parameters: RelatedTradeParameters) -> pa.Table:
    """Return what counts as revenue; none where the business date is not known."""
    day = pc.max(today["day"]).as_py()
    if day is None:
        return sold.slice(0, 0)
    months = day.year * 12 + day.month - 1 - parameters.months
    first = date(months // 12, months % 12 + 1, 1)
    kept = pc.and_(
        pc.greater_equal(sold["month"], pa.scalar(first, pa.date32())), pc.less_equal(sold["month"], pa.scalar(day, pa.date32()))
    )
    return sold.filter(pc.fill_null(pc.and_(kept, sold["net_fen"].is_valid()), False))


@dataclass(frozen=True)
class _World:
    """Parties by number, who is tied to whom and how: ``links`` and ``controls`` with the ids of their rows."""

    names: Interner
    links: tuple[Ints, Ints, pa.ChunkedArray]
    controls: tuple[Ints, Ints, pa.ChunkedArray]
    holds: Ints
    owners: tuple[Ints, Ints]
    kin: tuple[Ints, Ints]
    hub: Bools

    @property
    def n(self) -> int:
        """How many parties there are."""
        return len(self.names)

    @classmethod
    def of(cls, sold: pa.Table, given: dict[str, pa.Table], parameters: RelatedTradeParameters) -> _World:
        """Number the parties of the tables."""
        links, controls = given["LINKED_TO"], given["CONTROLS"]
        told = pc.and_(pc.is_in(links["kind"], value_set=pa.array(_KINDS)), pc.invert(pc.fill_null(links["disclosed"], False)))
        firms = pc.and_(pc.starts_with(links["src"], "company:"), pc.starts_with(links["dst"], "company:"))
        links = links.filter(pc.and_(pc.and_(told, firms), pc.greater_equal(links["score"], parameters.min_score_ppm)))
        controls = controls.filter(pc.and_(controls["jointly"].is_null(), pc.starts_with(controls["src"], "person:")))
        columns = [rows[end] for rows in (sold, links, controls, given["HOLDS_SHARES"], given["KIN_OF"]) for end in ("src", "dst")]
        names, (_, _, a, b, person, company, holder, held, one, other) = Interner.encode(*columns)
        hub = np.zeros(len(names), np.bool_)
        known = names.codes(given["records/hubs"]["party"])
        hub[known[known >= 0]] = True
        both = pa.chunked_array([*links["id"].chunks, *links["id"].chunks], pa.string())
        return cls(
            names,
            (np.concatenate([a, b]), np.concatenate([b, a]), both),
            (person, company, controls["id"]),
            distinct(holder * len(names) + held),
            (np.concatenate([holder, person]), np.concatenate([held, company])),
            (np.concatenate([one, other]), np.concatenate([other, one])),
            hub,
        )

    def ends(self, rows: pa.Table) -> tuple[Ints, Ints]:
        """Return the ends of rows by number."""
        return self.names.codes(rows["src"]), self.names.codes(rows["dst"])

    def open(self, pair: Ints) -> Bools:
        """Tell of which pairs the register shows the tie at a glance, or of which one is a hub."""
        a, b = pair // self.n, pair % self.n
        found: Bools = among(a * self.n + b, self.holds) | among(b * self.n + a, self.holds) | self.hub[a] | self.hub[b] | (a == b)
        row, place = joined(a, self.holds % self.n)
        holder = self.holds[place] // self.n
        found[row[among(holder * self.n + b[row], self.holds)]] = True
        return found

    def family(self, pair: Ints) -> Bools:
        """Tell of which pairs holders or controllers are relatives, also over a third one."""
        a, b = pair // self.n, pair % self.n
        owner, owned = self.owners
        every = distinct(owned * self.n + owner)
        row, place = joined(a, every // self.n)
        own = who = every[place] % self.n
        found = np.zeros(a.size, np.bool_)
        for _ in range(2):
            step, other = joined(who, self.kin[0])
            row, own, who = row[step], own[step], self.kin[1][other]
            found[row[among(b[row] * self.n + who, every) & (who != own)]] = True
        return found


def _ties(world: _World, pair: Ints) -> pa.Table:
    """Return what ties pairs: ``pair`` (place), ``steps, id``, a row for each relationship that does."""
    a, b = pair // world.n, pair % world.n
    (one, other, link), (person, company, control) = world.links, world.controls
    keys = person * world.n + company

    def controlled(row: Ints, ends: tuple[Ints, Ints]) -> tuple[Ints, pa.Table]:
        """Return which of the rows have one person in control at both ends, and the relationships that say so."""
        near, at = joined(ends[0], company)
        far, to = joined(person[at] * world.n + ends[1][near], keys)
        near = near[far]
        ids = pa.chunked_array([*control.take(pa.array(at[far])).chunks, *control.take(pa.array(to)).chunks], pa.string())
        return near, pa.table({"pair": np.tile(row[near], 2), "id": ids})

    row, linked = joined(a * world.n + b, one * world.n + other)
    found = [pa.table({"pair": row, "id": link.take(pa.array(linked))}), controlled(np.arange(pair.size), (a, b))[1]]
    for near, far in ((a, b), (b, a)):
        row, linked = joined(near, one)
        kept, over = controlled(row, (other[linked], far[row]))
        found += [over, pa.table({"pair": row[kept], "id": link.take(pa.array(linked[kept]))})]
    steps = [1, 2, 3, 3, 3, 3]
    return pa.concat_tables([_with(part, "steps", n) for part, n in zip(found, steps, strict=True)])


def _with(rows: pa.Table, name: str, value: int) -> pa.Table:
    return rows.append_column(name, pa.array(np.full(rows.num_rows, value)))


def _hidden(ties: pa.Table, world: _World, pair: Ints) -> pa.Table:
    """Return the ties of pairs without those that are open; relatives do not matter where one person controls both."""
    place = ties["pair"].to_numpy()
    hidden = ~world.open(pair)
    by_one = np.zeros(pair.size, np.bool_)
    by_one[place[ties["steps"].to_numpy() == 2]] = True
    hidden &= by_one | ~world.family(pair)
    return ties.filter(pa.array(hidden[place]))


def _told(sold: pa.Table, ties: pa.Table, parameters: RelatedTradeParameters) -> pa.Table:
    """Give each seller whose tied buyers make enough of its revenue one finding."""
    every = sold.group_by("src").aggregate([("net_fen", "sum")]).rename_columns(["entity_id", "revenue"])
    mine = sold.filter(sold["tied"])
    sums = mine.group_by("src").aggregate([("net_fen", "sum")]).rename_columns(["entity_id", "amount_fen"]).join(every, "entity_id")
    part = pc.greater_equal(pc.multiply(sums["amount_fen"], 100), pc.multiply(sums["revenue"], parameters.min_percent))
    hit = sums.filter(pc.and_(part, pc.greater_equal(sums["amount_fen"], parameters.min_fen))).sort_by("entity_id")
    finding = pa.array(np.arange(hit.num_rows))
    found = pa.table({"finding": finding, **dict.fromkeys(("entity_id", "root"), hit["entity_id"]), "amount_fen": hit["amount_fen"]})
    rows = mine.join(pa.table({"finding": finding, "src": hit["entity_id"]}), "src", join_type="inner")
    pairs = rows.group_by(["finding", "pair"]).aggregate([])
    tied = pairs.join(ties.select(["pair", "id"]), "pair", join_type="inner")
    parts = [_with(part.select(["finding", "id"]), "position", n) for n, part in enumerate((tied, rows))]
    return listed(found.append_column("at", pa.nulls(hit.num_rows)), pa.concat_tables(parts))


def find_minor_related_trade(tables: Tables, parameters: RelatedTradeParameters) -> pa.Table:
    """Find sellers as `find_related_trade` does, but those that it finds by its usual parameters."""
    lesser, much = (find_related_trade(tables, each) for each in (parameters, RelatedTradeParameters()))
    return lesser.filter(pc.invert(pc.is_in(lesser["entity_id"], value_set=much["entity_id"].combine_chunks())))


RULE = Rule(
    name="related_trade",
    version="1",
    about="A good part of the revenue comes from companies that hidden ownership or undisclosed evidence ties to the seller.",
    reason=RELATED_TRADE,
    severity="medium",
    action="refer",
    parameters=RelatedTradeParameters(),
    requires=REQUIRES,
    find=find_related_trade,
)
MINOR = Rule(
    name="related_trade_minor",
    version="1",
    about="A tenth of the revenue or more comes from companies that hidden ownership or undisclosed evidence ties to the seller.",
    reason=RELATED_TRADE_MINOR,
    severity="low",
    action="watch",
    parameters=RelatedTradeParameters(min_percent=10),
    requires=REQUIRES,
    find=find_minor_related_trade,
)
