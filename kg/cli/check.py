"""``kgfraud check``: the checks of a night without a night."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from kg.cli.common import as_of_option, json_option, open_workspace, print_json, print_table, reporting, workspace_option

_REFUSED = ("source", "column", "rule", "rows")


@click.command()
@as_of_option
@json_option
@workspace_option
def check(workspace: Path, as_of: datetime | None, as_json: bool) -> None:
    """Read every source and hold it against its contract and gates; nothing is written."""
    from kg.pipeline import check_sources  # noqa: PLC0415

    opened = open_workspace(workspace, sources=True)
    _, progress = reporting(opened)
    found = check_sources(opened, progress, as_of.date() if as_of else None)
    names = ("source", "rows", "accepted", "quarantined", "overtaken", "warnings")
    entries = [{name: entry[name] for name in names} for entry in found.sources]
    if as_json:
        print_json({"as_of": found.as_of, "sources": entries, "refused": found.refused})
    else:
        print_table(names[:4], [[entry[name] for name in names[:4]] for entry in entries])
        for entry in entries:
            if entry["overtaken"]:
                click.echo(f"{entry['source']}: {entry['overtaken']:,} rows give way to rows of later files that tell of the same records")
            for warning in entry["warnings"]:
                click.echo(f"warning: {entry['source']}: {warning}")
        if found.refused:
            click.echo("\nrows that would be refused")
            print_table(_REFUSED, [[row[name] for name in _REFUSED] for row in found.refused])
        if found.as_of:
            click.echo(f"the business date is {found.as_of}")
    if found.stopped:
        raise found.stopped
