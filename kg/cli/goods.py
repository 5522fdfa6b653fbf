"""``kgfraud goods``: what is made from what, and which companies sell it."""

from __future__ import annotations

from pathlib import Path

import click

from kg.cli.common import json_option, open_workspace, print_json, print_table, workspace_option
from kg.cli.limit import yuan


@click.command()
@click.argument("code")
@click.option("--sources", is_flag=True, help="Follow what the goods are made from, in place of what is made from them.")
@click.option("--steps", default=20, show_default=True, type=click.IntRange(1, 1_000), help="Steps that are followed.")
@json_option
@workspace_option
def goods(*, code: str, sources: bool, steps: int, as_json: bool, workspace: Path) -> None:
    """Show the companies that sell what is made from the goods CODE, step by step, and the net amount that each has invoiced.

    What is made from what is stated by sources of the kind goods; who sells it, by the invoices of the last run.

        kgfraud goods 1060201 --sources
    """
    from kg.daytime.lookup import last_graph, names_of  # noqa: PLC0415
    from kg.derivations.goods import chain_now  # noqa: PLC0415 - slow to import

    with last_graph(open_workspace(workspace)) as graph:
        table = chain_now(graph, code, direction="from" if sources else "into", most=steps)
        names = names_of(graph, table["company"].combine_chunks())
        as_of = graph.as_of
    rows = [{**row, "name": names.get(row["company"])} for row in table.to_pylist()]
    if as_json:
        print_json({"goods": code, "direction": "from" if sources else "into", "as_of": as_of, "sellers": rows})
    elif rows:
        told = [(row["step"], row["goods"], row["name"] or "", row["company"], yuan(row["amount_fen"])) for row in rows]
        print_table(("step", "goods", "seller", "id", "invoiced, net (yuan)"), told)
    else:
        click.echo("nobody has invoiced any of these goods")
