"""The catalogue of rule sets: ownership law as named, versioned data."""

from __future__ import annotations

from kg.errors import UsageError, did_you_mean
from kg.ruleset import RuleSet
from kg.rulesets import abroad, china

RULESETS: tuple[RuleSet, ...] = (*china.RULESETS, *abroad.RULESETS)


def get(id_: str) -> RuleSet:
    """Return a rule set by its id.

    Raises
    ------
    UsageError
        If there is none of that id.

    Examples
    --------
    >>> str(get("CN-COLAW-2023").control)
    '> 50 %'
    >>> get("CN-COLAW-2024")
    Traceback (most recent call last):
    kg.errors.UsageError: no rule set 'CN-COLAW-2024'; did you mean 'CN-COLAW-2023'? (kgfraud ref rulesets lists them)
    """
    found = {each.id: each for each in RULESETS}
    if id_ not in found:
        raise UsageError(f"no rule set '{id_}'{did_you_mean(id_, found)} (kgfraud ref rulesets lists them)")
    return found[id_]


__all__ = ["RULESETS", "get"]
