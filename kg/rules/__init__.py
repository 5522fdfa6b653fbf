"""The risk rules, one file each, in the order in which they are run."""

from __future__ import annotations

from typing import Any

from kg.rule import Rule
from kg.rules import (
    circular_holding,
    closed_circle,
    contracts_passed,
    control_changed_before_loan,
    filings_contradicted,
    group_limit,
    guarantee_circle,
    hidden_control,
    hollow_invoices,
    loan_return,
    paper_financed_twice,
    related_trade,
    shares_over_whole,
    shell_cluster,
    undisclosed_links,
    voided_after_financing,
)

RULES: tuple[Rule[Any], ...] = (
    guarantee_circle.RULE,
    loan_return.RULE,
    circular_holding.RULE,
    closed_circle.RULE,
    shares_over_whole.RULE,
    group_limit.PASSED,
    group_limit.SPLIT,
    hidden_control.RULE,
    undisclosed_links.RULE,
    paper_financed_twice.RULE,
    voided_after_financing.RULE,
    hollow_invoices.RULE,
    shell_cluster.RULE,
    related_trade.RULE,
    filings_contradicted.RULE,
    contracts_passed.RULE,
    control_changed_before_loan.RULE,
)

__all__ = ["RULES"]
