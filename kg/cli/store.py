"""``kgfraud store``: the lake held against the graph database."""

from __future__ import annotations

from pathlib import Path

import click

from kg.cli.common import json_option, open_workspace, print_json, print_table, reporting, workspace_option

SHOWN = 20


@click.group()
def store() -> None:
    """Compare the lake with the graph database."""


@store.command()
@json_option
@workspace_option
def verify(workspace: Path, as_json: bool) -> None:
    """Compare counts and contents of the last run with the graph database, row by row, and name what differs."""
    from kg.daytime.publisher import verify_last  # noqa: PLC0415
    from kg.errors import VerificationError  # noqa: PLC0415

    opened = open_workspace(workspace)
    _, progress = reporting(opened)
    found = verify_last(opened, progress)
    differing = [row for row in found["types"] if row["missing"] or row["surplus"] or row["different"]]
    if as_json:
        print_json(found)
    else:
        names = ("type", "lake", "store", "missing", "surplus", "different")
        print_table(names, [[row[name] for name in names] for row in found["types"]])
        for line in found["differences"][:SHOWN]:
            click.echo(f"  {line['what']}: {line['type']} {line['id']}{' ' + line['property'] if line['property'] else ''}")
    if differing:
        total = sum(row["missing"] + row["surplus"] + row["different"] for row in differing)
        raise VerificationError(f"the graph database differs from run {found['run_id']} in {total} rows; kgfraud publish --repair mends it")
