"""Invoices without goods (虚开发票): within weeks many times what is usual, of goods that no purchase accounts for, then silence.

Goods sold are held against goods bought by what they are made from, and not by their cosine: a maker never sells what it bought, so that
the cosine over codes is as low for the honest. Nor is the seller's age asked: companies are bought for it that are years old.

Look-alikes that are no hit: a maker, whose goods are made from what it buys; a trader who resells; a side line that is sold all the year; a
young company that found its market and goes on; a season, in which a trader sells more of what it buys.

What cannot be had: a burst of less than ``min_burst_percent``, or goods of one's own line; and before ``silent_days`` are over nobody knows
of the silence. Where such bills were financed, ``voided_after_financing`` tells of some.

References
----------
.. [1] 国家税务总局《关于走逃（失联）企业开具增值税专用发票认定处理有关问题的公告》, 2016年第76号: 购进、销售货物名称严重背离.
.. [2] FATF, Egmont Group, Trade-based money laundering: risk indicators, 2021, on phantom shipments and trade outside a firm's line.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
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
from kg.reason import HOLLOW_INVOICES
from kg.rule import DAY, FOUND, Narrow, Need, Rule, Tables, conform, listed, parameter, refuse_outside

Bools: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True)
class HollowInvoicesParameters:
    """What is too much, too sudden and too silent."""

    window_days: int = parameter(35, "days", "bills without goods are written before anybody looks: within weeks")
    min_invoices: int = parameter(6, "invoices of goods without a source", "a few are a side line, or a sale of what is left over")
    min_source_percent: int = parameter(
        30, "% of what is sold", "goods cost who sells them a good part of their price; half to nine tenths are usual"
    )
    min_percent: int = parameter(50, "% of what is invoiced in the window", "who has a trade besides still invoices most of it for nothing")
    min_burst_percent: int = parameter(
        200, "% of what is usual in so many days", "half of those planted in generated cities stay below 5 times"
    )
    silent_days: int = parameter(20, "days", "an honest seller of so many bills is silent for days, or over a holiday")
    lookback_days: int = parameter(365, "days before the business date", "older ones were judged in their time")
    code_digits: int = parameter(
        9, "signs of a goods code", "codes that begin alike are of one kind of goods, written more or less exactly"
    )

    def __post_init__(self) -> None:
        refuse_outside("window_days", self.window_days, 1, 366)
        refuse_outside("min_invoices", self.min_invoices, 1, 10_000)
        refuse_outside("min_source_percent", self.min_source_percent, 1, 100)
        refuse_outside("min_percent", self.min_percent, 1, 100)
        refuse_outside("min_burst_percent", self.min_burst_percent, 100, 100_000)
        refuse_outside("silent_days", self.silent_days, 1, 366)
        refuse_outside("lookback_days", self.lookback_days, 1, 3_660)
        refuse_outside("code_digits", self.code_digits, 1, 19)


def _code(column: ir.Column, parameters: HollowInvoicesParameters) -> ir.StringValue:
    return column.substr(0, parameters.code_digits)


def _suspects(graph: Graph, parameters: HollowInvoicesParameters) -> ir.Table | None:
    """Return the sellers (``_who``) who invoiced often enough goods without a source, by the same reckoning as `find_hollow_invoices`."""
    goods, bills = graph.records("goods"), graph.records("invoices", "seller")
    if goods is None or bills is None:
        return None
    first = ibis.literal(graph.as_of - timedelta(days=parameters.lookback_days))
    sound = bills.goods.notnull() & (bills.net_fen > 0) & (bills.issued_on > first) & (bills.issued_on <= ibis.literal(graph.as_of))
    bills = bills.filter(sound)
    sold = bills.group_by(who="seller", code=_code(bills.goods, parameters)).aggregate(sold=bills.net_fen.sum(), often=bills.count())
    rest = sold.anti_join(_lines(graph, goods, parameters), ["who", "code"])
    rest = rest.left_join(_sources(graph, goods, parameters), ["who", "code"])
    hollow = rest.filter(rest.source.fill_null(0) * 100 < rest.sold * parameters.min_source_percent)
    often = hollow.group_by("who").aggregate(often=hollow.often.sum())
    return often.filter(often.often >= parameters.min_invoices).select(_who="who")


def _lines(graph: Graph, goods: ir.Table, parameters: HollowInvoicesParameters) -> ir.Table:
    """Return which goods belong to each company's own industry: ``who, code``."""
    lines = goods.filter(goods.industry.notnull()).select(code=_code(goods.goods, parameters), industry="industry").distinct()
    companies = graph.nodes("Company").select(who="id", industry="industry")
    return companies.inner_join(lines, "industry").select("who", "code")


