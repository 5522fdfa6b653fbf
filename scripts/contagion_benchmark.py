"""Timings of the systemic risk index on a generated world, beside a rival that does the same in plain numpy.

    python scripts/contagion_benchmark.py                 10,000 companies, 100,000 links, all single shocks: a minute or two, 1 GB
    python scripts/contagion_benchmark.py --companies 2000

The world has few large companies and many small ones, and a third each of inputs that are not needed, non-essential and essential, so
that most shocks take a good part of it down. The rival follows one shock after another with sums over all links (``numpy.bincount``);
of a large world it does some shocks only, and its seconds are those of all by proportion. Seconds are CPU seconds, the best of three for
ours, after the code is compiled; both results are held against each other.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import pyarrow as pa
from benchmark import FULL_SIZE, Figure, as_json, table
from numpy.typing import NDArray

from kg.derivations.contagion import esri

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_COMPANIES, _LINKS_EACH, _INDUSTRIES = 10_000, 10, 80
_TIMES, _RIVAL_SHOCKS, _TOLERANCE = 3, 100, 1e-2
#: The most seconds for the index of that many companies.
_MOST = 120


@dataclass(frozen=True)
class World:
    """Companies with their industries, links between them, and what is essential to whom."""

    supplier: Ints
    buyer: Ints
    weight: Floats
    industry: Ints
    kind: Ints

    @classmethod
    def made(cls, companies: int, seed: int) -> World:
        """Make a world of so many companies."""
        dice = np.random.default_rng(seed)
        size = dice.pareto(1.5, companies) + 1
        links = companies * _LINKS_EACH
        supplier = dice.choice(companies, links, p=size / size.sum())
        buyer = dice.choice(companies, links, p=size / size.sum())
        other = supplier != buyer
        weight = dice.lognormal(10, 2, links) * np.sqrt(size[supplier] * size[buyer])
        kind = dice.integers(0, 3, (_INDUSTRIES, _INDUSTRIES))
        return cls(supplier[other], buyer[other], weight[other], dice.integers(0, _INDUSTRIES, companies), kind)

    def tables(self) -> tuple[pa.Table, pa.Table, pa.Table]:
        """Return it as the tables that `esri` takes."""
        sectors = np.arange(_INDUSTRIES)
        return (
            pa.table({"supplier": self.supplier, "buyer": self.buyer, "weight": self.weight}),
            pa.table({"company": np.arange(self.industry.size), "industry": self.industry}),
            pa.table(
                {
                    "supplier_industry": np.repeat(sectors, _INDUSTRIES),
                    "buyer_industry": np.tile(sectors, _INDUSTRIES),
                    "kind": self.kind.ravel(),
                }
            ),
        )


class Rival:
    """The same in plain numpy: in each step three sums over all links."""

    def __init__(self, world: World) -> None:
        self._world, self._n = world, world.industry.size
        kind = world.kind[world.industry[world.supplier], world.industry[world.buyer]]
        self._essential, self._other = kind == 2, kind == 1
        self._group = world.buyer * _INDUSTRIES + world.industry[world.supplier]
        self._bought, self._sold = (np.bincount(end, world.weight, self._n) for end in (world.buyer, world.supplier))
        self._of_group = np.bincount(self._group, world.weight, self._n * _INDUSTRIES)

    def index(self, company: int) -> list[float]:
        """Return the three indices of the fall of one company."""
        left = np.ones(self._n)
        left[company] = 0.0
        down, up = left, left
        while True:
            new_down, new_up = np.minimum(left, self._down(down)), np.minimum(left, self._up(up))
            fall = max((down - new_down).max(), (up - new_up).max())
            down, up = new_down, new_up
            if fall <= _TOLERANCE:
                break
        return [float((self._sold * (1 - h)).sum() / self._sold.sum()) for h in (np.minimum(down, up), down, up)]

    def _down(self, h: Floats) -> Floats:
        lacking = self._world.weight * (1 - h)[self._world.supplier]
        essential = np.bincount(self._group[self._essential], lacking[self._essential], self._n * _INDUSTRIES)
        worst = (essential / np.where(self._of_group > 0, self._of_group, 1.0)).reshape(self._n, -1).max(axis=1)
        others = np.bincount(self._world.buyer[self._other], lacking[self._other], self._n) / np.where(self._bought > 0, self._bought, 1.0)
        return np.maximum(1 - np.maximum(worst, others), 0.0)

    def _up(self, h: Floats) -> Floats:
        lost = np.bincount(self._world.supplier, self._world.weight * (1 - h)[self._world.buyer], self._n)
        return np.maximum(1 - lost / np.where(self._sold > 0, self._sold, 1.0), 0.0)


def figures(companies: int, seed: int) -> Iterator[Figure]:
    """Yield the figures of a world."""
    world = World.made(companies, seed)
    of = world.tables()
    esri(*World.made(100, seed).tables())
    ours = []
    for _ in range(_TIMES):
        begin = time.process_time()
        found = esri(*of, tolerance=_TOLERANCE)
        ours.append(time.process_time() - begin)
    rival, asked = Rival(world), np.random.default_rng(seed).permutation(companies)[:_RIVAL_SHOCKS]
    begin = time.process_time()
    expected = [rival.index(int(company)) for company in asked]
    theirs = (time.process_time() - begin) * companies / asked.size
    most = _MOST if companies == _COMPANIES else None
    told = np.stack([found[name].to_numpy()[asked] for name in ("esri", "downstream", "upstream")], axis=1)
    yield Figure(
        "contagion", f"esri, {companies:,} companies, {world.weight.size:,} links, all alone: CPU", min(ours), "s", most, rival=theirs
    )
    yield Figure("contagion", "  companies that take a tenth of all trade with them", float((found["esri"].to_numpy() > 0.1).sum()), "rows")
    yield Figure("contagion", f"  furthest from the rival, {asked.size} shocks", float(np.abs(told - expected).max()) * 1e9, "10⁻⁹", 1)


@click.command()
@click.option("--companies", type=click.IntRange(100), default=_COMPANIES, show_default=True, help="Size of the world.")
@click.option("--seed", type=int, default=1, show_default=True, help="From which the world follows.")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures into FILE as JSON.")
def main(*, companies: int, seed: int, file: Path | None) -> None:
    """Time the systemic risk index on a generated world, beside plain numpy."""
    found = list(figures(companies, seed))
    click.echo(table(found, FULL_SIZE))
    if file is not None:
        file.write_text(as_json(found, companies) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
