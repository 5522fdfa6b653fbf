"""Why a company has its score: reasons with their evidence, and what each column adds to it, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from gnn.contributions import Contributions
from gnn.evidence import Explainer, Told
from gnn.familiar import strangers
from gnn.registry import Registered
from gnn.snapshot import Named, Snapshot
from kg.algorithms.interning import Interner
from kg.algorithms.kernel import Ints
from kg.errors import UsageError

_STRONGEST = 8


@dataclass(frozen=True)
class Said:
    """What one column adds to the log-odds of a company.

    Attributes
    ----------
    value
        What the column is, None where it is not known.
    typical
        The middle of all companies' values, None where nobody has one.
    """

    column: Named
    value: float | None
    typical: float | None
    adds: float

    def told(self) -> dict[str, Any]:
        """Return it as plain values, in English and Chinese."""
        return {
            "feature": self.column.name,
            "family": self.column.family,
            "value": self.value,
            "typical": self.typical,
            "unit": self.column.unit,
            "adds": round(self.adds, 4),
            "en": f"{self.column.about}: {_number(self.value)} {self.column.unit} (typically {_number(self.typical)})",
            "zh": f"{self.column.family_zh}：{self.column.zh} {_number(self.value)}（一般为 {_number(self.typical)}）",
        }


def explain(by: Explainer, seen: Snapshot, company: str, strongest: int = _STRONGEST) -> dict[str, Any]:
    """Return the score of a company, what it begins with, its reasons with their evidence, and what columns and families add.

    Raises
    ------
    UsageError
        If the company is not among those that are scored.
    """
    place = _place(seen, company)
    table = Contributions.of(by.model, seen, place)
    reasons = [_reason(each, table) for each in by.explain(seen, place)]
    return {"company": company, **told_by_columns(by.model, seen, company, strongest), "reasons": reasons}


def told_by_columns(model: Registered, seen: Snapshot, unit: str, strongest: int = _STRONGEST) -> dict[str, Any]:
    """Return the score of a unit, what it begins with, and what columns and families add.

    Raises
    ------
    UsageError
        If the unit is not among those that are scored.
    """
    place = _place(seen, unit)
    table = Contributions.of(model, seen, place)
    score, probability = model.score(seen)
    order = np.argsort(-np.abs(table.adds[0]), kind="stable")[:strongest]
    return {
        "as_of": seen.day,
        "model": model.version,
        "score": float(score[place[0]]),
        "probability": float(probability[place[0]]),
        "outside": strangers(model, seen)[place[0]],
        "base": table.base,
        "features": [_said(table, int(n)).told() for n in order if table.adds[0, n]],
        "families": _families(table),
    }


def _place(seen: Snapshot, unit: str) -> Ints:
    place = Interner(seen.ids).codes(pa.array([unit], pa.string()))
    if place[0] < 0:
        raise UsageError(f"'{unit}' is not among the {len(seen.ids)} that are scored; kgfraud score prints their ids")
    return place


def _reason(told: Told, table: Contributions) -> dict[str, Any]:
    """Return a reason as plain values; ``falls`` is None where nothing could be taken away."""
    return {
        "code": told.reason.code,
        "en": told.reason.en,
        "zh": told.reason.zh,
        "family": told.family,
        "adds": round(told.adds, 4),
        "falls": None if told.falls is None else round(told.falls, 4),
        "evidence": list(told.rows),
        "parties": list(told.parties),
        "features": [_said(table, n).told() for n in told.columns],
    }


def _said(table: Contributions, n: int) -> Said:
    return Said(table.columns[n], _known(table.values[0, n]), _known(table.typical[n]), float(table.adds[0, n]))


def _families(table: Contributions) -> list[dict[str, Any]]:
    words = {column.family: column.family_zh for column in table.columns}
    names, sums = table.families()
    ranked = sorted(zip(names, sums[0].tolist(), strict=True), key=lambda item: (-abs(item[1]), item[0]))
    return [{"family": family, "zh": words[family], "adds": round(total, 4)} for family, total in ranked]


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _number(value: float | None) -> str:
    """Write a number for people.

    >>> _number(1234567.0), _number(0.12345), _number(None)
    ('1,234,567', '0.123', '-')
    """
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:,.3f}"
