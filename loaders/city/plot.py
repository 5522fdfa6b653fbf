"""What several companies do together, guilty or not: the contract of the two catalogues ``schemes`` and ``lookalikes``.

Knows what a plot is given (the town, its actors, a stream of its own) and what it may leave behind (deeds); hides how its
actors are found. A new scheme is one file with a ``PLOT`` and one line in its catalogue.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from loaders.city.credit import Guarantees, Loans
from loaders.city.draw import Ints
from loaders.city.financing import INVOICE, Financings
from loaders.city.frame import Frame
from loaders.city.money import Flows
from loaders.city.supply import Contracts, Invoices
from loaders.city.town import Town

#: A room is an address of one's own in a house that the others share.
ADDRESS, PHONE, DEVICE, ROOM = range(4)


@dataclass(frozen=True)
class Range:
    """Whole numbers that a plot's parameter is drawn from, both ends among them.

    ``usual`` is the last one that a rule with its defaults would catch; those above it are missed, or those below where not ``above``.
    One that ``grows`` is meant for 120 days and taken as often as these are left in the period.
    """

    low: int
    high: int
    about: str
    usual: int | None = None
    above: bool = True
    grows: bool = False

    def beyond(self, value: int) -> bool:
        """Say whether a rule's default would miss it.

        >>> Range(2, 8, "hops", usual=4).beyond(5), Range(2, 8, "hops").beyond(8)
        (True, False)
        """
        return self.usual is not None and (value > self.usual if self.above else value < self.usual)


@dataclass(frozen=True)
class Actors:
    """The companies of one plot.

    Attributes
    ----------
    number
        From 1 up for schemes, from -1 down for look-alikes.
    firms
        In the order of their parts.
    start
        The day on which it begins.
    values
        What was drawn for each parameter.
    also
        What they do besides, where their scheme mixes two kinds.
    """

    number: int
    name: str
    firms: Ints
    start: int
    values: Mapping[str, int]
    also: Actors | None = None

    @property
    def scheme(self) -> int:
        """Its number where it is guilty, else 0."""
        return max(self.number, 0)


@dataclass(frozen=True)
class Shared(Frame):
    """Companies that share an address, a phone or a device: what, company, and the number of those who share."""

    what: Ints
    firm: Ints
    group: Ints


@dataclass(frozen=True)
class Kin(Frame):
    """Relatives: two persons, by their places among the people, and what the second is to the first (a place in ``KINSHIPS``)."""

    first: Ints
    second: Ints
    kind: Ints

    def rows(self) -> Ints:
        """Return them as rows of three numbers."""
        return np.column_stack([self.first, self.second, self.kind])


@dataclass(frozen=True)
class Parents(Frame):
    """Companies that are held by another one."""

    company: Ints
    parent: Ints


@dataclass(frozen=True)
class Fronts(Frame):
    """Companies whose control a plot settles: company, who stands in the register, who is behind that person (or the same), scheme."""

    company: Ints
    straw: Ints
    behind: Ints
    scheme: Ints


@dataclass(frozen=True)
class Silences(Frame):
    """Companies that sell nothing to their honest customers from a day on, up to another."""

    company: Ints
    begin: Ints
    end: Ints


@dataclass(frozen=True)
class Deeds:
    """What a plot leaves behind; ``roles`` says what part each actor had.

    A paper of ``financings`` is a row of the plot's own ``invoices`` or ``contracts``.
    """

    roles: tuple[str, ...]
    flows: Flows = field(default_factory=Flows.empty)
    loans: Loans = field(default_factory=Loans.empty)
    guarantees: Guarantees = field(default_factory=Guarantees.empty)
    shared: Shared = field(default_factory=Shared.empty)
    parents: Parents = field(default_factory=Parents.empty)
    kin: Kin = field(default_factory=Kin.empty)
    fronts: Fronts = field(default_factory=Fronts.empty)
    contracts: Contracts = field(default_factory=Contracts.empty)
    invoices: Invoices = field(default_factory=Invoices.empty)
    financings: Financings = field(default_factory=Financings.empty)
    silences: Silences = field(default_factory=Silences.empty)


_FRAMES: Mapping[str, type[Frame]] = {
    "flows": Flows,
    "loans": Loans,
    "guarantees": Guarantees,
    "shared": Shared,
    "parents": Parents,
    "kin": Kin,
    "fronts": Fronts,
    "contracts": Contracts,
    "invoices": Invoices,
    "financings": Financings,
    "silences": Silences,
}


def gathered(deeds: Sequence[Deeds]) -> Deeds:
    """Return the deeds of several plots as one, with the roles of the first; papers are counted on from one plot to the next."""
    found: dict[str, Any] = {name: kind.stacked(getattr(deed, name) for deed in deeds) for name, kind in _FRAMES.items()}
    invoices, contracts, moved = 0, 0, []
    for deed in deeds:
        rows = deed.financings
        moved.append(replace(rows, paper=rows.paper + np.where(rows.kind == INVOICE, invoices, contracts)))
        invoices, contracts = invoices + len(deed.invoices), contracts + len(deed.contracts)
    return Deeds(deeds[0].roles if deeds else (), **{**found, "financings": Financings.stacked(moved)})


@dataclass(frozen=True)
class Plot:
    """A kind of plot.

    Parameters
    ----------
    members
        How many companies take part.
    ranges
        Its parameters and what each is drawn from.
    act
        What the actors do.
    batch
        The longest time in days between the first and the last registration, where they register together.
    weight
        Its part of all plots of its catalogue.
    scale
        The fewest and the most companies in thousandths of the city's, where it grows with the city; ``members`` bounds them.
    one_place
        Whether all are registered in the region of the first.
    young
        The greatest age of the first company in days when it begins, where it must be young; it is small then.
    industry
        The division of all but the first, where they must be of one.
    mixed
        Whether companies with a part in a scheme are among them too, as many as anywhere.
    settles
        Whether it settles who controls its companies; two plots that do so do not mix.
    """

    name: str
    about: str
    members: Range
    ranges: Mapping[str, Range]
    act: Callable[[Town, Actors, np.random.Generator], Deeds]
    batch: int | None = None
    weight: int = 1
    settles: bool = False
    scale: tuple[int, int] | None = None
    one_place: bool = False
    young: int | None = None
    industry: str | None = None
    mixed: bool = False

    def size(self, companies: int) -> tuple[int, int]:
        """Return the fewest and the most companies of one of it in a city of so many."""
        if self.scale is None:
            return self.members.low, self.members.high
        low, high = (min(max(companies * part // 1_000, self.members.low), self.members.high) for part in self.scale)
        return low, high
