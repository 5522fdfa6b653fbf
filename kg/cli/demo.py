"""``kgfraud demo``: a workspace from the FinBench example and a generated city, filled, published and flagged."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import click

import loaders
from kg.cli.common import open_workspace, print_table, reporting
from kg.errors import UsageError

#: The rules that are meant for each scheme of the generated city; others may hit it too.
MEANT: Mapping[str, tuple[str, ...]] = {
    "payment_ring": ("payment_ring",),
    "loan_return": ("loan_return_split", "loan_return_far"),  # single transfers without an upper limit are told beside
    "guarantee_circle": ("guarantees_serve_one",),  # every circle, those of associations too, is told beside
    "shell_cluster": ("shell_cluster",),  # that its money goes over several hands is told beside
    "many_lenders": ("many_lenders", "loans_passed_on"),
    "scatter_gather": ("scatter_gather",),
    "related_trade": ("related_trade", "related_trade_minor"),  # a tenth of the revenue is told with less weight
    "hidden_control": ("hidden_control",),
    "hollow_invoices": ("hollow_invoices", "voided_after_financing"),
    "double_financing": ("paper_financed_twice",),
    "group_splitting": ("group_limit_split", "borrowed_for_one"),
}
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
@click.option("--companies", type=int, default=2_000, show_default=True, help="How many companies the city has; fewer are done sooner.")
def demo(folder: Path, companies: int) -> None:
    """Make a workspace in DIR from the FinBench example and a generated city, run a night on it, and leave its Neo4j up.

    The city lives for 180 days and has schemes whose truth is known: the last table says how many have a member that was
    flagged.

    An existing demo is gone on with: the same files again change nothing.
    """
    from kg.pipeline import run_pipeline  # noqa: PLC0415 - slow to import
    from kg.report import text  # noqa: PLC0415
    from kg.stores.connect import local  # noqa: PLC0415

    start = time.monotonic()
    _make(folder, companies)
    workspace = open_workspace(folder, sources=True)
    _, progress = reporting(workspace)
    server = local(workspace)
    address = server.start() if server else None
    outcome = run_pipeline(workspace, progress=progress)
    click.echo(text(outcome.summary()))
    _tell_found(folder)
    click.echo(f"Done in {time.monotonic() - start:.0f} s. The flags for the loan system are in {folder}/export/{outcome.run_id}/.\n")
    if address is not None:
        click.echo(f"Neo4j answers at {address.uri}, user {address.user}, password in {folder}/neo4j/password.")
    click.echo("Three questions to ask it:\n")
    # as it was called, where a shell would not find it by its name
    program = sys.argv[0] if Path(sys.argv[0]).name == "kgfraud" and not shutil.which("kgfraud") else "kgfraud"
    for about, cypher in _QUERIES:
        click.echo(f'  # {about}\n  {program} query --workspace {folder} "{cypher}"\n')
    click.echo(f"Stop the server with: {program} neo4j stop --workspace {folder}")


def _make(folder: Path, companies: int) -> None:
    """Make the workspace where there is none yet: FinBench and a city, and nothing else."""
    from kg.cli.init import make  # noqa: PLC0415
    from loaders.city import Params, build, sources, write  # noqa: PLC0415

    if (folder / "kgfraud.toml").exists():
        if 'mapping = "finbench"' not in (folder / "kgfraud.toml").read_text(encoding="utf-8"):
            raise UsageError(f"{folder} is a workspace of your own, not a demo; name another folder")
        return
    params = Params(companies=companies)
    workspace = make(folder)
    _, progress = reporting(open_workspace(folder))
    city = build(params, progress)
    write(city, folder, progress=progress)
    samples = Path(str(loaders.__file__)).parent / "samples" / "finbench"
    with workspace.toml.open("a", encoding="utf-8") as handle:
        handle.write(_SOURCES.format(path=samples) + sources(city))


def _tell_found(folder: Path) -> None:
    """Print how many of the schemes planted in the city have a member that bears a flag now."""
    from kg.rules import RULES  # noqa: PLC0415
    from loaders.city.found import found  # noqa: PLC0415

    *_, export = sorted(path for path in (folder / "export").iterdir() if path.is_dir())
    flags = (json.loads(line) for line in (export / "flags.jsonl").read_text(encoding="utf-8").splitlines())
    flagged, rules = {flag["entity_id"] for flag in flags}, {rule.name for rule in RULES}
    lines, innocent = found(folder, flagged)
    click.echo(
        "Schemes planted in the city: how many lie beyond what rules catch by default, and how many have a member that was flagged\n"
    )
    rows = [(of.kind, of.planted, of.beyond, of.flagged, "yes" if rules & set(MEANT.get(of.kind, ())) else "not yet") for of in lines]
    print_table(("scheme", "planted", "beyond", "flagged", "rule"), rows)
    click.echo(f"\n{len(flagged)} parties bear a flag; {innocent} companies of the city among them have a part in no scheme.\n")
