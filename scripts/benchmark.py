"""Timings of a night on a generated world, beside a rival that does the same with pandas and the plain driver.

    python scripts/benchmark.py                        one million companies: about half an hour and 40 GB of disk
    python scripts/benchmark.py --companies 50000 --only lake

Parts: ``lake`` (files → lake), ``fill`` (first fill of an empty local Neo4j), ``night`` (a next night with 1 % changed),
``bolt`` (rows a second over Bolt) and ``rival``. Each part runs in a process of its own, whose tree is watched from outside:
memory is the resident set of that process and its children, Java apart.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import psutil
from bench_world import DAYS, World

PARTS = ("lake", "fill", "night", "bolt", "rival")
FULL_SIZE = 1_000_000
GIB = 1 << 30
_EVERY = 0.2
_RIVAL_SIZE = 100_000
_BOLT_NODES, _BOLT_EDGES = 100_000, 400_000


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


# -- watching a process ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Usage:
    """What a process and its children took, as samples of (time, bytes, CPU seconds since its start)."""

    samples: Sequence[tuple[float, int, float]]

    def peak(self, begin: float, end: float) -> int:
        """Return the most memory between two moments."""
        return max((memory for at, memory, _ in self.samples if begin <= at <= end), default=0)

    def cpu(self, begin: float, end: float) -> float:
        """Return the CPU seconds between two moments."""
        seconds = [cpu for at, _, cpu in self.samples if begin - _EVERY <= at <= end + _EVERY]
        return seconds[-1] - seconds[0] if seconds else 0.0


def watched(work: Callable[..., Any], *arguments: Any) -> tuple[Any, Usage]:
    """Run a function in a fresh process, so that its memory is its own, and watch it."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        process = psutil.Process(pool.submit(os.getpid).result())
        future, samples = pool.submit(work, *arguments), []
        while not future.done():
            samples.append(_sample(process))
            wait([future], _EVERY)
        samples.append(_sample(process))
        return future.result(), Usage(samples)


def _sample(process: psutil.Process) -> tuple[float, int, float]:
    memory, cpu = process.memory_info().rss, sum(process.cpu_times()[:4])
    for child in process.children(recursive=True):
        try:
            cpu += sum(child.cpu_times()[:4])
            memory += 0 if child.name() == "java" else child.memory_info().rss
        except psutil.Error:
            continue
    return time.time(), memory, cpu


class Phases:
    """Progress that notes when each piece of work began and ended, and says so on standard error."""

    def __init__(self) -> None:
        self.noted: list[tuple[str, float, float]] = []

    @contextmanager
    def task(self, what: str, total: int | None = None) -> Iterator[Phases]:  # noqa: ARG002
        """Open a piece of work."""
        begin = time.time()
        yield self
        self.noted.append((what, begin, time.time()))
        print(f"  {what}: {time.time() - begin:.1f} s", file=sys.stderr, flush=True)

    def advance(self, n: int = 1) -> None:
        """Take no notice of the units."""


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
    begin = time.time()
    from kg.config import Workspace  # noqa: PLC0415 - importing is part of what is timed
    from kg.pipeline import run_pipeline  # noqa: PLC0415
    from kg.run import RECORD  # noqa: PLC0415

    phases = Phases()
    workspace = Workspace.open(root, flags={"publish": {"transfer_days": 30}})
    outcome = run_pipeline(workspace, dry_run=dry_run, progress=phases)
    record = workspace.runs / (outcome.run_id or "") / RECORD
    committed = record.stat().st_mtime if outcome.run_id else time.time()
    return Ran(begin, committed, time.time(), outcome.seconds, phases.noted, outcome.results, outcome.sources)


def make_workspace(root: Path, companies: int, form: str) -> World:
    """Make a workspace with a landing folder full of files."""
    from kg.config import Workspace  # noqa: PLC0415 - slow to import, and not needed for --help

    workspace, world = Workspace.create(root), World(root / "landing", companies, form=form)
    rows = world.write()
    with workspace.toml.open("a", encoding="utf-8") as toml:
        toml.writelines(world.sources())
    click.echo(f"wrote {sum(rows.values()):,} rows: " + ", ".join(f"{count:,} {kind}" for kind, count in rows.items()), err=True)
    return world


