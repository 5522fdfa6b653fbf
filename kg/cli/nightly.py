"""The nightly refresh as cron calls it: one run, an exit code, one JSON line, a Prometheus text file."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import click

from kg.cli import said_of
from kg.cli.common import open_workspace, workspace_option
from kg.errors import DependencyError


@click.command()
@click.option("--metrics", type=click.Path(path_type=Path, dir_okay=False), help="Prometheus text file to write (for the node exporter).")
@workspace_option
@click.pass_context
def nightly(ctx: click.Context, workspace: Path, metrics: Path | None) -> None:
    """Run the night on a workspace; the last line of standard output is a JSON object of its results."""
    start = time.time()
    result, code = _night(workspace)
    result |= {"exit_code": code, "seconds_in_all": round(time.time() - start, 1)}
    if metrics is not None:
        result |= _measured(metrics, result, start)
    click.echo(json.dumps(result, ensure_ascii=False, default=str))
    ctx.exit(result["exit_code"])


def _night(folder: Path) -> tuple[dict[str, Any], int]:
    from kg.log import capture_libraries, logger  # noqa: PLC0415 - slow to import
    from kg.pipeline import run_pipeline  # noqa: PLC0415
    from kg.progress import Lines  # noqa: PLC0415

    log = logger("info", "json")
    capture_libraries(log)
    try:
        workspace = open_workspace(folder, sources=True)
        return run_pipeline(workspace, progress=Lines(log)).summary(), 0
    except Exception as error:
        # whatever it is, cron is told by one line and an exit code; a traceback may quote a row
        message, code = said_of(error)
        log.error("the night failed", reason=message, exit_code=code)  # noqa: TRY400
        return {"run_id": None, "error": message}, code


def _measured(path: Path, result: dict[str, Any], start: float) -> dict[str, Any]:
    """Write the metrics; where that fails, return what is to be said of it, and the exit code of a night that was well but for that."""
    try:
        _write_metrics(path, result, start)
    except OSError as error:
        said = f"the metrics cannot be written to {path} ({error.strerror}); name another file with --metrics"
        return {"metrics_error": said, "exit_code": result["exit_code"] or DependencyError.exit_code}
    return {}


def _write_metrics(path: Path, result: dict[str, Any], start: float) -> None:
    """Write what a monitoring system asks: when, whether, how long, how much."""
    from kg.run import write_whole  # noqa: PLC0415

    lines = [
        "# HELP kgfraud_last_run_timestamp_seconds When the last run began.",
        "# TYPE kgfraud_last_run_timestamp_seconds gauge",
        f"kgfraud_last_run_timestamp_seconds {start:.0f}",
        "# HELP kgfraud_last_run_exit_code Exit code of the last run; 0 is success.",
        "# TYPE kgfraud_last_run_exit_code gauge",
        f"kgfraud_last_run_exit_code {result['exit_code']}",
        "# HELP kgfraud_stage_seconds Time that each stage of the last run took.",
        "# TYPE kgfraud_stage_seconds gauge",
        *(f'kgfraud_stage_seconds{{stage="{name}"}} {seconds}' for name, seconds in result.get("seconds", {}).items()),
        "# HELP kgfraud_rows Rows of the last run by source and what became of them.",
        "# TYPE kgfraud_rows gauge",
    ]
    counted = ("rows", "accepted", "quarantined", "inserted", "closed")
    lines += [f'kgfraud_rows{{source="{e["source"]}",what="{w}"}} {e.get(w, 0)}' for e in result.get("sources", []) for w in counted]
    flags = result.get("results", {}).get("flag", {}).get("flags")
    if flags is not None:
        lines += ["# HELP kgfraud_flags Flags in force.", "# TYPE kgfraud_flags gauge", f"kgfraud_flags {flags}"]
    write_whole(path, "\n".join(lines) + "\n")
