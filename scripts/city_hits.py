"""Rings and schemes of large cities held against the truth, seed by seed: a run that was broken off is taken up where it was.

    python scripts/city_hits.py --seeds 11 12 13 --keep hits               20,000 companies, three years: minutes and 3 GB for each seed
    python scripts/city_hits.py --camouflage 0 50 100 --keep hits          beside it the table over camouflage levels

Each city is built once, and both `ring_hits` and `scheme_hits` judge it, every half year. What came out is kept in the folder, a file
for each city; what other code or other rules found is found again. All seeds that are asked for are pooled.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import ring_hits
import scheme_hits
from city_columns import InMemory
from city_graph import CityGraph
from city_lake import lake_of

from gnn.past import Past
from kg.code import code_version
from kg.derivations import DERIVATIONS
from kg.engine import Engine
from kg.graph import Graph
from kg.rule import Rule, choose
from kg.rules import RULES
from loaders.city import CITY_VERSION, Params

_MEMORY, _APART = "2GB", 180
#: How a city is looked at; another number where that changes.
_LOOKS = 4


@dataclass(frozen=True)
class Judged:
    """What is told of one city's rings and schemes, beside the truth."""

    rings: ring_hits.Judged
    schemes: scheme_hits.Judged


def judged(params: Params, rules: Sequence[Rule[Any]] = RULES) -> Judged:
    """Build a city, find its rings, run rules over it, and hold both against the truth.

    Some rules tell of half a year alone, so a longer city is looked at every half year: found is what any of these looks found.
    """
    source = InMemory(params)
    with tempfile.TemporaryDirectory(prefix="kgfraud-city-") as spill, Engine(Path(spill) / "spill", _MEMORY, 1) as engine:
        found = _looked(source, CityGraph(source, engine, params.day(params.days - 1)), params.seed, rules)
        if earlier := range(params.days - 1 - _APART, _APART // 2, -_APART):
            lake, _ = lake_of(source, engine, Path(spill) / "lake")
            for day in earlier:
                then = _looked(source, Past(lake, params.day(day), derivations=DERIVATIONS), params.seed, rules)
                found = Judged(found.rings.joined(then.rings), found.schemes.joined(then.schemes))
        return found


def _looked(source: InMemory, graph: Graph, seed: int, rules: Sequence[Rule[Any]]) -> Judged:
    return Judged(ring_hits.judged_in(source, graph, seed), scheme_hits.judged_in(source, graph, seed, rules))


def kept(folder: Path, params: Params, rules: Sequence[Rule[Any]] = RULES) -> Judged:
    """Return what a folder keeps of a city, judged now where it keeps nothing that this code and these rules have found."""
    made = {"code": code_version(), "rules": [rule.name for rule in rules], "looks": _LOOKS}
    file = folder / f"city{CITY_VERSION}-{params.companies}x{params.days}-camouflage{params.camouflage}-seed{params.seed}.json"
    if file.exists():
        told = json.loads(file.read_text("utf-8"))
        if told["made"] == made:
            return _read(told)
    city = judged(params, rules)
    folder.mkdir(parents=True, exist_ok=True)
    written = file.with_suffix(".tmp")
    written.write_text(json.dumps({"made": made, **asdict(city)}, default=sorted), encoding="utf-8")
    written.replace(file)
    return city


def _read(told: Mapping[str, Any]) -> Judged:
    cases = [scheme_hits.Case(**case) for case in told["schemes"]["cases"]]
    return Judged(ring_hits.Judged(**told["rings"]), scheme_hits.Judged(**{**told["schemes"], "cases": cases}))


def report(levels: Mapping[int, Sequence[Judged]]) -> None:
    """Print what came out, level by level, and then all levels side by side."""
    for level, cities in levels.items():
        print(f"\ncamouflage {level}, seeds {', '.join(str(city.schemes.seed) for city in cities)}")
        print(f"{'':<14}{'planted rings told, %':<32}{'rings told that are right, %':<32}{'rings told of the innocent, %':<32}look-alikes")
        ring_hits.report("rings", [city.rings for city in cities])
        scheme_hits.report([city.schemes for city in cities])
    if len(levels) > 1:
        print(f"\n{'camouflage':<26}{''.join(f'{level:>32}' for level in levels)}")
        for name, parts in _over_levels(levels):
            print(f"{name:<26}{''.join(f'{part.told():>32}' for part in parts)}")


def _over_levels(levels: Mapping[int, Sequence[Judged]]) -> Iterable[tuple[str, list[scheme_hits.Part]]]:
    """Yield a name and a part for each level: of planted rings and cases that are found, of rings told that are right."""
    rings = [ring_hits.pooled([city.rings for city in cities]) for cities in levels.values()]
    yield "planted rings told", [found for found, _, _ in rings]
    yield "rings told that are right", [right for _, right, _ in rings]
    schemes = [{kind: hit for kind, hit, _, _ in scheme_hits.schemes([city.schemes for city in cities])} for cities in levels.values()]
    for kind in schemes[0]:
        yield kind, [hits[kind] for hits in schemes]


def main() -> None:
    """Judge the cities that are not kept, and print what came out of all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--companies", type=int, default=20_000)
    parser.add_argument("--days", type=int, default=1_095)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--camouflage", type=int, nargs="+", default=[Params().camouflage], help="levels, from 0 to 100")
    parser.add_argument("--rules", nargs="+", default=[rule.name for rule in RULES], help="names of rules; by default all")
    parser.add_argument("--keep", type=Path, required=True, help="folder in which what was found of each city is kept")
    asked = parser.parse_args()
    rules = [choose(RULES, name) for name in asked.rules]
    levels: dict[int, list[Judged]] = {level: [] for level in asked.camouflage}
    for level, cities in levels.items():
        for seed in asked.seeds:
            cities.append(kept(asked.keep, Params(companies=asked.companies, days=asked.days, seed=seed, camouflage=level), rules))
            scheme_hits.report_seed(cities[-1].schemes, missed=False)
    report(levels)


if __name__ == "__main__":
    main()
