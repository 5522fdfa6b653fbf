"""``kgfraud run``: a night."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from kg.cli.common import as_of_option, json_option, open_workspace, print_json, reporting, workspace_option
from kg.errors import UsageError


@click.command()
@as_of_option
@click.option("--only", metavar="STAGE", multiple=True, help="Run one stage.")
@click.option("--dry-run", is_flag=True, help="Do everything up to the commit, then take the lake back.")
@json_option
@workspace_option
def run(workspace: Path, *, as_of: datetime | None, only: tuple[str, ...], dry_run: bool, as_json: bool) -> None:
    """Do a night: load, resolve, derive, score, flag; commit; publish, export, report."""
    if len(only) > 1:
        raise UsageError(f"--only runs one stage, and {len(only)} are named ({', '.join(only)}); run them one after the other")
    from kg.pipeline import run_pipeline  # noqa: PLC0415
    from kg.report import text  # noqa: PLC0415

    opened = open_workspace(workspace, sources=True)
    _, progress = reporting(opened)
    outcome = run_pipeline(opened, as_of=as_of.date() if as_of else None, only=next(iter(only), None), dry_run=dry_run, progress=progress)
    if as_json:
        print_json(outcome.summary())
    else:
        click.echo(text(outcome.summary()), nl=False)
