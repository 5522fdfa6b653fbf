"""The people: owners, staff, relatives.

Knows who a person is and for whom it works; hides how identity numbers are kept apart. The first people are owners, as many as
there are ordinary companies and in another order, though some own several companies and others then none; staff follow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from loaders.city import codes, names
from loaders.city.draw import Ints, chance, counted, heavy, rank_within, stream, weighted
from loaders.city.firms import ORDINARY, Firms
from loaders.city.params import Params
from loaders.city.text import digits

_SPOUSE_PPM, _SIBLING_PPM, _SERIAL_PPM = 110_000, 40_000, 130_000
_STAFF_PPM = 700_000
#: Days from 1970 on which the oldest and the youngest were born.
_BORN = (-8_000, 12_000)
#: What the second of two relatives is to the first.
KINSHIPS = ("spouse", "sibling", "parent", "child")


@dataclass(frozen=True)
class People:
    """Persons and their ties.

    Attributes
    ----------
    number, cnid
        The registry's number and the identity number of each.
    surname, given
        Place of the surname in the table of names, and the given name.
    born
        Day of birth, counted from 1970.
    owner
        The main owner of each ordinary company.
    employer
        The company of each member of the staff, who begin at ``first_staff``.
    offset
        Number as a party of the first person: companies count before.
    kin
        Two persons and what the second is to the first (a place in ``KINSHIPS``), a row for each pair.
    """

    number: pa.Array
    cnid: pa.Array
    surname: Ints
    given: pa.Array
    born: Ints
    owner: Ints
    employer: Ints
    first_staff: int
    offset: int
    kin: Ints

    def __len__(self) -> int:
        return len(self.number)

    @property
    def name(self) -> pa.Array:
        """The full name of each."""
        return names.full(self.surname, self.given)


def drawn(params: Params, firms: Firms) -> People:
    """Return the people of a city."""
    rng, owners = stream(params.seed, "people"), params.companies
    staff = owners * _STAFF_PPM // 1_000_000
    count = owners + staff
    surname, given = names.people(rng, count)
    kin = _kin(rng, owners, count)
    siblings = kin[kin[:, 2] == 1]
    surname[siblings[:, 1]] = surname[siblings[:, 0]]
    cnid, born = _identity(rng, count)
    works = (firms.role == ORDINARY) & (firms.closed > 0)
    return People(
        digits(np.arange(count), 9, "P"),
        cnid,
        surname,
        given,
        born,
        stream(params.seed, "who owns what").permutation(owners)[_owners(rng, owners)],
        weighted(rng, np.where(works, np.maximum(firms.employees - 1, 0.3) ** 0.8, 0), staff),
        owners,
        len(firms),
        kin,
    )


def related(people: People, families: Ints) -> People:
    """Return people of whom some are relatives of one another and of nobody else; who is so by blood bears the first one's surname.

    Parameters
    ----------
    families
        Two persons and what the second is to the first, a row for each pair.
    """
    families = families[_of_one_family(families, len(people))]
    kin, surname = people.kin, people.surname.copy()
    kin = kin[~np.isin(kin[:, :2], families[:, :2]).any(axis=1)]
    blood = families[families[:, 2] != KINSHIPS.index("spouse")]
    surname[blood[:, 1]] = surname[blood[:, 0]]
    return replace(people, surname=surname, kin=np.concatenate([kin, families]))


def _of_one_family(families: Ints, count: int) -> Ints:
    """Return the rows that remain where each person belongs to the first family (named by its head) that has it and is married once."""
    head, other, kind = families.T
    first = np.full(count, count)
    _, begin, family = np.unique(head, return_index=True, return_inverse=True)
    number = begin[family]  # the place of its first row
    np.minimum.at(first, head, number)
    np.minimum.at(first, other, number)
    kept = np.flatnonzero((first[head] == number) & (first[other] == number))
    kept = kept[np.unique(head[kept] * count + other[kept], return_index=True)[1]]
    married = kept[kind[kept] == KINSHIPS.index("spouse")]
    once = married[np.unique(head[married], return_index=True)[1]]
    return np.sort(np.concatenate([kept[kind[kept] != KINSHIPS.index("spouse")], once]))


def _owners(rng: np.random.Generator, count: int) -> Ints:
    """Return each company's owner: a person for each, or one who owns several companies (few own many)."""
    serial = np.flatnonzero(chance(rng, count, _SERIAL_PPM))
    sizes = np.minimum(heavy(rng, serial.size, 1.6, 2.0), 60.0).astype(np.int64)
    group, _ = counted(sizes)
    group = group[: serial.size]
    owner = np.arange(count)
    owner[serial] = rng.permutation(serial)[group]
    return owner


def _kin(rng: np.random.Generator, owners: int, count: int) -> Ints:
    """Draw pairs of relatives: spouses, and brothers and sisters; nobody stands in two pairs."""
    order = rng.permutation(count)
    pairs = order[: count // 2 * 2].reshape(-1, 2)
    pairs = pairs[(pairs < owners).any(axis=1)]
    chosen = rng.integers(0, 1_000_000, pairs.shape[0])
    kind = np.where(chosen < _SPOUSE_PPM, 0, np.where(chosen < _SPOUSE_PPM + _SIBLING_PPM, 1, 2))
    return np.column_stack([pairs, kind])[kind < 2]


def _identity(rng: np.random.Generator, count: int) -> tuple[pa.Array, Ints]:
    """Return identity numbers, no two of them the same, and the days of birth that stand in them."""
    region = codes.unassigned_region(rng.integers(0, 1_840, count))
    born = rng.integers(*_BORN, count)
    same = (born - _BORN[0]) * 1_000_000 + region
    return codes.cnid(region, born, (rank_within(same) + (same % 997)) % 1000), born
