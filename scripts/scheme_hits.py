"""How well the rules find the schemes planted in generated cities, and how often they hit who did nothing.

    python scripts/scheme_hits.py --companies 2000 --days 180 --seeds 1 2 3
    python scripts/scheme_hits.py --rules loan_return --missed          one rule, and the cases that it misses

A planted case is hit where a rule meant for its scheme flags one of its companies. A false hit is a company with a part in no scheme that
such a rule flags, whether or not it belongs to an honest look-alike. Parameters of schemes reach beyond what the rules' defaults can
catch, on purpose: cases within them ("usual") are counted beside all. Seeds are pooled; intervals are Wilson's, of 95 %. Rules are tuned on
seeds 1 to 9; others judge them.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
from city_columns import InMemory
from city_graph import CityGraph

from kg.cli.demo import MEANT
from kg.engine import Engine
from kg.graph import Graph
from kg.rule import Reading, Rule, choose, evaluate
from kg.rules import RULES
from loaders.city import Params

_Z = 1.959964


@dataclass(frozen=True)
class Part:
    """So many of so many."""

    found: int = 0
    of: int = 0

    def __add__(self, other: Part) -> Part:
        return Part(self.found + other.found, self.of + other.of)

    def interval(self) -> tuple[float, float]:
        """Return Wilson's interval of 95 % for the part in all such cities.

        >>> [round(end, 3) for end in Part(9, 10).interval()], Part(0, 0).interval()
        ([0.596, 0.982], (0.0, 1.0))
        """
        if not self.of:
            return 0.0, 1.0
        part, extra = self.found / self.of, _Z**2 / self.of
        middle = part + extra / 2
        half = (extra * (part * (1 - part) + extra / 4)) ** 0.5
        return max((middle - half) / (1 + extra), 0.0), min((middle + half) / (1 + extra), 1.0)

    def told(self, times: int = 100, digits: int = 1) -> str:
        """Return the part, and its interval, of a hundred (or another number)."""
        low, high = self.interval()
        part = self.found / self.of if self.of else 0.0
        return f"{self.found:>5}/{self.of:<6}{part * times:7.{digits}f} [{low * times:.{digits}f}, {high * times:.{digits}f}]"


@dataclass(frozen=True)
class Case:
    """A planted scheme: its kind, the ids of its companies, its parameters, whether the rules' defaults reach it."""

    kind: str
    companies: Collection[str]
    parameters: str
    usual: bool


@dataclass(frozen=True)
class Judged:
    """What the rules did in one city.

    Attributes
    ----------
    flagged
        The parties that each rule flags.
    honest, lookalike
        Companies with a part in no scheme; of these, the honest plot that some belong to.
    """

    seed: int
    cases: Sequence[Case]
    flagged: Mapping[str, Collection[str]]
    hits: Mapping[str, int]
    honest: Collection[str]
    lookalike: Mapping[str, str]
    seconds: Mapping[str, float]

    def joined(self, other: Judged) -> Judged:
        """Return what both days' looks at one city flag: a party that either of them flags, and all hits."""
        flagged = {name: set(self.flagged[name]) | set(other.flagged[name]) for name in self.flagged}
        hits = {name: count + other.hits[name] for name, count in self.hits.items()}
        return replace(self, flagged=flagged, hits=hits, seconds={name: took + other.seconds[name] for name, took in self.seconds.items()})

    def by(self, rules: Collection[str]) -> set[str]:
        """Return the parties that any of some rules flags."""
        return {party for name in rules for party in self.flagged.get(name, ())}

    def hit(self, kind: str, *, usual: bool = False) -> Part:
        """Return how many planted cases of a kind are hit by a rule meant for it."""
        found = self.by(MEANT[kind])
        cases = [case for case in self.cases if case.kind == kind and (case.usual or not usual)]
        return Part(sum(not found.isdisjoint(case.companies) for case in cases), len(cases))

    def false(self, rules: Collection[str]) -> Part:
        """Return how many honest companies are hit by any of some rules."""
        return Part(len(self.by(rules) & set(self.honest)), len(self.honest))


# -- one city -----------------------------------------------------------------------------------------------------


def judged(params: Params, rules: Sequence[Rule[Any]], memory: str = "2GB") -> Judged:
    """Build a city, run rules over what a bank would have of it, and hold what they flag against the truth."""
    source = InMemory(params)
    with tempfile.TemporaryDirectory(prefix="kgfraud-hits-") as spill, Engine(Path(spill), memory, 1) as engine:
        return judged_in(source, CityGraph(source, engine, params.day(params.days - 1)), params.seed, rules)