def nights(root: Path, companies: int, form: str, parts: Sequence[str]) -> Iterator[Figure]:
    """Time a first night (its publishing too where that is asked for) and a next one with 1 % changed."""
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


# -- over Bolt ------------------------------------------------------------------------------------


def write_bolt_rows(folder: Path) -> tuple[Path, Path]:
    """Write accounts and transfers between them as they travel to a store: the same rows for us and for the rival."""
    import pyarrow as pa  # noqa: PLC0415 - not needed for --help
    import pyarrow.compute as pc  # noqa: PLC0415
    from pyarrow import parquet  # noqa: PLC0415

    world = World(folder, _BOLT_NODES * 2 // 5)
    days = -(-_BOLT_EDGES // world.transfers)
    moved = pa.concat_tables([world.transfers_of(day) for day in range(days)]).slice(0, _BOLT_EDGES)
    common = {"source": "bench.transfers", "first_run": "20260401T000000Z"}
    transfers = {
        "id": pc.binary_join_element_wise("bench.transfers/", moved["transfer"], ""),
        "src": pc.binary_join_element_wise("account:bench:", moved["payer"], ""),
        "dst": pc.binary_join_element_wise("account:bench:", moved["payee"], ""),
        "amount_fen": pc.cast(pc.multiply(pc.cast(moved["amount"], pa.float64()), 100.0), pa.int64(), safe=False),
        "at": moved["at"].cast(pa.timestamp("us", "UTC")),
        "purpose": moved["purpose"],
        "channel": moved["channel"],
        "record_id": moved["transfer"],
    }
    ids = pa.chunked_array([pc.unique(pa.chunked_array([*transfers["src"].chunks, *transfers["dst"].chunks]))])
    folder.mkdir(parents=True, exist_ok=True)
    for name, columns in (("nodes", {"id": ids, "record_id": ids}), ("edges", transfers)):
        table = pa.table(columns)
        for key, value in common.items():
            table = table.append_column(key, pa.repeat(value, table.num_rows))
        parquet.write_table(table, folder / f"{name}.parquet")
    return folder / "nodes.parquet", folder / "edges.parquet"


def bolt(folder: Path, nodes: Path, edges: Path, by_rival: bool) -> tuple[int, float]:
    """Write the rows into an empty local Neo4j; return their number and the seconds that writing took."""
    from pyarrow import parquet  # noqa: PLC0415

    from kg.schema import edge, node  # noqa: PLC0415
    from kg.store import Change, conform  # noqa: PLC0415
    from kg.stores.bolt import BoltStore  # noqa: PLC0415
    from kg.stores.local_neo4j import LocalNeo4j  # noqa: PLC0415

    types = (node("Account"), nodes), (edge("TRANSFERRED_TO"), edges)
    server = LocalNeo4j(folder)
    address = server.start()
    try:
        with BoltStore.connect(address) as store:
            store.prepare()
            if by_rival:
                from bench_rival import send  # noqa: PLC0415 - pandas is for the rival alone

                whole = [_whole(folder, conform, type_, path) for type_, path in types]
                begin = time.monotonic()
                return send(address, types[0][0], whole[0], types[1][0], whole[1]), time.monotonic() - begin
            changes = [Change(type_, lambda path=path: parquet.ParquetFile(path).iter_batches(120_000)) for type_, path in types]
            begin = time.monotonic()
            applied = store.apply(changes, "20260401T000000Z")
            return applied.total, time.monotonic() - begin
    finally:
        server.stop()


def _whole(folder: Path, conform: Callable[..., Any], type_: Any, path: Path) -> Path:
    """Give the rival rows with every column of the type, so that it need not look for them."""
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import parquet  # noqa: PLC0415

    batches = [conform(batch, type_) for batch in parquet.read_table(path).combine_chunks().to_batches()]
    out = folder / f"rival-{path.name}"
    parquet.write_table(pa.Table.from_batches(batches), out)
    return out


# -- the rival ------------------------------------------------------------------------------------


def rival_load(landing: Path, out: Path) -> tuple[int, float, float]:
    """Run the rival's load; return the rows, and when it began and ended."""
    begin = time.time()
    from bench_rival import load  # noqa: PLC0415 - importing is part of what is timed

    return load(landing, out, os.urandom(32)), begin, time.time()
