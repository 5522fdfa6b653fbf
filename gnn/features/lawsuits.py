"""Lawsuits of a company: how many, by cause, court and outcome, and how long before the label date."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from gnn.encode import Floats
from gnn.feature import Block
from kg.algorithms.kernel import Ints

#: Bounds of the spans of time that lawsuits are counted in, in months before the label date.
SPANS = (0, 12, 24, 48, 72, 1000)
LOST = 3


def lawsuits(company: Ints, kinds: dict[str, Ints], months: Ints, count: int) -> Block:
    """Count lawsuits company by company.

    Parameters
    ----------
    company : int64, shape (n_lawsuits,)
        In ``[0, count)``.
    kinds
        ``cause``, ``court`` and ``result`` of each lawsuit, as codes from 0 on; result 3 is a defendant who lost.
    months : int64, shape (n_lawsuits,)
        From the lawsuit to the label date.

    Returns
    -------
    Block
        Counts, months, and the fraction of lawsuits that were lost as a defendant.

    Examples
    --------
    >>> one = {"cause": np.array([0]), "court": np.array([0]), "result": np.array([3])}
    >>> block = lawsuits(np.array([1]), one, np.array([5]), 2)
    >>> dict(zip(block.names, block.values[1].tolist()))["lawsuits"]
    1.0
    """

    def counted(of: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Floats:
        return np.bincount(company[of], minlength=count).astype(float)

    every = counted(np.ones(len(company), bool))
    columns = {"lawsuits": every}
    for kind, codes in kinds.items():
        columns |= {f"{kind}.{code}": counted(codes == code) for code in range(int(codes.max(initial=-1)) + 1)}
    for begin, end in pairwise(SPANS):
        within = (months >= begin) & (months < end)
        columns[f"months.{begin}"] = counted(within)
        columns[f"months.{begin}.lost"] = counted(within & (kinds["result"] == LOST))
    with np.errstate(invalid="ignore"):
        columns["lost"] = counted(kinds["result"] == LOST) / np.where(every > 0, every, np.nan)
        columns["months.mean"] = np.bincount(company, weights=months, minlength=count) / np.where(every > 0, every, np.nan)
    columns["months.last"], columns["months.first"] = _ends(company, months, count)
    return Block(tuple(columns), np.column_stack(list(columns.values())))


def _ends(company: Ints, months: Ints, count: int) -> tuple[Floats, Floats]:
    last, first = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(last, company, months)
    np.maximum.at(first, company, months)
    return np.where(np.isinf(last), np.nan, last), np.where(np.isinf(first), np.nan, first)
