"""``kgfraud explain``: why a company has its score."""

from __future__ import annotations

from pathlib import Path

import click

from kg.cli.common import json_option, open_workspace, print_json, print_table, reporting, workspace_option


@click.command()
@click.argument("company")
@click.option("--task", default="company_fraud", show_default=True, help="What is foreseen.")
@click.option("--model", metavar="VERSION", help="Model; by default the one that serves.")
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Language of the reasons.")
@json_option
@workspace_option
def explain(*, company: str, task: str, model: str | None, lang: str, as_json: bool, workspace: Path) -> None:
    """Say why COMPANY (id, social credit code, customer number or name) has its score: what each feature adds to it.

    Of a task whose units are no companies, give the id that kgfraud score prints.
    """
    from kg.daytime.lookup import find_party, last_graph  # noqa: PLC0415 - slow to import
    from kg.daytime.scoring import registry, seen_last  # noqa: PLC0415

    opened = open_workspace(workspace)
    of, known = registry(opened.models, task)
    chosen = known.load(model) if model else known.serving()
    party = company
    if of.units.one == "company":
        with last_graph(opened) as graph:
            party = find_party(graph, company, ("Company",))
    _, progress = reporting(opened)
    from gnn.explain import explain as why  # noqa: PLC0415

    found = why(chosen, seen_last(opened, task, progress), party)
    if as_json:
        print_json(found)
        return
    click.echo(f"{party}, as of {found['as_of']}: probability {found['probability']:.2%} ({task} {chosen.version})")
    click.echo(f"log-odds {found['score']:+.3f}, of which all begin with {found['base']:+.3f}\n")
    print_table(("adds", "reason"), [(f"{each['adds']:+.3f}", each[lang]) for each in found["reasons"]])
    click.echo("\nby family")
    print_table(
        ("family", "adds"), [(each["family"] if lang == "en" else each["zh"], f"{each['adds']:+.3f}") for each in found["families"]]
    )
