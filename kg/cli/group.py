"""``kgfraud group``: with whom a party must be seen as one client."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kg.cli.common import as_of_option, json_option, open_workspace, print_json, print_table, workspace_option

if TYPE_CHECKING:
    import pyarrow as pa

    from kg.graph import Graph


@click.command()
@click.argument("party")
@click.option("--rules", metavar="ID", help="Rule set, in the place of ownership.groups.")
@as_of_option
@json_option
@workspace_option
def group(*, party: str, rules: str | None, as_of: datetime | None, as_json: bool, workspace: Path) -> None:
    """Show the groups of connected clients that PARTY belongs to, and why each member does.

    PARTY is its id, its social credit code, its customer number or its whole name.
    """
    from kg.daytime.lookup import find_party, last_graph, names_of  # noqa: PLC0415 - slow to import

    with last_graph(open_workspace(workspace), as_of=as_of.date() if as_of else None, rules=rules) as graph:
        id_ = find_party(graph, party)
        members = groups_of(graph, id_)
        names = names_of(graph, members["party"].combine_chunks())
        rows = [{**row, "name": names.get(row["party"])} for row in members.to_pylist()]
        said = {"party": id_, "as_of": graph.as_of, "rules": graph.chosen.groups.id, "verified": graph.chosen.groups.verified}
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row.pop("group_id"), []).append(row)
    if as_json:
        print_json({**said, "groups": [{"group_id": each, "members": members} for each, members in groups.items()]})
        return
    if not groups:
        click.echo(f"{id_} belongs to no group under {said['rules']}")
    for each, found in groups.items():
        click.echo(f"{each}  {len(found)} parties under {said['rules']}{'' if said['verified'] else ' (not verified)'}")
        print_table(("party", "name", "role", "because"), [(row["party"], row["name"], row["role"], row["because"]) for row in found])
        click.echo()


def groups_of(graph: Graph, party: str | None) -> pa.Table:
    """Return the groups of a party with all their members, or all groups: ``group_id, party, role, because``."""
    import pyarrow.compute as pc  # noqa: PLC0415 - slow to import

    from kg.derivations.members import groups_now  # noqa: PLC0415

    every = groups_now(graph)
    if party is None:
        return every
    mine = every["group_id"].filter(pc.equal(every["party"], party))
    return every.filter(pc.is_in(every["group_id"], value_set=mine.combine_chunks()))
