"""Core firms and the tiers of suppliers around them.

A core firm is a buyer on which others live: several suppliers sell it half of all that they sell or more, and none of them sells more
than the core firm buys. The first tier of a core firm are its suppliers, the next the suppliers of these, and so on; a company
is in the first tier that it can be reached in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from kg.algorithms.csr import Csr, group_rows, items_of
from kg.algorithms.kernel import Ints
from kg.derivations.dependence import HALF
from kg.derivations.exposures import refuse_amounts
from kg.errors import UsageError
from kg.ownership.holdings import Parties, numbered
from kg.rule import refuse_outside
from kg.ruleset import WHOLE
from kg.tables import refuse_nulls

#: Suppliers that must depend on a core firm.
LEAST_SUPPLIERS = 3
#: Tiers that are followed, and the part of a supplier's sales from which on a link is followed.
MOST_TIERS, FOLLOWED = 4, 0
_NUMBERS = pa.schema([(name, pa.int64()) for name in ("core", "company", "tier", "via", "ppm")])


@dataclass(frozen=True)
class _Trade:
    """Supply links, each pair once, with the part of the supplier's sales that each is; sales by company, and the links of each buyer."""

    companies: pa.Array
    supplier: Ints
    buyer: Ints
    fen: Ints
    ppm: Ints
    sales: Ints
    suppliers: Csr


def find_cores(supplies: pa.Table, *, suppliers: int = LEAST_SUPPLIERS, ppm: int = HALF.ppm) -> pa.Table:
    """Find the core firms.

    Parameters
    ----------
    supplies
        ``supplier, buyer`` (strings or int64), ``amount_fen``; parallel rows are added up.
    suppliers
        How many must depend on it at least.
    ppm
        The part of all its sales that makes a supplier depend on a buyer.

    Returns
    -------
    Table
        ``company, suppliers, purchases_fen``: how many suppliers depend on it and all that it buys; those with most suppliers first,
        then those that buy most.

    Raises
    ------
    UsageError
        If a row is wrong, or a number makes no sense.

    Examples
    --------
    >>> rows = {"supplier": ["a", "b", "c", "c"], "buyer": ["core", "core", "core", "x"], "amount_fen": [5, 6, 7, 7]}
    >>> find_cores(pa.table(rows)).to_pylist()
    [{'company': 'core', 'suppliers': 3, 'purchases_fen': 18}]
    """
    refuse_outside("suppliers", suppliers, 1, 2**31)
    refuse_outside("ppm", ppm, 1, WHOLE)
    of = _read(supplies)
    count = len(of.companies)
    purchases = _sums(of.buyer, of.fen, count)
    depends = (of.ppm >= ppm) & (of.sales[of.supplier] <= purchases[of.buyer])
    dependent = np.bincount(of.buyer[depends], minlength=count)
    core = np.flatnonzero(dependent >= suppliers)
    core = core[np.lexsort((core, -purchases[core], -dependent[core]))]
    return pa.table({"company": of.companies.take(pa.array(core)), "suppliers": dependent[core], "purchases_fen": purchases[core]})


