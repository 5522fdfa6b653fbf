"""Who holds the companies, who stands for them, and who truly controls them.

Knows the patterns of ownership (one to three people, mostly; groups with layers, cross-holdings, the state, nominees,
shares not known); hides how they are laid out. The shares of a company never sum to more than the whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loaders.city.draw import Bools, Ints, chance, counted, stream, weighted
from loaders.city.firms import ORDINARY, STATE, Firms
from loaders.city.frame import Frame, column
from loaders.city.params import Params
from loaders.city.people import People

WHOLE = 1_000_000
#: A share that the source does not know.
UNKNOWN = -1
#: A company that must have no parent.
ALONE = -2
#: How many natural persons hold a company, with a parent above them or not, and how often.
_PEOPLE, _PEOPLE_WEIGHTS = np.array([1, 2, 3, 4]), (52, 32, 12, 4)
_PARENT_PPM, _STATE_PPM, _CROSS_PPM, _NOMINEE_PPM, _UNKNOWN_PPM = 205_000, 6_000, 30_000, 18_000, 25_000
_FIRST_SHARES = np.array([510_000, 600_000, 500_000, 700_000, 800_000, 900_000, 670_000, 550_000, 990_000, 400_000])


@dataclass(frozen=True)
class Holdings(Frame):
    """Holdings: party that holds, company, ppm of the capital (``UNKNOWN`` where not stated), fen subscribed and paid in."""

    holder: Ints
    company: Ints
    ppm: Ints
    subscribed: Ints
    paid_in: Ints


@dataclass(frozen=True)
class Ownership:
    """The holdings as registered, and the truth about them.

    Attributes
    ----------
    representative
        Who represents each company; its first natural holder, where it has one.
    controller
        Which party truly controls it: a person, a state body, or an institution itself.
    behind
        For whom the representative stands there: itself, but for a nominee.
    nominee
        Whether it is one.
    """

    holdings: Holdings
    representative: Ints
    controller: Ints
    behind: Ints
    nominee: Bools


def drawn(params: Params, firms: Firms, people: People, parents: Ints, behind: Ints) -> Ownership:
    """Return the ownership of the companies.

    Parameters
    ----------
    people
        With the owners that stand in the register of companies whose control is settled.
    parents
        A parent that a company must have, ``ALONE`` where it must have none, -1 where chance decides.
    behind
        Who truly controls a company whose control is settled, -1 where chance decides.
    """
    rng = stream(params.seed, "holdings")
    parent = _parents(rng, firms, parents)
    nominee = (parent < 0) & chance(rng, len(firms), _NOMINEE_PPM) & (firms.role == ORDINARY) & (behind < 0)
    owner = column(-1, len(firms))
    owner[: params.companies] = people.owner + people.offset
    straw = people.offset + rng.integers(0, len(people), len(firms))
    front = np.where(nominee, straw, owner)
    rows = _crossed(rng, _rows(rng, firms, people, parent, front), parent, len(firms))
    head = np.where(front >= 0, front, straw)
    true = np.where(behind >= 0, behind, owner)
    controller = _controllers(parent, np.where(true >= 0, true, np.arange(len(firms))))
    true = np.where(true >= 0, true, head)
    return Ownership(_valued(rng, rows, firms), head, controller, true, head != true)


def _parents(rng: np.random.Generator, firms: Firms, given: Ints) -> Ints:
    """Return the company that holds most of each, -1 where there is none; a parent is larger and older, so nobody is above itself."""
    count = len(firms)
    child = np.flatnonzero((firms.role == ORDINARY) & chance(rng, count, _PARENT_PPM) & (given == -1))
    candidate = weighted(rng, np.where(firms.role == ORDINARY, firms.sales.astype(np.float64) ** 0.4, 0.0), child.size)
    fits = (firms.sales[candidate] > firms.sales[child]) & (firms.founded[candidate] <= firms.founded[child])
    # a company with a given parent stays what its plot made of it
    fits &= (given[candidate] < 0) & ~np.isin(candidate, given)
    parent = given.copy()
    parent[child[fits]] = candidate[fits]
    owned = np.flatnonzero((firms.role == ORDINARY) & (parent == -1) & chance(rng, count, _STATE_PPM))
    state = firms.of(STATE)
    parent[owned] = state[rng.integers(0, state.size, owned.size)]
    return np.maximum(parent, -1)


def _rows(rng: np.random.Generator, firms: Firms, people: People, parent: Ints, front: Ints) -> tuple[Ints, Ints, Ints]:
    """Return holder, company and ppm: the parent, if any, then the main owner, then others."""
    ordinary = firms.of(ORDINARY)
    has_parent = parent[ordinary] >= 0
    of_parent = np.where(has_parent, np.where(chance(rng, ordinary.size, 450_000), WHOLE, rng.integers(51, 96, ordinary.size) * 10_000), 0)
    left = WHOLE - of_parent
    heads = np.where(left > 0, _PEOPLE[weighted(rng, _PEOPLE_WEIGHTS, ordinary.size)], 0)
    first = _FIRST_SHARES[rng.integers(0, _FIRST_SHARES.size, ordinary.size)]
    first = np.where(heads == 2, np.maximum(first, WHOLE - first), first)  # of two, the main owner holds no less than the other
    group, place = counted(heads)
    main = np.where(heads == 1, left, left * (first // 1_000) // 1_000)
    others = (left - main)[group] // np.maximum(heads[group] - 1, 1)
    last = (left - main)[group] - others * np.maximum(heads[group] - 2, 0)
    ppm = np.where(place == 0, main[group], np.where(place == heads[group] - 1, last, others))
    stranger = people.offset + (front[ordinary[group]] - people.offset + place * (1 + ordinary[group] % 7_919)) % len(people)
    holder = np.where(place == 0, front[ordinary[group]], stranger)
    with_parent = ordinary[has_parent]
    company = np.concatenate([with_parent, ordinary[group]])
    return np.concatenate([parent[with_parent], holder]), company, np.concatenate([of_parent[has_parent], ppm])


def _crossed(rng: np.random.Generator, rows: tuple[Ints, Ints, Ints], parent: Ints, firms: int) -> tuple[Ints, Ints, Ints]:
    """Let a few subsidiaries hold a little of their parents, out of the share of the parent's first holder."""
    holder, company, ppm = rows
    child = np.flatnonzero((parent >= 0) & chance(rng, parent.size, _CROSS_PPM))
    first = column(-1, firms)
    first[company[::-1]] = np.arange(company.size)[::-1]
    above, place = np.unique(parent[child], return_index=True)
    child = child[place]
    fits = (first[above] >= 0) & (ppm[np.maximum(first[above], 0)] > 620_000)  # who has the majority keeps it
    above, child = above[fits], child[fits]
    part = rng.integers(2, 12, child.size) * 10_000
    ppm = ppm.copy()
    ppm[first[above]] -= part
    return np.concatenate([holder, child]), np.concatenate([company, above]), np.concatenate([ppm, part])


def _valued(rng: np.random.Generator, rows: tuple[Ints, Ints, Ints], firms: Firms) -> Holdings:
    """Give holdings their capital, and forget a few shares; a holder who stands twice is one."""
    holder, company, ppm = rows
    key, place = np.unique(company * 2**32 + holder, return_inverse=True)
    sums = column(0, key.size)
    np.add.at(sums, place, ppm)
    company, holder = key // 2**32, key % 2**32
    subscribed = firms.capital[company] // WHOLE * sums
    paid_in = (firms.paid_in[company].astype(np.float64) * sums / WHOLE).astype(np.int64)
    unknown = chance(rng, key.size, _UNKNOWN_PPM)
    return Holdings(holder, company, np.where(unknown, UNKNOWN, sums), subscribed, np.where(unknown, 0, paid_in))


def _controllers(parent: Ints, owner: Ints) -> Ints:
    """Return who stands at the top above each company: the owner of the last of its parents."""
    top = np.where(parent >= 0, parent, np.arange(parent.size))
    for _ in range(64):
        above = top[top]
        if np.array_equal(above, top):
            break
        top = above
    return owner[top]
