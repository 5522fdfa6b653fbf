"""Timings of the search for cycles on generated transfers, beside rivals that do the same on what each can hold.

    python scripts/rings_benchmark.py                        some minutes, 6 GB of memory
    python scripts/rings_benchmark.py --only five --only day

Parts: ``five`` and ``twenty`` million transfers in 30 days, ``day`` (one day's 700 thousand against 30 days) and ``rival``. Each figure is
taken in a process of its own: CPU seconds of all threads, the best of three after the code is compiled; memory is what the peak of the
resident set grows by beyond the table that is asked about.
"""

from __future__ import annotations

import gc
import importlib.util
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from bench_watch import watched
from benchmark import GIB, Figure, as_json, table
from ownership_benchmark import _resident
from rings_rival import RIVALS, Found, ours
from rings_world import DAY, world

from kg.derivations.rings import TIERS, find_cycles

PARTS = ("five", "twenty", "day", "rival")
_TIMES, _DAYS, _NEW = 3, 30, 700_000


@dataclass(frozen=True)
class Spent:
    """CPU seconds, bytes beyond the table, cycles."""

    seconds: float
    memory: int
    cycles: int


def spent(transfers: int, days: int, new_from: int | None) -> Spent:
    """Search some times; the memory is that of the first."""
    rows = world(transfers, transfers // 5, days)
    find_cycles(rows.slice(0, 1_000), TIERS["A"], new_from=new_from)
    gc.collect()
    before, seconds, memory, cycles = _resident("VmRSS"), [], 0, 0
    for time_ in range(_TIMES):
        begin = time.process_time()
        found = find_cycles(rows, TIERS["A"], new_from=new_from)
        seconds.append(time.process_time() - begin)
        memory = memory if time_ else _resident("VmHWM") - before
        cycles = np.unique(found.table["cycle_id"].to_numpy()).size
    return Spent(min(seconds), max(memory, 0), cycles)


def sizes(part: str) -> tuple[int, int, int | None, float, float | None]:
    """Return transfers, days, from when they are new, and the most seconds and GiB."""
    of_day = ((_DAYS + 1) * _NEW, _DAYS + 1, _DAYS * DAY, 1.0, None)
    return {"five": (5_000_000, _DAYS, None, 1.5, 1.0), "twenty": (20_000_000, _DAYS, None, 16.0, 4.0), "day": of_day}[part]


def figures(part: str) -> Iterator[Figure]:
    """Yield the figures of a part."""
    transfers, days, new_from, seconds, gib = sizes(part)
    found, _ = watched(spent, transfers, days, new_from)
    what = f"tier A, {transfers:,} transfers" if new_from is None else f"tier A, {_NEW:,} new of {transfers:,}"
    yield Figure(part, f"{what}: CPU", found.seconds, "s", seconds)
    yield Figure(part, "  memory", found.memory / GIB, "GiB", gib)
    yield Figure(part, "  cycles", found.cycles, "rows")


def beside(name: str, transfers: int) -> tuple[Found, Found]:
    """Find the cycles of a small world by ours and by a rival."""
    rows = world(transfers, transfers // 5, _DAYS)
    return ours(rows), RIVALS[name][0](rows)


def rival_figures(most: int) -> Iterator[Figure]:
    """Yield ours and each rival's, and in how many cycles they differ."""
    for name, (_, holds) in RIVALS.items():
        if name.startswith("polars") and importlib.util.find_spec("polars") is None:
            click.echo("polars is not installed: left out", err=True)
            continue
        transfers = min(holds, most)
        (mine, seconds), (theirs, rival) = watched(beside, name, transfers)[0]
        yield Figure("rival", f"{transfers:,} transfers beside {name}: CPU", seconds, "s", rival=rival)
        yield Figure("rival", f"  {len(mine):,} cycles, of which other", len(mine ^ theirs), "rows", 0)


@click.command()
@click.option("--only", type=click.Choice(PARTS), multiple=True, help="Run this part; may be repeated.")
@click.option("--rival-transfers", type=click.IntRange(100), default=1_000_000, show_default=True, help="Most that a rival is given.")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures into FILE as JSON.")
def main(*, only: tuple[str, ...], rival_transfers: int, file: Path | None) -> None:
    """Time the search for cycles on generated transfers, beside polars, DuckDB, networkx and Cypher."""
    found: list[Figure] = []
    for part in only or PARTS:
        click.echo(part, err=True)
        found += rival_figures(rival_transfers) if part == "rival" else figures(part)
    click.echo(table(found, 1_000_000))
    if file is not None:
        file.write_text(as_json(found, 1_000_000) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
