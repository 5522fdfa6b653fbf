"""What the actors of all plots do, the mixed ones among them.

Knows which schemes mix with which and how often, and how guilty actors try to look honest; hides the streams, one for each plot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from loaders.city import affairs, deals
from loaders.city.draw import stream
from loaders.city.lookalikes import LOOKALIKES
from loaders.city.plot import Actors, Deeds, Plot, gathered
from loaders.city.schemes import SCHEMES
from loaders.city.town import Town

#: Of so many schemes, one does a second one's act too.
_MIXED = 7
_PLOTS = {each.name: each for each in (*SCHEMES, *LOOKALIKES)}


def plot(name: str) -> Plot:
    """Return the scheme or look-alike of that name."""
    return _PLOTS[name]


def acted(town: Town, cast: Sequence[Actors]) -> tuple[tuple[Actors, ...], tuple[Deeds, ...]]:
    """Return the actors, with what some do besides, and what each plot leaves behind."""
    actors, deeds = [], []
    guilty = np.concatenate([of.firms for of in cast if of.number > 0] or [np.empty(0, np.int64)])
    for of in cast:
        also = _besides(town, of)
        done = [_act(town, of, of.name)]
        if also is not None:
            done.append(_act(town, also, f"mixed {also.name}"))
        actors.append(replace(of, also=also))
        deed = gathered(done) if also is not None else done[0]
        if not of.scheme:  # what a guilty company invoices beside its trade is its scheme's matter
            deed = replace(deed, invoices=deed.invoices.take(~np.isin(deed.invoices.seller, guilty)))
        deeds.append(deed)
    return tuple(actors), tuple(deeds)


def _act(town: Town, of: Actors, part: str) -> Deeds:
    """Act, and make out invoices for some of what was paid for goods where the act makes out none."""
    seed, number = town.params.seed, abs(of.number)
    rng = stream(seed, f"camouflage {part}", number)
    if of.scheme:
        town = replace(town, calendar=town.calendar.lax(rng, min(2 * town.params.camouflage, 100)))
    deeds = plot(of.name).act(town, of, stream(seed, part, number))
    if len(deeds.invoices):
        return deeds
    if of.scheme:
        deeds = replace(deeds, flows=affairs.renamed(rng, deeds.flows, town.params.camouflage / 200))
    return replace(deeds, invoices=deals.covered(town, of, stream(seed, f"covered {part}", number), deeds))


def _besides(town: Town, of: Actors) -> Actors | None:
    """Return the second part that guilty actors play, for one scheme of several, of a kind for which they are enough and not too many."""
    rng = stream(town.params.seed, "mixed", of.number) if of.number > 0 else None
    if rng is None or rng.integers(0, _MIXED):
        return None
    kinds = [each for each in SCHEMES if each.name != of.name and _fits(each, of)]
    if not kinds:
        return None
    kind = kinds[int(rng.integers(0, len(kinds)))]
    times = max((town.params.days - of.start) // 120, 1)
    drawn = {name: int(rng.integers(each.low, each.high + 1)) for name, each in kind.ranges.items()}
    return Actors(
        of.number, kind.name, of.firms, of.start, {name: n * times if kind.ranges[name].grows else n for name, n in drawn.items()}
    )


def _fits(kind: Plot, of: Actors) -> bool:
    both_settle = kind.settles and plot(of.name).settles
    return kind.batch is None and not both_settle and kind.members.low <= of.firms.size <= kind.members.high
