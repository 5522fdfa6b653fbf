"""``kgfraud quarantine``: the rows that were refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kg.cli.common import json_option, open_workspace, print_csv, print_json, print_table, reporting, workspace_option
from kg.config import Workspace
from kg.errors import UsageError, did_you_mean

_SHOWN = ("id", "source", "file", "line", "record_id", "column", "rule", "value")
#: Why a row has left the list, in words.
_LEFT_AS = {
    "accepted": "it came in",
    "superseded": "its source has told of its record anew",
    "gone": "the full delivery that followed does not refuse it",
}


@click.group()
def quarantine() -> None:
    """See, export and replay the rows that were refused."""


def _source_option(command: Any) -> Any:
    return click.option("--source", "only", metavar="NAME", help="Only the rows of this source.")(command)


def _known(workspace: Workspace, name: str | None) -> None:
    """Refuse the name of a source that is neither configured nor in any run."""
    from kg.run import Runs  # noqa: PLC0415

    last = Runs(workspace.runs).last()
    names = {source.name for source in workspace.settings.sources} | {entry["source"] for entry in (last.sources if last else ())}
    if name is not None and name not in names:
        raise UsageError(f"no source named '{name}'{did_you_mean(name, names)}")


@quarantine.command("list")
@_source_option
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="Most rows to print.")
@click.option("--left", is_flag=True, help="The rows that have left the list instead, in which run and why.")
@json_option
@workspace_option
def list_rows(workspace: Path, *, only: str | None, limit: int, left: bool, as_json: bool) -> None:
    """List refused rows: where each stood, what is wrong with it, and how many there are by source and rule."""
    from kg.daytime.refusals import counted, listed  # noqa: PLC0415

    opened = open_workspace(workspace, sources=True)
    _known(opened, only)
    totals, rows = counted(opened, only, left=left), listed(opened, only, None if as_json else limit, left=left)
    if as_json:
        print_json({"total": sum(row["rows"] for row in totals), "counts": totals, "rows": rows})
        return
    if not totals:
        click.echo("nothing has left the quarantine" if left else "nothing is in quarantine")
        return
    print_table(("source", "column", "rule", "rows"), [[row[name] for name in ("source", "column", "rule", "rows")] for row in totals])
    click.echo()
    shown = (*_SHOWN, *(("last_run", "left_as") if left else ()))
    print_table(shown, [[_LEFT_AS.get(row[name], row[name]) if name == "left_as" else row[name] for name in shown] for row in rows])


@quarantine.command()
@click.argument("source")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="Most rows to print.")
@json_option
@workspace_option
def show(workspace: Path, source: str, limit: int, as_json: bool) -> None:
    """Show refused rows of SOURCE with all their faults and what each rule asks for; values are redacted."""
    from kg.daytime.refusals import listed  # noqa: PLC0415
    from loaders.rows import about  # noqa: PLC0415

    opened = open_workspace(workspace, sources=True)
    _known(opened, source)
    rows = listed(opened, source, limit)
    if as_json:
        print_json({"rows": rows})
        return
    for row in rows:
        click.echo(f"{row['source']} {row['file']} line {row['line']}  ({row['id']})")
        for fault in row["faults"]:
            click.echo(f"  {fault['column'] or 'row'} {fault['value'] or ''}: {fault['rule']}, {about(fault['rule'])}")
    if not rows:
        click.echo(f"nothing of {source} is in quarantine")


@quarantine.command()
@_source_option
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="CSV file to write; it holds clear text.")
@workspace_option
def export(workspace: Path, only: str | None, output: Path) -> None:
    """Write refused rows as they were delivered, IN CLEAR, to a CSV file that only you can read."""
    from kg.daytime.refusals import clear_rows  # noqa: PLC0415

    opened = open_workspace(workspace, sources=True)
    _known(opened, only)
    columns, rows = clear_rows(opened, only)
    try:
        output.touch(mode=0o600)
        output.chmod(0o600)
    except OSError as error:
        raise UsageError(f"{output} cannot be written ({error.strerror}); name another file with --output") from None
    with output.open("w", encoding="utf-8", newline="") as handle:
        print_csv(columns, rows, handle)
    click.echo(f"{len(rows)} rows written to {output}; they hold personal data in clear, remove the file when it has served")


@quarantine.command()
@click.argument("sources", nargs=-1)
@json_option
@workspace_option
def replay(workspace: Path, sources: tuple[str, ...], as_json: bool) -> None:
    """Judge refused rows anew after a file or a mapping was mended, and bring in those that are good now.

    Where none of them is, nothing is changed and no run is committed.
    """
    from kg.pipeline import run_pipeline  # noqa: PLC0415
    from kg.report import text  # noqa: PLC0415

    opened = open_workspace(workspace, sources=True)
    for name in sources:
        _known(opened, name)
    _, progress = reporting(opened)
    outcome = run_pipeline(opened, replaying=sources, progress=progress).summary()
    if as_json:
        print_json(outcome)
    elif outcome["run_id"] is None:
        click.echo("nothing that was refused is good now; nothing was changed and no run committed")
    else:
        click.echo(text({**outcome, "sources": []}), nl=False)
