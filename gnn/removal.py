"""Whether reasons are reasons: does a score fall when the records that are named for it are taken out of the graph?"""

from __future__ import annotations

from typing import Any

import numpy as np

from gnn.behind.ties import ENTRY
from gnn.evidence import Explainer, Told
from gnn.intervals import wilson
from gnn.snapshot import Snapshot
from kg.progress import Progress


def removal(by: Explainer, seen: Snapshot, count: int, progress: Progress) -> dict[str, Any]:
    """Take the named evidence of each of the highest scored companies away by itself, compute all features again, and tell what falls.

    Returns
    -------
    dict
        ``companies``: how many were looked at; ``named``: for how many evidence is named; ``fell``: of these, the part whose score is
        lower without it, with its 95 % interval; ``median_fall`` in log-odds; ``reasons``, ``reasons_named``, ``reasons_held``: how many
        reasons there are, behind how many of them rows stand, and for how many the score fell when they were tried; ``rows``: the median
        number of rows named for a company; ``records``: the same as ``fell`` with records and relationships alone, without the entry in
        the register.
    """
    score, _ = by.model.score(seen)
    places = np.argsort(-score, kind="stable")[:count]
    told = by.explain(seen, places)
    rows = {int(place): [row for each in told if each.place == place for row in each.rows] for place in places}
    falls, ties = [], []
    with progress.task("scores without their evidence", total=len(places)) as task:
        for place, named in rows.items():
            alone = [row for each in told if each.place == place and each.family != ENTRY.family for row in each.rows]
            if named:
                falls.append(_fall(by, seen, place, named))
            if alone:
                ties.append(falls[-1] if len(alone) == len(named) else _fall(by, seen, place, alone))
            task.advance()
    return {
        "companies": len(places),
        "named": len(falls),
        "fell": _part(falls),
        "records": {"named": len(ties), "fell": _part(ties)},
        "median_fall": float(np.median(falls)) if falls else 0.0,
        "rows": float(np.median([len(each) for each in rows.values() if each])) if falls else 0.0,
        **_reasons(told),
    }


def _fall(by: Explainer, seen: Snapshot, place: int, rows: list[str]) -> float:
    score, _ = by.model.score(seen)
    return float(score[place] - by.without(seen, rows)[place])


def _part(falls: list[float]) -> dict[str, float]:
    return wilson(sum(fall > 0 for fall in falls), len(falls))


def _reasons(told: list[Told]) -> dict[str, int]:
    tried = [each.falls for each in told if each.falls is not None]
    return {"reasons": len(told), "reasons_named": len(tried), "reasons_held": sum(fall > 0 for fall in tried)}
