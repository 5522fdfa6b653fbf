"""``kgfraud benchmark``: the models held against a published data set."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kg.cli.common import json_option, print_json, print_table
from kg.errors import DependencyError, UsageError, did_you_mean_one_of

if TYPE_CHECKING:
    from gnn.benchmark import Benchmark


@click.command()
@click.argument("name")
@click.option("--data", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder of the data set.")
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder for scores.parquet and metrics.json.")
@click.option("--seeds", type=click.IntRange(1, 100), default=5, show_default=True, help="Fits of each model that are averaged.")
@json_option
def benchmark(*, name: str, data: Path, out: Path, seeds: int, as_json: bool) -> None:
    """Train all models on the data set NAME (fdcompcn or smesd), score its rows, and tell what each model is worth.

    Needs no workspace. Takes some minutes on one core.
    """
    from kg.log import capture_libraries, logger  # noqa: PLC0415 - slow to import
    from kg.progress import progress_for  # noqa: PLC0415

    chosen = _find(name)
    start, log = time.monotonic(), logger("info", "text")
    capture_libraries(log)
    from gnn.benchmark import run  # noqa: PLC0415
    from gnn.models import MODELS  # noqa: PLC0415

    outcome = run(chosen.load(data), MODELS, progress_for(log), seeds=seeds)
    metrics = {"benchmark": name, **outcome.metrics, "seconds": round(time.monotonic() - start, 1)}
    _write(out, outcome.scores, metrics)
    if as_json:
        print_json(metrics)
    else:
        _say(metrics)
        click.echo(f"\nwrote {out / 'scores.parquet'} and {out / 'metrics.json'} in {metrics['seconds']:.0f} s")


def _find(name: str) -> Benchmark:
    try:
        from gnn.benchmarks import BENCHMARKS  # noqa: PLC0415 - torch is slow to import
    except ModuleNotFoundError as error:
        raise DependencyError(f"the package {error.name} is missing; install kgfraud[models]") from error
    known = {each.name: each for each in BENCHMARKS}
    if name not in known:
        raise UsageError(f"no benchmark named '{name}'{did_you_mean_one_of(name, known)}")
    return known[name]


def _write(out: Path, scores: Any, metrics: dict[str, Any]) -> None:
    from pyarrow import parquet  # noqa: PLC0415 - slow to import

    out.mkdir(parents=True, exist_ok=True)
    parquet.write_table(scores, out / "scores.parquet")
    (out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")


def _say(metrics: dict[str, Any]) -> None:
    columns = ("model", "AUC, folds", "AP, folds", "AUC, valid", "AP, valid")
    segments = [name for name, of in metrics["models"]["blend"]["cv"].items() if isinstance(of, dict) and "auc" in of and name != "first"]
    for segment in ("", *segments):
        click.echo(f"\nmodels, {segment or 'all rows'} (95 % intervals)")
        print_table(columns, [_row(model, table, segment) for model, table in metrics["models"].items()])
    click.echo("\neach relation alone")
    print_table(
        columns, [_row(f"{relation}: {model}", of, "") for relation, each in metrics["relations"].items() for model, of in each.items()]
    )
    for variant, each in metrics["variants"].items():
        click.echo(f"\n{variant}")
        print_table(columns, [_row(model, table, "") for model, table in each.items()])
    click.echo(f"\nscores are those of {metrics['chosen']}")
    click.echo("\nwith the graph against without: gain in AP, folds")
    for model, of in metrics["graph_against_none"].items():
        click.echo(f"{model} against {of['against']}: {_told(of['cv']['ap'], '+.3f')}{'' if of['helps'] else ' - not shown to help'}")


def _row(name: str, table: dict[str, Any], segment: str) -> tuple[str, ...]:
    parts = (table["cv"], table["valid"]) if not segment else (table["cv"][segment], table["valid"][segment])
    return (name, *(_told(part[metric]) for part in parts for metric in ("auc", "ap")))


def _told(of: dict[str, float], form: str = ".3f") -> str:
    return f"{of['value']:{form}} [{of['low']:{form}}, {of['high']:{form}}]"
