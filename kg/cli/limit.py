"""``kgfraud limit``: what may still be lent to a party, alone and with its groups."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kg.cli.common import as_of_option, json_option, open_workspace, print_json, print_table, workspace_option
from kg.errors import KgfraudError

if TYPE_CHECKING:
    from kg.graph import Graph


@click.command()
@click.argument("party")
@click.option("--rules", metavar="ID", help="Rule set, in the place of ownership.groups.")
@as_of_option
@json_option
@workspace_option
def limit(*, party: str, rules: str | None, as_of: datetime | None, as_json: bool, workspace: Path) -> None:
    """Show what may still be lent to PARTY: the least that any limit leaves, of it alone and of its groups.

    PARTY is its id, its social credit code, its customer number or its whole name. Needs the sources 'exposures' and 'bank_capital'.
    """
    from kg.daytime.lookup import find_party, last_graph  # noqa: PLC0415 - slow to import

    with last_graph(open_workspace(workspace), as_of=as_of.date() if as_of else None, rules=rules) as graph:
        found = _found(graph, find_party(graph, party))
    if as_json:
        print_json(found)
        return
    binding = found["limits"]
    if not binding:
        click.echo(f"{found['rules']} sets no limit for {found['party']}")
        return
    least = binding[0]
    click.echo(f"{found['party']}: {yuan(least['headroom_fen'])} yuan left under {found['rules']}, as of {found['as_of']}")
    if found["as_if_insider"]:
        click.echo("these limits are for the bank's own related parties; no source says who is one, so they are told as if this party were")
    click.echo(f"bound by: {least['limit']}, of {least['group_id']}\n")
    columns = ("of", "limit", "used (yuan)", "left (yuan)", "breach")
    print_table(
        columns,
        [
            (row["group_id"], row["limit"], yuan(row["used_fen"]), yuan(row["headroom_fen"]), "breach" if row["breach"] else "")
            for row in binding
        ],
    )
    if least["members"]:
        click.echo("\nwho uses it, the largest first")
        for place, member in enumerate(least["members"]):
            because = least["edges"][place] if place < len(least["edges"]) else ""
            click.echo(f"  {member}  {because}".rstrip())


def _found(graph: Graph, party: str) -> dict[str, Any]:
    from kg.cli.group import groups_of  # noqa: PLC0415 - slow to import
    from kg.derivations.group_limits import limits_of  # noqa: PLC0415
    from kg.derivations.limits import headroom  # noqa: PLC0415

    rules = graph.chosen.groups
    groups = groups_of(graph, None)
    found = limits_of(graph, groups, party)
    if found is None:
        raise KgfraudError(
            "no exposures are known, or not one capital of the bank on the last day reported (sources exposures and bank_capital)"
        )
    binding = headroom(found, groups, party, rules).to_pylist() if rules.limits else []
    as_if = any(limit.of == "insiders" for limit in rules.limits)
    head = {"party": party, "as_of": graph.as_of, "rules": rules.id, "verified": rules.verified, "as_if_insider": as_if}
    return {**head, "limits": binding}


def yuan(fen: int) -> str:
    """Return an amount in yuan, exactly.

    >>> yuan(-1_234_567_05)
    '-1,234,567.05'
    """
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100:,}.{abs(fen) % 100:02}"
