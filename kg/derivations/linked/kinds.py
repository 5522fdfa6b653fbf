"""The kinds of evidence of a link besides equity: how strong each is, to which family it belongs, and the bounds within which it counts.

Knows what the field says of them; hides nothing. A kind's ``grade`` is the field's word for it; what a pair's evidence comes to is a
score, and its level another matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Literal

from kg.errors import UsageError, did_you_mean_one_of

Grade = Literal["strong", "medium", "weak"]


@dataclass(frozen=True)
class Kind:
    """A kind of evidence.

    Attributes
    ----------
    family
        Kinds of one family have one cause in common (one agent sees to address, phone and device; one purse pays): of a pair's
        evidence only the strongest of each family counts.
    base_ppm
        Its strength before the attribute's weight.
    disclosed
        The register tells it too, so that it hides nothing.
    """

    name: str
    grade: Grade
    family: str
    base_ppm: int
    disclosed: bool = False


KINDS = (
    Kind("same_controller", "strong", "people", 950_000, disclosed=True),
    Kind("relatives", "strong", "kin", 900_000, disclosed=True),
    Kind("shared_device", "strong", "access", 700_000),
    Kind("loan_proceeds", "strong", "money", 800_000),
    Kind("guarantee_circle", "strong", "credit", 700_000),
    Kind("trade_dependence", "strong", "trade", 700_000),
    Kind("same_representative", "medium", "people", 600_000, disclosed=True),
    Kind("common_officers", "medium", "people", 500_000, disclosed=True),
    Kind("same_contact", "medium", "access", 600_000),
    Kind("drawings", "medium", "money", 600_000),
    Kind("round_trip", "medium", "trade", 400_000),
    Kind("guarantor", "medium", "credit", 600_000),
    Kind("common_partners", "medium", "trade", 400_000),
    Kind("same_address", "weak", "access", 250_000),
    Kind("same_agent", "weak", "access", 200_000),
    Kind("same_officer_name", "weak", "people", 200_000),
    Kind("sequential_registration", "weak", "register", 250_000),
    Kind("similar_names", "weak", "register", 200_000),
)
#: The families in the order in which a score is made of them.
FAMILIES = tuple(dict.fromkeys(kind.family for kind in KINDS))

_CAPS = {
    "device": 8,
    "contact": 12,
    "address": 20,
    "controller": 60,
    "representative": 30,
    "officer": 30,
    "officer_name": 3,
    "registration": 4,
    "name": 4,
    "guarantor": 10,
    "proceeds": 10,
    "drawings": 4,
    "round_trip": 8,
    "partners": 12,
    "counterparty": 200,
}


@dataclass(frozen=True)
class LinkParams:
    """The bounds within which evidence counts.

    Parameters
    ----------
    caps
        The most houses that may share an attribute of each type; what more share is a hub and makes no pair.
    agent_from
        A contact that so many houses state is an agent's.
    dependence_ppm
        Part of a company's receipts or spending, or of what it invoices or is invoiced, that makes it depend on another.
    proceeds_ppm
        Part of a loan that must reach a party.
    proceeds_days, proceeds_hops
        Days after which an account has passed on what it will of loan money, and the most payments on its way.
    balance_ppm
        The smaller of the sums paid to and fro, as a part of the larger.
    main_ppm
        Part of the spending that goes to a main supplier, or of the receipts that come from a main customer.
    strong_ppm, medium_ppm
        From which score on a pair's link is strong, or medium.
    alarm_ppm
        From which score on a candidate for hidden control is worth an officer's time.

    Raises
    ------
    UsageError
        If a value makes no sense.

    Examples
    --------
    >>> LinkParams(caps={"device": 1})
    Traceback (most recent call last):
    kg.errors.UsageError: the cap of device is 1; two houses must be able to share, so give 2 or more
    """

    caps: Mapping[str, int] = field(default_factory=lambda: dict(_CAPS))
    agent_from: int = 5
    dependence_ppm: int = 500_000
    proceeds_ppm: int = 400_000
    proceeds_days: int = 8
    proceeds_hops: int = 6
    balance_ppm: int = 600_000
    main_ppm: int = 200_000
    strong_ppm: int = 900_000
    medium_ppm: int = 400_000
    alarm_ppm: int = 400_000

    def __post_init__(self) -> None:
        for name, cap in self.caps.items():
            if name not in _CAPS:
                raise UsageError(f"no attribute '{name}' has a cap{did_you_mean_one_of(name, list(_CAPS))}")
            if cap < 2:
                raise UsageError(f"the cap of {name} is {cap}; two houses must be able to share, so give 2 or more")
        for each in fields(self):
            if each.name.endswith("_ppm") and not 0 < getattr(self, each.name) <= 1_000_000:
                raise UsageError(f"{each.name} is {getattr(self, each.name)}; it is a part of the whole, between 1 and 1000000 ppm")
        if self.proceeds_days < 1 or self.proceeds_hops < 1 or self.agent_from < 2:
            raise UsageError("proceeds_days and proceeds_hops must be 1 or more, agent_from 2 or more")
        object.__setattr__(self, "caps", {**_CAPS, **self.caps})


def kind(name: str) -> Kind:
    """Return a kind by its name.

    >>> kind("shared_device").grade
    'strong'
    """
    found = {each.name: each for each in KINDS}
    if name not in found:
        raise UsageError(f"no kind of evidence '{name}'{did_you_mean_one_of(name, list(found))}")
    return found[name]
