"""Money lent against papers: which invoices were financed, by whom, when it was paid back.

Knows that some papers are honestly financed by two lenders (each a part, or one after the other) and that not everybody
writes a number alike; hides how the money moves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from loaders.city.draw import Ints, chance, stream
from loaders.city.firms import LENDER, Firms
from loaders.city.frame import Frame, column
from loaders.city.money import BORROWED, DAY, Flows
from loaders.city.params import Params
from loaders.city.supply import Invoices

INVOICE, CONTRACT = range(2)
#: Ways in which a number is written: as it is, in small letters, with a dash, without its letters.
SPELLINGS = 4
#: Days after which money lent against a paper falls due.
TERM = 90
_FINANCED_PPM, _SPELT_PPM, _HALVED_PPM, _AGAIN_PPM, _FAILS_PPM = 25_000, 100_000, 50_000, 40_000, 15_000


@dataclass(frozen=True)
class Financings(Frame):
    """Money lent against papers, a row for each paper and lender.

    Attributes
    ----------
    lender, borrower
        Companies.
    kind, paper
        ``INVOICE`` or ``CONTRACT``, and which row of these.
    spelt
        How its number is written.
    fen, second
        What was lent, and when.
    fails
        1 where it is never paid back.
    scheme
        The number of the scheme that it belongs to, 0 for none.
    """

    lender: Ints
    borrower: Ints
    kind: Ints
    paper: Ints
    spelt: Ints
    fen: Ints
    second: Ints
    fails: Ints
    scheme: Ints


def honest(params: Params, firms: Firms, invoices: Invoices) -> Financings:
    """Return what lenders lent against honest invoices, some days after their issue, each paper once but for a few."""
    rng, lenders = stream(params.seed, "financings"), firms.of(LENDER)
    of = np.flatnonzero((invoices.net > 0) & (invoices.scheme == 0) & chance(rng, len(invoices), _FINANCED_PPM))
    of = of[(invoices.void[of] == 0) | (invoices.void_day[of] > invoices.day[of])]
    lender, spelt = rng.integers(0, lenders.size, of.size), _spelt(rng, of.size)
    fen = (invoices.net + invoices.tax)[of] * rng.integers(12, 19, of.size) // 20
    day = invoices.day[of] + rng.integers(0, 20, of.size)
    second = day * DAY + 36_000 + rng.integers(0, 20_000, of.size)
    fails = chance(rng, of.size, _FAILS_PPM).astype(np.int64)
    first = Financings(
        lenders[lender], invoices.seller[of], column(INVOICE, of.size), of, spelt, fen + 1, second, fails, column(0, of.size)
    )
    more = _shared(rng, first, lenders[(lender + rng.integers(1, lenders.size, of.size)) % lenders.size])
    found = Financings.stacked(more)
    return found.take(found.second < params.days * DAY)


def _shared(rng: np.random.Generator, rows: Financings, other: Ints) -> list[Financings]:
    """Let another lender take half of some at the same time, and follow the first one when that one was paid back for others."""
    halved = chance(rng, len(rows), _HALVED_PPM)
    again = ~halved & (rows.fails == 0) & chance(rng, len(rows), _AGAIN_PPM)
    rows = replace(rows, fen=np.where(halved, (rows.fen + 1) // 2, rows.fen))
    spelt = _spelt(rng, len(rows))
    with_other = replace(rows, lender=other, spelt=spelt, second=rows.second + rng.integers(0, 3, len(rows)) * DAY)
    after = replace(rows, lender=other, spelt=spelt, second=rows.second + (TERM + rng.integers(0, 4, len(rows))) * DAY)
    return [rows, with_other.take(halved), after.take(again)]


def _spelt(rng: np.random.Generator, count: int) -> Ints:
    return np.where(chance(rng, count, _SPELT_PPM), rng.integers(0, SPELLINGS, count), 0)


def flows(params: Params, rows: Financings) -> Flows:
    """Return how the money is paid out and, with interest, back."""
    rng, count = stream(params.seed, "financing flows"), len(rows)
    out = Flows(rows.lender, rows.borrower, rows.fen, rows.second, column(BORROWED, count), rows.scheme)
    fen = rows.fen + rows.fen * rng.integers(9_000, 20_000, count) // 1_000_000
    late = np.where(chance(rng, count, 80_000), rng.integers(1, 20, count), 0)
    second = (rows.second // DAY + TERM + late) * DAY + 34_000 + rng.integers(0, 20_000, count)
    back = Flows(rows.borrower, rows.lender, fen, second, column(BORROWED, count), rows.scheme)
    return Flows.stacked([out, back.take(rows.fails == 0)])