def judged_in(source: InMemory, graph: Graph, seed: int, rules: Sequence[Rule[Any]]) -> Judged:
    """Run rules over a city that is there, and hold what they flag against the truth."""
    flagged, hits, seconds, read = {}, {}, {}, Reading(graph)
    for rule in rules:
        begin = time.process_time()
        found = evaluate((rule,), read)
        flagged[rule.name], hits[rule.name] = set(found["entity_id"].to_pylist()), found.num_rows
        seconds[rule.name] = time.process_time() - begin
    cases = list(_cases(source))
    guilty = {company for case in cases for company in case.companies}
    honest = set(_ids(source.truth("sizes"))) - guilty
    plots = {row["number"]: row["kind"] for row in source.truth("lookalikes").to_pylist()}
    members = source.truth("lookalike_members")
    lookalike = dict(zip(_ids(members), [plots[number] for number in members["number"].to_pylist()], strict=True))
    return Judged(seed, cases, flagged, hits, honest, lookalike, seconds)


def _cases(source: InMemory) -> Iterator[Case]:
    members = source.truth("members")
    numbers, companies = members["number"].to_pylist(), _ids(members)
    for row in source.truth("schemes").to_pylist():
        mine = {company for number, company in zip(numbers, companies, strict=True) if number == row["number"]}
        yield Case(row["kind"], mine, f"{row['members']} companies, {row['start']} {row['parameters']}", row["beyond_defaults"] == 0)


def _ids(table: pa.Table) -> list[str]:
    return [f"company:{company}" for company in table["company"].to_pylist()]


# -- all cities ---------------------------------------------------------------------------------------------------


def schemes(cities: Sequence[Judged]) -> Iterator[tuple[str, Part, Part, Part]]:
    """Yield for each scheme the planted cases hit, those within the defaults, and the honest companies hit by its rules."""
    for kind, rules in MEANT.items():
        if any(name in city.flagged for city in cities for name in rules):
            hit = sum((city.hit(kind) for city in cities), Part())
            usual = sum((city.hit(kind, usual=True) for city in cities), Part())
            yield kind, hit, usual, sum((city.false(rules) for city in cities), Part())


def report(cities: Sequence[Judged]) -> None:
    """Print what was found of each scheme, and what each rule hit that did nothing."""
    print(f"{'scheme':<18}{'planted cases hit, %':<34}{'of the usual ones, %':<34}false hits, of 1,000 honest companies")
    for kind, hit, usual, false in schemes(cities):
        print(f"{kind:<18}{hit.told():<34}{usual.told():<34}{false.told(1_000, 2)}")
    print(f"\n{'rule':<22}{'hits':>7}{'parties':>9}{'CPU s':>7}  honest companies, of 1,000         of which in look-alikes")
    for name in cities[0].flagged:
        false = sum((city.false((name,)) for city in cities), Part())
        kinds = Counter(city.lookalike.get(party, "none") for city in cities for party in city.by((name,)) & set(city.honest))
        told = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common(5))
        hits, parties = (sum(values) for values in zip(*((city.hits[name], len(city.flagged[name])) for city in cities), strict=True))
        print(f"{name:<22}{hits:>7}{parties:>9}{sum(city.seconds[name] for city in cities):7.1f}  {false.told(1_000, 2):<35}{told}")


def report_seed(city: Judged, *, missed: bool) -> None:
    """Print one line for a city, and the cases that were missed where that is asked for."""
    known = [kind for kind, rules in MEANT.items() if any(name in city.flagged for name in rules)]
    told = (f"{kind} {hit.found}/{hit.of} false {city.false(MEANT[kind]).found}" for kind in known if (hit := city.hit(kind)).of)
    print(f"seed {city.seed}: {', '.join(told)}", flush=True)
    for case in city.cases:
        if missed and case.kind in known and city.by(MEANT[case.kind]).isdisjoint(case.companies):
            print(f"  missed {case.kind}{'' if case.usual else ' (beyond the defaults)'}: {case.parameters} {sorted(case.companies)}")


def main() -> None:
    """Judge the rules on the cities and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--companies", type=int, default=2_000)
    parser.add_argument("--days", type=int, default=180)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--rules", nargs="+", default=[rule.name for rule in RULES], help="names of rules; by default all")
    parser.add_argument("--missed", action="store_true", help="print the cases that no rule hits")
    asked = parser.parse_args()
    cities = []
    for seed in asked.seeds:
        params = Params(companies=asked.companies, days=asked.days, seed=seed)
        cities.append(judged(params, [choose(RULES, name) for name in asked.rules]))
        report_seed(cities[-1], missed=asked.missed)
    print()
    report(cities)


if __name__ == "__main__":
    main()
