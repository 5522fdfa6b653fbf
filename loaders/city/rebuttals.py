"""Links that an officer of the bank looked at and rebutted: of relatives who keep apart, of tenants of one address; some are restored.

Knows what is rebutted, why and for how long; hides which pairs an officer comes to see. All of them are honest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loaders.city.draw import Ints, stream
from loaders.city.frame import Frame, column
from loaders.city.money import DAY
from loaders.city.params import Params
from loaders.city.plot import Actors
from loaders.city.rhythm import Calendar

#: The look-alikes whose links are rebutted, and what the officer writes.
REASONS = {
    "family": "股东为亲属，两户各自独立经营、独立核算，无互保及资金混用，已现场核实",
    "secretarial_address": "同一地址系集群注册，两户无股权关系、无资金往来，已核实营业场所",
}
#: What is said when a link is restored, and what was done.
RESTORED = "复查发现新的往来，恢复关联认定"
ACTIONS = ("rebut", "restore")
#: One pair is looked at for so many companies, and the fewest; of so many one is restored; officers.
_COMPANIES_EACH, _FEWEST, _RESTORED, _OFFICERS = 400, 3, 6, 40
#: Days for which a rebuttal is in force.
_TERMS = np.array([90, 180, 365])


@dataclass(frozen=True)
class Rebuttals(Frame):
    """What was done: two companies, action and reason (their places), the officer, the day until which, and the second."""

    a: Ints
    b: Ints
    action: Ints
    reason: Ints
    user: Ints
    until: Ints
    second: Ints


def drawn(params: Params, calendar: Calendar, actors: Sequence[Actors]) -> Rebuttals:
    """Return what officers did within the period, in the order of time."""
    rng = stream(params.seed, "rebuttals")
    pairs = rng.permutation(_pairs(rng, actors))[: max(params.companies // _COMPANIES_EACH, _FEWEST)]
    size = len(pairs)
    day = calendar.office(rng.integers(params.days // 4, params.days, size))
    second = _at(rng, params, day)
    term = _TERMS[rng.integers(0, _TERMS.size, size)]
    user = rng.integers(1, _OFFICERS + 1, size)
    done = Rebuttals(pairs[:, 0], pairs[:, 1], column(0, size), pairs[:, 2], user, second // DAY + term, second)
    again = done.take((rng.integers(0, _RESTORED, size) == 0) & (day < params.days - 10))
    later = _at(rng, params, calendar.office(again.second // DAY + rng.integers(2, 8, len(again))))
    back = Rebuttals(again.a, again.b, column(1, len(again)), column(len(REASONS), len(again)), again.user, column(-1, len(again)), later)
    found = Rebuttals.stacked([done, back])
    return found.take(np.argsort(found.second, kind="stable"))


def _pairs(rng: np.random.Generator, actors: Sequence[Actors]) -> Ints:
    """Return two honest companies of each such look-alike and the place of the reason, a row for each."""
    guilty = np.concatenate([of.firms for of in actors if of.number > 0] or [np.empty(0, np.int64)])
    found, names = [], tuple(REASONS)
    for of in actors:
        honest = of.firms[~np.isin(of.firms, guilty)]
        if of.name in names and honest.size > 1:
            one, other = rng.choice(honest, 2, replace=False)
            found.append((one, other, names.index(of.name)))
    return np.array(found, np.int64).reshape(-1, 3)


def _at(rng: np.random.Generator, params: Params, day: Ints) -> Ints:
    """Return a second within the office hours of days, none of them after the period."""
    return np.minimum(day, params.days - 1) * DAY + rng.integers(9 * 3_600, 17 * 3_600, day.size)
