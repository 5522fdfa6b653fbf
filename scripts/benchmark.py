"""Timings of a night on a generated world, beside a rival that does the same with pandas and the plain driver.

    python scripts/benchmark.py                        one million companies: about twenty minutes and 25 GB of disk
    python scripts/benchmark.py --companies 50000 --only lake

Parts: ``lake`` (files → lake), ``fill`` (first fill of an empty local Neo4j), ``night`` (a next night with 1 % changed),
``bolt`` (rows a second over Bolt) and ``rival``. Each part runs in a process of its own, whose tree is watched from outside:
memory is the resident set of that process and its children, Java apart.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import click
import psutil  # type: ignore[import-untyped, unused-ignore]
from bench_watch import Pace, Phases, Usage, watched
from bench_world import DAYS, World, write_graph_rows
from pyarrow import parquet

from kg.config import Workspace
from kg.export import SigningKey
from kg.pipeline import run_pipeline
from kg.run import RECORD
from kg.schema import edge, node
from kg.store import Change
from kg.stores.bolt import BoltStore
from kg.stores.local_neo4j import LocalNeo4j

PARTS = ("lake", "fill", "night", "bolt", "rival")
FULL_SIZE = 1_000_000
GIB = 1 << 30
_RIVAL_SIZE = 100_000
_BOLT_ACCOUNTS, _BOLT_TRANSFERS = 100_000, 400_000


@dataclass(frozen=True)
class Figure:
    """A line of the table; a target is for one million companies, and ``at_least`` says on which side of it is good."""

    part: str
    what: str
    value: float
    unit: str
    target: float | None = None
    at_least: bool = False
    rival: float | None = None

    @property
    def ratio(self) -> float | None:
        """Ours divided by the rival's."""
        return self.value / self.rival if self.rival else None

    @property
    def met(self) -> bool | None:
        """Whether the target is met, None where there is none."""
        if self.target is None:
            return None
        return self.value >= self.target if self.at_least else self.value <= self.target


# -- nights ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ran:
    """What a night said of itself; ``committed`` is the time at which its record was written, or it ended without one."""

    begin: float
    committed: float
    end: float
    seconds: dict[str, float]
    phases: list[tuple[str, float, float]]
    results: dict[str, Any]
    sources: list[dict[str, Any]]


def night(root: Path, dry_run: bool) -> Ran:
    """Run a night on a workspace."""
    begin, phases = time.time(), Phases()
    workspace = Workspace.open(root, flags={"publish": {"transfer_days": 30}})
    outcome = run_pipeline(workspace, dry_run=dry_run, progress=phases)
    record = workspace.runs / (outcome.run_id or "") / RECORD
    committed = record.stat().st_mtime if outcome.run_id else time.time()
    return Ran(begin, committed, time.time(), outcome.seconds, phases.noted, outcome.results, outcome.sources)


def make_workspace(root: Path, companies: int, form: str) -> World:
    """Make a workspace with a landing folder full of files."""
    workspace, world = Workspace.create(root), World(root / "landing", companies, form=form)
    SigningKey.create(workspace.keys)
    rows = world.write()
    with workspace.toml.open("a", encoding="utf-8") as toml:
        toml.writelines(world.sources())
    click.echo(f"wrote {sum(rows.values()):,} rows: " + ", ".join(f"{count:,} {kind}" for kind, count in rows.items()), err=True)
    return world


def nights(root: Path, companies: int, form: str, parts: Sequence[str]) -> Iterator[Figure]:
    """Time a first night (its publishing too where that is asked for), and a next one with 1 % changed and the server down."""
    world = make_workspace(root, companies, form)
    publishing = bool({"fill", "night"} & set(parts))
    click.echo("first night", err=True)
    first, usage = watched(night, root, not publishing)
    yield from _lake_figures(first, usage)
    if publishing:
        yield from _fill_figures(first, usage)
    if "night" in parts:
        World(world.folder, companies, form=form, changed=0.01).write_full()
        world.forget_days()
        world.write_day(DAYS)
        click.echo("next night", err=True)
        yield from _night_figures(*watched(night, root, False))


