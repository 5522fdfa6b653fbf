"""``kgfraud models``: the registry."""

from __future__ import annotations

from pathlib import Path

import click

from kg.cli.common import json_option, open_workspace, print_json, print_table, workspace_option

_TASK = click.option("--task", default="company_fraud", show_default=True, help="Task of the models.")


@click.group()
def models() -> None:
    """List, show, promote and roll back models of the workspace."""


@models.command("list")
@_TASK
@json_option
@workspace_option
def list_(*, task: str, as_json: bool, workspace: Path) -> None:
    """List the registered models, the oldest first."""
    from kg.daytime.scoring import registry  # noqa: PLC0415 - slow to import

    _, known = registry(open_workspace(workspace).models, task)
    champion = known.champion()
    rows = []
    for version in known.versions():
        metrics = known.load(version).metrics
        mine = metrics["models"][metrics["chosen"]]
        rows.append(
            {
                "version": version,
                "serves": version == champion,
                "model": metrics["chosen"],
                "ap": mine["ap"],
                "leaks": len(metrics["leaks"]),
            }
        )
    if as_json:
        print_json({"task": task, "champion": champion, "models": rows})
    elif not rows:
        click.echo(f"no model of {task} is registered; kgfraud train {task} makes one")
    else:
        table = [(row["version"], row["serves"], row["model"], f"{row['ap']['value']:.3f}", row["leaks"]) for row in rows]
        print_table(("version", "serves", "model", "AP", "leaks"), table)


@models.command()
@click.argument("version")
@_TASK
@json_option
@workspace_option
def show(*, version: str, task: str, as_json: bool, workspace: Path) -> None:
    """Show the card of a model."""
    from kg.daytime.scoring import registry  # noqa: PLC0415 - slow to import

    _, known = registry(open_workspace(workspace).models, task)
    model = known.load(version)
    if as_json:
        print_json({"version": version, **model.about, "metrics": model.metrics})
    else:
        click.echo((known.folder / version / "card.md").read_text(encoding="utf-8"), nl=False)


@models.command()
@click.argument("version")
@_TASK
@workspace_option
def promote(*, version: str, task: str, workspace: Path) -> None:
    """Let a model serve from the next night on, if it passed the gate; else say why not, and the champion stays."""
    from kg.daytime.scoring import registry  # noqa: PLC0415 - slow to import

    _, known = registry(open_workspace(workspace).models, task)
    known.promote(version)
    click.echo(f"{task} {version} serves from the next run on")


@models.command()
@_TASK
@workspace_option
def rollback(*, task: str, workspace: Path) -> None:
    """Let the model serve again that did before."""
    from kg.daytime.scoring import registry  # noqa: PLC0415 - slow to import

    _, known = registry(open_workspace(workspace).models, task)
    click.echo(f"{task} {known.rollback()} serves again from the next run on")
