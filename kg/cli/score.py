"""``kgfraud score``: the companies of the last run, or other units of a task, by the champion."""

from __future__ import annotations

from pathlib import Path

import click

from kg.cli.common import json_option, open_workspace, print_json, print_table, reporting, workspace_option


@click.command()
@click.option("--task", default="company_fraud", show_default=True, help="What is foreseen.")
@click.option("--model", metavar="VERSION", help="Model; by default the one that serves.")
@click.option("--top", type=click.IntRange(1), default=20, show_default=True, help="How many to print, the highest first.")
@json_option
@workspace_option
def score(*, task: str, model: str | None, top: int, as_json: bool, workspace: Path) -> None:
    """Score the companies of the last run, or a task's pairs or rings, without writing anything; the night keeps its own scores."""
    from kg.daytime.scoring import registry, seen_last  # noqa: PLC0415 - slow to import

    opened = open_workspace(workspace)
    of, known = registry(opened.models, task)
    chosen = known.load(model) if model else known.serving()
    _, progress = reporting(opened)
    seen = seen_last(opened, task, progress)
    one, many = of.units.one, of.units.many
    raw, probability = chosen.score(seen)
    order = (-raw).argsort(kind="stable")[:top]
    rows = [{one: seen.ids[int(n)].as_py(), "score": float(raw[n]), "probability": float(probability[n])} for n in order]
    if as_json:
        print_json({"task": task, "model": chosen.version, "as_of": seen.day, many: len(seen.ids), "scores": rows})
        return
    click.echo(f"{task} {chosen.version}, as of {seen.day}: the first {len(rows)} of {len(seen.ids)} {many}")
    print_table((one, "score", "probability"), [(r[one], round(r["score"], 3), r["probability"]) for r in rows])
