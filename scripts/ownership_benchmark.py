"""Timings of ownership, control, groups and limits on a generated world, beside rivals that do the same with networkx and Cypher.

    python scripts/ownership_benchmark.py                   one million companies: some minutes, 6 GB of memory, 1 GB of disk
    python scripts/ownership_benchmark.py --companies 50000 --only control

Parts: ``control``, ``ownership`` (all of it, pruned), ``index`` (one company alone), ``groups``, ``limits``, ``owners`` (beneficial ones)
and ``rival``, on a smaller world that the rivals can manage. Each part runs in processes of its own, one with int64 as ids, one with
strings and one with long codes (social credit codes, tokens). Seconds are CPU seconds of all threads, the best of three after the code is
compiled; memory is what the peak of the resident set grows by beyond the tables that are asked about.
"""

from __future__ import annotations

import gc
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import ownership_rival
import pyarrow as pa
from bench_watch import watched
from benchmark import FULL_SIZE, GIB, Figure, as_json, table
from ownership_world import World, read

from kg.derivations.beneficial_owners import find_beneficial_owners
from kg.derivations.control import find_control
from kg.derivations.groups import find_groups
from kg.derivations.limits import aggregate_exposure
from kg.derivations.ownership import OwnerIndex, Ownership, integrate_ownership
from kg.rulesets import get

RULES, OWNERS = get("CN-LE-2018"), get("CN-UBO-2024")
PARTS = ("control", "ownership", "index", "groups", "limits", "owners", "rival")
IDS = ("int64", "strings", "codes")
_TIMES = 3
_PRUNE = 1e-3
_CHECKED, _ASKED = 200, 1_000
_RIVAL_SIZE = 100_000
#: What sums of doubles may be off by, where the bound is exactly what was left out.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Spent:
    """What a part took: CPU seconds, bytes beyond its tables, how many rows came out with what sum, and what else it found out."""

    seconds: float
    memory: int
    rows: int
    sum: float
    more: dict[str, float]


# -- in a process of its own --------------------------------------------------------------------------------------


def spent(ask: Callable[[], pa.Table], more: dict[str, float] | None = None) -> Spent:
    """Ask the same thing some times; the memory is that of the first time."""
    gc.collect()
    before, seconds, memory = _resident("VmRSS"), [], 0
    for time_ in range(_TIMES):
        begin = time.process_time()
        found = ask()
        seconds.append(time.process_time() - begin)
        memory = memory if time_ else _resident("VmHWM") - before
    return Spent(min(seconds), memory, found.num_rows, _sum(found), more or {})


