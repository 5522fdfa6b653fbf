"""Parties that stand in a circle of relationships, as findings of a rule.

Knows when circles are told one by one and when a component is told as a whole; hides how circles are found.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.algorithms.interning import Interner
from kg.algorithms.kernel import Ints
from kg.algorithms.simple_cycles import Circles, circles


def told_circles(rows: pa.Table, *, max_parties: int, max_circles: int) -> pa.Table:
    """Find the circles of relationships and tell them party by party.

    A strong component is told circle by circle (each elementary circle of up to ``max_parties`` once) where it has at most
    ``max_circles`` of them and each of its members is in one; any other component is told as a whole, so that no member is missed.

    Parameters
    ----------
    rows
        ``src, dst``: relationships between two parties, none of a party with itself.

    Returns
    -------
    Table
        ``finding, entity_id, root, row``: a row for each finding (a circle and one of its parties) and row of ``rows`` that makes it.
        ``root``: the members in the order of the circle, the smallest id first, joined by ``>``; for a component ``component:`` and its
        smallest member.

    Examples
    --------
    >>> rows = pa.table({"src": ["a", "b", "b"], "dst": ["b", "a", "c"]})
    >>> told_circles(rows, max_parties=5, max_circles=10)["root"].to_pylist()
    ['a>b', 'a>b', 'a>b', 'a>b']
    """
    ids, (source, target) = Interner.encode(rows.column("src"), rows.column("dst"))
    found = circles(source, target, len(ids), max_length=max_parties, max_circles=max_circles)
    whole = _told_as_a_whole(found)
    return pa.concat_tables([_of_circles(found, whole, ids, source, target), _of_components(found, whole, ids, source, target)])


def _told_as_a_whole(found: Circles) -> Ints:
    """Return the components (by their smallest node) that have members in no circle told."""
    covered = np.zeros(len(found.component), dtype=np.bool_)
    covered[found.nodes[found.nodes >= 0]] = True
    size = np.bincount(found.component, minlength=len(covered))
    left_out = ~covered & (size[found.component] > 1)
    return np.unique(found.component[left_out])


def _of_circles(found: Circles, whole: Ints, ids: Interner, source: Ints, target: Ints) -> pa.Table:
    """Return ``finding, entity_id, root, row``, for each circle, member and row in it."""
    nodes = found.nodes[~np.isin(found.component[found.nodes[:, 0]], whole)]
    circle, position = np.nonzero(nodes >= 0)
    member = nodes[circle, position]
    length = (nodes >= 0).sum(axis=1)
    following = nodes[circle, (position + 1) % length[circle]]
    names = pa.ListArray.from_arrays(pa.array(np.append(0, np.cumsum(length)), pa.int32()), ids.names(member))
    steps = pa.table({"pair": member * len(ids) + following, "circle": circle})
    rows = pa.table({"pair": source * len(ids) + target, "row": np.arange(len(source))})
    evidence = steps.join(rows, "pair", join_type="inner").select(["circle", "row"])
    members = pa.table({"circle": circle, "finding": np.arange(len(circle)), "entity_id": ids.names(member)})
    members = members.append_column("root", pc.binary_join(names, ">").take(pa.array(circle)))
    return members.join(evidence, "circle", join_type="inner").select(["finding", "entity_id", "root", "row"])


def _of_components(found: Circles, whole: Ints, ids: Interner, source: Ints, target: Ints) -> pa.Table:
    """Return the same columns, for each member of the components and row that begins or ends at it inside."""
    inside = np.flatnonzero((found.component[source] == found.component[target]) & np.isin(found.component[source], whole))
    member, row = np.concatenate([source[inside], target[inside]]), np.concatenate([inside, inside])
    root = pc.binary_join_element_wise("component:", ids.names(found.component[member]), "")
    # findings of circles count up from 0, those of components down from -1
    return pa.table({"finding": -1 - member, "entity_id": ids.names(member), "root": root, "row": row})
