"""Which pairs of a generated city are linked though no register says so, and which only look like it; from the truth.

A pair is linked where one person truly controls both, or one the other, a nominee of whom the bank was not told stands in the register
of one, and no majority of shares in the register puts both under one person; companies that were struck off before the first day are left
out. Hard negatives are pairs of companies under different control, of no relatives and with nobody in common in their registers, that sit
in one park, have one agent or accountant, or are represented by people of one family name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from city_columns import InMemory

from gnn.pairs.candidates import AND

#: Which look-alikes make which hard negatives; the most pairs of each kind.
KINDS = {"industrial_park": "park", "secretarial_address": "agent", "shop_accountant": "agent"}
NAME, MOST = "family name", 20_000
_SEED = 7


@dataclass(frozen=True)
class Pairs:
    """Pairs that are linked and pairs that only look so.

    Attributes
    ----------
    linked
        The kind of scheme behind each (``honest`` without).
    hard
        What each shares.
    person
        Who controls each linked pair: those of one person are found together or not at all, so they are drawn together too.
    """

    linked: Mapping[str, str]
    hard: Mapping[str, str]
    person: Mapping[str, str]


def pairs(source: InMemory) -> Pairs:
    """Return the pairs of a city."""
    rows = list(_linked(source))
    linked = {pair: kind for pair, kind, _ in rows}
    hard = {pair: kind for pair, kind in _hard(source) if pair not in linked}
    return Pairs(linked, hard, {pair: who for pair, _, who in rows})


def _linked(source: InMemory) -> Iterator[tuple[str, str, str]]:
    kinds = {row["number"]: row["kind"] for row in source.truth("schemes").to_pylist()}
    behind = {row["company"]: kinds[row["number"]] for row in source.truth("fronts").to_pylist()}
    under: dict[str, list[tuple[str, bool]]] = {}
    first = source.city.params.first_day
    gone = {row["company"] for row in source.truth("closed").to_pylist() if row["closed_on"] < first}
    for row in source.truth("controllers").to_pylist():
        if row["company"] in gone:
            continue
        under.setdefault(row["controller"], []).append((row["company"], row["nominee"] and not row["disclosed"]))
    top = _tops(source)
    for who, mine in under.items():
        for company, hidden in mine:
            if hidden and who.startswith("P") and top[company] != who:
                yield f"company:{company}{AND}person:{who}", behind.get(company, "honest"), who
        for (one, first), (other, second) in combinations(sorted(mine), 2):
            if (first or second) and top[one] != top[other]:
                yield f"company:{one}{AND}company:{other}", behind.get(one, behind.get(other, "honest")), who


def _tops(source: InMemory) -> dict[str, str]:
    """Return who holds the majority of each company in the register, or of whoever does, to the top."""
    above: dict[str, str] = {}
    for row in source.rows("shareholders", "holder", "company", "share_ppm").to_pylist():
        if row["share_ppm"] is not None and 2 * row["share_ppm"] > 1_000_000:
            above[row["company"]] = row["holder"]
    found = {}
    for company in (row["company"] for row in source.truth("controllers").to_pylist()):
        top, steps = company, 0
        while top in above and steps < 64:
            top, steps = above[top], steps + 1
        found[company] = top
    return found


def _hard(source: InMemory) -> Iterator[tuple[str, str]]:
    """Yield pairs that only look linked; of each kind as many as there may be, drawn by chance."""
    rng = np.random.default_rng(_SEED)
    apart = _Apart(source)
    for kind, pools in (("park", _members(source, "park")), ("agent", _members(source, "agent")), (NAME, _of_one_name(source))):
        found = 0
        for one, other in _drawn(rng, pools):
            if found < MOST and apart(one, other):
                found += 1
                yield f"company:{one}{AND}company:{other}", kind


def _members(source: InMemory, kind: str) -> list[list[str]]:
    numbers = {row["number"] for row in source.truth("lookalikes").to_pylist() if KINDS.get(row["kind"]) == kind}
    names = {row["number"]: row["kind"] for row in source.truth("lookalikes").to_pylist()}
    found: dict[tuple[str, int], list[str]] = {}
    for row in source.truth("lookalike_members").to_pylist():
        if row["number"] in numbers:
            found.setdefault((names[row["number"]], row["number"]), []).append(row["company"])
    return list(found.values())


def _of_one_name(source: InMemory) -> list[list[str]]:
    city = source.city
    head = city.ownership.representative[: city.params.companies] - city.people.offset
    surname = city.people.surname[head]
    names = np.array(source.party.slice(0, city.params.companies).to_pylist())
    return [names[surname == each].tolist() for each in np.unique(surname)]


def _drawn(rng: np.random.Generator, pools: list[list[str]]) -> Iterator[tuple[str, str]]:
    """Yield pairs within pools: all of them where there are few, else by chance."""
    whole = sum(len(pool) * (len(pool) - 1) // 2 for pool in pools)
    for pool in pools:
        size = len(pool) * (len(pool) - 1) // 2
        wanted = size * 2 * MOST // max(whole, 1) + 1
        if size <= wanted:
            yield from combinations(sorted(pool), 2)
            continue
        one, other = rng.integers(0, len(pool), (2, wanted))
        yield from {tuple(sorted((pool[a], pool[b]))) for a, b in zip(one.tolist(), other.tolist(), strict=True) if a != b}


class _Apart:
    """Tells of two companies whether nothing ties them: no control, no relatives, nobody in both registers."""

    def __init__(self, source: InMemory) -> None:
        self._who = {row["company"]: row["controller"] for row in source.truth("controllers").to_pylist()}
        self._of: dict[str, set[str]] = {}
        held = source.rows("shareholders", "holder", "company")
        posts = source.rows("officers", "person", "company")
        for party, company in (
            *zip(held["holder"].to_pylist(), held["company"].to_pylist(), strict=True),
            *zip(posts["person"].to_pylist(), posts["company"].to_pylist(), strict=True),
        ):
            self._of.setdefault(company, set()).add(party)
        kin: dict[str, set[str]] = {}
        for row in source.rows("kinship", "a", "b").to_pylist():
            kin.setdefault(row["a"], set()).add(row["b"])
            kin.setdefault(row["b"], set()).add(row["a"])
        self._wide = {
            company: {*some, self._who.get(company, company), *(other for each in some for other in kin.get(each, ()))}
            for company, some in self._of.items()
        }

    def __call__(self, one: str, other: str) -> bool:
        mine, theirs = self._wide.get(one, {one}), self._wide.get(other, {other})
        return mine.isdisjoint(theirs) and one not in theirs and other not in mine
