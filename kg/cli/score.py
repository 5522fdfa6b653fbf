"""``kgfraud score``: the companies of the last run, or other units of a task, by the champion."""

from __future__ import annotations

from pathlib import Path

import click

from kg.cli.common import json_option, open_workspace, print_json, print_table, reporting, workspace_option


@click.command()
@click.option("--task", default="company_fraud", show_default=True, help="What is foreseen.")
@click.option("--model", metavar="VERSION", help="Model; by default the one that serves.")
@click.option("--top", type=click.IntRange(1), default=20, show_default=True, help="How many to print, the highest first.")
@click.option(
    "--found",
    type=click.FloatRange(0, 1, min_open=True),
    metavar="PART",
    help="Tell the probability of being guilty where this part of the guilty is found, and not that of being found.",
)
@click.option(
    "--base-rate",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    metavar="PART",
    help="Tell probabilities where this part becomes a case, and not as many as when they were calibrated.",
)
@json_option
@workspace_option
def score(*, task: str, model: str | None, top: int, found: float | None, base_rate: float | None, as_json: bool, workspace: Path) -> None:
    """Score the companies of the last run, or a task's pairs or rings, without writing anything; the night keeps its own scores."""
    from kg.daytime.scoring import registry, seen_last  # noqa: PLC0415 - slow to import

    opened = open_workspace(workspace)
    of, known = registry(opened.models, task)
    chosen = known.load(model) if model else known.serving()
    _, progress = reporting(opened)
    seen = seen_last(opened, task, progress)
    from gnn.familiar import strangers  # noqa: PLC0415 - known to be installed where there is a model
    from gnn.unlabelled import corrected, shifted  # noqa: PLC0415

    one, many = of.units.one, of.units.many
    (raw, probability), strange = chosen.score(seen), strangers(chosen, seen)
    order = (-raw).argsort(kind="stable")[:top]
    if base_rate is not None:
        valid = chosen.metrics["rows"]["valid"]
        probability = shifted(probability, valid["guilty"] / valid["rows"], base_rate)
    if found is not None:
        probability = corrected(probability, found)
    likely = [None if strange[n] else float(probability[n]) for n in order]
    rows = [
        {one: seen.ids[int(n)].as_py(), "score": float(raw[n]), "probability": each, "outside": strange[n]}
        for n, each in zip(order, likely, strict=True)
    ]
    if as_json:
        print_json({"task": task, "model": chosen.version, "as_of": seen.day, many: len(seen.ids), "scores": rows})
        return
    click.echo(f"{task} {chosen.version}, as of {seen.day}: the first {len(rows)} of {len(seen.ids)} {many}")
    table = [(row[one], round(row["score"], 3), row["probability"], row["outside"]) for row in rows]
    print_table((one, "score", "probability", "unlike what was learnt from by"), table)
