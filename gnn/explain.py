"""Why a company has its score: what each column adds to it, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from gnn.registry import Registered
from gnn.snapshot import Named, Snapshot
from kg.algorithms.interning import Interner
from kg.errors import UsageError

_STRONGEST = 8


@dataclass(frozen=True)
class Reason:
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
        """Return the reason as plain values, in English and Chinese."""
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


def explain(model: Registered, of: Snapshot, company: str, strongest: int = _STRONGEST) -> dict[str, Any]:
    """Return the score of a company, what it begins with, the strongest reasons, and what each family adds.

    Raises
    ------
    UsageError
        If the company is not among those that are scored.
    """
    place = int(Interner(of.ids).codes(pa.array([company], pa.string()))[0])
    if place < 0:
        raise UsageError(f"'{company}' is not among the {len(of.ids)} companies that are scored (customers of the bank)")
    columns, values = model.columns(of.columns), model.values(of)
    score, probability = model.score(of)
    adds = model.trees.contributions(values[place : place + 1])[0]
    order = np.argsort(-np.abs(adds[:-1]), kind="stable")[:strongest]
    reasons = [Reason(columns[n], _known(values[place, n]), _typical(values[:, n]), float(adds[n])) for n in order if adds[n]]
    return {
        "company": company,
        "as_of": of.day,
        "model": model.version,
        "score": float(score[place]),
        "probability": float(probability[place]),
        "base": float(adds[-1]),
        "reasons": [reason.told() for reason in reasons],
        "families": _families(columns, adds[:-1]),
    }


def _families(columns: tuple[Named, ...], adds: np.ndarray[Any, np.dtype[np.float64]]) -> list[dict[str, Any]]:
    sums: dict[tuple[str, str], float] = {}
    for column, each in zip(columns, adds, strict=True):
        key = column.family, column.family_zh
        sums[key] = sums.get(key, 0.0) + float(each)
    ranked = sorted(sums.items(), key=lambda item: (-abs(item[1]), item[0]))
    return [{"family": family, "zh": zh, "adds": round(total, 4)} for (family, zh), total in ranked]


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _typical(column: np.ndarray[Any, np.dtype[np.float64]]) -> float | None:
    known = column[~np.isnan(column)]
    return float(np.median(known)) if known.size else None


def _number(value: float | None) -> str:
    """Write a number for people.

    >>> _number(1234567.0), _number(0.12345), _number(None)
    ('1,234,567', '0.123', '-')
    """
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:,.3f}"
