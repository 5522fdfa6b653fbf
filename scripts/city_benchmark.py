"""CPU time and memory of making and describing generated cities, held against their bounds.

    python scripts/city_benchmark.py                    both cities: a few minutes and 2 GB of disk
    python scripts/city_benchmark.py --part 0.1         a tenth of the companies of each; the bounds are for all of them

A large city over a quarter (it is described, too) and a long one for models over three years. Each runs in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from bench_watch import Usage, watched

from loaders.city import Params, build, write
from loaders.city.describe import describe

GIB = 1 << 30


@dataclass(frozen=True)
class Bound:
    """A figure and the bound that it must keep, if any."""

    what: str
    value: float
    bound: float | None = None
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether it is kept."""
        return self.bound is None or (self.value >= self.bound if self.at_least else self.value <= self.bound)


def made(folder: Path, companies: int, days: int) -> dict[str, int]:
    """Make a city on the disk; return its rows by kind."""
    return write(build(Params(companies=companies, days=days)), folder, "parquet")


def figures(folder: Path, part: float) -> Iterator[Bound]:
    """Yield the figures of both cities."""
    rows, usage = watched(made, folder / "large", round(1_000_000 * part), 90)
    yield Bound("large city: transfers", rows["transfers"], 20_000_000 * part, at_least=True)
    yield from _used("large city", usage, 480 * part, 8)
    size, usage = watched(describe, folder / "large", folder / "city.html")
    yield from _used("its page", usage, None, 2)
    yield Bound("its page: bytes", size)
    shutil.rmtree(folder / "large")
    rows, usage = watched(made, folder / "long", round(20_000 * part), 1_095)
    yield Bound("long city: transfers", rows["transfers"])
    yield from _used("long city", usage, 180 * part, None)


def _used(what: str, usage: Usage, seconds: float | None, gib: float | None) -> Iterator[Bound]:
    begin, end = usage.samples[0][0], usage.samples[-1][0]
    yield Bound(f"{what}: CPU seconds", usage.cpu(begin, end), seconds)
    yield Bound(f"{what}: peak memory, GiB", usage.peak(begin, end) / GIB, gib)


def main() -> None:
    """Measure, print, and note the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", type=float, default=1.0, help="part of the companies of each city")
    parser.add_argument("--folder", type=Path, help="folder to work in; by default the system's temporary one")
    parser.add_argument("--json", type=Path, help="write the figures into this file")
    asked = parser.parse_args()
    found = []
    with tempfile.TemporaryDirectory(prefix="kgfraud-city-bench-", dir=asked.folder) as work:
        for one in figures(Path(work), asked.part):
            found.append(one)
            bound = "" if one.bound is None else f"  {'≥' if one.at_least else '≤'} {one.bound:,.0f} {'met' if one.met else 'NOT MET'}"
            print(f"{one.what:<36}{one.value:16,.1f}{bound}", flush=True)
    if asked.json is not None:
        asked.json.write_text(json.dumps([{**asdict(one), "met": one.met} for one in found], indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
