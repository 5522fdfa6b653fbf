"""Timings of features, propagation, training and scores on a generated world, beside rivals that do the same.

    python scripts/scores_benchmark.py                         one million companies: about half an hour and 15 GB of disk
    python scripts/scores_benchmark.py --companies 50000

The lake is filled first, which is timed elsewhere. Each part then runs in a process of its own, whose memory is watched from outside.
Who is guilty is drawn by chance from what features say, a company's own and its neighbours', so that there is something to learn.
The rivals do their part of a smaller world: pandas sums up a year's payments, and GraphSAGE of PyTorch Geometric is trained on the whole
graph at once, as sampled links would be where all of them fit.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
from bench_watch import watched
from bench_world import DAYS
from benchmark import FULL_SIZE, GIB, Figure, as_json, table
from scores_world import ScoreWorld

from gnn.around import NEAR, around
from gnn.calibrate import calibrate
from gnn.company import FAMILIES, payments
from gnn.encode import Floats, Relation, TaskGraph
from gnn.feature import Inputs
from gnn.metrics import Labels, average_precision
from gnn.snapshot import _block, companies
from gnn.splits import folds
from gnn.trees import Trees
from kg.algorithms.interning import Interner
from kg.config import Workspace
from kg.daytime.scoring import _last
from kg.export import SigningKey
from kg.graph import Graph
from kg.pipeline import run_pipeline
from kg.progress import Silent
from kg.stages.score import archive

_GUILTY, _PAGES = 0.02, ("own", "near")


@dataclass(frozen=True)
class Took:
    """Seconds and CPU seconds of pieces of work, and what was counted beside."""

    seconds: dict[str, float]
    cpu: dict[str, float]
    counts: dict[str, float]


class _Clock:
    def __init__(self) -> None:
        self.took = Took({}, {}, {})

    def of(self, name: str, work: Callable[[], Any]) -> Any:
        """Do a piece of work and note what it took."""
        begin, cpu = time.monotonic(), time.process_time()
        found = work()
        self.took.seconds[name], self.took.cpu[name] = time.monotonic() - begin, time.process_time() - cpu
        return found


def fill(root: Path, size: int) -> dict[str, int]:
    """Make a world and load it into the lake of a workspace."""
    workspace, world = Workspace.create(root), ScoreWorld(root / "landing", size, form="parquet")
    SigningKey.create(workspace.keys)
    rows = world.write()
    with workspace.toml.open("a", encoding="utf-8") as toml:
        toml.writelines(world.sources())
    for stage in ("load", "resolve"):
        run_pipeline(Workspace.open(root), only=stage)
    shutil.rmtree(world.folder)
    return rows


def features(root: Path) -> Took:
    """Compute the features of all companies on the world's last day, and keep them beside the lake."""
    clock = _Clock()
    with _last(Workspace.open(root), Silent()) as night:
        graph = archive(night).on(night.moment.as_of)
        ids = clock.of("ids", lambda: Interner.of(graph.engine.table(companies(graph))["id"]))
        own = clock.of("own", lambda: np.column_stack([_block(graph, family, ids) for family in FAMILIES]))
        told = [place for place, column in enumerate(column for family in FAMILIES for column in family.columns) if column.told]
        near = clock.of("near", lambda: around(graph, ids, own[:, told]))
        edges = sum(graph.engine.count(near_.pairs(graph)) for near_ in NEAR)
    for name, values in zip(_PAGES, (own, near), strict=True):
        np.save(root / f"{name}.npy", values)
    clock.took.counts.update(companies=len(ids), own=own.shape[1], near=near.shape[1], edges=edges)
    return clock.took


def kept(root: Path) -> tuple[Floats, int]:
    """Return the features that were kept, and how many are a company's own."""
    own, near = (np.load(root / f"{name}.npy") for name in _PAGES)
    return np.column_stack([own, near]), own.shape[1]


def guilt(values: Floats, n_own: int) -> Labels:
    """Draw who is guilty: the odds grow with how much went through on one day, and with the neighbours' money."""
    dice = np.random.default_rng(5)
    places = (0, 3, n_own + 1, n_own + 2)
    ranks = [np.argsort(np.argsort(np.nan_to_num(values[:, place]))) / len(values) for place in places]
    odds = 20 * np.mean(ranks, axis=0) + dice.logistic(0, 0.5, len(values))
    label: Labels = (odds >= np.quantile(odds, 1 - _GUILTY)).astype(np.int8)
    return label


