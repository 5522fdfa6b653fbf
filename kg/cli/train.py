"""``kgfraud train``: a model of the lake's own past."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kg.cli.common import json_option, open_workspace, print_json, print_table, reporting, workspace_option


@click.command()
@click.argument("task")
@click.option("--horizon", type=click.IntRange(1, 3_660), help="Days ahead; by default those of the task.")
@click.option("--step", type=click.IntRange(1, 3_660), help="Days between two snapshots; by default those of the task.")
@click.option("--model", type=click.Choice(["boosted", "perceptron"]), default="boosted", show_default=True, help="What learns.")
@click.option("--rivals", is_flag=True, help="Measure neural networks beside what was trained.")
@click.option(
    "--found", type=click.FloatRange(0, 1, min_open=True), metavar="PART", help="Part of the guilty whose case is found, if known."
)
@json_option
@workspace_option
def train(
    *,
    task: str,
    horizon: int | None,
    step: int | None,
    model: str,
    rivals: bool,
    found: float | None,
    as_json: bool,
    workspace: Path,
) -> None:
    """Train models of TASK on the past of the last run's lake, and register the one that was chosen.

    TASK is company_fraud, supply_chain_distress (both of companies), linked_party (of pairs of parties) or fraud_ring (of rings of money).
    Boosted trees are trained with and without neighbours' features, and those with them are chosen where they are shown to be better. With
    --model perceptron a neural network on all features is registered, with what it is worth beside the trees.
    A registered model serves from when it is promoted (kgfraud models promote).
    """
    from kg.daytime.scoring import train_model  # noqa: PLC0415 - slow to import

    opened = open_workspace(workspace)
    _, progress = reporting(opened)
    version, metrics = train_model(
        opened, task, progress, horizon=horizon, step=step, network=model == "perceptron", rivals=rivals, found_part=found
    )
    if as_json:
        print_json({"task": task, "version": version, "metrics": metrics})
        return
    say(metrics)
    click.echo(f"\nregistered {version}; next: kgfraud models promote {version}")


def say(metrics: dict[str, Any]) -> None:
    """Print what a model is worth, whether the graph and a network help, and its leaks."""
    from gnn.card import chosen_said, graph_said, told  # noqa: PLC0415 - known to be installed where there are metrics

    rows = metrics["rows"]
    click.echo(", ".join(f"{name}: {of['rows']} rows, {of['guilty']} {metrics['outcome']}" for name, of in rows.items()))
    keys = ("auc", "ap", "precision_at_capacity", "brier_skill", "ece")
    click.echo("\nheld-out period (95 % intervals)")
    print_table(
        ("model", "AUC", "AP", "precision at capacity", "Brier skill", "ECE"),
        [(name, *(told(of[key]) for key in keys)) for name, of in metrics["models"].items()],
    )
    for name, of in metrics.get("rivals", {}).items():
        better = f"gain in AP over what was chosen {told(of['ap_gain'], '+.4f')}"
        click.echo(f"{name} (measured only): AUC {told(of['auc'])}, AP {told(of['ap'])}, {better}")
    click.echo(f"\n{chosen_said(metrics)} {graph_said(metrics)}")
    for leak in metrics["leaks"]:
        click.echo(f"leak: {leak['column']} {leak['said']}")
    click.echo(f"gain in AP against {metrics['gate']['against']}: {told(metrics['gate']['ap_gain'], '+.4f')}")
