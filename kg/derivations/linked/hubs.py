"""What told nothing of a link since too many share it: attributes and parties above their caps, and hubs that the bank knows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from kg.algorithms.interning import Interner
from kg.algorithms.kernel import Ints
from kg.algorithms.sharing import shared, unique_pairs
from kg.derivations.linked.attributes import controlled
from kg.derivations.linked.evidence import World
from kg.derivations.linked.kinds import LinkParams
from kg.derivations.linked.sharings import Sharing, sharings, without_hubs
from kg.derivations.linked.trade import busy


def hub_table(world: World, params: LinkParams) -> pa.Table:
    """Return the hubs, see `kg.derivations.linked_parties.find_hubs`."""
    parties = world.names.ids.cast(pa.string())
    person, company = controlled(world)
    found = shared(person, company, np.arange(world.n), cap=params.caps["controller"])
    parts = [_rows(parties, found.hub, "controller", found.hub_degree, f"shared by more than {params.caps['controller']} houses")]
    for sharing in sharings(world):
        if sharing.ids is not None:
            parts += _of_sharing(world, params, sharing)
    parts += list(_counterparties(world, params))
    parts.append(_known_parties(world))
    return pa.concat_tables(parts).sort_by([("node", "ascending"), ("type", "ascending")])


def _rows(ids: pa.Array, number: Ints, type_: str, degree: Ints, reason: str | pa.Array) -> pa.Table:
    reasons = pa.array([reason] * number.size, pa.string()) if isinstance(reason, str) else reason
    types = pa.array([type_] * number.size, pa.string())
    return pa.table({"node": ids.take(pa.array(number)), "type": types, "degree": pa.array(degree, pa.int64()), "reason": reasons})


def _of_sharing(world: World, params: LinkParams, sharing: Sharing) -> Iterator[pa.Table]:
    """Yield the attributes above the cap, and those that the bank knows."""
    ids, cap = sharing.ids, params.caps[sharing.type]
    assert ids is not None  # noqa: S101 - only asked of attributes that are nodes
    rest = without_hubs(world, sharing)
    found = shared(rest.attribute, rest.party, world.house, cap=cap)
    yield _rows(ids, found.hub, sharing.type, found.hub_degree, f"shared by more than {cap} houses")
    if world.graph.hubs is None or sharing.type in ("representative", "officer"):
        return
    known = Interner(ids).codes(world.graph.hubs["id"])
    row = np.flatnonzero(known >= 0)
    attribute, _ = unique_pairs(sharing.attribute, world.house[sharing.party])
    degree = np.bincount(attribute, minlength=len(ids))[known[row]]
    yield _rows(ids, known[row], sharing.type, degree, world.graph.hubs["reason"].take(pa.array(row)).combine_chunks().cast(pa.string()))


def _counterparties(world: World, params: LinkParams) -> Iterator[pa.Table]:
    """Yield the companies that deal with so many others that they are nobody's partner."""
    for party, degree in busy(world, params):
        said = f"deals with more than {params.caps['counterparty']} companies"
        yield _rows(world.names.ids.cast(pa.string()), party, "counterparty", degree, said)


def _known_parties(world: World) -> pa.Table:
    """Return the parties that the bank knows to be hubs."""
    hubs, ids = world.graph.hubs, world.names.ids.cast(pa.string())
    if hubs is None:
        return _rows(ids, np.empty(0, np.int64), "known", np.empty(0, np.int64), "")
    row = np.flatnonzero(world.names.numbers(hubs["id"]) >= 0)
    node = hubs["id"].take(pa.array(row)).cast(pa.string())
    reason = hubs["reason"].take(pa.array(row)).cast(pa.string())
    types = pa.array(["known"] * row.size, pa.string())
    return pa.table({"node": node, "type": types, "degree": pa.nulls(row.size, pa.int64()), "reason": reason})