def training(root: Path) -> Took:
    """Train trees on own columns and on all, with probabilities; half of the companies are learnt from."""
    clock, (values, n_own) = _Clock(), kept(root)
    label, half = guilt(values, n_own), len(values) // 2
    own, lesson = np.ascontiguousarray(values[:half, :n_own]), label[:half]
    clock.of("trees_own", lambda: Trees.fit(own, lesson, 0).untied(own, lesson, 0))
    trees = clock.of("trees", lambda: Trees.fit(values[:half], lesson, 0).untied(values[:half], lesson, 0))
    deal = folds(label[half:], np.arange(len(label) - half), 3, np.random.default_rng(1))
    score = clock.of("scoring", lambda: trees.score(values))
    curve, _ = clock.of("curve", lambda: calibrate(score[half:], label[half:], deal))
    clock.of("probabilities", lambda: curve(score))
    clock.took.counts.update(ap=average_precision(label[half:], score[half:]), guilty=float(label.mean()))
    return clock.took


def network(root: Path) -> Took:
    """Train a perceptron on what was propagated beforehand; half of the companies are learnt from."""
    from gnn.models import perceptron  # noqa: PLC0415 - torch is slow to import

    clock, (values, n_own) = _Clock(), kept(root)
    label, half = guilt(values, n_own), len(values) // 2
    inputs = _inputs(values, n_own, ())
    scorer = clock.of("fit", lambda: perceptron.GRAPH.fit(inputs, np.arange(half), label[:half], 0))
    score = clock.of("score", lambda: scorer(inputs))
    clock.took.counts["ap"] = average_precision(label[half:], score[half:])
    return clock.took


def whole_graph(root: Path) -> Took:
    """Train GraphSAGE on the whole graph at once."""
    from gnn.models import sage  # noqa: PLC0415 - torch is slow to import

    clock, (values, n_own) = _Clock(), kept(root)
    label, half = guilt(values, n_own), len(values) // 2
    with _last(Workspace.open(root), Silent()) as night:
        graph = archive(night).on(night.moment.as_of)
        ids = Interner.of(graph.engine.table(companies(graph))["id"])
        inputs = _inputs(values, n_own, tuple(_relation(graph, ids, near.name, near.pairs) for near in NEAR if near.hops == 1))
    scorer = clock.of("fit", lambda: sage.MODEL.fit(inputs, np.arange(half), label[:half], 0))
    clock.took.counts["ap"] = average_precision(label[half:], scorer(inputs)[half:])
    return clock.took


def by_pandas(root: Path) -> Took:
    """Sum up a year's payments by pandas and by our own family of features, from the same tables."""
    clock = _Clock()
    with _last(Workspace.open(root), Silent()) as night:
        graph = archive(night).on(night.moment.as_of)
        moved = graph.engine.table(graph.edges("TRANSFERRED_TO").select("src", "dst", "amount_fen", "at")).to_pandas()
        owned = graph.engine.table(graph.edges("OWNS_ACCOUNT").select("src", "dst")).to_pandas()
        ours = clock.of("ours", lambda: graph.engine.table(payments.FAMILY.make(graph))).to_pandas().set_index("id")
    theirs = clock.of("pandas", lambda: _payments(moved, owned)).reindex(ours.index)
    same = [np.array_equal(ours[name].to_numpy(float), theirs[name].to_numpy(float), equal_nan=True) for name in theirs.columns]
    clock.took.counts["unequal"] = len(same) - sum(same)
    return clock.took


def _payments(moved: pd.DataFrame, owned: pd.DataFrame) -> pd.DataFrame:
    sole = owned.groupby("dst")["src"].agg(["min", "max"])
    owner = sole["min"][sole["min"] == sole["max"]]
    ends = moved.assign(payer=moved["src"].map(owner).fillna(moved["src"]), payee=moved["dst"].map(owner).fillna(moved["dst"]))
    ends = ends[ends["payer"] != ends["payee"]]
    sides = [
        ends.rename(columns={one: "id", other: "other"})[["id", "other", "amount_fen", "at"]].assign(out=out)
        for one, other, out in (("payer", "payee", True), ("payee", "payer", False))
    ]
    rows = pd.concat(sides)
    rows = rows[rows["id"].str.startswith("company:")]
    rows = rows.assign(got=rows["amount_fen"].where(~rows["out"], 0), paid=rows["amount_fen"].where(rows["out"], 0))
    sums = rows.groupby("id").agg(in_fen=("got", "sum"), out_fen=("paid", "sum"), out_count=("out", "sum"), count=("out", "size"))
    pairs = rows.groupby(["id", "other"]).agg(got=("got", "sum"), paid=("paid", "sum"))
    partners = (pairs > 0).groupby("id").sum().rename(columns={"got": "payers", "paid": "payees"})
    return sums.assign(in_count=sums["count"] - sums["out_count"]).drop(columns="count").join(partners)


