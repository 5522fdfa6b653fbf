"""``kgfraud demo``: a workspace from the FinBench example, filled, published and flagged."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

import click

import loaders
from kg.cli.common import open_workspace, reporting
from kg.errors import UsageError

_SOURCES = """
# The LDBC FinBench example that ships with the program (licence: see NOTICE beside the files).
[[sources]]
mapping = "finbench"
path = "{path}"
"""

_QUERIES = (
    ("who bears a flag, and why", "MATCH (p:Party)-[:FLAGGED]->(f:Flag) RETURN p.id, p.name, f.reason, f.amount_fen"),
    (
        "the ten companies that received most money from other parties",
        "MATCH (:Party)-[p:PAID]->(c:Company) RETURN c.id, c.name, sum(p.amount_fen) AS fen ORDER BY fen DESC LIMIT 10",
    ),
    (
        "companies that hold shares of one another",
        "MATCH (a:Company)-[:HOLDS_SHARES]->(b:Company)-[:HOLDS_SHARES]->(a) WHERE a.id < b.id RETURN a.name, b.name LIMIT 10",
    ),
)


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
def demo(folder: Path) -> None:
    """Make a workspace in DIR from the FinBench example, run a night on it, and leave its Neo4j up.

    An existing demo is gone on with: the same files again change nothing.
    """
    from kg.pipeline import run_pipeline  # noqa: PLC0415 - slow to import
    from kg.report import text  # noqa: PLC0415
    from kg.stores.connect import local  # noqa: PLC0415

    start = time.monotonic()
    _make(folder)
    workspace = open_workspace(folder, sources=True)
    _, progress = reporting(workspace)
    server = local(workspace)
    address = server.start() if server else None
    outcome = run_pipeline(workspace, progress=progress)
    click.echo(text(outcome.summary()))
    click.echo(f"Done in {time.monotonic() - start:.0f} s. The flags for the loan system are in {folder}/export/{outcome.run_id}/.\n")
    if address is not None:
        click.echo(f"Neo4j answers at {address.uri}, user {address.user}, password in {folder}/neo4j/password.")
    click.echo("Three questions to ask it:\n")
    # as it was called, where a shell would not find it by its name
    program = sys.argv[0] if Path(sys.argv[0]).name == "kgfraud" and not shutil.which("kgfraud") else "kgfraud"
    for about, cypher in _QUERIES:
        click.echo(f'  # {about}\n  {program} query --workspace {folder} "{cypher}"\n')
    click.echo(f"Stop the server with: {program} neo4j stop --workspace {folder}")


def _make(folder: Path) -> None:
    """Make the workspace where there is none yet, with FinBench as its only source."""
    from kg.cli.init import make  # noqa: PLC0415

    if (folder / "kgfraud.toml").exists():
        if 'mapping = "finbench"' not in (folder / "kgfraud.toml").read_text(encoding="utf-8"):
            raise UsageError(f"{folder} is a workspace of your own, not a demo; name another folder")
        return
    workspace = make(folder)
    samples = Path(str(loaders.__file__)).parent / "samples" / "finbench"
    with workspace.toml.open("a", encoding="utf-8") as handle:
        handle.write(_SOURCES.format(path=samples))
