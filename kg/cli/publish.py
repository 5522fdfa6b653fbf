"""``kgfraud publish``: the graph database brought up to the last run."""

from __future__ import annotations

from pathlib import Path

import click

from kg.cli.common import json_option, open_workspace, print_json, reporting, workspace_option


@click.command()
@click.option("--repair", is_flag=True, help="Compare every row with the lake and mend what differs.")
@json_option
@workspace_option
def publish(workspace: Path, repair: bool, as_json: bool) -> None:
    """Bring the graph database up to the last committed run."""
    from kg.daytime.publisher import publish_last  # noqa: PLC0415

    opened = open_workspace(workspace)
    _, progress = reporting(opened)
    done = publish_last(opened, progress, repair=repair)
    if as_json:
        print_json(done)
    else:
        click.echo(f"run {done['run_id']}: {done['written']:,} rows written, {done['deleted']:,} removed, by {done['how']}")
