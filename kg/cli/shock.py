"""``kgfraud shock``: which borrowers are hurt if a company stops."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kg.cli.common import json_option, open_workspace, print_json, print_table, workspace_option
from kg.cli.limit import yuan
from kg.cli.owners import percent

if TYPE_CHECKING:
    import pyarrow as pa

    from kg.graph import Graph


@click.command()
@click.argument("company")
@click.option(
    "--remaining", default=0.0, show_default=True, type=click.FloatRange(0, 1), help="What remains of the company, as a fraction."
)
@click.option("--least", default=0.01, show_default=True, type=click.FloatRange(0, 1), help="Show who loses at least such a fraction.")
@json_option
@workspace_option
def shock(*, company: str, remaining: float, least: float, as_json: bool, workspace: Path) -> None:
    """Show which borrowers of the bank are hurt if COMPANY stops, by how much and through whom, and what they owe.

    COMPANY is its id, its social credit code, its customer number or its whole name. Losses follow who supplies whom in the last run
    (nobody finds another supplier or buyer); what is essential to whom is a rule, or the file that contagion.essential names.

        kgfraud shock 91110000600037341L --remaining 0.5
    """
    from kg.daytime.lookup import find_party, last_graph  # noqa: PLC0415
    from kg.derivations.essential import read_essential  # noqa: PLC0415 - slow to import

    opened = open_workspace(workspace)
    file = opened.settings.contagion.essential
    stated = read_essential(opened.root / file) if file else None
    with last_graph(opened) as graph:
        found = _found(graph, find_party(graph, company, ("Company",)), remaining, stated)
    rows = [row for row in found["borrowers"] if row["h_ppm"] <= round((1 - least) * 1_000_000)]
    found = {**found, "essential": Path(file).name or "rule", "remaining": remaining, "borrowers": rows}
    found["exposure_fen"] = sum(row["exposure_fen"] for row in rows)
    if as_json:
        print_json(found)
    else:
        _print(found)


def _found(graph: Graph, company: str, remaining: float, stated: pa.Table | None) -> dict[str, Any]:
    import pyarrow as pa  # noqa: PLC0415 - slow to import

    from kg.daytime.lookup import names_of  # noqa: PLC0415
    from kg.derivations.fraud_spread import fraud_near  # noqa: PLC0415
    from kg.derivations.shock import shock_now  # noqa: PLC0415

    told = shock_now(graph, company, remaining, stated)
    near = {row["party"]: row for row in fraud_near(graph).to_pylist()}
    rows = told.borrowers.to_pylist()
    names = names_of(graph, pa.array([company, *(station for row in rows for station in row["path"])]))
    for row in rows:
        row["name"], row["names"] = names.get(row["company"]), [names.get(station) for station in row["path"]]
        row["fraud_near_ppm"] = near[row["company"]]["ppm"] if row["company"] in near else 0
    return {
        "company": company,
        "name": names.get(company),
        "as_of": graph.as_of,
        "index": round(told.index, 9),
        "hurt": told.hurt,
        "fraud_near": near.get(company),
        "borrowers": rows,
    }


def _print(found: dict[str, Any]) -> None:
    click.echo(f"{found['name'] or ''}  {found['company']}  as of {found['as_of']}".strip())
    click.echo(f"if {percent(round(found['remaining'] * 1_000_000))} of it remains, {found['index']:.2%} of all trade is lost")
    if found["fraud_near"]:
        click.echo(f"confirmed fraud is near: {percent(found['fraud_near']['ppm'])}, over {' → '.join(found['fraud_near']['path'])}")
    rows = found["borrowers"]
    if not rows:
        click.echo("no borrower is hurt")
        return
    click.echo(f"borrowers that are hurt owe {yuan(found['exposure_fen'])} yuan\n")
    columns = ("borrower", "name", "remains", "by", "owes (yuan)", "over", "fraud near")
    print_table(columns, [_line(row) for row in rows])


def _line(row: dict[str, Any]) -> tuple[str | None, ...]:
    over = " → ".join(name or station for name, station in zip(row["names"], row["path"], strict=True))
    near = percent(row["fraud_near_ppm"]) if row["fraud_near_ppm"] else ""
    return row["company"], row["name"], percent(row["h_ppm"]), row["by"], yuan(row["exposure_fen"]), over, near
