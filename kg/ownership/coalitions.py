"""Who holds together: a party with its relatives, and those who have agreed to act in concert, each with its relatives.

Knows which ties of blood or marriage a rule set counts, and that a relative or a party to an agreement ties others though it holds
nothing itself; hides how kinship is followed from relative to relative.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from kg.algorithms.csr import Csr, group_rows, items_of
from kg.algorithms.kernel import Ints
from kg.algorithms.kinship import KINSHIPS, relatives
from kg.algorithms.sharing import distinct
from kg.ownership.holdings import Holdings, held_on, numbered_alike
from kg.ruleset import RuleSet
from kg.tables import refuse_ids, refuse_missing, refuse_nulls, refuse_words


@dataclass(frozen=True)
class Ties:
    """What makes several parties one: kinship (``a, b, kinship``: what the second is to the first), and acting in concert (``a, b``)."""

    kin: pa.Table | None = None
    concert: pa.Table | None = None

    @classmethod
    def on(cls, as_of: date | None, kin: pa.Table | None, concert: pa.Table | None, like: pa.DataType) -> Ties:
        """Return the kinship and the agreements that hold on a day, see `kg.ownership.holdings.held_on`; ids are of a type.

        Raises
        ------
        UsageError
            If a row is wrong.
        """
        if kin is not None:
            refuse_missing("kin", kin, ("a", "b", "kinship"))
            refuse_nulls("kin", kin, ("a", "b"))
            refuse_ids("kin", kin, ("a", "b"), like)
            refuse_words("kin", kin, ("kinship",))
        if concert is not None:
            refuse_nulls("concert", concert, ("a", "b"))
            refuse_ids("concert", concert, ("a", "b"), like)
        return cls(*(table if table is None else held_on(table, as_of) for table in (kin, concert)))


def coalitions(held: Holdings, rules: RuleSet, ties: Ties) -> list[Ints]:
    """Return the parties, by number, who hold together; none of these sets within another.

    A family is a holder with those of its relatives who hold anything, by the kinship that the rules know, stated or followed over others
    who may hold nothing. Those whom agreements tie are one, likewise, each with its family.
    """
    kin, concert = (table if table is not None and table.num_rows else None for table in (ties.kin if rules.family else None, ties.concert))
    if kin is None and concert is None:
        return []
    ids, (_, *ends) = numbered_alike("holdings, kin and concert", held.parties.ids[:1], *_ends(kin), *_ends(concert))
    families = _families(ends[0], ends[1], kin, rules, len(ids))
    number = held.parties.numbers(ids)
    holders = np.zeros(len(held.parties) + 1, np.bool_)
    holders[held.holder] = True
    number = np.where(holders[number], number, -1)  # the place behind all parties is nobody's
    centre = np.flatnonzero(number >= 0)
    party, group = _agreed(ends[2], ends[3], len(ids))
    row, member = items_of(families, np.concatenate([centre, party]))
    of = np.concatenate([centre, len(ids) + group])[row]
    return largest(_sets(of, number[member]))


def _ends(table: pa.Table | None) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    nobody = pa.chunked_array([], pa.string())
    return (nobody, nobody) if table is None else (table["a"], table["b"])


def _families(one: Ints, other: Ints, kin: pa.Table | None, rules: RuleSet, count: int) -> Csr:
    """Return each person's relatives by the kinship that counts, itself among them."""
    everybody = np.arange(count)
    if kin is None:
        return Csr(np.arange(count + 1), everybody)
    word = pc.fill_null(pc.index_in(kin["kinship"].cast(pa.string()), value_set=pa.array(KINSHIPS)), -1).to_numpy().astype(np.int64)
    known = word >= 0
    a, b, kinship = relatives(one[known], other[known], word[known], count)
    near = np.isin(kinship, [KINSHIPS.index(each) for each in rules.family])
    pairs = distinct(np.concatenate([everybody * count + everybody, a[near] * count + b[near]]))
    return Csr(group_rows(pairs // max(count, 1), count).start, pairs % max(count, 1))


def _agreed(one: Ints, other: Ints, count: int) -> tuple[Ints, Ints]:
    """Return who has agreed with anybody, and of each the number of all whom agreements tie, also over others."""
    _, label = connected_components(csr_array((np.ones(one.size), (one, other)), shape=(count, count)), directed=False)
    party = distinct(np.concatenate([one, other]))
    return party, label[party].astype(np.int64)


def _sets(of: Ints, member: Ints) -> set[tuple[int, ...]]:
    """Return the different sets of two or more members; -1 is none."""
    width = int(member.max(initial=0)) + 1
    pairs = distinct(of[member >= 0] * width + member[member >= 0])
    of, member = pairs // width, pairs % width
    begin = np.flatnonzero(np.diff(of, prepend=-1))
    several = np.diff(np.append(begin, of.size)) > 1
    return {tuple(each.tolist()) for each, kept in zip(np.split(member, begin[1:]), several.tolist(), strict=False) if kept}


def largest(sets: set[tuple[int, ...]]) -> list[Ints]:
    """Return the sets that are within no other, in their order.

    >>> [each.tolist() for each in largest({(1, 2), (1, 2, 3), (2, 4)})]
    [[1, 2, 3], [2, 4]]
    """
    by_member: dict[int, list[frozenset[int]]] = {}
    for each in sets:
        for member in each:
            by_member.setdefault(member, []).append(frozenset(each))
    return [np.array(each) for each in sorted(sets) if not any(set(each) < other for other in by_member[each[0]])]
