"""The risk rules, one file each, in the order in which they are run."""

from __future__ import annotations

from typing import Any

from kg.rule import Rule
from kg.rules import (
    circular_holding,
    client_limit,
    closed_circle,
    group_limit,
    guarantee_circle,
    hidden_control,
    loan_return,
    shares_over_whole,
    undisclosed_links,
)

RULES: tuple[Rule[Any], ...] = (
    guarantee_circle.RULE,
    loan_return.RULE,
    circular_holding.RULE,
    closed_circle.RULE,
    shares_over_whole.RULE,
    group_limit.PASSED,
    group_limit.SPLIT,
    client_limit.RULE,
    hidden_control.RULE,
    undisclosed_links.RULE,
)

__all__ = ["RULES"]
