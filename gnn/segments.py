"""What a score is worth by age, size, region and industry, how early it finds the guilty, and the money that it catches."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from gnn.encode import Bools, Floats
from gnn.intervals import wilson
from gnn.metrics import Labels, auc, average_precision
from gnn.snapshot import Named
from kg import dates
from kg.algorithms.interning import Interner
from kg.graph import Graph

_YEAR = 365
_WAN = 1_000_000
#: A ranking within a segment is told from so many of each class on; a region or an industry from so many rows on.
_LEAST, _ROWS = 5, 200
#: Parts of all rows by which the capture curve is told.
DEPTHS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
#: How many of the highest scores the money is told for, beside as many as people can look into.
FIRST = (50, 100, 500)


def segments(columns: Sequence[Named], values: Floats) -> dict[str, Bools]:
    """Return parts of some rows by name, from what the register says of them.

    Parameters
    ----------
    values : float64, shape (n, n_columns)
        The columns are those of a snapshot.

    Returns
    -------
    dict of bool, shape (n,)
        Rows of which the register says nothing are in none.
    """
    place = {column.name: number for number, column in enumerate(columns)}

    def of(name: str) -> Floats:
        return values[:, place[name]] if name in place else np.full(len(values), np.nan)

    age, capital = of("registration.age_days"), of("registration.capital_fen")
    found = {
        "age: up to 3 years": age < 3 * _YEAR,
        "age: 3 to 10 years": (age >= 3 * _YEAR) & (age < 10 * _YEAR),
        "age: 10 years or more": age >= 10 * _YEAR,
        "size: capital below 1 million yuan": capital < 100 * _WAN,
        "size: capital of 1 to 10 million yuan": (capital >= 100 * _WAN) & (capital < 1_000 * _WAN),
        "size: capital of 10 million yuan or more": capital >= 1_000 * _WAN,
    }
    for name, column, word in (("region", "region", str), ("industry", "section", chr)):
        codes = of(f"registration.{column}")
        known, count = np.unique(codes[~np.isnan(codes)], return_counts=True)
        found |= {f"{name}: {word(int(code))}": codes == code for code in known[count >= _ROWS]}
    return {name: rows for name, rows in found.items() if rows.any()}


def by_segment(parts: dict[str, Bools], label: Labels, score: Floats, probability: Floats) -> dict[str, dict[str, Any]]:
    """Return rows, guilty, ranking, and observed beside said rate of each segment; a ranking is None where a class is too small."""
    found = {}
    for name, rows in parts.items():
        truth, count = label[rows], int(label[rows].sum())
        enough = min(count, int(rows.sum()) - count) >= _LEAST
        found[name] = {
            "rows": int(rows.sum()),
            "guilty": count,
            "auc": auc(truth, score[rows]) if enough else None,
            "ap": average_precision(truth, score[rows]) if enough else None,
            "said": float(probability[rows].mean()),
            "observed": wilson(count, int(rows.sum())),
        }
    return found


def captured(label: Labels, score: Floats) -> list[dict[str, float]]:
    """Return which part of the guilty lies within the highest scores, by how many of all rows these are.

    >>> captured(np.array([1, 0, 0, 1], np.int8), np.array([4.0, 3.0, 2.0, 1.0]))[-1]
    {'part': 0.5, 'found': 0.5}
    """
    order = np.argsort(-score, kind="stable")
    caught = np.cumsum(label[order], dtype=np.int64) / max(1, int(label.sum()))
    return [{"part": part, "found": float(caught[max(0, int(np.ceil(part * len(label))) - 1)])} for part in DEPTHS]


def money(label: Labels, score: Floats, owed: Floats, counts: Sequence[int]) -> list[dict[str, float]]:
    """Return what the guilty among the highest scores owe, in fen, and which part that is of what all guilty owe.

    >>> money(np.array([1, 0, 1], np.int8), np.array([3.0, 2.0, 1.0]), np.array([30.0, 5.0, 10.0]), [2])
    [{'first': 2, 'owed_fen': 30, 'part': 0.75}]
    """
    order, whole = np.argsort(-score, kind="stable"), float((owed * label).sum())
    found = []
    for count in sorted({min(count, len(label)) for count in counts}):
        fen = float((owed * label)[order[:count]].sum())
        found.append({"first": count, "owed_fen": int(fen), "part": fen / whole if whole else 0.0})
    return found


def owing(graph: Graph, ids: pa.Array) -> Floats:
    """Return what companies owe on the day of a graph, in fen: what they borrowed and have not repaid, shape (n,)."""
    day = graph.as_of + timedelta(days=1)
    lent = graph.edges("BORROWED").select("src", "dst", "amount_fen", "at")
    lent = lent.filter(dates.local_date(lent["at"], graph.zone) < day)
    back = graph.edges("REPAID")
    back = graph.engine.keep(back.group_by(loan=back.dst).aggregate(repaid=back.amount_fen.sum()))
    loans = graph.engine.keep(lent.left_join(back, [("dst", "loan")]))
    left = (loans.amount_fen.fill_null(0) - loans.repaid.fill_null(0)).clip(lower=0)
    table = graph.engine.table(loans.mutate(left=left).group_by(id="src").aggregate(owed=left.sum()))
    place = Interner(ids).codes(table["id"]) if len(ids) else np.empty(0, np.int64)
    owed = np.zeros(len(ids))
    owed[place[place >= 0]] = table["owed"].to_numpy()[place >= 0]
    return owed
