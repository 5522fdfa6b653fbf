"""A secretarial address or incubator: many honest companies registered at one address, mostly through one agent's phone.

Some of them let the agent's accountant sign in for them, so they share a device too.
"""

from __future__ import annotations

import numpy as np

from loaders.city.draw import Bools
from loaders.city.frame import column
from loaders.city.plot import ADDRESS, DEVICE, PHONE, Actors, Deeds, Plot, Range, Shared
from loaders.city.town import Town


def act(town: Town, actors: Actors, rng: np.random.Generator) -> Deeds:  # noqa: ARG001 - it is in no town's way
    """Share the address; many share the phone, some the accountant's device."""
    size = actors.firms.size
    everybody: Bools = np.ones(size, np.bool_)
    through_agent = rng.random(size) < actors.values["phone_percent"] / 100
    with_accountant = rng.random(size) < actors.values["device_percent"] / 100
    parts = [
        Shared(column(what, int(who.sum())), actors.firms[who], column(actors.number, int(who.sum())))
        for what, who in ((ADDRESS, everybody), (PHONE, through_agent), (DEVICE, with_accountant))
    ]
    return Deeds(("tenant",) * size, shared=Shared.stacked(parts))


PLOT = Plot(
    "secretarial_address",
    "many companies registered at one address by an agent",
    Range(3, 50, "companies"),
    {
        "phone_percent": Range(0, 90, "% of them that state the agent's phone"),
        "device_percent": Range(0, 35, "% of them whose accountant signs in"),
    },
    act,
    weight=6,
    one_place=True,
    mixed=True,
)
