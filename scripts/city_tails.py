"""Tail exponents by maximum likelihood, with the threshold chosen as Clauset, Shalizi and Newman do (SIAM Review 51, 2009)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
_CANDIDATES, _LEAST = 120, 50


@dataclass(frozen=True)
class Tail:
    """The exponent of the cumulative tail, P(X ≥ x) ~ x ** -exponent, its standard error, the threshold, and the points beyond it."""

    exponent: float
    error: float
    threshold: float
    points: int


def fitted(values: npt.ArrayLike, often: npt.ArrayLike | None = None, *, whole: bool = False, least: int = _LEAST) -> Tail:
    """Return the tail of values, each of which stands so ``often``.

    The threshold is the value from which on the fitted law is nearest to what is there (least Kolmogorov–Smirnov distance).

    Parameters
    ----------
    whole
        Whether the values are small whole numbers, for which the sum is corrected by half a unit.
    least
        At least so many points must lie beyond the threshold.

    Examples
    --------
    >>> drawn = (1 - np.random.default_rng(1).random(20_000)) ** (-1 / 1.5)
    >>> abs(fitted(drawn).exponent - 1.5) < 0.1
    True
    """
    given = np.asarray(values, np.float64)
    weights = np.ones(given.size) if often is None else np.asarray(often, np.float64)
    kept = given > 0
    found, place = np.unique(given[kept], return_inverse=True)
    counts = np.bincount(place, weights[kept], found.size)
    beyond = np.cumsum(counts[::-1])[::-1]
    able = np.flatnonzero(beyond >= max(least, counts.sum() * 0.001))
    if not able.size:
        return Tail(float("nan"), float("nan"), float("nan"), 0)
    tried = np.unique(np.linspace(0, able[-1], _CANDIDATES).astype(np.int64)) if able.size > _CANDIDATES else able
    fits = [_from(found, counts, int(begin), 0.5 if whole else 0.0) for begin in tried]
    return min(fits, key=lambda fit: fit[0])[1]


def _from(found: Values, counts: Values, begin: int, half: float) -> tuple[float, Tail]:
    """Return the distance and the tail from one threshold on."""
    x, n = found[begin:] - half, counts[begin:]
    total = n.sum()
    mean = float((n * np.log(x / x[0])).sum() / total)
    exponent = 1.0 / max(mean, 1e-9)
    there = np.cumsum(n[::-1])[::-1] / total
    distance = float(np.abs(there - (x / x[0]) ** -exponent).max())
    return distance, Tail(exponent, exponent / float(np.sqrt(total)), float(found[begin]), int(total))