def _resident(what: str) -> int:
    """Return the bytes that this process has now, or (``VmHWM``) had at most.

    The usage that the system tells of a process may be that of the one from which it sprang.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return int(next(line.split()[1] for line in status.read_text("ascii").splitlines() if line.startswith(what))) * 1024


def _sum(found: pa.Table) -> float:
    """Return the sum of all numbers of a table but ids, by which two results are compared."""
    ids = {"controller", "controlled", "owner", "company", "person", "party", "group_id"}
    return float(sum(np.nansum(found[name].to_numpy()) for name in found.column_names if name not in ids and _numeric(found[name].type)))


def _numeric(type_: pa.DataType) -> bool:
    return bool(pa.types.is_integer(type_) or pa.types.is_floating(type_))


def control(folder: Path, ids: str) -> Spent:
    """Time control of all pairs."""
    holdings = read(folder, "holdings", ids)
    find_control(holdings.slice(0, 100), RULES)
    return spent(lambda: find_control(holdings, RULES))


def ownership(folder: Path, ids: str) -> Spent:
    """Time integrated ownership of all companies, and hold its bounds against some companies solved exactly."""
    holdings = read(folder, "holdings", ids)
    integrate_ownership(holdings.slice(0, 100))
    taken = spent(lambda: integrate_ownership(holdings, prune=_PRUNE).shares)
    found, index = integrate_ownership(holdings, prune=_PRUNE), OwnerIndex(holdings)
    # the circle comes last
    targets = np.random.default_rng(2).integers(0, len(holdings), _CHECKED).tolist()
    targets = [holdings["held"][row].as_py() for row in [*targets[_CHECKED // 10 :], *range(len(holdings) - _CHECKED // 10, len(holdings))]]
    return Spent(taken.seconds, taken.memory, taken.rows, taken.sum, {"violation": max(_violations(found, index, targets))})


def _violations(found: Ownership, index: OwnerIndex, targets: Sequence[str | int]) -> Iterator[float]:
    """Yield for companies by how much a share is further from the exact one than its bound says; below 0 where none is."""
    wanted = found.shares.filter(pa.compute.is_in(found.shares["company"], pa.array(targets)))
    told: dict[Any, dict[Any, float]] = {target: {} for target in targets}
    bound: dict[Any, float] = dict.fromkeys(targets, 0.0)
    for row in wanted.to_pylist():
        told[row["company"]][row["owner"]] = row["share"]
        bound[row["company"]] = max(bound[row["company"]], row["error_bound"])
    for target in targets:
        exact = {row["owner"]: row["share"] for row in index.owners_of(target).to_pylist()}
        furthest = max(abs(exact.get(owner, 0.0) - told[target].get(owner, 0.0)) for owner in exact.keys() | told[target].keys())
        yield furthest - bound[target] - _ROUNDING


def index(folder: Path, ids: str) -> Spent:
    """Time the making of an index, and single companies asked of it."""
    holdings = read(folder, "holdings", ids)
    OwnerIndex(holdings.slice(0, 100))
    made: list[OwnerIndex] = []

    def ask() -> pa.Table:
        made[:] = [OwnerIndex(holdings)]
        return holdings.slice(0, 0)

    taken = spent(ask)
    rows = np.random.default_rng(3).integers(0, len(holdings), _ASKED)
    alone = [_seconds(made[0], target) for target in pa.compute.take(holdings["held"], pa.array(rows)).to_pylist()]
    quantiles = dict(zip(("p50", "p95", "most"), np.quantile(alone, [0.5, 0.95, 1.0]).tolist(), strict=True))
    return Spent(taken.seconds, taken.memory, taken.rows, taken.sum, quantiles)


def _seconds(of: OwnerIndex, target: str | int) -> float:
    begin = time.process_time()
    of.owners_of(target)
    return time.process_time() - begin


def groups(folder: Path, ids: str) -> Spent:
    """Time groups, from control that is there."""
    controls, dependence = find_control(read(folder, "holdings", ids), RULES), read(folder, "dependence", ids)
    find_groups(controls.slice(0, 100), dependence.slice(0, 100), RULES)
    return spent(lambda: find_groups(controls, dependence, RULES))


def limits(folder: Path, ids: str) -> Spent:
    """Time limits of all clients and groups, from groups that are there."""
    controls, exposures = find_control(read(folder, "holdings", ids), RULES), read(folder, "exposures", ids)
    found, capital = find_groups(controls, read(folder, "dependence", ids), RULES), World(0).capital()
    return spent(lambda: aggregate_exposure(found, exposures, capital, RULES))


def owners(folder: Path, ids: str) -> Spent:
    """Time the beneficial owners of all companies."""
    holdings, officers = read(folder, "holdings", ids), read(folder, "officers", ids)
    find_beneficial_owners(holdings.slice(0, 100), officers.slice(0, 100), OWNERS)
    return spent(lambda: find_beneficial_owners(holdings, officers, OWNERS))


# -- the figures --------------------------------------------------------------------------------------------------

#: Of each part what asks for it, what it is called, and the most that it may take in seconds and GiB.
_ASKS: dict[str, tuple[Callable[[Path, str], Spent], str, float | None, float | None]] = {
    "control": (control, "find_control, all pairs", 3, 1),
    "ownership": (ownership, f"integrate_ownership, prune={_PRUNE:g}", 30, 2),
    "index": (index, "OwnerIndex, building", None, None),
    "groups": (groups, "find_groups", 15, None),
    "limits": (limits, "aggregate_exposure", None, None),
    "owners": (owners, "find_beneficial_owners", None, None),
}


def figures(folder: Path, part: str) -> Iterator[Figure]:
    """Yield the figures of a part, with int64 as ids and with strings."""
    ask, what, seconds, gib = _ASKS[part]
    numbers, strings, codes = (watched(ask, folder, ids)[0] for ids in IDS)
    yield Figure(part, f"{what}: CPU", numbers.seconds, "s", seconds)
    yield Figure(part, "  memory", numbers.memory / GIB, "GiB", gib)
    if numbers.rows:
        yield Figure(part, "  rows", numbers.rows, "rows")
    for name, bound in (("p50", 50), ("p95", 50), ("most", None)):
        if name in numbers.more:
            yield Figure(part, f"  one company, of {_ASKED:,}: {name}", numbers.more[name] * 1e3, "ms", bound)
    if "violation" in numbers.more:
        yield Figure(part, f"  shares beyond error_bound, {_CHECKED} companies: most", numbers.more["violation"] * 1e6, "ppm", 0)
    yield Figure(part, "  strings as ids: CPU", strings.seconds, "s")
    yield Figure(part, "  strings as ids: CPU, times that of int64", strings.seconds / numbers.seconds, "×", 2)
    yield Figure(part, "  long codes as ids: CPU, times that of int64", codes.seconds / numbers.seconds, "×", 2)
    yield Figure(part, "  strings as ids: memory", strings.memory / GIB, "GiB")
    if "p95" in strings.more:
        yield Figure(part, "  strings as ids: p95, times that of int64", strings.more["p95"] / numbers.more["p95"], "×", 2)
    for what, other in (("strings", strings), ("long codes", codes)):
        alike = (numbers.rows, round(numbers.sum, 3)) == (other.rows, round(other.sum, 3))
        yield Figure(
            part, f"  {what} as ids: rows more or less, or other", 0 if alike else max(abs(numbers.rows - other.rows), 1), "rows", 0
        )


def rival_figures(folder: Path, companies: int) -> Iterator[Figure]:
    """Yield ours and the rivals' on a world that they can manage, and in how much the results differ."""
    for what, ask in (("control", ownership_rival.by_networkx), ("ownership", ownership_rival.owners_by_networkx)):
        found, _ = watched(ask, folder)
        yield Figure("rival", f"{what}, {companies:,} companies, beside networkx: CPU", found.ours, "s", rival=found.theirs)
        yield Figure("rival", f"  {found.rows:,} rows, of which other", found.other, "rows", 0)
    found, _ = watched(ownership_rival.by_cypher, folder)
    yield Figure("rival", f"control, {companies:,} companies, beside Cypher: CPU", found.ours, "s", rival=found.theirs)
    yield Figure("rival", f"  {found.rows:,} rows, of which other", found.other, "rows", 0)


