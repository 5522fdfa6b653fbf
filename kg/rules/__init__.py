"""The risk rules, one file each, in the order in which they are run."""

from __future__ import annotations

from typing import Any

from kg.rule import Rule
from kg.rules import guarantee_circle, loan_return

RULES: tuple[Rule[Any], ...] = (guarantee_circle.RULE, loan_return.RULE)
