"""Papers as text: numbers of invoices and contracts, what sellers declared to the tax office, what lenders lent against papers.

Knows when each is filed and how numbers are written; hides how the sums of a month come together.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loaders.city.build import City
from loaders.city.draw import Ints
from loaders.city.financing import INVOICE, TERM
from loaders.city.frame import column
from loaders.city.money import DAY
from loaders.city.text import dates, digits, numbers, times, words


def invoice_numbers(place: Ints) -> pa.Array:
    """Return the numbers of invoices by their place among all of the period."""
    return digits(place, 10, "FP")


def contract_numbers(place: Ints) -> pa.Array:
    """Return the numbers of contracts by their place among all."""
    return digits(place, 9, "HT")


def paper_numbers(kind: Ints, place: Ints) -> pa.Array:
    """Return the numbers of invoices and contracts as these papers bear them."""
    return pc.if_else(pa.array(kind == INVOICE), invoice_numbers(place), contract_numbers(place))


def spelt(number: pa.Array, how: Ints) -> pa.Array:
    """Return numbers as somebody writes them: as they are, in small letters, with a dash, without the letters.

    >>> spelt(pa.array(["FP0000000012"] * 4), np.arange(4)).to_pylist()
    ['FP0000000012', 'fp0000000012', 'FP-0000000012', '0000000012']
    """
    letters, rest = pc.utf8_slice_codeunits(number, 0, 2), pc.utf8_slice_codeunits(number, 2)
    ways = (number, pc.utf8_lower(number), pc.binary_join_element_wise(letters, rest, "-"), rest)
    return pc.choose(pa.array(how), *ways)


def filings(city: City, party: pa.Array) -> tuple[Ints, pa.Table]:
    """Return what sellers declared of each month, and the day by which they filed it."""
    rows = city.invoices
    counts = rows.void == 0
    first = np.datetime64(city.params.first_day, "D")
    month = (first + rows.day[counts]).astype("datetime64[M]").astype(np.int64)
    key, place = np.unique(month * 10**9 + rows.seller[counts], return_inverse=True)
    sales, tax = column(0, key.size), column(0, key.size)
    np.add.at(sales, place, rows.net[counts])
    np.add.at(tax, place, rows.tax[counts])
    period = (key // 10**9).astype("datetime64[M]")
    filed = (period + 1).astype("datetime64[D]") + (key % 10**9 * 7 % 15)
    day = (filed - first).astype(np.int64)
    of = np.flatnonzero((day < np.minimum(city.firms.last_day(key % 10**9), city.params.days)) & (sales >= 0))
    of = of[np.argsort(day[of], kind="stable")]
    company = party.take(pa.array(key[of] % 10**9))
    columns = {"company": company, "period": pa.array(period[of].astype("datetime64[D]"), pa.date32())}
    amounts = {"sales_fen": numbers(sales[of]), "tax_fen": numbers(tax[of])}
    return day[of], pa.table({**columns, "tax_kind": pa.repeat("增值税", of.size), **amounts, "filed_on": pa.array(filed[of], pa.date32())})


def financings(city: City, named: Callable[[str, Ints], dict[str, pa.Array]]) -> tuple[Ints, pa.Table]:
    """Return what lenders lent against papers, and the day of each."""
    rows, first = city.papers.financings, city.params.first_day
    day = rows.second // DAY
    table = {
        "lender": named("lender", rows.lender)["lender"],
        **named("borrower", rows.borrower),
        "paper_kind": words(("invoice", "contract"), rows.kind),
        "paper_number": spelt(paper_numbers(rows.kind, rows.paper), rows.spelt),
        "amount_fen": numbers(rows.fen),
        "at": times(first, rows.second),
        "due_on": dates(first, day + TERM),
    }
    return day, pa.table(table)
