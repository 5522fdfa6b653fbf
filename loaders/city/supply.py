"""Trade: who buys from whom, contracts, orders, invoices and what is paid for them.

Knows the input–output table, the tails of the number of partners and of order sizes, side lines, tax, voids, red invoices,
delays, partial and bundled payment; hides how partners are found among millions at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from loaders.city import industries
from loaders.city.draw import Bools, Floats, Ints, around, chance, counted, heavy, spread, stream, weighted
from loaders.city.firms import ORDINARY, Firms
from loaders.city.frame import Frame, column
from loaders.city.money import DAY, GOODS, Flows, from_any
from loaders.city.params import Params
from loaders.city.rhythm import Calendar, seconds
from loaders.city.town import Town

#: Orders this long before the period are still paid in it.
_BEFORE = 100
_PURCHASES_PPM = 650_000
_LOCAL_PPM, _NEW_PPM, _BUNDLED_PPM, _PARTIAL_PPM = 450_000, 200_000, 180_000, 140_000
_VOID_PPM, _RED_PPM = 78_000, 31_000
#: Traders who sell what they bought under its own code, and trade of others in what is not their line.
_RESOLD_PPM, _SIDE_LINE_PPM = 600_000, 40_000
_TRADERS = (industries.PLACE["F51"], industries.PLACE["F52"])
#: Suppliers that a buyer looks for: the tail's exponent, the least and the most. Many are found twice or sell nothing, and friends come
#: on top, so that the suppliers who are paid fall faster.
_WISH, _FEWEST, _MANY = 0.87, 2.0, 4_000.0
#: Who has so many suppliers looks for them everywhere, and mostly for what anybody needs.
_FAR, _ANY_PPM = 25, 800_000
#: A seller has customers by this power of its sales, and from each of them a part of what it buys by that one.
_SELLS, _LARGER = 0.95, 0.25
#: Orders a year of the usual fen a year, and how they grow with these.
_ORDERS, _USUAL, _OFTEN = 2.5, 4e6, 0.4
#: Days within which an invoice is made void; most are so on the day of issue.
_VOID_WITHIN, _VOID_AT_ONCE = 26, 0.5
_TERMS, _TERM_WEIGHTS = np.array([0, 7, 15, 30, 45, 60, 90]), (12, 14, 16, 28, 10, 14, 6)


@dataclass(frozen=True)
class Links(Frame):
    """Lasting trade between two companies: fen and orders a year, days of credit, first day, whether bills are paid in bundles, goods."""

    buyer: Ints
    seller: Ints
    volume: Ints
    rate: Floats
    credit: Ints
    start: Ints
    bundled: Ints
    goods: Ints


@dataclass(frozen=True)
class Contracts(Frame):
    """Contracts: parties, industry whose goods they are for, fen, day of signature, day by which they are fulfilled, scheme (0: none)."""

    seller: Ints
    buyer: Ints
    goods: Ints
    fen: Ints
    day: Ints
    due: Ints
    scheme: Ints


@dataclass(frozen=True)
class Invoices(Frame):
    """Invoices, a row each.

    Attributes
    ----------
    goods
        The industry whose goods they are for.
    net, tax
        Fen without tax, and tax.
    void, void_day
        1 where it was made void, and the day of that.
    scheme
        The number of the scheme that it belongs to, 0 for none.
    """

    seller: Ints
    buyer: Ints
    goods: Ints
    day: Ints
    net: Ints
    tax: Ints
    void: Ints
    void_day: Ints
    scheme: Ints


def links(params: Params, firms: Firms) -> Links:
    """Return who buys from whom, each pair once."""
    rng = stream(params.seed, "links")
    ordinary = firms.of(ORDINARY)
    wish = heavy(rng, ordinary.size, _WISH, _FEWEST, _MANY) * (1.0 + 0.15 * np.log(firms.employees[ordinary]))
    group, _ = counted(np.minimum(wish, ordinary.size // 4 + 1).astype(np.int64))
    buyer = ordinary[group]
    seller = _sellers(rng, firms, buyer, wish[group] < _FAR)
    kept = (seller >= 0) & (seller != buyer)
    pairs = np.unique(buyer[kept] * len(firms) + seller[kept])
    return _terms(rng, params, firms, pairs // len(firms), pairs % len(firms))


def _sellers(rng: np.random.Generator, firms: Firms, buyer: Ints, small: Bools) -> Ints:
    """Draw a seller for each, of an industry that the buyer's buys from, larger ones more often; ``small``: near first; -1: none.

    Had those with hundreds of suppliers only their few industries to choose from, they would soon know every company there.
    """
    industry = np.empty(buyer.size, np.int64)
    for place, row in enumerate(industries.BUYS):
        of = np.flatnonzero(firms.industry[buyer] == place)
        industry[of] = weighted(rng, row, of.size)
    any_of = np.flatnonzero(~small & chance(rng, buyer.size, _ANY_PPM))
    industry[any_of] = weighted(rng, industries.WEIGHT, any_of.size)
    near = small & chance(rng, buyer.size, _LOCAL_PPM)
    weight = np.where(firms.role == ORDINARY, np.maximum(firms.sales, 1) ** _SELLS, 0.0)
    local = _within(rng, firms.industry * 1_000 + firms.region, weight, industry * 1_000 + firms.region[buyer])
    anywhere = _within(rng, firms.industry, weight, industry)
    return np.where(near & (local >= 0), local, anywhere)


def _within(rng: np.random.Generator, key: Ints, weight: Floats, wanted: Ints) -> Ints:
    """Draw for each wanted key one of the rows that bear it, by their weights; -1 where none does."""
    order = np.argsort(key, kind="stable")
    edges = np.concatenate([[0.0], np.cumsum(weight[order])])
    begin, end = (np.searchsorted(key[order], wanted, side=side) for side in ("left", "right"))
    low, high = edges[begin], edges[end]
    place = np.searchsorted(edges, low + rng.random(wanted.size) * (high - low), side="right") - 1
    return np.where(high > low, order[np.clip(place, begin, np.maximum(end - 1, begin)) % order.size], -1)


def _terms(rng: np.random.Generator, params: Params, firms: Firms, buyer: Ints, seller: Ints) -> Links:
    count = buyer.size
    share = heavy(rng, count, 1.3, 1.0, 30.0) * np.maximum(firms.sales[seller], 1) ** _LARGER
    share /= np.bincount(buyer, share, len(firms))[buyer]
    both = np.maximum(firms.founded[buyer], firms.founded[seller]) + 5
    new = rng.integers(0, params.days, count)
    old = -(rng.random(count) ** 2 * 2_000).astype(np.int64) - 1
    start = np.maximum(both, np.where(chance(rng, count, _NEW_PPM), new, old))
    volume = firms.sales[buyer] * share * (_PURCHASES_PPM / 1e6)
    rate = np.clip(around(rng, _ORDERS * (np.maximum(volume, 1.0) / _USUAL) ** _OFTEN, 0.7, count), 0.5, 90.0)
    credit = _TERMS[weighted(rng, _TERM_WEIGHTS, count)]
    bundled = chance(rng, count, _BUNDLED_PPM).astype(np.int64)
    goods = _goods(params, firms.industry[seller])
    return Links(buyer, seller, np.maximum(volume, 10_000).astype(np.int64), rate, credit, start, bundled, goods)


def _goods(params: Params, industry: Ints) -> Ints:
    """Return whose goods a seller of an industry sells: its own, for many traders what they buy, now and then something else."""
    rng = stream(params.seed, "goods")
    goods, resold = industry.copy(), chance(rng, industry.size, _RESOLD_PPM)
    for trader in _TRADERS:
        of = np.flatnonzero(resold & (industry == trader))
        goods[of] = weighted(rng, industries.BUYS[trader], of.size)
    other = np.flatnonzero(chance(rng, industry.size, _SIDE_LINE_PPM))
    goods[other] = weighted(rng, industries.WEIGHT, other.size)
    return goods


def contracts(params: Params, tied: Links) -> Contracts:
    """Return the contract behind each lasting trade."""
    due = tied.start + 365 + np.arange(len(tied)) % 3 * 365
    found = Contracts(tied.seller, tied.buyer, tied.goods, tied.volume, tied.start, due, column(0, len(tied)))
    return found.take(found.day < params.days)


def orders(params: Params, calendar: Calendar, tied: Links) -> tuple[Invoices, Ints]:
    """Return an invoice for each order, and the trade link of each; those before the period were issued but are not delivered."""
    rng = stream(params.seed, "orders")
    low = np.maximum(tied.start, -_BEFORE)
    expected = tied.rate * np.maximum(params.days - low, 0) / 365.0
    link, _ = counted(rng.poisson(expected))
    day = calendar.drawn(rng, low[link], column(params.days, link.size))
    net = np.maximum(around(rng, tied.volume[link] / tied.rate[link], 0.55, link.size), 100.0).astype(np.int64)
    round_price = chance(rng, link.size, 300_000)
    net = np.where(round_price & (net > 200_000), net // 10_000 * 10_000, net)
    return _invoiced(rng, tied, link, day, net), link


def _invoiced(rng: np.random.Generator, tied: Links, link: Ints, day: Ints, net: Ints) -> Invoices:
    goods = tied.goods[link]
    void = chance(rng, link.size, _VOID_PPM).astype(np.int64)
    later = np.where(rng.random(link.size) < _VOID_AT_ONCE, 0, rng.integers(0, _VOID_WITHIN, link.size))
    return Invoices(tied.seller[link], tied.buyer[link], goods, day, net, taxed(net, goods), void, day + later, column(0, link.size))


def taxed(net: Ints, goods: Ints) -> Ints:
    """Return the tax on goods of these industries.

    >>> taxed(np.array([10_000]), np.array([industries.PLACE["C13"]])).tolist()
    [1300]
    """
    return (net * industries.TAX_PPM[goods] + 500_000) // 1_000_000


def net_of(gross: Ints, goods: Ints) -> Ints:
    """Return the amount without tax of which an amount with tax is made; the tax is the rest.

    >>> net_of(np.array([11_300]), np.array([industries.PLACE["C13"]])).tolist()
    [10000]
    """
    whole = 1_000_000 + industries.TAX_PPM[goods]
    return gross // whole * 1_000_000 + gross % whole * 1_000_000 // whole


def revenue(params: Params, firms: int, orders: Invoices) -> Ints:
    """Return the net fen that each company invoices in the period."""
    counts = orders.take((orders.void == 0) & (orders.day >= 0) & (orders.day < params.days))
    found = column(0, firms)
    np.add.at(found, counts.seller, counts.net)
    return found


def red(params: Params, invoices: Invoices) -> Invoices:
    """Return the red invoices that take back a part of some of these, some days later."""
    rng = stream(params.seed, "red invoices")
    taken = invoices.take(chance(rng, len(invoices), _RED_PPM) & (invoices.void == 0))
    part = np.where(chance(rng, len(taken), 500_000), 1_000_000, rng.integers(50_000, 600_000, len(taken)))
    net, tax = -(taken.net * part // 1_000_000), -(taken.tax * part // 1_000_000)
    later = taken.day + rng.integers(1, 30, len(taken))
    found = replace(taken, net=net, tax=tax, day=later, void_day=later)
    return found.take((later < params.days) & (net < 0))


def paid(town: Town, tied: Links, invoices: Invoices, link: Ints) -> Flows:
    """Return what is paid for invoices: after 0 to 90 days of credit, now and then late, in parts, or for a month at once."""
    params, calendar, second = town.params, town.calendar, town.second
    rng = stream(params.seed, "trade payments")
    valid = np.flatnonzero(invoices.void == 0)
    late = (rng.exponential(9.0, valid.size) * (rng.random(valid.size) < 0.4)).astype(np.int64)
    due = calendar.either(rng, invoices.day[valid] + tied.credit[link[valid]] + late)
    bundled = tied.bundled[link[valid]] == 1
    due = np.where(bundled, calendar.pay_day(due), due)
    gross = (invoices.net + invoices.tax)[valid]
    one, day, fen = _bundles(link[valid], due, gross, bundled, params.days)
    part, _ = counted(1 + (chance(rng, one.size, _PARTIAL_PPM) & (fen > 1_000_000)))
    fen = spread(fen, np.bincount(part, minlength=one.size), rng)
    again = np.concatenate([[False], part[1:] == part[:-1]]) if part.size else np.empty(0, np.bool_)
    when = day[part] + np.where(again, rng.integers(7, 45, part.size), 0)
    at = calendar.either(rng, when) * DAY + seconds(rng, part.size)
    payer, payee = tied.buyer[one[part]], tied.seller[one[part]]
    return Flows.honest(from_any(rng, payer, second), from_any(rng, payee, second), fen, at, GOODS)


def _bundles(link: Ints, day: Ints, fen: Ints, bundled: Bools, days: int) -> tuple[Ints, Ints, Ints]:
    """Put the amounts of one link and day together where they are paid in a bundle, and leave out what is not paid in the period."""
    inside = (day >= 0) & (day < days)
    alone, together = inside & ~bundled, inside & bundled
    key, place = np.unique(link[together] * days + day[together], return_inverse=True)
    sums = column(0, key.size)
    np.add.at(sums, place, fen[together])
    return (
        np.concatenate([link[alone], key // days]),
        np.concatenate([day[alone], key % days]),
        np.concatenate([fen[alone], sums]),
    )


def balanced(firms: Firms, tied: Links) -> tuple[Firms, Links]:
    """Return companies that sell at least what their buyers buy, and links whose volumes follow from that, so that money goes round."""
    share = tied.volume / np.maximum(np.bincount(tied.buyer, tied.volume, len(firms))[tied.buyer], 1.0)
    sales = firms.sales.astype(np.float64)
    for _ in range(3):
        bought = sales[tied.buyer] * share * (_PURCHASES_PPM / 1e6)
        sales = np.maximum(firms.sales, np.bincount(tied.seller, bought, len(firms)))
    volume = np.maximum(sales[tied.buyer] * share * (_PURCHASES_PPM / 1e6), 10_000).astype(np.int64)
    return replace(firms, sales=sales.astype(np.int64)), replace(tied, volume=volume)
