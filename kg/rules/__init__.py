"""The risk rules, one file each, in the order in which they are run."""

from __future__ import annotations

from typing import Any

from kg.rule import Rule
from kg.rules import (
    circular_holding,
    client_limit,
    closed_circle,
    contracts_passed,
    control_changed_before_loan,
    filings_contradicted,
    forbidden_use,
    gather_scatter,
    group_limit,
    guarantee_circle,
    guarantees_serve_one,
    hidden_control,
    hollow_invoices,
    loan_return,
    loan_return_split,
    loans_passed_on,
    many_lenders,
    over_guaranteed,
    paper_financed_twice,
    scatter_gather,
    shares_over_whole,
    shell_cluster,
    undisclosed_links,
    voided_after_financing,
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
    circular_holding.RULE,
    closed_circle.RULE,
    shares_over_whole.RULE,
    group_limit.PASSED,
    group_limit.SPLIT,
    client_limit.RULE,
    hidden_control.RULE,
    undisclosed_links.RULE,
    paper_financed_twice.RULE,
    voided_after_financing.RULE,
    hollow_invoices.RULE,
    shell_cluster.RULE,
    filings_contradicted.RULE,
    contracts_passed.RULE,
    control_changed_before_loan.RULE,
)

__all__ = ["RULES"]
