"""Pictures as inline SVG: points, lines and bars between two axes.

Knows how values become places on paper and where ticks stand; hides the markup. Every text is escaped; the colours are
classes of the page's style.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
WIDTH, HEIGHT = 420, 270
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 12, 30, 42
_SHORT = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
#: A curve of more points than this is drawn with so many of them.
_MOST_POINTS = 160


@dataclass(frozen=True)
class Series:
    """What is drawn in one colour: a name for the legend, where, and how (``line``, ``points`` or ``bars``)."""

    name: str
    x: ArrayLike
    y: ArrayLike
    how: str = "line"


@dataclass(frozen=True)
class Scale:
    """One axis: what stands at its ends, whether it is logarithmic, and between which places on paper it runs."""

    low: float
    high: float
    log: bool
    begin: float
    end: float

    def places(self, values: ArrayLike) -> Floats:
        """Return where values stand on paper.

        >>> Scale(1, 100, True, 0, 50).places([1, 10, 100]).tolist()
        [0.0, 25.0, 50.0]
        """
        given = np.asarray(values, np.float64)
        low, high = (np.log10(self.low), np.log10(self.high)) if self.log else (self.low, self.high)
        shown = np.log10(np.maximum(given, self.low)) if self.log else given
        placed: Floats = self.begin + (shown - low) / ((high - low) or 1.0) * (self.end - self.begin)
        return placed

    def ticks(self) -> list[float]:
        """Return the values at which ticks stand.

        >>> Scale(0, 10, False, 0, 1).ticks(), Scale(1, 1000, True, 0, 1).ticks()
        ([0.0, 2.0, 4.0, 6.0, 8.0, 10.0], [1.0, 10.0, 100.0, 1000.0])
        """
        if self.log:
            low, high = int(np.floor(np.log10(self.low))), int(np.ceil(np.log10(self.high)))
            step = max((high - low + 5) // 6, 1)
            found = 10.0 ** np.arange(low, high + 1, step)
        else:
            rough = (self.high - self.low or 1.0) / 5
            size = 10.0 ** np.floor(np.log10(rough))
            step_of = size * min((1, 2, 5, 10), key=lambda times: abs(times * size - rough))
            found = np.arange(np.ceil(self.low / step_of), np.floor(self.high / step_of) + 1) * step_of
        return [float(value) + 0.0 for value in found if self.low * 0.999 <= value <= self.high * 1.001]


def short(value: float) -> str:
    """Return a number as it is written at a tick.

    >>> [short(v) for v in (0, 2, 1500, 2e6, 0.001, 1e-7)]
    ['0', '2', '1.5k', '2M', '0.001', '1e-07']
    """
    for size, sign in _SHORT:
        if abs(value) >= size:
            return f"{value / size:.4g}{sign}"
    return f"{value:.4g}"


def ccdf(values: ArrayLike, weights: ArrayLike | None = None) -> tuple[Floats, Floats]:
    """Return the different values in order, and which part is as large as each or larger.

    Parameters
    ----------
    weights
        How often each value stands; once where not given.

    Examples
    --------
    >>> [a.tolist() for a in ccdf([1, 1, 2, 4])]
    [[1.0, 2.0, 4.0], [1.0, 0.5, 0.25]]
    """
    given = np.asarray(values, np.float64)
    often = np.ones(given.size) if weights is None else np.asarray(weights, np.float64)
    found, place = np.unique(given, return_inverse=True)
    counts = np.bincount(place, often, found.size)
    above = np.cumsum(counts[::-1])[::-1]
    return found, above / max(counts.sum(), 1.0)


def thinned(x: Floats, y: Floats, most: int = _MOST_POINTS) -> tuple[Floats, Floats]:
    """Return a curve with fewer points, evenly chosen along a logarithmic axis, its ends among them."""
    if x.size <= most or x[0] <= 0:
        return x[:: max(x.size // most, 1)], y[:: max(x.size // most, 1)]
    wanted = np.geomspace(x[0], x[-1], most)
    kept = np.unique(np.append(np.clip(np.searchsorted(x, wanted), 0, x.size - 1), x.size - 1))
    return x[kept], y[kept]


def tail(name: str, values: ArrayLike, weights: ArrayLike | None = None) -> Series:
    """Return the complementary cumulative curve of positive values, as points to be drawn on two logarithmic axes."""
    given = np.asarray(values, np.float64)
    often = np.ones(given.size) if weights is None else np.asarray(weights, np.float64)
    return Series(name, *thinned(*ccdf(given[given > 0], often[given > 0])), how="points")


def chart(title: str, series: Sequence[Series], x_label: str, y_label: str, *, log: bool = False) -> str:
    """Return a picture of some series; both axes are logarithmic, or neither."""
    drawn = [one for one in series if np.size(one.x)]
    if not drawn:
        return f'<figure class="chart"><figcaption>{escape(title)}</figcaption><p>Nothing to draw.</p></figure>'
    across = _scale(drawn, "x", log, (_LEFT, WIDTH - _RIGHT))
    up = _scale(drawn, "y", log, (HEIGHT - _BOTTOM, _TOP))
    marks = "".join(_drawn(one, number, across, up) for number, one in enumerate(drawn))
    body = _axes(across, up, x_label, y_label) + marks + _legend(drawn)
    return (
        f'<figure class="chart"><figcaption>{escape(title)}</figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">{body}</svg></figure>'
    )


def _scale(series: Sequence[Series], axis: str, log: bool, ends: tuple[float, float]) -> Scale:
    values = np.concatenate([np.asarray(getattr(one, axis), np.float64).ravel() for one in series])
    if log:
        values = values[values > 0]
        return Scale(float(values.min()), max(float(values.max()), float(values.min()) * 10), True, *ends)
    low, high = float(values.min()), float(values.max())
    if axis == "y":
        return Scale(min(low, 0.0), max(high * 1.05, low + 1e-9), False, *ends)
    beside = 0.5 if any(one.how == "bars" for one in series) else 0.0
    return Scale(low - beside, max(high, low + 1e-9) + beside, False, *ends)


def _drawn(one: Series, number: int, across: Scale, up: Scale) -> str:
    """Return the marks of a series."""
    x, y = across.places(one.x), up.places(one.y)
    if one.how == "points":
        return "".join(f'<circle class="p c{number}" cx="{a:.1f}" cy="{b:.1f}" r="2"/>' for a, b in zip(x, y, strict=True))
    if one.how == "bars":
        wide = max((across.end - across.begin) / max(x.size, 1) * 0.7, 1.0)
        floor = up.places([max(up.low, 0.0)])[0]
        return "".join(
            f'<rect class="p c{number}" x="{a - wide / 2:.1f}" y="{b:.1f}" width="{wide:.1f}" height="{max(floor - b, 0):.1f}"/>'
            for a, b in zip(x, y, strict=True)
        )
    path = "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True))
    return f'<path class="l c{number}" d="{path}"/>'


def _axes(across: Scale, up: Scale, x_label: str, y_label: str) -> str:
    floor, left = HEIGHT - _BOTTOM, _LEFT
    parts = [f'<path class="axis" d="M{left} {_TOP}V{floor}H{WIDTH - _RIGHT}"/>']
    for value, x in zip(across.ticks(), across.places(across.ticks()), strict=True):
        parts.append(f'<path class="grid" d="M{x:.1f} {_TOP}V{floor + 4}"/>')
        parts.append(f'<text x="{x:.1f}" y="{floor + 15}" text-anchor="middle">{short(value)}</text>')
    for value, y in zip(up.ticks(), up.places(up.ticks()), strict=True):
        parts.append(f'<path class="grid" d="M{left - 4} {y:.1f}H{WIDTH - _RIGHT}"/>')
        parts.append(f'<text x="{left - 6}" y="{y + 3:.1f}" text-anchor="end">{short(value)}</text>')
    middle = (left + WIDTH - _RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x_label)}</text>')
    half = (_TOP + floor) / 2
    parts.append(f'<text x="12" y="{half}" text-anchor="middle" transform="rotate(-90 12 {half})">{escape(y_label)}</text>')
    return "".join(parts)


def _legend(series: Sequence[Series]) -> str:
    """Return the names of the series beside their colours, where there are several."""
    if len(series) < 2:
        return ""
    parts, x = [], float(_LEFT)
    for number, one in enumerate(series):
        parts.append(f'<rect class="p c{number}" x="{x:.0f}" y="10" width="9" height="9"/>')
        parts.append(f'<text x="{x + 13:.0f}" y="18">{escape(one.name)}</text>')
        x += 26 + 6.2 * sum(2 if ord(sign) > 0x2E80 else 1 for sign in one.name)
    return "".join(parts)
