"""``kgfraud report``: what a run did, as it was written down."""

from __future__ import annotations

import json
from pathlib import Path

import click

from kg.cli.common import json_option, open_workspace, print_json, workspace_option


@click.command()
@click.argument("run_id", default="last")
@json_option
@workspace_option
def report(workspace: Path, run_id: str, as_json: bool) -> None:
    """Show the report of a run: what came in, what was refused, what was found. RUN_ID is an id or 'last'."""
    from kg.errors import KgfraudError  # noqa: PLC0415
    from kg.run import Runs  # noqa: PLC0415

    runs = Runs(open_workspace(workspace).runs)
    folder = runs.root / runs.record(run_id).run_id
    if not (folder / "report.json").exists():
        raise KgfraudError(f"run {folder.name} has no report yet; kgfraud run --only report writes it")
    if as_json:
        print_json(json.loads((folder / "report.json").read_text(encoding="utf-8")))
    else:
        click.echo((folder / "report.txt").read_text(encoding="utf-8"), nl=False)
