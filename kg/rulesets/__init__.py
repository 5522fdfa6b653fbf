"""The catalogue of rule sets: ownership law as named, versioned data."""

from __future__ import annotations

from kg.errors import UsageError, did_you_mean
from kg.ruleset import Chosen, RuleSet
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


def choose(groups: str, owners: str) -> Chosen:
    """Return the rule sets of two ids.

    Raises
    ------
    UsageError
        If there is none of an id, or the second names no beneficial owners.

    Examples
    --------
    >>> choose("CN-LE-2018", "EU-AMLR").owners.beneficial.ppm
    250000
    """
    chosen = Chosen(get(groups), get(owners))
    if chosen.owners.beneficial is None:
        able = ", ".join(each.id for each in RULESETS if each.beneficial is not None)
        raise UsageError(f"the rule set {owners} names no beneficial owners; these do: {able} (ownership.owners)")
    return chosen


__all__ = ["RULESETS", "choose", "get"]
