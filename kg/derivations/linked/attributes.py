"""Links by what parties share, a device, a contact, an address, a person, a mark of registration."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from kg.algorithms.kernel import Ints
from kg.algorithms.sharing import Floats, Shares, joined, shared, weight
from kg.derivations.linked.evidence import Bools, World
from kg.derivations.linked.found import Found, leading
from kg.derivations.linked.kinds import LinkParams
from kg.derivations.linked.sharings import Sharing, sharings, without_hubs

_KIND = {
    "device": "shared_device",
    "address": "same_address",
    "representative": "same_representative",
    "officer_name": "same_officer_name",
    "registration": "sequential_registration",
    "name": "similar_names",
}


def by_attributes(world: World, params: LinkParams) -> Iterator[Found]:
    """Yield the pairs that share an attribute under its cap."""
    yield from _of_one_person(world, params)
    yield from _of_relatives(world, params)
    for sharing in (without_hubs(world, each) for each in sharings(world)):
        shares = shared(sharing.attribute, sharing.party, world.house, cap=params.caps[sharing.type])
        kept = world.undisclosed(shares.a, shares.b)
        shares = _some(shares, kept)
        if sharing.type == "contact":
            agent = shares.degree >= params.agent_from
            yield _found("same_contact", sharing, _some(shares, ~agent), world.n)
            yield _found("same_agent", sharing, _some(shares, agent), world.n)
        elif sharing.type == "officer":
            yield _found("common_officers", sharing, _some(shares, _several(shares, world.n)), world.n)
        else:
            yield _found(_KIND[sharing.type], sharing, shares, world.n)


def _some(shares: Shares, kept: Bools) -> Shares:
    return shares._replace(a=shares.a[kept], b=shares.b[kept], attribute=shares.attribute[kept], degree=shares.degree[kept])


def _several(shares: Shares, n: int) -> Bools:
    """Tell which pairs share two attributes or more."""
    _, place, count = np.unique(shares.a * n + shares.b, return_inverse=True, return_counts=True)
    found: Bools = count[place] > 1
    return found


def _found(kind: str, sharing: Sharing, shares: Shares, n: int) -> Found:
    """Return the pairs with the attribute and the relationships of both, or the nodes where no node is shared."""
    keys = sharing.attribute * n + sharing.party
    ends = (leading(sharing.table, keys, shares.attribute * n + party, rows=sharing.row) for party in (shares.a, shares.b))
    node = [] if sharing.ids is None else [sharing.ids.take(pa.array(shares.attribute))]
    return Found(kind, shares.a, shares.b, weight(shares.degree), [*node, *ends])


def controlled(world: World) -> tuple[Ints, Ints]:
    """Return person and company, for the companies that a person controls in the register."""
    company = np.flatnonzero(~world.person & world.person[world.house])
    return world.house[company], company


def _of_one_person(world: World, params: LinkParams) -> Iterator[Found]:
    person, company = controlled(world)
    shares = shared(person, company, np.arange(world.n), cap=params.caps["controller"])
    yield Found("same_controller", shares.a, shares.b, np.ones(shares.a.size), [world.names.texts(shares.attribute)])


def _of_relatives(world: World, params: LinkParams) -> Iterator[Found]:
    """Yield relatives; companies of relatives, and of persons with a relative in common, this at three quarters of the strength."""
    if world.graph.kin is None:
        return
    a, b = world.ends("kin")
    kept = a != b
    a, b, row = a[kept], b[kept], np.flatnonzero(kept)
    keys = world.keys(a, b)
    yield Found("relatives", a, b, np.ones(a.size), [leading(world.graph.kin, keys, keys, rows=row)])
    one, other = np.concatenate([a, b]), np.concatenate([b, a])
    common = shared(one, other, np.arange(world.n), cap=params.caps["representative"])
    near = np.ones(a.size), np.full(common.a.size, 0.75)
    for (p, q), part in zip(((a, b), (common.a, common.b)), near, strict=True):
        yield _companies(world, p, q, part)


def _companies(world: World, p: Ints, q: Ints, part: Floats) -> Found:
    """Return the companies of one person with those of another."""
    person, company = controlled(world)
    first, c = joined(p, person)
    second, d = joined(q[first], person)
    a, b, of = company[c[second]], company[d], first[second]
    return Found("relatives", a, b, part[of], [world.names.texts(p[of]), world.names.texts(q[of])])
