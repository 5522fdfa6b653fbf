"""Papers that follow from invoices: what sellers declared to the tax office, and what lenders lent against them.

Knows when each is filed or financed; hides how the sums of a month come together.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from loaders.city.build import City
from loaders.city.draw import Ints, chance, stream
from loaders.city.firms import LENDER
from loaders.city.frame import column
from loaders.city.money import DAY
from loaders.city.text import dates, digits, numbers, times


def invoice_numbers(place: Ints) -> pa.Array:
    """Return the numbers of invoices by their place among all of the period."""
    return digits(place, 10, "FP")


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
    """Return the invoices against which a lender lent four fifths, some days after their issue."""
    rows = city.invoices
    rng = stream(city.params.seed, "financings")
    of = np.flatnonzero((rows.void == 0) & (rows.net > 0) & chance(rng, len(rows), 25_000))
    day = rows.day[of] + rng.integers(1, 20, of.size)
    inside = day < np.minimum(city.firms.last_day(rows.seller[of]), city.params.days)
    of, day = of[inside], day[inside]
    order = np.argsort(day, kind="stable")
    of, day = of[order], day[order]
    lenders = city.firms.of(LENDER)
    table = {
        "lender": named("lender", lenders[rng.integers(0, lenders.size, of.size)])["lender"],
        **named("borrower", rows.seller[of]),
        "paper_kind": pa.repeat("invoice", of.size),
        "paper_number": invoice_numbers(of),
        "amount_fen": numbers((rows.net + rows.tax)[of] * 4 // 5),
        "at": times(city.params.first_day, day * DAY + 36_000 + of % 20_000),
        "due_on": dates(city.params.first_day, day + 90),
    }
    return day, pa.table(table)