def _sources(graph: Graph, goods: ir.Table, parameters: HollowInvoicesParameters) -> ir.Table:
    """Return for how much each company bought what goods are made from, or these themselves: ``who, code, source``."""
    code, made = _code(goods.goods, parameters), _code(goods.made_from, parameters)
    itself = goods.select(code=code, of=code)
    made_from = ibis.union(itself, goods.filter(goods.made_from.notnull()).select(code=code, of=made), distinct=True)
    rows = graph.edges("INVOICED").filter(ibis._.goods.notnull() & (ibis._.net_fen > 0))
    bought = rows.group_by(who="dst", of=_code(rows.goods, parameters)).aggregate(fen=rows.net_fen.sum())
    return bought.inner_join(made_from, "of").group_by("who", "code").aggregate(source=ibis._.fen.sum())


#: More than there are days since 1970 in any date.
_DAYS = 2**32


def _of_suspects(column: str) -> Narrow:
    """Return the step that leaves out the rows whose column names no seller of goods without a source."""

    def narrow(rows: ir.Table, graph: Graph, parameters: HollowInvoicesParameters) -> ir.Table:
        who = _suspects(graph, parameters)
        return rows.limit(0) if who is None else rows.semi_join(who, rows[column] == who["_who"])

    return narrow


REQUIRES = (
    Need.records("goods", goods="string", made_from="string", industry="string"),
    Need.records("invoices", parties=("seller",), narrow=_of_suspects("seller"), goods="string", issued_on="date", net_fen="int64"),
    Need("INVOICED", ("id", "dst", "goods", "net_fen"), narrow=_of_suspects("dst")),
    Need("Company", ("id", "industry"), narrow=_of_suspects("id")),
    DAY,
)


def find_hollow_invoices(tables: Tables, parameters: HollowInvoicesParameters) -> pa.Table:
    """Find sellers of goods without a source.

    Goods have a *source* where they belong to the seller's own industry, or where it ever bought, of the same and of all that they are
    made from together, for ``min_source_percent`` of what it sold of them within ``lookback_days``; codes that agree in their first
    ``code_digits`` signs are the same. Of each seller the window of ``window_days`` is
    looked at in which it invoiced most (net) for goods without a source; among equals the first. The seller is hit where in it

    - there are ``min_invoices`` invoices for such goods, and they make ``min_percent`` of what it invoiced then;
    - it invoiced ``min_burst_percent`` of what it did in as many days of the rest of the time (from its first invoice within
      ``lookback_days`` up to the business date);
    - after the last of these invoices it invoiced nothing for ``silent_days``, that day not counted and the next invoice's neither,
      whether it went on later or has not yet.

    Parameters
    ----------
    tables
        The tables of `REQUIRES`. Invoices that were made void count as they were written; those without goods, a day or an amount above 0
        are left out, as are those after the business date.

    Returns
    -------
    Table of the columns `kg.rule.FOUND`, one row for each seller.
        ``root``: the seller; ``amount_fen``: what it invoiced for such goods in the window, without tax; ``at``: the day of the last such
        invoice, as midnight UTC; ``evidence``: these invoices, by day and id.
    """
    given = conform(REQUIRES, tables)
    rows = _sold(given["records/invoices"], given[DAY.name], parameters)
    if not rows.num_rows:
        return FOUND.empty_table()
    sellers, (seller,) = Interner.encode(rows["seller"])
    hollow = _without_source(rows, sellers, given, parameters)
    day, fen = rows["issued_on"].cast(pa.int32()).to_numpy().astype(np.int64), rows["net_fen"].to_numpy()
    today = int(pc.max(given[DAY.name]["day"].cast(pa.int32())).as_py())
    return _told(rows, hollow, _windows(_Sales(seller, day, fen, hollow, today), parameters), sellers)


