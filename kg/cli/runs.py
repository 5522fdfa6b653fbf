"""``kgfraud runs``: the runs of a workspace."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from kg.cli.common import json_option, open_workspace, print_json, print_table, reporting, workspace_option


@click.group()
def runs() -> None:
    """List, show, compare, prune and replay runs."""


@runs.command("list")
@json_option
@workspace_option
def list_runs(workspace: Path, as_json: bool) -> None:
    """List the committed runs, oldest first."""
    from kg.run import Runs  # noqa: PLC0415

    folder = Runs(open_workspace(workspace).runs)
    records = [folder.record(run_id) for run_id in folder.ids()]
    rows = [{"run_id": r.run_id, "as_of": r.as_of, **_counts(r.sources), "code": r.code} for r in records]
    if as_json:
        print_json({"runs": rows})
    elif rows:
        print_table(list(rows[0]), [list(row.values()) for row in rows])
    else:
        click.echo("no run was committed yet (kgfraud run)")


@runs.command()
@click.argument("run_id", default="last")
@json_option
@workspace_option
def show(workspace: Path, run_id: str, as_json: bool) -> None:
    """Show a run: what came in, what was done, at which versions the tables stood. RUN_ID is an id or 'last'."""
    from kg.report import text  # noqa: PLC0415
    from kg.run import Runs  # noqa: PLC0415

    folder = Runs(open_workspace(workspace).runs)
    record = folder.record(run_id)
    after = {name: folder.result(record.run_id, name) for name in ("publish", "export", "report") if folder.done(record.run_id, name)}
    if as_json:
        print_json({**asdict(record), "after": after})
        return
    results = dict(record.results)
    seconds = {**results.pop("seconds", {}), **{name: result.pop("seconds", 0) for name, result in after.items()}}
    shown = {"run_id": record.run_id, "as_of": record.as_of.isoformat(), "began": f"was made by {record.code}"}
    click.echo(text({**shown, "sources": record.sources, "results": {**results, **after}, "seconds": seconds}), nl=False)


@runs.command()
@click.argument("old")
@click.argument("new", default="last")
@json_option
@workspace_option
def diff(workspace: Path, old: str, new: str, as_json: bool) -> None:
    """Compare two runs: for each table of the lake, the rows that are new and the rows that ended."""
    from kg.daytime.replay import difference  # noqa: PLC0415

    found = difference(open_workspace(workspace), old, new)
    if as_json:
        print_json({"old": old, "new": new, "tables": found})
    elif found:
        print_table(["table", "new", "ended"], [[row["table"], row["new"], row["ended"]] for row in found])
    else:
        click.echo("the two runs hold the same rows")


@runs.command()
@click.option("--keep", type=click.IntRange(min=1), help="Nights to keep beside month ends; by default lake.keep_runs.")
@json_option
@workspace_option
def prune(workspace: Path, keep: int | None, as_json: bool) -> None:
    """Free the space of old versions; the newest nights and the last of each month are kept."""
    from kg.daytime.replay import prune as prune_runs  # noqa: PLC0415

    opened = open_workspace(workspace)
    gone, files = prune_runs(opened, keep or opened.settings.lake.keep_runs)
    if as_json:
        print_json({"pruned": gone, "files_removed": files})
    else:
        click.echo(f"{len(gone)} runs pruned, {files} files removed")


@runs.command()
@click.argument("run_id", default="last")
@json_option
@workspace_option
def replay(workspace: Path, run_id: str, as_json: bool) -> None:
    """Make the derived tables, hits and flags of a run again from its versions, and compare."""
    from kg.daytime.replay import replay as replay_run  # noqa: PLC0415
    from kg.errors import VerificationError  # noqa: PLC0415

    opened = open_workspace(workspace)
    _, progress = reporting(opened)
    found = replay_run(opened, run_id, progress)
    if as_json:
        print_json(found)
    else:
        click.echo(found["said"])
        for line in found["differences"]:
            click.echo(f"  {line}")
    if found["differences"] and found["same_code"]:
        raise VerificationError(f"run {found['run_id']} does not come out the same under the same code")


def _counts(sources: tuple[dict[str, Any], ...]) -> dict[str, int]:
    return {name: sum(entry.get(name, 0) for entry in sources) for name in ("rows", "quarantined", "inserted", "closed")}
