"""Who supplies whom, in which industry, and what is essential to whom: tables read and checked row by row, by dense numbers.

Knows the columns of contagion's tables and what is refused in them; hides the numbering. Ids and industries are strings or int64.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.algorithms.cascade import Bools, Floats, Shocks, Side, downstream, links, upstream
from kg.algorithms.kernel import Ints
from kg.errors import UsageError
from kg.ownership.holdings import numbered_alike
from kg.tables import first_row, refuse_nulls

NOT_NEEDED, NON_ESSENTIAL, ESSENTIAL = range(3)
_MOST = np.finfo(np.float64).max


@dataclass(frozen=True)
class Network:
    """Supply links made ready for shocks.

    Attributes
    ----------
    companies
        Behind the numbers, in their order.
    down, up
        How losses go from suppliers to buyers, and from buyers to suppliers.
    sales, purchases : float64, shape (n_companies,)
    """

    companies: pa.Array
    down: Side
    up: Side
    sales: Floats
    purchases: Floats


@dataclass(frozen=True)
class Named:
    """Shocks by number, and their names in that order."""

    names: pa.Array
    shocks: Shocks


def read_network(supplies: pa.Table, industries: pa.Table, essential: pa.Table) -> Network:
    """Read who supplies whom, see `kg.derivations.contagion.esri`.

    Raises
    ------
    UsageError
        If a row is wrong; the sentence names the row, counted from 0.
    """
    refuse_nulls("supplies", supplies, ("supplier", "buyer", "weight"))
    refuse_nulls("industries", industries, ("company", "industry"))
    weight = _weights(supplies)
    names = (industries["company"], supplies["supplier"], supplies["buyer"])
    companies, (company, supplier, buyer) = numbered_alike("supplies and industries", *names)
    _refuse_repeated("industries", "the company", company)
    needs = _read_essential(essential, industries["industry"])
    # who trades without a row in industries has none
    industry = np.full(len(companies), -1)
    industry[company] = needs.industry
    for end, number in (("supplier", supplier), ("buyer", buyer)):
        _refuse_unknown(supplies, end, industry[number], needs)
    of = links(supplier, buyer, weight, len(companies))
    input_kind, strict = needs.of(industry[of.supplier], industry[of.buyer])
    return Network(companies, downstream(of, input_kind, strict), upstream(of), of.sales, of.purchases)


@dataclass(frozen=True)
class _Needs:
    """What industries need: ``industry`` of each row of the industries; pairs as keys in order, with the kind of each."""

    industry: Ints
    names: pa.Array
    listed: Bools
    keys: Ints
    kinds: Ints

    def of(self, supplier: Ints, buyer: Ints) -> tuple[Ints, Bools]:
        """Return of links between industries the kind of input (-1: not needed) and whether it is essential."""
        key = supplier * max(len(self.names), 1) + buyer
        place = np.minimum(np.searchsorted(self.keys, key), max(self.keys.size - 1, 0))
        known = self.keys[place] == key if self.keys.size else np.zeros(key.size, np.bool_)
        kind = np.where(known, self.kinds[place] if self.keys.size else 0, NOT_NEEDED)
        return np.where(kind == NOT_NEEDED, -1, supplier), kind == ESSENTIAL


def _read_essential(essential: pa.Table, industries: pa.ChunkedArray) -> _Needs:
    refuse_nulls("essential", essential, ("supplier_industry", "buyer_industry", "kind"))
    if not (pa.types.is_integer(essential["kind"].type) or pa.types.is_null(essential["kind"].type)):
        raise UsageError(f"essential: kind is {essential['kind'].type}; it is an integer: 0 not needed, 1 non-essential, 2 essential")
    outside = pc.or_(pc.less(essential["kind"], NOT_NEEDED), pc.greater(essential["kind"], ESSENTIAL))
    if (row := first_row(outside)) is not None:
        said = essential["kind"][row].as_py()
        raise UsageError(f"essential row {row}: kind is {said}; it is 0 (not needed), 1 (non-essential) or 2 (essential)")
    columns = (industries, essential["supplier_industry"], essential["buyer_industry"])
    names, (industry, supplier, buyer) = numbered_alike("industries and essential", *columns)
    key = supplier * max(len(names), 1) + buyer
    _refuse_repeated("essential", "the pair of industries", key)
    order = np.argsort(key, kind="stable")
    listed = np.zeros(len(names), np.bool_)
    listed[supplier], listed[buyer] = True, True
    return _Needs(industry, names, listed, key[order], essential["kind"].cast(pa.int64()).to_numpy()[order])


def _weights(supplies: pa.Table) -> Floats:
    if not _is_number(supplies["weight"].type):
        raise UsageError(f"supplies: weight is {supplies['weight'].type}; it is what is traded, a number")
    weight: Floats = supplies["weight"].cast(pa.float64(), safe=False).to_numpy().astype(np.float64)
    wrong = ~(np.isfinite(weight) & (weight >= 0))
    if wrong.any():
        row = int(wrong.argmax())
        raise UsageError(f"supplies row {row}: weight is {weight[row]:g}; a weight is finite, and 0 or more")
    if weight.size and weight.max() > _MOST / weight.size:
        raise UsageError(
            f"supplies row {int(weight.argmax())}: weight is {weight.max():g}; so many of these add up to no number; check the unit"
        )
    return weight


def _is_number(type_: pa.DataType) -> bool:
    kinds = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null)
    return any(of(type_) for of in kinds)


def _refuse_unknown(supplies: pa.Table, end: str, industry: Ints, needs: _Needs) -> None:
    """Refuse who trades without an industry, or in one of which nothing is said."""
    if (industry < 0).any():
        row = int((industry < 0).argmax())
        raise UsageError(f"supplies row {row}: {end} {supplies[end][row]} has no industry; give it a row in industries")
    unlisted = ~needs.listed[industry]
    if unlisted.any():
        row = int(unlisted.argmax())
        name = needs.names[int(industry[row])]
        raise UsageError(
            f"supplies row {row}: essential says nothing of the industry {name} of {end} {supplies[end][row]}; "
            "give it a row (kind 0 where it needs nothing and nobody needs it)"
        )


def _refuse_repeated(table: str, what: str, key: Ints) -> None:
    _, first = np.unique(key, return_index=True)
    if first.size < key.size:
        row = int(np.setdiff1d(np.arange(key.size), first)[0])
        raise UsageError(f"{table} row {row}: {what} stands in an earlier row already; give one row for each")


def read_shocks(shocks: pa.Table, net: Network) -> Named:
    """Read shocks to the companies of a network, see `kg.derivations.contagion.esri`.

    Raises
    ------
    UsageError
        If a row is wrong; the sentence names the row, counted from 0.
    """
    refuse_nulls("shocks", shocks, ("shock", "company", "remaining"))
    remaining = shocks["remaining"]
    if not _is_number(remaining.type):
        raise UsageError(f"shocks: remaining is {remaining.type}; it is a fraction, from 0 (stands still) to 1 (untouched)")
    left: Floats = remaining.cast(pa.float64()).to_numpy().astype(np.float64)
    outside = ~((left >= 0) & (left <= 1))
    if outside.any():
        row = int(outside.argmax())
        raise UsageError(f"shocks row {row}: remaining is {left[row]:g}; it lies from 0 (stands still) to 1 (untouched)")
    ids, (known, company) = numbered_alike("industries and shocks", net.companies, shocks["company"])
    place = np.full(len(ids), -1)
    place[known] = np.arange(known.size)
    company = place[company]
    if (company < 0).any():
        row = int((company < 0).argmax())
        raise UsageError(f"shocks row {row}: no company {shocks['company'][row]} trades or has an industry")
    names, (shock,) = numbered_alike("shocks", shocks["shock"])
    _refuse_repeated("shocks", "the company of this shock", shock * max(len(net.companies), 1) + company)
    order = np.lexsort((company, shock))
    start = np.searchsorted(shock[order], np.arange(len(names) + 1))
    return Named(names, Shocks(start, company[order], left[order]))
