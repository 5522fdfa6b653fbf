"""The cases that the bank knows of: a part of the crimes, found late, and a few that are none.

Knows how often and when; hides nothing: what it returns is drawn from the truth and is all that a run may see of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loaders.city.draw import Ints, around, chance, stream
from loaders.city.frame import Frame, column
from loaders.city.params import Params
from loaders.city.plot import Actors

_ONE_ONLY_PPM = 350_000


@dataclass(frozen=True)
class Known(Frame):
    """Cases: company, place of the kind of scheme in the catalogue, day of the deed, day on which the bank knew, fen lost."""

    firm: Ints
    reason: Ints
    happened: Ints
    known: Ints
    lost: Ints


def known(params: Params, actors: Sequence[Actors], reasons: Sequence[str], moved: Ints) -> Known:
    """Return the cases known by the end of the period, in the order in which they became known.

    Parameters
    ----------
    moved
        Fen that each company sent for schemes.
    """
    guilty = [of for of in actors if of.number > 0]
    rng = stream(params.seed, "cases")
    found = chance(rng, len(guilty), params.found_ppm)
    alone = chance(rng, len(guilty), _ONE_ONLY_PPM)
    after = around(rng, params.found_after, 0.7, len(guilty)).astype(np.int64) + 1
    parts = []
    for place in np.flatnonzero(found).tolist():
        of = guilty[place]
        firms = rng.choice(of.firms, 1) if alone[place] else of.firms
        times = column(of.start, firms.size), of.start + after[place] + rng.integers(0, 10, firms.size)
        parts.append(Known(firms, column(reasons.index(of.name), firms.size), *times, moved[firms] // 3))
    cases = _with_wrong_ones(params, rng, Known.stacked(parts), actors, len(reasons))
    cases = cases.take(cases.known < params.days)
    return cases.take(np.argsort(cases.known, kind="stable"))


def _with_wrong_ones(params: Params, rng: np.random.Generator, cases: Known, actors: Sequence[Actors], reasons: int) -> Known:
    """Add cases against companies that did nothing."""
    guilty = np.concatenate([of.firms for of in actors if of.number > 0] or [np.empty(0, np.int64)])
    innocent = np.setdiff1d(np.arange(params.companies), guilty)
    count = int(rng.binomial(len(cases), params.wrong_ppm / 1e6))
    happened = rng.integers(0, params.days, count)
    who, kind = rng.choice(innocent, count), rng.integers(0, reasons, count)
    wrong = Known(who, kind, happened, happened + rng.integers(20, 200, count), around(rng, 2e7, 1.0, count).astype(np.int64))
    return Known.stacked([cases, wrong])