def _lake_figures(ran: Ran, usage: Usage) -> Iterator[Figure]:
    seconds, cpu = ran.committed - ran.begin, usage.cpu(ran.begin, ran.committed)
    rows = sum(source["rows"] for source in ran.sources)
    accepted = sum(source["accepted"] for source in ran.sources)
    yield Figure("lake", "files → lake", seconds, "s", target=240)
    yield Figure("lake", "CPU", cpu, "s")
    yield Figure("lake", "peak memory", usage.peak(ran.begin, ran.committed) / GIB, "GiB", target=6)
    yield Figure("lake", "rows read", rows, "rows")
    yield Figure("lake", "rows refused", rows - accepted, "rows", target=0)
    yield Figure("lake", "speed", rows / seconds, "rows/s")
    yield Figure("lake", "CPU for a million rows", cpu / rows * 1e6, "s")
    yield Figure("lake", "memory for a million rows", usage.peak(ran.begin, ran.committed) / GIB / rows * 1e6, "GiB")
    for what, begin, end in ran.phases:
        if end <= ran.committed:
            yield Figure("lake", f"  {what}", end - begin, "s")
            yield Figure("lake", f"  {what}: CPU", usage.cpu(begin, end), "s")
            yield Figure("lake", f"  {what}: memory", usage.peak(begin, end) / GIB, "GiB")


def _fill_figures(ran: Ran, usage: Usage) -> Iterator[Figure]:
    seconds, written = ran.seconds["publish"], ran.results["publish"]["written"]
    yield Figure("fill", f"first fill ({ran.results['publish']['how']})", seconds, "s", target=480)
    yield Figure("fill", "peak memory, Java apart", usage.peak(ran.committed, ran.end) / GIB, "GiB")
    yield Figure("fill", "rows written", written, "rows")
    yield Figure("fill", "speed", written / seconds, "rows/s")


def _night_figures(ran: Ran, usage: Usage) -> Iterator[Figure]:
    yield Figure("night", "next night, 1 % changed", ran.end - ran.begin, "s", target=180)
    yield Figure("night", "CPU", usage.cpu(ran.begin, ran.end), "s")
    yield Figure("night", "peak memory, Java apart", usage.peak(ran.begin, ran.end) / GIB, "GiB", target=6)
    yield Figure("night", f"rows sent by {ran.results['publish']['how']}", ran.results["publish"]["written"], "rows")
    yield Figure("night", "rows removed", ran.results["publish"]["deleted"], "rows")
    for name, seconds in ran.seconds.items():
        yield Figure("night", f"  stage {name}", seconds, "s")


# -- over Bolt and the rival ----------------------------------------------------------------------


def bolt(folder: Path, nodes: Path, edges: Path, by_rival: bool) -> Pace:
    """Write rows into an empty local Neo4j, ours or the rival's way."""
    types = (node("Account"), nodes), (edge("TRANSFERRED_TO"), edges)
    server = LocalNeo4j(folder)
    address = server.start()
    try:
        with BoltStore.connect(address) as store:
            store.prepare()
            pace = Pace()
            if by_rival:
                from bench_rival import send  # noqa: PLC0415 - pandas would count as our memory

                send(address, types, pace)
            else:
                store.apply([_change(*each) for each in types], "20260401T000000Z", pace)
            return pace
    finally:
        server.stop()


def _change(type_: Any, path: Path) -> Change:
    return Change(type_, lambda: parquet.ParquetFile(path).iter_batches(120_000))


def bolt_figures(folder: Path, by_rival: bool) -> list[Figure]:
    """Return the rows a second over Bolt, and the CPU seconds of a million rows, Java's own apart."""
    files = write_graph_rows(folder / "rows", _BOLT_ACCOUNTS, _BOLT_TRANSFERS)
    pace, usage = watched(bolt, folder / ("rival" if by_rival else "ours"), *files, by_rival)
    cold, warm = pace.speeds()
    (begin, _), (end, rows) = pace.noted[0], pace.noted[-1]
    stopped = usage.samples[-1][0] - time.monotonic()
    cpu = usage.cpu(begin + stopped, end + stopped) / rows * 1e6
    return [
        Figure("bolt", "speed", warm, "rows/s", 20_000, at_least=True),
        Figure("bolt", "speed from a cold start", cold, "rows/s"),
        Figure("bolt", "CPU for a million rows, Java apart", cpu, "s"),
    ]


def rival_load(landing: Path, out: Path) -> tuple[int, float, float]:
    """Run the rival's load; return the rows, and when it began and ended."""
    begin = time.time()
    from bench_rival import load  # noqa: PLC0415 - pandas would count as our memory

    return load(landing, out, os.urandom(32)), begin, time.time()


def rival(folder: Path, companies: int, form: str) -> list[Figure]:
    """Time the rival; its figures bear the names of ours."""
    landing, out = folder / "landing", folder / "out"
    World(landing, companies, form=form).write()
    click.echo(f"rival on {companies:,} companies", err=True)
    (rows, begin, end), usage = watched(rival_load, landing, out)
    return [
        Figure("lake", "speed", rows / (end - begin), "rows/s"),
        Figure("lake", "CPU for a million rows", usage.cpu(begin, end) / rows * 1e6, "s"),
        Figure("lake", "memory for a million rows", usage.peak(begin, end) / GIB / rows * 1e6, "GiB"),
        *bolt_figures(folder, by_rival=True),
    ]