def _sold(rows: pa.Table, today: pa.Table, parameters: HollowInvoicesParameters) -> pa.Table:
    """Return the invoices that count, by seller, day and id; none where no day is known."""
    last = pc.max(today["day"]).cast(pa.int32())
    day = rows["issued_on"].cast(pa.int32())
    timely = pc.and_(pc.less_equal(day, last), pc.greater(day, pc.subtract(last, parameters.lookback_days)))
    sound = pc.and_(pc.greater(rows["net_fen"], 0), rows["goods"].is_valid())
    kept = rows.filter(pc.fill_null(pc.and_(timely, sound), False))
    return kept.sort_by([("seller", "ascending"), ("issued_on", "ascending"), ("id", "ascending")])


def _without_source(rows: pa.Table, sellers: Interner, given: dict[str, pa.Table], parameters: HollowInvoicesParameters) -> Bools:
    """Tell of which invoices the goods have no source."""
    goods, bought = given["records/goods"], given["INVOICED"]
    bought = bought.filter(pc.fill_null(pc.and_(pc.greater(bought["net_fen"], 0), bought["goods"].is_valid()), False))
    columns = (rows["goods"], goods["goods"], goods["made_from"], bought["goods"])
    codes, (sold, of, source, got) = Interner.encode(*(pc.utf8_slice_codeunits(each, 0, parameters.code_digits) for each in columns))
    width, made = len(codes), source >= 0
    pair, place = np.unique(sellers.codes(rows["seller"]) * width + sold, return_inverse=True)
    sums, sources = np.zeros(pair.size, np.int64), np.zeros(pair.size, np.int64)
    np.add.at(sums, place, rows["net_fen"].to_numpy())
    # whatever was sold is its own source too, whether or not the table of goods knows it
    ways = distinct(np.concatenate([of[made] * width + source[made], np.arange(width) * (width + 1)]))
    one, other = joined(pair % width, ways // width)
    buyer = sellers.codes(bought["dst"])
    wanted, row = joined(pair[one] // width * width + ways[other] % width, np.where(buyer >= 0, buyer * width + got, -1))
    np.add.at(sources, one[wanted], bought["net_fen"].to_numpy()[row])
    own = among(pair, _own_lines(of, goods["industry"], sellers, given["Company"], width))
    return (~own & (sources * 100 < sums * parameters.min_source_percent))[place]


def _own_lines(of: Ints, industry: pa.ChunkedArray, sellers: Interner, companies: pa.Table, width: int) -> Ints:
    """Return the keys of sellers with the goods of their own industry, in order."""
    _, (line, own) = Interner.encode(industry, companies["industry"])
    who = sellers.codes(companies["id"])
    mine, known = np.flatnonzero((who >= 0) & (own >= 0)), np.flatnonzero(line >= 0)
    company, trade = joined(own[mine], line[known])
    return distinct(who[mine][company] * width + of[known][trade])


@dataclass(frozen=True)
class _Sales:
    """Invoices by seller and day: seller, day, fen, whether the goods have no source; the business date."""

    seller: Ints
    day: Ints
    fen: Ints
    hollow: Bools
    today: int

    def sums(self, values: Ints, low: Ints, high: Ints) -> Ints:
        """Return the sums of values over the rows from ``low`` up to ``high``."""
        total = np.append(0, np.cumsum(values))
        found: Ints = total[high] - total[low]
        return found


@dataclass(frozen=True)
class _Windows:
    """The window of each seller that is hit: seller, first row, row after the last; the sum for goods without a source, the last day."""

    seller: Ints
    low: Ints
    high: Ints
    fen: Ints
    last: Ints


def _windows(sales: _Sales, parameters: HollowInvoicesParameters) -> _Windows:
    """Return the window of each seller in which most goods without a source were invoiced, where it is a hit."""
    key = sales.seller * _DAYS + sales.day
    begin = np.flatnonzero(sales.hollow)
    low, high = np.searchsorted(key, key[begin]), np.searchsorted(key, key[begin] + parameters.window_days)
    fen = sales.sums(np.where(sales.hollow, sales.fen, 0), low, high)
    order = np.lexsort((low, -fen, sales.seller[begin]))
    seller, first = np.unique(sales.seller[begin][order], return_index=True)
    best = order[first]
    low, high, fen = low[best], high[best], fen[best]
    # the last row within each window whose goods have no source
    row = np.maximum.accumulate(np.where(sales.hollow, np.arange(key.size), -1))[high - 1]
    last = sales.day[row]
    hit = (
        _enough(sales, low, high, fen, parameters) & _burst(sales, seller, low, high, parameters) & _silent(sales, seller, last, parameters)
    )
    return _Windows(seller[hit], low[hit], high[hit], fen[hit], last[hit])


def _enough(sales: _Sales, low: Ints, high: Ints, fen: Ints, parameters: HollowInvoicesParameters) -> Bools:
    often = sales.sums(sales.hollow.astype(np.int64), low, high)
    every = sales.sums(sales.fen, low, high)
    return (often >= parameters.min_invoices) & (fen >= every // 100 * parameters.min_percent + every % 100 * parameters.min_percent // 100)


def _burst(sales: _Sales, seller: Ints, low: Ints, high: Ints, parameters: HollowInvoicesParameters) -> Bools:
    """Tell in which windows so many times more was invoiced than in as many days of the rest; in whole numbers of any size."""
    first, end = np.searchsorted(sales.seller, seller), np.searchsorted(sales.seller, seller, side="right")
    inside = sales.sums(sales.fen, low, high).astype(object)
    rest = sales.sums(sales.fen, first, end).astype(object) - inside
    days = np.maximum(sales.today - sales.day[first] + 1 - parameters.window_days, 1).astype(object)
    found: Bools = (inside * 100 * days >= rest * parameters.window_days * parameters.min_burst_percent).astype(np.bool_)
    return found


def _silent(sales: _Sales, seller: Ints, last: Ints, parameters: HollowInvoicesParameters) -> Bools:
    """Tell after which days the seller invoiced nothing for so long."""
    key = np.append(sales.seller * _DAYS + sales.day, np.iinfo(np.int64).max)
    following = key[np.searchsorted(key, seller * _DAYS + last, side="right")]
    silent = np.where(following // _DAYS == seller, following % _DAYS - 1, sales.today) - last
    found: Bools = silent >= parameters.silent_days
    return found


def _told(rows: pa.Table, hollow: Bools, found: _Windows, sellers: Interner) -> pa.Table:
    """Give each seller one finding with the invoices of its window."""
    number, names = np.arange(found.seller.size), sellers.names(found.seller)
    at = pa.array(found.last.astype("datetime64[D]"))
    findings = pa.table({"finding": number, "entity_id": names, "root": names, "amount_fen": found.fen, "at": at})
    finding = np.repeat(number, found.high - found.low)
    row = np.arange(finding.size) - np.repeat(
        np.cumsum(found.high - found.low) - (found.high - found.low) - found.low, found.high - found.low
    )
    kept = np.flatnonzero(hollow[row])
    return listed(findings, pa.table({"finding": finding[kept], "position": row[kept], "id": rows["id"].take(pa.array(row[kept]))}))


RULE = Rule(
    name="hollow_invoices",
    version="1",
    about="A seller invoices within weeks many times what is usual, of goods without a source, and falls silent.",
    reason=HOLLOW_INVOICES,
    severity="high",
    action="refer",
    parameters=HollowInvoicesParameters(),
    requires=REQUIRES,
    find=find_hollow_invoices,
)
