"""Tail exponents by maximum likelihood, with the threshold chosen as Clauset, Shalizi and Newman do (SIAM Review 51, 2009).

Where a tail bends, the best threshold of one sample is a matter of chance, and with it the exponent. So both are sought again in
samples drawn from the sample (the bootstrap of the same authors): the exponent is the median of what is found, the error its spread.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
_CANDIDATES, _LEAST, _SAMPLES = 120, 50, 60


@dataclass(frozen=True)
class Tail:
    """A tail of P(X ≥ x) ~ x ** -exponent.

    Attributes
    ----------
    exponent, error
        The median of the exponents that are found in samples of the sample, and their standard deviation.
    threshold, points
        From where on the tail begins in the values themselves, and how many values lie there.
    """

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
        Whether the values are whole numbers: each stands for all from half a unit below on, as the same authors approximate.
    least
        At least so many points must lie beyond the threshold.

    Examples
    --------
    >>> drawn = (1 - np.random.default_rng(1).random(20_000)) ** (-1 / 1.5)
    >>> abs(fitted(drawn).exponent - 1.5) < 0.05
    True
    """
    given = np.asarray(values, np.float64)
    weights = np.ones(given.size) if often is None else np.asarray(often, np.float64)
    kept = given > 0
    found, place = np.unique(given[kept], return_inverse=True)
    counts = np.bincount(place, weights[kept], found.size)
    if counts.sum() < least:
        return Tail(*[float("nan")] * 3, 0)
    half = 0.5 if whole else 0.0
    _, threshold, points = _nearest(found, counts, half, least)
    exponents = [_nearest(found, again, half, least)[0] for again in _again(counts)]
    return Tail(float(np.median(exponents)), float(np.std(exponents)), threshold, points)


def _again(counts: Values) -> Iterator[Values]:
    """Yield how often each value stands in samples of the sample."""
    rng, total = np.random.default_rng(0), int(counts.sum())
    for _ in range(_SAMPLES):
        yield rng.multinomial(total, counts / counts.sum()).astype(np.float64)


def _nearest(values: Values, often: Values, half: float, least: int) -> tuple[float, float, int]:
    """Return exponent, threshold and points of the fit that is nearest."""
    found, counts = values[often > 0], often[often > 0]
    beyond = np.cumsum(counts[::-1])[::-1]
    able = np.flatnonzero(beyond >= max(least, counts.sum() * 0.001))
    tried = np.unique(np.linspace(0, able[-1], _CANDIDATES).astype(np.int64)) if able.size > _CANDIDATES else able
    fits = [_from(found, counts, int(begin), half) for begin in tried]
    return min(fits)[1:]


def _from(found: Values, counts: Values, begin: int, half: float) -> tuple[float, float, float, int]:
    """Return the distance from one threshold on, and exponent, threshold and points."""
    x, n = found[begin:], counts[begin:]
    total, least = n.sum(), x[0] - half
    exponent = 1.0 / max(float((n * np.log(x / least)).sum() / total), 1e-9)
    there = np.cumsum(n[::-1])[::-1] / total
    distance = float(np.abs(there - ((x - half) / least) ** -exponent).max())
    return distance, exponent, float(found[begin]), int(total)
