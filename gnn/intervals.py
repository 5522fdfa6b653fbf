"""Intervals of parts of a whole."""

from __future__ import annotations

from scipy.stats import binomtest


def wilson(hits: int, count: int) -> dict[str, float]:
    """Return a part with its 95 % interval by Wilson's score [1]_; of nothing all may be.

    References
    ----------
    .. [1] Wilson, Probable inference, the law of succession, and statistical inference, JASA 22, 1927.

    Examples
    --------
    >>> found = wilson(48, 50)
    >>> found["value"], round(found["low"], 3), round(found["high"], 3)
    (0.96, 0.865, 0.989)
    """
    if not count:
        return {"value": 0.0, "low": 0.0, "high": 1.0}
    found = binomtest(hits, count).proportion_ci(method="wilson")
    return {"value": hits / count, "low": float(found.low), "high": float(found.high)}
