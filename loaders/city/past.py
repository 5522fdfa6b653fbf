"""Crimes that were committed before the first day and became known within the period.

Knows that a bank's cases do not begin with the files that are kept: the companies of an old case are there, what they did is not;
hides how many there were. As many crimes a day were committed as in the period, and they are found as often and as late.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from loaders.city.draw import Ints, around, stream
from loaders.city.firms import ORDINARY, Firms
from loaders.city.frame import column
from loaders.city.labels import Known
from loaders.city.params import Params
from loaders.city.plot import Actors

#: Crimes of so many days before the period can become known within it.
_BACK = 540
#: Companies looked at for each one that is needed; part of the cases with one company only.
_LOOKED_AT, _ONE_ONLY_PPM = 4, 350_000


def crimes(params: Params, firms: Firms, actors: Sequence[Actors]) -> tuple[tuple[Actors, ...], Ints]:
    """Return the crimes before the first day of which the bank came to know in the period, and the day on which it did.

    Each is by companies that were there and have no part in any plot of the period, and is like a scheme of the period in kind and size.
    """
    guilty = [of for of in actors if of.number > 0]
    rng, start, known = _known(params, len(guilty))
    pool = _free(rng, firms, actors)
    past: list[Actors] = []
    days, begin = [], 0
    for place in range(start.size):
        of = guilty[int(rng.integers(0, len(guilty)))]
        end = begin + _LOOKED_AT * of.firms.size
        seen, begin = pool[begin:end], end
        able = seen[(firms.founded[seen] < start[place] - 60) & (firms.closed[seen] > start[place] + 30)][: of.firms.size]
        if able.size == of.firms.size:
            past.append(Actors(len(past) + 1, of.name, able, int(start[place]), {}))
            days.append(int(known[place]))
    return tuple(past), np.array(days, np.int64)


def _known(params: Params, schemes: int) -> tuple[np.random.Generator, Ints, Ints]:
    """Return the first days of crimes that are found within the period, and when they are; at least twice ``least`` where any are found."""
    rng, count = stream(params.seed, "past"), max(schemes * _BACK // params.days, 1)
    tried = max(count, 500)
    start = -rng.integers(1, _BACK + 1, tried)
    known = start + around(rng, params.found_after, 0.7, tried).astype(np.int64) + 1
    within = np.flatnonzero((known >= 0) & (known < params.days))
    found = max(rng.binomial(count, params.found_ppm / 1e6 * within.size / tried), 2 * params.least * (params.found_ppm > 0))
    within = within[: found * (schemes > 0)]
    return rng, start[within], known[within]


def _free(rng: np.random.Generator, firms: Firms, actors: Sequence[Actors]) -> Ints:
    """Return the companies without a part in any plot, in an order of chance; a quarter of them at most is looked at."""
    free = firms.role == ORDINARY
    free[np.concatenate([of.firms for of in actors] or [np.empty(0, np.int64)])] = False
    found = rng.permutation(np.flatnonzero(free))
    return found[: found.size // 4]


def cases(params: Params, firms: Firms, crimes: tuple[tuple[Actors, ...], Ints], reasons: Sequence[str], present: Known) -> Known:
    """Return the cases of the period's crimes with those of old ones among them, in the order in which they became known."""
    rng, parts = stream(params.seed, "old cases"), [present]
    for of, day in zip(crimes[0], crimes[1].tolist(), strict=True):
        who = rng.choice(of.firms, 1) if rng.integers(0, 1_000_000) < _ONE_ONLY_PPM else of.firms
        lost = around(rng, firms.sales[who] * 0.03 + 1_000_000, 0.6, who.size).astype(np.int64)
        reason, known = column(reasons.index(of.name), who.size), day + rng.integers(0, 10, who.size)
        parts.append(Known(who, reason, column(of.start, who.size), np.minimum(known, params.days - 1), lost))
    found = Known.stacked(parts)
    return found.take(np.argsort(found.known, kind="stable"))
