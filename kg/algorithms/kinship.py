"""Who is whose close relative, followed from relative to relative: a spouse's child is a child, a parent's child a sibling.

Knows which two steps of kinship make one that is beyond doubt (a grandparent's child may be a parent or an uncle, so that leads nowhere);
hides that all persons are followed at once. Who has only a child in common with another is no relative of it.
"""

from __future__ import annotations

import numpy as np

from kg.algorithms.csr import group_rows, items_of
from kg.algorithms.kernel import Ints
from kg.algorithms.sharing import among, distinct

#: What the first of two persons is to the second, by what the second is to the first.
BACK = {
    "spouse": "spouse",
    "parent": "child",
    "child": "parent",
    "sibling": "sibling",
    "grandparent": "grandchild",
    "grandchild": "grandparent",
    "parent_in_law": "child_in_law",
    "child_in_law": "parent_in_law",
}
KINSHIPS = tuple(BACK)
#: What the second step leads to, by the first.
_STEPS = {
    "spouse": {
        "parent": "parent_in_law",
        "child": "child",
        "grandchild": "grandchild",
        "parent_in_law": "parent",
        "child_in_law": "child_in_law",
    },
    "parent": {"spouse": "parent", "parent": "grandparent", "child": "sibling", "parent_in_law": "grandparent"},
    "child": {"spouse": "child_in_law", "child": "grandchild", "sibling": "child"},
    "sibling": {"parent": "parent", "sibling": "sibling", "grandparent": "grandparent"},
    "grandparent": {"spouse": "grandparent"},
    "grandchild": {"sibling": "grandchild"},
    "parent_in_law": {"spouse": "parent_in_law"},
    "child_in_law": {"spouse": "child", "child": "grandchild"},
}


def _table() -> Ints:
    """Return the place in ``KINSHIPS`` of what two steps make, by the places of both, -1 where they lead to nobody who is close."""
    found = np.full((len(KINSHIPS), len(KINSHIPS)), -1)
    for first, then in _STEPS.items():
        for second, both in then.items():
            found[KINSHIPS.index(first), KINSHIPS.index(second)] = KINSHIPS.index(both)
    return found


def relatives(one: Ints, other: Ints, kinship: Ints, count: int) -> tuple[Ints, Ints, Ints]:
    """Return all relatives that follow from stated ones, from relative to relative.

    Parameters
    ----------
    one, other : int64, shape (n,)
        Persons, from 0 up to below ``count``.
    kinship : int64, shape (n,)
        What the second is to the first, by its place in ``KINSHIPS``.

    Returns
    -------
    one, other, kinship : int64, shape (m,)
        Those stated among them; each tie both ways, once for each kinship that leads from the one to the other.

    Examples
    --------
    >>> father, mother, child = 0, 1, 2
    >>> spouse, is_child = KINSHIPS.index("spouse"), KINSHIPS.index("child")
    >>> found = relatives(np.array([father, mother]), np.array([mother, child]), np.array([spouse, is_child]), 3)
    >>> [(int(a), int(b), KINSHIPS[k]) for a, b, k in zip(*found) if a == father]
    [(0, 1, 'spouse'), (0, 2, 'child')]
    """
    kinds, back, made = len(KINSHIPS), np.array([KINSHIPS.index(BACK[word]) for word in KINSHIPS]), _table()

    def both_ways(one: Ints, other: Ints, kinship: Ints) -> Ints:
        there, again = (one * count + other) * kinds + kinship, (other * count + one) * kinds + back[kinship]
        return distinct(np.concatenate([there, again]))

    apart = one != other
    stated = known = newest = both_ways(one[apart], other[apart], kinship[apart])
    of = group_rows(stated // kinds // count, count)
    while newest.size:
        place, row = items_of(of, newest // kinds % count)
        who, whom = newest[place] // kinds // count, stated[row] // kinds % count
        word = made[newest[place] % kinds, stated[row] % kinds]
        kept = (word >= 0) & (who != whom)
        newest = both_ways(who[kept], whom[kept], word[kept])
        newest = newest[~among(newest, known)]
        known = np.sort(np.concatenate([known, newest]))
    return known // kinds // count, known // kinds % count, known % kinds