def tiers(supplies: pa.Table, cores: pa.Array, *, most: int = MOST_TIERS, ppm: int = FOLLOWED, depends: int = HALF.ppm) -> pa.Table:
    """Return the tiers of suppliers around core firms.

    Parameters
    ----------
    supplies
        As in `find_cores`.
    cores
        Ids of the core firms, such as the first column of `find_cores`, or named by a person.
    most
        Tiers that are followed.
    ppm
        Links that are a smaller part of the supplier's sales are not followed.
    depends
        The part of its sales from which on a supplier depends on the tier before.

    Returns
    -------
    Table
        ``core, company, tier, via, ppm, depends``: for each core firm (tier 0, itself left out) who is in which tier, the buyer in the
        tier before that takes most of its sales, and the part of its sales that this tier takes in all; in the order of core, tier,
        company.

    Raises
    ------
    UsageError
        If a row is wrong, a core firm trades with nobody, or a number makes no sense.

    Examples
    --------
    >>> rows = {"supplier": ["a", "a", "b"], "buyer": ["core", "x", "a"], "amount_fen": [3, 1, 9]}
    >>> tiers(pa.table(rows), pa.array(["core"])).select(["company", "tier", "ppm", "depends"]).to_pylist()
    [{'company': 'a', 'tier': 1, 'ppm': 750000, 'depends': True}, {'company': 'b', 'tier': 2, 'ppm': 1000000, 'depends': True}]
    """
    refuse_outside("most", most, 1, 100)
    refuse_outside("ppm", ppm, 0, WHOLE)
    refuse_outside("depends", depends, 1, WHOLE)
    of = _read(supplies)
    found = [_NUMBERS.empty_table(), *(_around(of, core, most, ppm) for core in _numbers(of, cores))]
    rows = pa.concat_tables(found).combine_chunks()
    named = {name: of.companies.take(rows[name].combine_chunks()) for name in ("core", "company", "via")}
    part = rows["ppm"].to_numpy()
    return pa.table(
        {
            "core": named["core"],
            "company": named["company"],
            "tier": rows["tier"],
            "via": named["via"],
            "ppm": part,
            "depends": part >= depends,
        }
    )


def _around(of: _Trade, core: int, most: int, ppm: int) -> pa.Table:
    """Return the tiers around one core firm, by number."""
    known = np.zeros(len(of.companies), np.bool_)
    known[core] = True
    before, found = np.array([core]), [_NUMBERS.empty_table()]
    for tier in range(1, most + 1):
        _, row = items_of(of.suppliers, before)
        row = row[(of.ppm[row] >= ppm) & ~known[of.supplier[row]]]
        company, place = np.unique(of.supplier[row], return_inverse=True)
        order = np.lexsort((of.buyer[row], -of.fen[row], place))
        first = row[order[np.searchsorted(place[order], np.arange(company.size))]]
        part = parts_of(_sums(place, of.fen[row], company.size), of.sales[company])
        columns = (np.full(company.size, core), company, np.full(company.size, tier), of.buyer[first], part)
        found.append(pa.table(dict(zip(_NUMBERS.names, columns, strict=True))))
        known[company] = True
        before = company
    return pa.concat_tables(found)


def parts_of(part: Ints, whole: Ints) -> Ints:
    """Return the whole ppm that parts are of wholes above 0, rounded down, in two steps of a thousand, as no product of them would fit.

    >>> parts_of(np.array([2 * 10**15]), np.array([3 * 10**15])).tolist()
    [666666]
    """
    thousandths, rest = np.divmod(part * 1_000, whole)
    found: Ints = thousandths * 1_000 + rest * 1_000 // whole
    return found


def _read(supplies: pa.Table) -> _Trade:
    refuse_nulls("supplies", supplies, ("supplier", "buyer", "amount_fen"))
    refuse_amounts("supplies", supplies, "amount_fen")
    companies, (supplier, buyer) = numbered(supplies["supplier"], supplies["buyer"])
    count = len(companies)
    pair, place = np.unique(supplier * max(count, 1) + buyer, return_inverse=True)
    fen = _sums(place, supplies["amount_fen"].cast(pa.int64()).to_numpy(), pair.size)
    supplier, buyer = np.divmod(pair[fen > 0], max(count, 1))
    fen = fen[fen > 0]
    sales = _sums(supplier, fen, count)
    return _Trade(companies, supplier, buyer, fen, parts_of(fen, sales[supplier]), sales, group_rows(buyer, count))


def _sums(key: Ints, fen: Ints, count: int) -> Ints:
    """Return the exact sum of each key."""
    found = np.zeros(count, np.int64)
    np.add.at(found, key, fen)
    return found


def _numbers(of: _Trade, cores: pa.Array | pa.ChunkedArray) -> list[int]:
    """Return the numbers of the core firms, each once, in their order."""
    known = Parties(of.companies, np.empty(0, np.int64), np.empty(0, np.bool_))
    number = known.numbers(pa.chunked_array([cores]) if isinstance(cores, pa.Array) else cores)
    if (number < 0).any():
        row = int((number < 0).argmax())
        raise UsageError(f"cores row {row}: {cores[row]} trades with nobody in supplies")
    return [int(each) for each in np.unique(number)]
