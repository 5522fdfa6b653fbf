"""Companies registered in a batch and run by the same hands (空壳企业群): they share two or more of what each company has for its own.

What they share is an address, a phone or e-mail, a device of online banking, a representative; or money that one party sends to all of
them and that comes together again with one party, which counts as two.

Look-alikes that are no hit: the tenants of a park or of a secretarial address and the customers of a registration agent, who are many or
registered at all times; the suppliers of one customer, who buy of one another's suppliers; neighbours who lend to the same one and are
paid back, each at another time; landlords, platforms and offices.

What cannot be had: a batch at which the bank first looks when it is older than ``max_age_days``.

References
----------
.. [1] 国家税务总局、公安部、海关总署、中国人民银行: 打击虚开骗税违法犯罪专项行动, 2018, on companies registered in batches (假企业).
.. [2] FATF, Egmont Group, Concealment of beneficial ownership, 2018, on shell companies and their indicators.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from kg.algorithms.batches import batched
from kg.algorithms.interning import Interner
from kg.algorithms.kernel import Ints
from kg.algorithms.sharing import among, distinct, joined, unique_pairs
from kg.graph import Graph
from kg.reason import SHELL_CLUSTER
from kg.rule import DAY, FOUND, Narrow, Need, Rule, Tables, conform, listed, parameter, refuse_outside


@dataclass(frozen=True)
class ShellClusterParameters:
    """What a batch is, and what it shares."""

    min_companies: int = parameter(3, "companies", "two may be a couple's; three in a month are a batch")
    within_days: int = parameter(
        30, "days between the first registration and the last, inclusive", "an agent registers a batch within weeks"
    )
    max_sharing: int = parameter(50, "companies that share an attribute", "what more share is a park, an agent or a secretarial address")
    min_percent: int = parameter(
        50, "% of the companies that share an attribute", "tenants come at all times; of a batch's own most are of it"
    )
    max_age_days: int = parameter(1_825, "days", "shells are used young; after five years who is left has a trade")
    min_returned_percent: int = parameter(50, "% of what was sent", "hands keep a few percent; a month's other trade may be beside it")

    def __post_init__(self) -> None:
        refuse_outside("min_companies", self.min_companies, 3, 1_000)
        refuse_outside("within_days", self.within_days, 0, 366)
        refuse_outside("max_sharing", self.max_sharing, 3, 10_000)
        refuse_outside("min_percent", self.min_percent, 1, 100)
        refuse_outside("max_age_days", self.max_age_days, 1, 36_600)
        refuse_outside("min_returned_percent", self.min_returned_percent, 1, 100)


#: More than there are months in any date.
_MONTHS = 2**20
#: How each kind of attribute is tied to companies: relationship type, and the columns that name the company and what it has.
_HAD = {"address": ("LOCATED_AT", "src", "dst"), "contact": ("REACHED_AT", "src", "dst"), "representative": ("REPRESENTS", "dst", "src")}


# -- which rows can matter ----------------------------------------------------------------------------------------


def _young(graph: Graph, parameters: ShellClusterParameters) -> ir.Table:
    """Return the companies (``_who``) that are young enough."""
    companies = graph.nodes("Company")
    first = ibis.literal(graph.as_of - timedelta(days=parameters.max_age_days))
    return companies.filter((companies.founded_on >= first) & (companies.founded_on <= ibis.literal(graph.as_of))).select(_who="id")


def _company(rows: ir.Table, graph: Graph, parameters: ShellClusterParameters) -> ir.Table:
    young = _young(graph, parameters)
    return rows.semi_join(young, rows.id == young["_who"])


def _shared(had: ir.Table, graph: Graph, parameters: ShellClusterParameters) -> ir.Table:
    """Return what (``_what``) enough young companies have, and not too many companies: of ``who, what``."""
    had = had.filter(had.who.startswith("company:")).distinct()
    young = _young(graph, parameters)
    able = had.semi_join(young, had.who == young["_who"]).group_by("what").aggregate(often=ibis._.count())
    sharing = had.group_by("what").aggregate(all=ibis._.count())
    kept = able.filter(able.often >= parameters.min_companies).inner_join(sharing.filter(ibis._.all <= parameters.max_sharing), "what")
    return kept.select(_what="what")


def _having(type_: str, who: str, what: str) -> Narrow:
    """Return the step that leaves out what too few or too many companies have."""

    def narrow(rows: ir.Table, graph: Graph, parameters: ShellClusterParameters) -> ir.Table:
        had = graph.edges(type_)
        kept = _shared(had.select(who=had[who], what=had[what]), graph, parameters)
        return rows.semi_join(kept, rows[what] == kept["_what"])

    return narrow


def _signed_in(rows: ir.Table, graph: Graph, parameters: ShellClusterParameters) -> ir.Table:
    """Leave out devices that too few or too many companies use, and all sign-ins but one to an account."""
    signed, owned = graph.edges("SIGNED_IN").select(what="src", account="dst").distinct(), graph.edges("OWNS_ACCOUNT")
    used = signed.inner_join(owned.select(who="src", account="dst"), "account")
    kept = _shared(used.select("who", "what"), graph, parameters)
    return rows.semi_join(kept, rows.src == kept["_what"]).select("src", "dst").distinct()


def _accounts(rows: ir.Table, graph: Graph, parameters: ShellClusterParameters) -> ir.Table:
    used = _signed_in(graph.edges("SIGNED_IN"), graph, parameters).select(_account="dst").distinct()
    return rows.semi_join(used, rows.dst == used["_account"])


def _passed_on(rows: ir.Table, graph: Graph, parameters: ShellClusterParameters) -> ir.Table:
    """Leave out what was not passed on from one party to another through enough young companies."""
    paid = rows.filter((rows.currency == "CNY") & (rows.amount_fen > 0) & (rows.src != rows.dst))
    hubs = graph.records("hubs", "party")
    if hubs is not None:
        paid = paid.anti_join(hubs.select(src="party").distinct(), "src").anti_join(hubs.select(dst="party").distinct(), "dst")
    young = _young(graph, parameters)
    month = paid.month.year() * 12 + paid.month.month()
    paid = paid.mutate(number=month.cast("int64"))
    got = paid.semi_join(young, paid.dst == young["_who"]).select(who="dst", source="src", number="number", sent="amount_fen")
    gave = paid.semi_join(young, paid.src == young["_who"]).select(who="src", sink="dst", number="number", back="amount_fen")
    gave = ibis.union(gave, gave.mutate(number=gave.number - 1))  # in the same month, or in the next
    both = got.inner_join(gave, ["who", "number"])
    enough = both.back * 100 >= both.sent * parameters.min_returned_percent
    hands = both.filter(enough & (both.back <= both.sent)).select("source", "sink", "who").distinct()
    often = hands.group_by("source", "sink").aggregate(often=ibis._.count())
    # who are too many is asked of each time, not of all months together
    ends = often.filter(often.often >= parameters.min_companies)
    ways = hands.semi_join(ends, ["source", "sink"])
    there = ways.select(_a="source", _b="who").distinct()
    on = ways.select(_a="who", _b="sink").distinct()
    steps = ibis.union(there, on, distinct=True)
    return rows.semi_join(steps, [rows.src == steps["_a"], rows.dst == steps["_b"]])


REQUIRES = (
    Need("Company", ("id", "founded_on"), narrow=_company),
    *(Need(type_, ("src", "dst"), narrow=_having(type_, who, what)) for type_, who, what in _HAD.values()),
    Need("SIGNED_IN", ("src", "dst"), narrow=_signed_in),
    Need("OWNS_ACCOUNT", ("src", "dst"), narrow=_accounts),
    Need("PAID", ("id", "src", "dst", "month", "amount_fen", "currency"), narrow=_passed_on),
    Need.records("hubs", parties=("party",)),
    DAY,
)


# -- what is found in them ----------------------------------------------------------------------------------------


def find_shell_clusters(tables: Tables, parameters: ShellClusterParameters) -> pa.Table:
    """Find companies registered in a batch that share two attributes.

    A *batch* are ``min_companies`` companies, none older than ``max_age_days``, registered within ``within_days``, that share two
    attributes of different kinds: an address, a contact (phone or e-mail), a device that signed in to their accounts, a representative.
    An attribute that more than ``max_sharing`` companies of any age share counts for none, and of all that share it the batch must be
    ``min_percent``. Or, as two attributes at once: one party paid each of them and each paid another one (or the same) in that
    month or the next, at least ``min_returned_percent`` of it and no more than it, sums of a month, and they all were paid in one month or
    in two that follow one another; who sends may itself be one of the batch where at least ``min_companies`` others pass the money on; more
    than ``max_sharing`` who do so in such a time, or a known hub at an end, count for none. Batches with a company in common are told as
    one.

    Parameters
    ----------
    tables
        The tables of `REQUIRES`; of payments those in CNY.

    Returns
    -------
    Table of the columns `kg.rule.FOUND`, one row for each company of a batch.
        ``root``: ``batch:`` and the smallest id of its companies; ``amount_fen``: what it got and passed on, null where no money tells of
        it; ``at``: the day of its registration, as midnight UTC; ``evidence``: what it shares, the ends of the money among them, then
        the payments to it and from it (ids of ``PAID``).
    """
    given = conform(REQUIRES, tables)
    young = _Young.of(given, parameters)
    if not len(young.names):
        return FOUND.empty_table()
    parts = [part for part in (_by_attributes(given, young, parameters), _by_money(given, young, parameters)) if part.company.size]
    if not parts:
        return FOUND.empty_table()
    offset = np.cumsum([0, *(int(part.group.max()) + 1 for part in parts)])
    group = np.concatenate([part.group + begin for part, begin in zip(parts, offset[:-1].tolist(), strict=True)])
    company = np.concatenate([part.company for part in parts])
    return _told(young, _clusters(young, group, company, parameters), pa.concat_tables([part.evidence for part in parts]))


@dataclass(frozen=True)
class _Young:
    """The companies that are young enough, by number in the order of their ids, and the day of registration of each."""

    names: Interner
    day: Ints

    @classmethod
    def of(cls, given: dict[str, pa.Table], parameters: ShellClusterParameters) -> _Young:
        """Choose them as of the business date; none where that is not known."""
        rows, today = given["Company"], pc.max(given[DAY.name]["day"]).cast(pa.int32())
        day = rows["founded_on"].cast(pa.int32())
        known = pc.and_(pc.less_equal(day, today), pc.greater_equal(day, pc.subtract(today, parameters.max_age_days)))
        rows = rows.filter(pc.fill_null(known, False))
        names, (number,) = Interner.encode(rows["id"])
        found = np.zeros(len(names), np.int64)
        found[number] = rows["founded_on"].cast(pa.int32()).to_numpy()
        return cls(names, found)

    def codes(self, column: pa.ChunkedArray) -> Ints:
        """Return the number of each company, -1 where it is none of these."""
        return self.names.codes(column)


@dataclass(frozen=True)
class _Batches:
    """Companies of batches, a row for each group that shares; ``evidence``: ``company, position, id, amount_fen``."""

    group: Ints
    company: Ints
    evidence: pa.Table


def _had(given: dict[str, pa.Table]) -> pa.Table:
    """Return who has what of which kind, once each: ``kind, who, what``."""
    owners = given["OWNS_ACCOUNT"].rename_columns(["who", "dst"])
    used = given["SIGNED_IN"].rename_columns(["what", "dst"]).join(owners, "dst", join_type="inner")
    parts = [used.select(["who", "what"])]
    parts += [pa.table({"who": given[type_][who], "what": given[type_][what]}) for type_, who, what in _HAD.values()]
    rows = pa.concat_tables([part.append_column("kind", pa.array(np.full(part.num_rows, kind))) for kind, part in enumerate(parts)])
    rows = rows.filter(pc.starts_with(rows["who"], "company:"))
    return rows.group_by(["kind", "who", "what"]).aggregate([])


def _by_attributes(given: dict[str, pa.Table], young: _Young, parameters: ShellClusterParameters) -> _Batches:
    """Return the companies of batches that share two attributes of different kinds."""
    rows = _had(given)
    names, (what,) = Interner.encode(rows["what"])
    size = np.bincount(what, minlength=len(names))
    company, kind = young.codes(rows["who"]), rows["kind"].to_numpy()
    kept = np.flatnonzero((company >= 0) & (size[what] <= parameters.max_sharing))
    one, other = joined(company[kept], company[kept])
    one, other = kept[one], kept[other]
    different = kind[one] < kind[other]
    one, other = one[different], other[different]
    pair, group = np.unique(what[one] * len(names) + what[other], return_inverse=True)
    largest = np.maximum(size[pair // max(len(names), 1)], size[pair % max(len(names), 1)])
    least = np.maximum(-(-largest * parameters.min_percent // 100), parameters.min_companies)
    hit = np.flatnonzero(batched(group, young.day[company[one]], within=parameters.within_days, least=least[group]))
    shares = np.concatenate([one[hit], other[hit]])
    evidence = _evidence(np.tile(company[one[hit]], 2), 0, names.names(what[shares]))
    return _Batches(group[hit], company[one[hit]], evidence)


def _evidence(company: Ints, position: int, ids: pa.Array, amount: Any = None) -> pa.Table:
    fen = pa.nulls(company.size, pa.int64()) if amount is None else amount
    columns = {"company": company, "position": np.full(company.size, position), "id": ids.cast(pa.string()), "amount_fen": fen}
    return pa.table(columns)


def _by_money(given: dict[str, pa.Table], young: _Young, parameters: ShellClusterParameters) -> _Batches:
    """Return the companies of batches through which money went from one party to another."""
    paid = _between(given["PAID"], given["records/hubs"])
    parties, (payer, payee) = Interner.encode(paid["src"], paid["dst"])
    n = max(len(parties), 1)
    got, gave, wave = _waves(*_steps(paid, young, parameters), paid)
    hand = young.codes(paid["dst"].take(pa.array(got)))
    pair, way = np.unique(payer[got] * n + payee[gave], return_inverse=True)
    when, end = np.unique(way * _MONTHS + wave, return_inverse=True)
    pair = pair[when // _MONTHS]
    group, who = unique_pairs(end, hand)
    often = np.bincount(group, minlength=pair.size)
    enough = (often >= parameters.min_companies) & (often <= parameters.max_sharing)
    source = young.codes(parties.names(pair // n))
    sends = np.flatnonzero(enough & (source >= 0))
    kept = enough[group]
    group, who = np.append(group[kept], sends), np.append(who[kept], source[sends])
    hit = batched(group, young.day[who], within=parameters.within_days, least=np.full(group.size, parameters.min_companies))
    group, who = group[hit], who[hit]
    row = np.flatnonzero(among(end * len(young.names) + hand, distinct(group * len(young.names) + who)))
    ends = [_evidence(who, 0, parties.names(part)) for part in (pair[group] // n, pair[group] % n)]
    moved = [(got[row], True), (gave[row], False)]
    return _Batches(group, who, pa.concat_tables([*ends, *(_payments(paid, hand[row], of, to) for of, to in moved)]))


def _payments(paid: pa.Table, hand: Ints, row: Ints, to_it: bool) -> pa.Table:
    """Return the payments to hands, with their amounts, or from them, as evidence."""
    rows = pa.array(row)
    return _evidence(hand, 1, paid["id"].take(rows).combine_chunks(), paid["amount_fen"].take(rows).combine_chunks() if to_it else None)


def _between(paid: pa.Table, hubs: pa.Table) -> pa.Table:
    """Return the payments that count, without those of known hubs."""
    sound = pc.and_(pc.equal(paid["currency"], "CNY"), pc.and_(pc.greater(paid["amount_fen"], 0), pc.not_equal(paid["src"], paid["dst"])))
    known = hubs["party"].combine_chunks()
    hub = pc.or_(pc.is_in(paid["src"], value_set=known), pc.is_in(paid["dst"], value_set=known))
    return paid.filter(pc.fill_null(pc.and_(sound, pc.invert(hub)), False))


def _steps(paid: pa.Table, young: _Young, parameters: ShellClusterParameters) -> tuple[Ints, Ints]:
    """Return the rows by which money came to a young company, each with those by which it went on in that month or the next."""
    month = _months(paid)
    to, of, fen = young.codes(paid["dst"]), young.codes(paid["src"]), paid["amount_fen"].to_numpy()
    got, gave = np.flatnonzero(to >= 0), np.flatnonzero(of >= 0)
    key = of[gave] * _MONTHS + month[gave]
    one, other = joined(to[got] * _MONTHS + month[got], np.concatenate([key, key - 1]))
    got, gave = got[one], np.concatenate([gave, gave])[other]
    least = fen[got] // 100 * parameters.min_returned_percent + -(-(fen[got] % 100) * parameters.min_returned_percent // 100)
    enough = (fen[gave] >= least) & (fen[gave] <= fen[got])
    return got[enough], gave[enough]


def _waves(got: Ints, gave: Ints, paid: pa.Table) -> tuple[Ints, Ints, Ints]:
    """Return each step with the times that it may be of, a month and the one after it, counted by the first: so each stands there twice."""
    month = _months(paid)[got]
    return np.tile(got, 2), np.tile(gave, 2), np.concatenate([month, month - 1])


def _months(paid: pa.Table) -> Ints:
    """Return the number of each row's month."""
    months: Ints = pc.add(pc.multiply(pc.year(paid["month"]), 12), pc.month(paid["month"])).to_numpy()
    return months


