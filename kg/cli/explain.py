"""``kgfraud explain``: why a company has its score."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kg.cli.common import json_option, open_workspace, print_json, print_table, reporting, workspace_option

#: How many ids of a reason's evidence are printed.
_SHOWN = 6


@click.command()
@click.argument("company")
@click.option("--task", default="company_fraud", show_default=True, help="What is foreseen.")
@click.option("--model", metavar="VERSION", help="Model; by default the one that serves.")
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Language of the reasons.")
@json_option
@workspace_option
def explain(*, company: str, task: str, model: str | None, lang: str, as_json: bool, workspace: Path) -> None:
    """Say why COMPANY (id, social credit code, customer number or name) has its score: reasons, and the records behind them.

    A record is named only where the score falls when all features are computed again without the records of its reason. Of other tasks
    than company_fraud features are told, and no records; where the units are no companies, give the id that kgfraud score prints.
    """
    from kg.daytime.lookup import find_party, last_graph  # noqa: PLC0415 - slow to import
    from kg.daytime.scoring import explained, registry  # noqa: PLC0415

    opened = open_workspace(workspace)
    of, known = registry(opened.models, task)
    chosen = known.load(model) if model else known.serving()
    party = company
    if of.units.one == "company":
        with last_graph(opened) as graph:
            party = find_party(graph, company, ("Company",))
    _, progress = reporting(opened)
    found = explained(opened, task, chosen, party, progress)
    if as_json:
        print_json(found)
        return
    click.echo(f"{party}, as of {found['as_of']}: probability {found['probability']:.2%} ({task} {chosen.version})")
    click.echo(f"log-odds {found['score']:+.3f}, of which all begin with {found['base']:+.3f}")
    if found["outside"]:
        click.echo(f"unlike all that the model learnt from, so the probability says little: {found['outside']}")
    for reason in found.get("reasons", ()):
        _say(reason, lang)
    click.echo("\nby feature")
    print_table(("adds", "feature"), [(f"{each['adds']:+.3f}", each[lang]) for each in found["features"]])
    click.echo("\nby family")
    print_table(
        ("family", "adds"), [(each["family"] if lang == "en" else each["zh"], f"{each['adds']:+.3f}") for each in found["families"]]
    )


def _say(reason: dict[str, Any], lang: str) -> None:
    """Print a reason with its features and the evidence, of which the first few."""
    falls = "" if reason["falls"] is None else f", without the evidence {-reason['falls']:+.3f}"
    click.echo(f"\n{reason['code']} (adds {reason['adds']:+.3f}{falls}): {reason[lang]}")
    for each in reason["features"]:
        click.echo(f"  {each[lang]}")
    for name in ("parties", "evidence"):
        if reason[name]:
            more = len(reason[name]) - _SHOWN
            click.echo(f"  {name}: {', '.join(reason[name][:_SHOWN])}{f' and {more} more (--json)' if more > 0 else ''}")
