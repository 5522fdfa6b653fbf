"""How figures stand in cards and on the screen."""

from __future__ import annotations


def told(of: dict[str, float], form: str = ".3f") -> str:
    """Write a figure with its interval.

    >>> told({"value": 0.5, "low": 0.25, "high": 0.75}, ".2f")
    '0.50 [0.25, 0.75]'
    """
    return f"{of['value']:{form}} [{of['low']:{form}}, {of['high']:{form}}]"