def _relation(graph: Graph, ids: Interner, name: str, pairs: Callable[[Graph], Any]) -> Relation:
    found = graph.engine.table(pairs(graph).select("src", "dst"))
    source, target = (ids.codes(found[end]) for end in ("src", "dst"))
    both = (source >= 0) & (target >= 0)
    return Relation(name, source[both], target[both], np.ones(int(both.sum())))


def _inputs(values: Floats, n_own: int, relations: tuple[Relation, ...]) -> Inputs:
    rows, columns = len(values), tuple(str(place) for place in range(values.shape[1]))
    graph = TaskGraph(
        np.arange(rows), np.full(rows, "train"), np.full(rows, -1, np.int8), columns[:n_own], values[:, :n_own], (), relations, rows
    )
    return Inputs(graph, values[:, :n_own], values, columns)


def measured(part: str, lines: tuple[tuple[str, str, float | None], ...], work: Callable[[], Any], gib: float | None) -> Iterator[Figure]:
    """Run a part in a process of its own; yield its seconds, CPU seconds, counts and memory."""
    took, usage = watched(work)
    for name, what, most in lines:
        yield Figure(part, what, took.seconds[name], "s", most)
        yield Figure(part, "  CPU", took.cpu[name], "s")
    for what, count in took.counts.items():
        yield Figure(part, f"  {what}", count, "rows" if count == int(count) else "")
    yield Figure(part, "  peak memory", usage.peak(0, time.time()) / GIB, "GiB", gib)


def ours(root: Path) -> Iterator[Figure]:
    """Yield our own figures of a filled workspace."""
    lines = ("own", "features of all companies", 300.0), ("near", "propagation over five relations", 60.0)
    yield from measured("features", lines, partial(features, root), 8.0)
    trees = (
        ("trees_own", "boosted trees, own columns", None),
        ("trees", "boosted trees, all columns", 1800.0),
        ("curve", "calibration", None),
        ("scoring", "scores of all companies", 60.0),
    )
    yield from measured("training", trees, partial(training, root), 10.0)
    yield from measured("network", (("fit", "perceptron on what was propagated", 1800.0),), partial(network, root), 10.0)


def rivals(root: Path) -> Iterator[Figure]:
    """Yield what rivals take on a filled workspace, beside ours."""
    took, _ = watched(partial(by_pandas, root))
    yield Figure("rival", "a year's payments: CPU, beside pandas", took.cpu["ours"], "s", rival=took.cpu["pandas"])
    yield Figure("rival", "  columns that differ", took.counts["unequal"], "rows", 0)
    watched(partial(features, root))
    mine, used = watched(partial(network, root))
    theirs, usage = watched(partial(whole_graph, root))
    yield Figure("rival", "network: CPU to train, beside GraphSAGE on all", mine.cpu["fit"], "s", rival=theirs.cpu["fit"])
    yield Figure("rival", "  AP", mine.counts["ap"], "", rival=theirs.counts["ap"])
    yield Figure(
        "rival", "  peak memory", *(each.peak(0, time.time()) / GIB for each in (used,)), "GiB", rival=usage.peak(0, time.time()) / GIB
    )


@click.command()
@click.option("--companies", "size", type=click.IntRange(1000), default=FULL_SIZE, show_default=True, help="Size of the world.")
@click.option("--rival-companies", type=click.IntRange(1000), default=100_000, show_default=True, help="Size of the rivals' world.")
@click.option("--only", type=click.Choice(["ours", "rival"]), multiple=True, help="Run this part; may be repeated.")
@click.option(
    "--folder", type=click.Path(file_okay=False, path_type=Path), help="Folder to work in; by default the system's temporary one."
)
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures into FILE as JSON.")
def main(*, size: int, rival_companies: int, only: tuple[str, ...], folder: Path | None, file: Path | None) -> None:
    """Time features, propagation, training and scores on a generated world, beside rivals."""
    found: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="kgfraud-scores-bench-", dir=folder) as work:
        for name, part, companies_ in (("ours", ours, size), ("rival", rivals, min(size, rival_companies))):
            if only and name not in only:
                continue
            root = Path(work) / name
            rows, _ = watched(fill, root, companies_)
            click.echo(f"{DAYS} days: " + ", ".join(f"{count:,} {kind}" for kind, count in rows.items()), err=True)
            for figure in part(root):
                found.append(figure)
                click.echo(table([figure], companies_).splitlines()[1], err=True)
            shutil.rmtree(root)
    click.echo(table(found, size))
    if file is not None:
        file.write_text(as_json(found, size) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
