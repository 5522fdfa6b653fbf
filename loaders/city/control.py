"""Control that the register does not show: a person's companies in the names of others, and holding companies between.

Knows who makes a straw person and what gives it away now and then (a device, a phone, an address); hides how it is laid
out. The person behind is always the registered owner of the plot's first company.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from loaders.city.draw import Ints
from loaders.city.frame import column
from loaders.city.plot import ADDRESS, DEVICE, PHONE, Actors, Fronts, Parents, Shared
from loaders.city.town import Town

#: Straw persons who always stood in the register, of a thousand; the others are new there.
_OLD_STRAWS = 600
_TRACES = ((ADDRESS, 100), (PHONE, 250), (DEVICE, 400))


def boss(town: Town, actors: Actors) -> int:
    """Return the person, as a party, who is behind a plot."""
    return town.people.offset + int(town.people.owner[actors.firms[0]])


def fronts(town: Town, actors: Actors, rng: np.random.Generator, plain: Ints, hidden: Ints) -> Fronts:
    """Let the person behind a plot control companies: some openly, others in the names of straw persons."""
    person, count = boss(town, actors), len(town.people)
    own = town.people.offset + town.people.owner[hidden]
    anybody = town.people.offset + rng.integers(0, count, hidden.size)
    straw = np.where((own == person) | (rng.integers(0, 1_000, hidden.size) >= _OLD_STRAWS), anybody, own)
    straw = np.where(straw == person, town.people.offset + (straw - town.people.offset + 1) % count, straw)
    company = np.concatenate([plain, hidden])
    registered = np.concatenate([column(person, plain.size), straw])
    return Fronts(company, registered, column(person, company.size), column(actors.scheme, company.size))


def layered(chains: Sequence[Ints]) -> Parents:
    """Let each company of a chain be held by the next one."""
    return Parents.stacked(Parents(chain[:-1], chain[1:]) for chain in chains)


def traces(actors: Actors, rng: np.random.Generator) -> Shared:
    """Let most of a plot's companies share an address, a phone or a device, each with some chance."""
    parts = []
    for what, mille in _TRACES:
        hit, some = rng.integers(0, 1_000) < mille, rng.random(actors.firms.size) < 0.7
        of = actors.firms[some] if hit else actors.firms[:0]
        parts.append(Shared(column(what, of.size), of, column(actors.number, of.size)))
    return Shared.stacked(parts)
