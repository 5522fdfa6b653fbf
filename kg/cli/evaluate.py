"""``kgfraud evaluate``: what a model is worth on days that it has not seen."""

from __future__ import annotations

from pathlib import Path

import click

from kg.cli.common import json_option, open_workspace, print_json, reporting, workspace_option


@click.command()
@click.argument("task")
@click.option("--model", metavar="VERSION", help="Model; by default the one that serves.")
@click.option("--evidence", type=click.IntRange(1), metavar="N", help="Measure the reasons of the N highest scores of today too.")
@json_option
@workspace_option
def evaluate(*, task: str, model: str | None, evidence: int | None, as_json: bool, workspace: Path) -> None:
    """Measure a model of TASK on the newest day whose outcome the last run's lake knows; that day must lie after all it learnt from.

    With --evidence the records named for each of the highest scores are taken out of the graph, company by company, and all features are
    computed again: it tells how many scores fall.
    """
    from kg.daytime.scoring import evaluated, registry, removed  # noqa: PLC0415 - slow to import

    opened = open_workspace(workspace)
    of, known = registry(opened.models, task)
    chosen = known.load(model) if model else known.serving()
    _, progress = reporting(opened)
    found = evaluated(opened, task, chosen, progress)
    if evidence:
        found["evidence"] = removed(opened, chosen, evidence, progress)
    if as_json:
        print_json(found)
        return
    from gnn.card import told  # noqa: PLC0415 - known to be installed where there is a model
    from gnn.card_further import caught_said  # noqa: PLC0415

    many, outcome = of.units.many, of.units.outcome
    said = f"{found['rows']} {many}, {found['guilty']} {outcome} by {found['known_by']}"
    click.echo(f"{task} {chosen.version} on {found['day']}: {said}")
    for name in ("auc", "ap", "precision_at_capacity", "brier_skill", "ece"):
        click.echo(f"  {name.replace('_', ' '):22} {told(found[name])}")
    for line in caught_said(found):
        click.echo(f"  {line}")
    if evidence:
        of = found["evidence"]
        click.echo(
            f"  of the {of['companies']} highest scores evidence is named for {of['named']}; without it {told(of['fell'])} of these fall, "
            f"by {of['median_fall']:.2f} log-odds in the middle"
        )