# -- the whole ------------------------------------------------------------------------------------


def measure(folder: Path, companies: int, rival_companies: int, form: str, parts: Sequence[str]) -> list[Figure]:
    """Run the parts that are asked for and return their figures, with the rival's beside them."""
    figures: list[Figure] = []
    if {"lake", "fill", "night"} & set(parts):
        figures += nights(folder / "workspace", companies, form, parts)
        shutil.rmtree(folder / "workspace" / "landing")
    if "bolt" in parts:
        click.echo("over Bolt", err=True)
        figures += bolt_figures(folder / "bolt", by_rival=False)
    theirs = rival(folder / "rival", min(companies, rival_companies), form) if "rival" in parts else []
    return beside(figures, theirs)


def beside(ours: Sequence[Figure], theirs: Sequence[Figure]) -> list[Figure]:
    """Return our figures with the rival's of the same name beside them; what only the rival has comes last."""
    values = {(figure.part, figure.what): figure.value for figure in theirs}
    names = {(figure.part, figure.what) for figure in ours}
    alone = [replace(f, what=f"rival: {f.what}", target=None) for f in theirs if (f.part, f.what) not in names]
    return [replace(figure, rival=values.get((figure.part, figure.what))) for figure in ours] + alone


def table(figures: Sequence[Figure], companies: int) -> str:
    """Return the figures as text."""
    lines = [f"{'part':9} {'figure':56} {'kgfraud':>14} {'target':>12} {'':4} {'rival':>14} {'ratio':>8}"]
    for f in figures:
        full = companies == FULL_SIZE or f.part == "bolt"
        target = "" if f.target is None else f"{'≥' if f.at_least else '≤'} {f.target:,}"
        met = "" if f.met is None or not full else "met" if f.met else "NOT"
        rival_, ratio = (f"{f.rival:,.2f}" if f.rival else ""), (f"{f.ratio:.2f}" if f.ratio else "")
        lines.append(f"{f.part:9} {f.what:56} {_number(f):>14} {target:>12} {met:4} {rival_:>14} {ratio:>8}".rstrip())
    if companies != FULL_SIZE:
        lines.append(f"The targets are for {FULL_SIZE:,} companies; this was {companies:,}.")
    return "\n".join(lines)


def _number(figure: Figure) -> str:
    if figure.unit in {"rows", "rows/s"}:
        return f"{figure.value:,.0f} {'/s' if figure.unit == 'rows/s' else ''}".rstrip()
    return f"{figure.value:,.2f} {figure.unit}"


def as_json(figures: Sequence[Figure], companies: int) -> str:
    """Return the figures, and the machine that they were taken on, as JSON."""
    machine = {"cores": len(psutil.Process().cpu_affinity()), "memory_gib": round(psutil.virtual_memory().total / GIB, 1)}
    machine |= {"system": platform.system(), "python": platform.python_version()}
    values = [{**asdict(figure), "ratio": figure.ratio, "met": figure.met} for figure in figures]
    return json.dumps({"companies": companies, "machine": machine, "figures": values}, ensure_ascii=False, indent=1)


@click.command()
@click.option("--companies", type=click.IntRange(100), default=FULL_SIZE, show_default=True, help="Size of the world.")
@click.option("--rival-companies", type=click.IntRange(100), default=_RIVAL_SIZE, show_default=True, help="Most that the rival is given.")
@click.option("--only", type=click.Choice(PARTS), multiple=True, help="Run this part; may be repeated.")
@click.option("--format", "form", type=click.Choice(["csv", "parquet"]), default="csv", show_default=True, help="Format of the files.")
@click.option(
    "--folder", type=click.Path(file_okay=False, path_type=Path), help="Folder to work in; by default the system's temporary one."
)
@click.option("--keep", is_flag=True, help="Leave the files where they are, and say where.")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures into FILE as JSON.")
def main(
    *, companies: int, rival_companies: int, only: tuple[str, ...], form: str, folder: Path | None, keep: bool, file: Path | None
) -> None:
    """Time a night on a generated world, beside a rival of pandas and the plain driver."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="kgfraud-bench-", dir=folder))
    try:
        figures = measure(work, companies, rival_companies, form, only or PARTS)
        click.echo(table(figures, companies))
        if file is not None:
            file.write_text(as_json(figures, companies) + "\n", encoding="utf-8")
    finally:
        if keep:
            click.echo(f"the files are in {work}", err=True)
        else:
            shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