def measure(folder: Path, companies: int, rival_companies: int, seed: int, parts: Sequence[str]) -> list[Figure]:
    """Make the worlds, run the parts that are asked for, and return their figures."""
    found: list[Figure] = []
    ours = [part for part in parts if part != "rival"]
    if ours:
        click.echo(f"a world of {companies:,} companies", err=True)
        circle = World(companies, seed).write(folder / "world")
        found.append(Figure("world", "companies in the largest strong component", circle, "rows", 900, at_least=True))
    for part in ours:
        click.echo(part, err=True)
        found += figures(folder / "world", part)
    if "rival" in parts:
        click.echo(f"rivals on {rival_companies:,} companies", err=True)
        World(rival_companies, seed).write(folder / "small")
        found += rival_figures(folder / "small", rival_companies)
    return found


@click.command()
@click.option("--companies", type=click.IntRange(1_000), default=FULL_SIZE, show_default=True, help="Size of the world.")
@click.option("--rival-companies", type=click.IntRange(1_000), default=_RIVAL_SIZE, show_default=True, help="Most for the rivals.")
@click.option("--seed", type=int, default=1, show_default=True, help="From which the worlds follow.")
@click.option("--only", type=click.Choice(PARTS), multiple=True, help="Run this part; may be repeated.")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures into FILE as JSON.")
def main(*, companies: int, rival_companies: int, seed: int, only: tuple[str, ...], file: Path | None) -> None:
    """Time ownership, control, groups and limits on a generated world, beside networkx and Cypher."""
    work = Path(tempfile.mkdtemp(prefix="kgfraud-ownership-bench-"))
    try:
        found = measure(work, companies, min(companies, rival_companies), seed, only or PARTS)
        click.echo(table(found, companies))
        if file is not None:
            file.write_text(as_json(found, companies) + "\n", encoding="utf-8")
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
