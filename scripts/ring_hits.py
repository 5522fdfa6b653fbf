"""How many of the rings that are told in generated cities are planted ones, and how many of those are told.

    python scripts/ring_hits.py --companies 4000 --days 180 --seeds 1 2 3
    python scripts/ring_hits.py --camouflage 0 25 50 75 100             the table over camouflage levels

A ring is told by `kg.derivations.ring_members`, as a night does. Planted rings are those of payment rings, and of other schemes that send
money round too; one is told where its companies and those of a ring that is told agree by a Jaccard index of one half or more. A ring that
is told is right where it so agrees with a planted ring, or with a loan whose money went round and came back to its borrower (nearly all of
these are told by a rule of their own, so they are not asked of the rings). Rings whose companies are for the greater part in no scheme are
counted beside. Seeds are pooled; intervals are Wilson's, of 95 %. What rings are told is tuned on seeds 1 to 9; others judge it.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from city_columns import InMemory
from city_graph import CityGraph
from scheme_hits import Part

from kg.derivations.ring_members import rings_now
from kg.engine import Engine
from kg.graph import Graph
from loaders.city import Params

_KIND, _BACK, _ALIKE = "payment_ring", "loan_return", 0.5


@dataclass(frozen=True)
class Judged:
    """The rings of one city: the companies of each planted one, of each loan that came back and of each one told; who is in any scheme."""

    seed: int
    planted: Sequence[Collection[str]]
    returned: Sequence[Collection[str]]
    told: Sequence[Collection[str]]
    guilty: Collection[str]
    lookalike: Collection[str]

    def found(self) -> Part:
        """Return how many planted rings are told."""
        return Part(sum(any(_alike(mine, ring) for ring in self.told) for mine in self.planted), len(self.planted))

    def right(self) -> Part:
        """Return how many of the rings told are of money that was truly sent round."""
        return Part(sum(any(_alike(mine, ring) for mine in (*self.planted, *self.returned)) for ring in self.told), len(self.told))

    def innocent(self) -> Part:
        """Return how many of the rings told are of companies that for the greater part are in no scheme."""
        return Part(sum(2 * len(set(ring) & set(self.guilty)) < len(ring) for ring in self.told), len(self.told))

    def joined(self, other: Judged) -> Judged:
        """Return what both days' looks at one city tell; a ring that is alike in both is told once."""
        more = [ring for ring in other.told if not any(_alike(ring, known) for known in self.told)]
        return replace(self, told=[*self.told, *more])

    def of_lookalikes(self) -> int:
        """Return how many of the rings told are of honest look-alikes, with a part in no scheme, for the greater part."""
        return sum(2 * len((set(ring) & set(self.lookalike)) - set(self.guilty)) > len(ring) for ring in self.told)


def _alike(one: Collection[str], other: Collection[str]) -> bool:
    return len(set(one) & set(other)) >= _ALIKE * len(set(one) | set(other))


def judged(params: Params, memory: str = "3GB") -> Judged:
    """Build a city, find its rings, and hold them against the truth."""
    source = InMemory(params)
    with tempfile.TemporaryDirectory(prefix="kgfraud-rings-") as spill, Engine(Path(spill), memory, 1) as engine:
        return judged_in(source, CityGraph(source, engine, params.day(params.days - 1)), params.seed)


def judged_in(source: InMemory, graph: Graph, seed: int) -> Judged:
    """Find the rings of a city that is there, and hold them against the truth."""
    graph.edges("IN_RING")  # asked first: rings ask what the night before had told, which a city would else find for them once more
    table = rings_now(graph).rings.table
    rings: dict[str, set[str]] = {}
    for ring, member in zip(table["ring_id"].to_pylist(), table["member"].to_pylist(), strict=True):
        rings.setdefault(ring, set()).update([member] if member.startswith("company:") else [])
    cases: dict[int, set[str]] = {}
    members = source.truth("members")
    for number, company in zip(members["number"].to_pylist(), members["company"].to_pylist(), strict=True):
        cases.setdefault(number, set()).add(f"company:{company}")
    schemes = source.truth("schemes").to_pylist()
    planted = [cases[row["number"]] for row in schemes if _KIND in (row["kind"], row["also"])]
    returned = [cases[row["number"]] for row in schemes if _BACK in (row["kind"], row["also"]) and _KIND not in (row["kind"], row["also"])]
    lookalike = {f"company:{company}" for company in source.truth("lookalike_members")["company"].to_pylist()}
    return Judged(seed, planted, returned, list(rings.values()), set().union(*cases.values()), lookalike)


def pooled(cities: Sequence[Judged]) -> tuple[Part, Part, Part]:
    """Return the planted rings that are told, the rings told that are right, and those of companies in no scheme."""
    parts = zip(*((city.found(), city.right(), city.innocent()) for city in cities), strict=True)
    found, right, innocent = (sum(each, Part()) for each in parts)
    return found, right, innocent


def report(name: str, cities: Sequence[Judged]) -> None:
    """Print one line for a set of cities."""
    found, right, innocent = pooled(cities)
    lookalikes = sum(city.of_lookalikes() for city in cities)
    print(f"{name:<14}{found.told():<32}{right.told():<32}{innocent.told():<32}{lookalikes:>6}", flush=True)


def main() -> None:
    """Judge the rings of the cities and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--companies", type=int, default=4_000)
    parser.add_argument("--days", type=int, default=180)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--camouflage", type=int, nargs="+", default=[Params().camouflage], help="levels, from 0 to 100")
    asked = parser.parse_args()
    print(f"{'':<14}{'planted rings told, %':<32}{'rings told that are right, %':<32}{'rings told of the innocent, %':<32}look-alikes")
    for level in asked.camouflage:
        cities = []
        for seed in asked.seeds:
            cities.append(judged(Params(companies=asked.companies, days=asked.days, seed=seed, camouflage=level)))
            report(f"seed {seed}", cities[-1:])
        report(f"camouflage {level}", cities)


if __name__ == "__main__":
    main()
