"""Who may be behind a company that the register gives to others: persons with influence over it whom its register does not name.

Knows which evidence is influence and how it reaches over another company; hides how the routes to one person are put together.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from kg.algorithms.kernel import Ints
from kg.algorithms.sharing import among, distinct, joined
from kg.derivations.linked.evidence import Bools, World
from kg.derivations.linked.found import gathered
from kg.derivations.linked.kinds import KINDS, LinkParams
from kg.derivations.linked.ranking import kind_numbers, scored, told_kinds
from kg.ruleset import WHOLE

#: Evidence of these families is influence; trade, kinship, offices that the register tells and common registration are not.
_INFLUENCE = ("access", "money", "credit")
#: What is left of evidence that leads to another company: for the person who controls it in the register, for who represents it.
_OVER_CONTROL, _OVER_OFFICE = 850_000, 600_000


class _Routes(NamedTuple):
    """Company, person, strength, and the row of links that leads from one to the other."""

    company: Ints
    person: Ints
    strength: Ints
    row: Ints

    def take(self, kept: Bools | Ints) -> _Routes:
        """Return some of them."""
        return _Routes(*(column[kept] for column in self))


def candidates(world: World, links: pa.Table, params: LinkParams) -> pa.Table:
    """Return the candidates of all companies, see `kg.derivations.linked_parties.find_hidden_controllers`."""
    kind = kind_numbers(links)
    routes = _routes(world, links, kind)
    score = scored(routes.company * world.n + routes.person, kind[routes.row], routes.strength)
    there = score.score > 0
    company, person, ppm = score.key[there] // world.n, score.key[there] % world.n, score.score[there]
    new = (np.cumsum(there) - 1)[score.pair]
    kept = there[score.pair]
    routes, pair = routes.take(kept), new[kept]
    relative = among(company * world.n + person, _relatives(world))
    order = np.lexsort((person, -ppm, company))
    begin = np.searchsorted(company[order], company[order])
    place = np.arange(order.size) - begin + 1
    return (
        pa.table(
            {
                "company": world.names.ids.take(pa.array(company)),
                "person": world.names.ids.take(pa.array(person)),
                "score": pa.array(ppm),
                "families": pa.array(score.families[there]),
                "relative": pa.array(relative),
                "alarm": pa.array((ppm >= params.alarm_ppm) & ~relative),
                "kinds": told_kinds(pair, kind[routes.row], routes.strength, int(there.sum())),
                "evidence": gathered(links["evidence"], routes.row, (pair, kind[routes.row], routes.strength), int(there.sum())),
            }
        )
        .take(pa.array(order))
        .add_column(2, "place", pa.array(place))
    )


def _routes(world: World, links: pa.Table, kind: Ints) -> _Routes:
    """Return all ways from a company to a person outside its register: by evidence of the two, or over a company of the person."""
    influence = np.array([each.family in _INFLUENCE and not each.disclosed for each in KINDS])
    rows = np.flatnonzero(influence[kind])
    a, b = (world.names.numbers(links[end])[rows] for end in ("a", "b"))
    known = (a >= 0) & (b >= 0)
    rows, a, b = rows[known], a[known], b[known]
    strength = links["strength"].to_numpy()[rows].astype(np.int64)
    both = _Routes(np.concatenate([a, b]), np.concatenate([b, a]), np.tile(strength, 2), np.tile(rows, 2))
    both = both.take(~world.person[both.company])
    to_person = world.person[both.person]
    direct, over = both.take(to_person), both.take(~to_person)
    over = over.take(~_common(world, over))
    every = [direct, *_over(world, over)]
    found = _Routes(*(np.concatenate(column) for column in zip(*every, strict=True)))
    company, party = world.registered
    return found.take(~among(found.company * world.n + found.person, company * world.n + party))


def _over(world: World, over: _Routes) -> list[_Routes]:
    """Return the ways that lead to a company as ways to who controls it, or, where nobody does by the register, to who represents it."""
    house = world.house[over.person]
    controlled = world.person[house]
    owner = over.take(controlled)._replace(person=house[controlled])
    rest = over.take(~controlled)
    head, of = world.ends("represents")
    row, place = joined(rest.person, of)
    office = rest.take(row)._replace(person=head[place])
    return [
        owner._replace(strength=owner.strength * _OVER_CONTROL // WHOLE),
        office._replace(strength=office.strength * _OVER_OFFICE // WHOLE),
    ]


def _common(world: World, over: _Routes) -> Bools:
    """Tell of which two companies one person or company stands in both registers: what they share is that party's."""
    company, party = world.registered
    asked = distinct(over.company * world.n + over.person)
    row, place = joined(asked // world.n, company)
    tied = asked[row[among(asked[row] % world.n * world.n + party[place], company * world.n + party)]]
    return among(over.company * world.n + over.person, distinct(tied))


def _relatives(world: World) -> Ints:
    """Return the keys of companies with the relatives of those in their registers, in order."""
    a, b = world.ends("kin")
    one, other = np.concatenate([a, b]), np.concatenate([b, a])
    company, party = world.registered
    found = company * world.n + party
    for _ in range(2):  # a brother's child is one too
        row, place = joined(found % world.n, one)
        found = distinct(np.concatenate([found, found[row] // world.n * world.n + other[place]]))
    return found
