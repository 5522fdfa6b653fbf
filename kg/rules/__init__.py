"""The risk rules, one file each, in the order in which they are run."""

from __future__ import annotations

from typing import Any

from kg.rule import Rule
from kg.rules import circular_holding, closed_circle, guarantee_circle, loan_return, shares_over_whole

RULES: tuple[Rule[Any], ...] = (
    loan_return.RULE,
    guarantee_circle.RULE,
    circular_holding.RULE,
    closed_circle.RULE,
    shares_over_whole.RULE,
)

__all__ = ["RULES"]
