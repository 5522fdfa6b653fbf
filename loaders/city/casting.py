"""Who plays a part: the companies of every scheme and look-alike.

Knows how many plots there are for a prevalence; hides how actors are picked: by chance from all that were there early
enough and stay, whatever their age and size, half of the plots from one region. A company has a part in one plot, but
guilty ones sit among the honest of some look-alikes, as they do in any house or market, as often as anybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from loaders.city.draw import Ints, chance, stream
from loaders.city.firms import NEVER, ORDINARY, Firms
from loaders.city.industries import PLACE
from loaders.city.params import Params
from loaders.city.plot import Actors, Plot

#: Companies with a part in a look-alike for each one with a part in a scheme.
_LOOKALIKES = 3
_RUN = 12
#: One plot has at most this part of those who are left beside the smallest later ones, one that grows with the city more.
_PART, _LARGE_PART = 12, 6
#: Days within which a company has its accounts; in a city of fewer days than these nobody acts who comes within them.
_ACCOUNTS, _LONG = 30, 120
#: Most people at work in a young company, and its most sales in fen a year.
_YOUNG_STAFF, _YOUNG_SALES = 39, 5_000_000_000


def cast(params: Params, firms: Firms, schemes: Sequence[Plot], lookalikes: Sequence[Plot]) -> list[Actors]:
    """Return the actors of all plots, those of the schemes first."""
    early = params.days // 6 if params.days >= _LONG else -_ACCOUNTS
    pool = np.flatnonzero((firms.role == ORDINARY) & (firms.founded < early) & (firms.closed >= params.days))
    rng = stream(params.seed, "casting")
    pool = _by_region(rng, rng.permutation(pool), firms)
    wanted = params.companies * params.prevalence_ppm / 1e6
    found: list[Actors] = []
    kept_back = params.least * sum(plot.members.low for plot in (*schemes, *lookalikes))
    guilty = np.empty(0, np.int64)
    for sign, plots, companies in ((1, schemes, wanted), (-1, lookalikes, wanted * _LOOKALIKES)):
        number = 0
        if sign < 0:
            guilty = stream(params.seed, "casting guests").permutation(np.concatenate([of.firms for of in found] or [guilty]))
            ppm = guilty.size * 1_000_000 // params.companies
        for plot in plots:
            rng = stream(params.seed, f"cast {plot.name}")
            for turn in range(_times(plot, plots, companies, params.least)):
                kept_back -= plot.members.low * (turn < params.least)
                size = _size(rng, plot, params.companies, pool.size - kept_back)
                if size > pool.size:
                    break
                chosen, pool = pool[:size], pool[size:]
                if sign < 0 and plot.mixed:
                    chosen, guilty = _with_guests(rng, chosen, guilty, ppm)
                number += 1
                found.append(_actors(params, plot, sign * number, firms.take(chosen).founded, (rng, chosen)))
    return found


def _size(rng: np.random.Generator, plot: Plot, companies: int, left: int) -> int:
    """Draw how many companies have a part; a small town has no large plots, so that there is room for all of them."""
    low, high = plot.size(companies)
    most = max(left - plot.members.low, 0) // (_PART if plot.scale is None else _LARGE_PART)
    return min(int(rng.integers(low, high + 1)), plot.members.low + most)


def _with_guests(rng: np.random.Generator, chosen: Ints, guilty: Ints, ppm: int) -> tuple[Ints, Ints]:
    """Return companies of which some gave their places to guilty ones, and the guilty who are left."""
    places = np.flatnonzero(chance(rng, chosen.size, ppm))[: guilty.size]
    places = places[: chosen.size // 2]  # most of them are honest
    found = chosen.copy()
    found[places] = guilty[: places.size]
    return found, guilty[places.size :]


def _by_region(rng: np.random.Generator, pool: Ints, firms: Firms) -> Ints:
    """Order companies so that every other run of them is of one region or of neighbouring ones; which regions come first is chance."""
    runs = pool.size // (2 * _RUN)
    anywhere, rest = pool[: runs * _RUN], pool[runs * _RUN :]
    local = rest[np.argsort(firms.region[rest], kind="stable")]
    of_one_place = rng.permutation(local[: runs * _RUN].reshape(runs, _RUN))
    both = np.stack([anywhere.reshape(runs, _RUN), of_one_place], axis=1).ravel()
    return np.concatenate([both, local[runs * _RUN :]])


def _times(plot: Plot, plots: Sequence[Plot], companies: float, least: int) -> int:
    """Return how often a plot stands."""
    part = plot.weight / sum(other.weight for other in plots)
    return max(least, round(companies * part / ((plot.members.low + plot.members.high) / 2)))


def _actors(params: Params, plot: Plot, number: int, founded: Ints, drawn: tuple[np.random.Generator, Ints]) -> Actors:
    """Give the companies chosen their parts, and the plot its parameters and its first day: after all of them have their accounts."""
    rng, chosen = drawn
    firms = rng.permutation(chosen)
    values = {name: int(rng.integers(of.low, of.high + 1)) for name, of in plot.ranges.items()}
    ready = min(_ACCOUNTS, params.days // 4) + (params.days // 10 if plot.batch is not None else max(int(founded.max()), 0))
    start = int(rng.integers(ready, max(params.days * 3 // 4, ready + 1)))
    start = min(start, params.days - 1)
    times = max((params.days - start) // 120, 1)
    grown = {name: value * times if plot.ranges[name].grows else value for name, value in values.items()}
    return Actors(number, plot.name, firms, start, grown)


def shaped(params: Params, firms: Firms, actors: Sequence[Actors], plots: Sequence[Plot]) -> Firms:
    """Return the companies as their plots need them: founded together, young, of one trade or region; none of them is closed by chance."""
    kinds = {plot.name: plot for plot in plots}
    copies = {name: getattr(firms, name).copy() for name in ("founded", "region", "closed", "industry", "employees", "sales")}
    founded, region, closed = copies["founded"], copies["region"], copies["closed"]
    for of in actors:
        kind, rng = kinds[of.name], stream(params.seed, "batches", abs(of.number), int(of.number < 0))
        closed[of.firms] = NEVER
        if kind.batch is not None:
            first = int(rng.integers(-700, max(of.start - kind.batch - 30, -699)))
            founded[of.firms] = first + rng.integers(0, kind.batch + 1, of.firms.size)
        if kind.young is not None:
            first = of.firms[0]
            founded[first] = of.start - int(rng.integers(40, kind.young))
            copies["employees"][first] = min(firms.employees[first], _YOUNG_STAFF)
            copies["sales"][first] = min(firms.sales[first], _YOUNG_SALES)
        if kind.industry is not None:
            copies["industry"][of.firms[1:]] = PLACE[kind.industry]
        if kind.one_place:
            region[of.firms] = region[of.firms[0]]
    return replace(firms, **copies)
