"""The risk rules, one file each, in the order in which they are run."""

from __future__ import annotations

from typing import Any

from kg.rule import Rule
from kg.rules import (
    below_threshold,
    circular_holding,
    closed_circle,
    dormant_then_active,
    fan,
    forbidden_use,
    gather_scatter,
    group_limit,
    guarantee_circle,
    guarantees_serve_one,
    hidden_control,
    loan_return,
    loan_return_split,
    loans_passed_on,
    many_lenders,
    over_guaranteed,
    pass_through,
    round_amounts,
    scatter_gather,
    shares_over_whole,
    undisclosed_links,
)

RULES: tuple[Rule[Any], ...] = (
    guarantee_circle.RULE,
    guarantees_serve_one.RULE,
    loan_return.RULE,
    loan_return_split.SPLIT,
    loan_return_split.FAR,
    many_lenders.RULE,
    loans_passed_on.RULE,
    forbidden_use.RULE,
    over_guaranteed.RULE,
    scatter_gather.RULE,
    gather_scatter.RULE,
    fan.IN,
    fan.OUT,
    pass_through.RULE,
    below_threshold.RULE,
    round_amounts.RULE,
    dormant_then_active.RULE,
    circular_holding.RULE,
    closed_circle.RULE,
    shares_over_whole.RULE,
    group_limit.PASSED,
    group_limit.SPLIT,
    hidden_control.RULE,
    undisclosed_links.RULE,
)

__all__ = ["RULES"]