def _clusters(young: _Young, group: Ints, company: Ints, parameters: ShellClusterParameters) -> pa.Table:
    """Return which batch each company belongs to: ``company, cluster``, the latter by its smallest company."""
    order = np.lexsort((young.day[company], group))
    group, company = group[order], company[order]
    new = np.ones(group.size, np.bool_)
    new[1:] = (group[1:] != group[:-1]) | (np.diff(young.day[company]) > parameters.within_days)
    batch = np.cumsum(new) - 1 + len(young.names)
    size = len(young.names) + int(new.sum())
    _, label = connected_components(csr_array((np.ones(group.size, np.int8), (company, batch)), shape=(size, size)), directed=False)
    members = distinct(company)
    first = np.full(size, size)
    np.minimum.at(first, label[members], members)
    return pa.table({"company": members, "cluster": first[label[members]]})


def _told(young: _Young, clusters: pa.Table, evidence: pa.Table) -> pa.Table:
    """Give each company one finding."""
    company, cluster = (clusters[name].to_numpy() for name in ("company", "cluster"))
    root = pc.binary_join_element_wise("batch:", young.names.names(cluster), "")
    columns = {"finding": company, "entity_id": young.names.names(company), "root": root}
    found = pa.table({**columns, "at": pa.array(young.day[company].astype("datetime64[D]"))})
    # a payment that goes on to two is one payment
    once = evidence.group_by(["company", "position", "id"]).aggregate([("amount_fen", "max")])
    sums = once.group_by("company").aggregate([("amount_fen_max", "sum")]).rename_columns(["finding", "amount_fen"])
    return listed(found.join(sums, "finding"), once.rename_columns({"company": "finding"}))


RULE = Rule(
    name="shell_cluster",
    version="2",
    about="Companies registered in a batch share two or more of what a company has for its own, or one party's money goes through them.",
    reason=SHELL_CLUSTER,
    severity="medium",
    action="refer",
    parameters=ShellClusterParameters(),
    requires=REQUIRES,
    find=find_shell_clusters,
)
