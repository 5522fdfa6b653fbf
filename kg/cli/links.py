"""``kgfraud links``: the evidence between two parties, and what people say against it."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kg.cli.common import as_of_option, json_option, open_workspace, print_json, print_table, workspace_option
from kg.errors import did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa

    from kg.config import Workspace
    from kg.graph import Graph


class _Links(click.Group):
    """A group whose first word may also be a party: then the links of two parties are shown."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put ``show`` before two parties."""
        words = [arg for arg in args if not arg.startswith("-")]
        if words and words[0] not in self.commands and "--help" not in args and "-h" not in args:
            # a slip, more likely than the whole name of a party; such a name is shown all the same after 'show'
            if words[0].isascii() and words[0].isalpha() and (near := did_you_mean(words[0], self.commands)):
                raise click.UsageError(f"no command '{words[0]}'{near} A party of that name: kgfraud links show {words[0]} B", ctx)
            args = ["show", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Links, subcommand_metavar="A B | COMMAND")
def links() -> None:
    """Show every path of evidence between the parties A and B, strongest first, or rebut a link.

    A party is its id, its social credit code, its customer number or its whole name.

        kgfraud links 91110000600037341L company:crm:1001
    """


@links.command()
@click.argument("a")
@click.argument("b")
@click.option("--hops", default=3, show_default=True, type=click.IntRange(1, 4), help="Most steps of a path.")
@click.option("--most", default=20, show_default=True, type=click.IntRange(1, 1000), help="Most paths.")
@as_of_option
@json_option
@workspace_option
def show(*, a: str, b: str, hops: int, most: int, as_of: datetime | None, as_json: bool, workspace: Path) -> None:
    """Show every path of evidence between A and B."""
    from kg.daytime.lookup import find_party, last_graph, names_of  # noqa: PLC0415 - slow to import

    with last_graph(open_workspace(workspace), as_of=as_of.date() if as_of else None) as graph:
        ends = find_party(graph, a), find_party(graph, b)
        found = _paths(graph, ends, hops, most)
        names = names_of(graph, _ids(found, ends))
        said = {"a": ends[0], "b": ends[1], "as_of": graph.as_of, "register": _register(graph, ends), "paths": found}
    if as_json:
        print_json({**said, "names": names})
    else:
        _print(said, names)


def _ids(paths: list[list[dict[str, Any]]], ends: tuple[str, str]) -> pa.Array:
    import pyarrow as pa  # noqa: PLC0415 - slow to import

    return pa.array([*ends, *(step[end] for path in paths for step in path for end in ("src", "dst"))], pa.string())


def _paths(graph: Graph, ends: tuple[str, str], hops: int, most: int) -> list[list[dict[str, Any]]]:
    """Return the paths between two parties, each a list of steps, from the links around them."""
    from kg.derivations.linked_parties import paths_between  # noqa: PLC0415 - slow to import

    steps = paths_between(_around(graph, ends), *ends, hops=hops, limit=most).to_pylist()
    paths: dict[int, list[dict[str, Any]]] = {}
    for step in steps:
        paths.setdefault(step.pop("path"), []).append(step)
    return list(paths.values())


def _around(graph: Graph, ends: tuple[str, str]) -> pa.Table:
    """Return the evidence of links at two parties and at those whom they are linked to."""
    import pyarrow as pa  # noqa: PLC0415 - slow to import
    import pyarrow.compute as pc  # noqa: PLC0415

    from kg.derivations.links import BEHIND  # noqa: PLC0415

    rows = graph.edges("LINKED_TO")
    rows = rows.filter(rows.kind != BEHIND)
    near = pa.array(ends)
    for _ in range(2):
        known = graph.engine.arrow(pa.table({"id": near}))
        touching = rows.filter(rows.src.isin(known.id) | rows.dst.isin(known.id))
        found = graph.engine.table(touching.select(a="src", b="dst", kind="kind", strength="strength", evidence="evidence"))
        near = pc.unique(pa.concat_arrays([near, *(column.combine_chunks() for column in (found["a"], found["b"]))]))
    lists = pa.array([json.loads(text) for text in found["evidence"].to_pylist()], pa.list_(pa.string()))
    return found.set_column(4, "evidence", lists)


def _register(graph: Graph, ends: tuple[str, str]) -> list[dict[str, Any]]:
    """Return what the register says between the two themselves."""
    found = []
    for type_ in ("HOLDS_SHARES", "CONTROLS", "REPRESENTS", "OFFICER_OF", "KIN_OF", "GUARANTEES"):
        rows = graph.edges(type_)
        between = ((rows.src == ends[0]) & (rows.dst == ends[1])) | ((rows.src == ends[1]) & (rows.dst == ends[0]))
        found += [{"type": type_, **row} for row in graph.engine.table(rows.filter(between).select("src", "dst", "id")).to_pylist()]
    return found


def _print(said: dict[str, Any], names: dict[str, str]) -> None:
    def named(id_: str) -> str:
        return f"{names.get(id_, '')} {id_}".strip()

    click.echo(f"{named(said['a'])}\n{named(said['b'])}\nas of {said['as_of']}")
    for row in said["register"]:
        click.echo(f"in the register: {row['src']} {row['type']} {row['dst']} ({row['id']})")
    if not said["paths"]:
        click.echo("no path of evidence leads from one to the other")
    for number, path in enumerate(said["paths"], 1):
        click.echo(f"\npath {number}, strength {path[0]['strength'] / 10_000:g} %")
        for step in path:
            click.echo(f"  {named(step['src'])}\n    and {named(step['dst'])}: {', '.join(step['kinds'])}, {step['score'] / 10_000:g} %")
            for id_ in step["evidence"]:
                click.echo(f"      {id_}")


@links.command()
@click.argument("a")
@click.argument("b")
@click.option("--reason", required=True, help="Why the two do not belong together.")
@click.option("--until", required=True, type=click.DateTime(["%Y-%m-%d"]), help="First day on which the rebuttal is no longer in force.")
@click.option("--user", required=True, envvar="KGFRAUD_USER", help="Who rebuts it; KGFRAUD_USER where it is not given.")
@workspace_option
def rebut(*, a: str, b: str, reason: str, until: datetime, user: str, workspace: Path) -> None:
    """Rebut the link between A and B: from the next night on it holds no group together and raises no flag."""
    _record(workspace, a, b, action="rebut", user=user, reason=reason, until_on=until.date())


@links.command()
@click.argument("a")
@click.argument("b")
@click.option("--reason", required=True, help="Why the link holds again.")
@click.option("--user", required=True, envvar="KGFRAUD_USER", help="Who restores it; KGFRAUD_USER where it is not given.")
@workspace_option
def restore(*, a: str, b: str, reason: str, user: str, workspace: Path) -> None:
    """Take a rebuttal back: from the next night on the link between A and B holds again."""
    _record(workspace, a, b, action="restore", user=user, reason=reason)


def _record(folder: Path, a: str, b: str, **event: Any) -> None:
    from kg.daytime.lookup import find_party, last_graph  # noqa: PLC0415 - slow to import
    from kg.errors import UsageError  # noqa: PLC0415
    from kg.rebuttals import Event, record  # noqa: PLC0415

    workspace = open_workspace(folder)
    with last_graph(workspace) as graph:
        ends = find_party(graph, a), find_party(graph, b)
        if event.get("until_on") and event["until_on"] <= graph.as_of:
            raise UsageError(f"--until {event['until_on']} is not after the last business date, {graph.as_of}; it would never be in force")
        if event["action"] == "restore":
            _refuse_standing(graph, workspace, ends)
    number = record(workspace, Event(*ends, **event))
    click.echo(f"{event['action']} {number}: {ends[0]} and {ends[1]}; it counts from the next run on")


def _refuse_standing(graph: Graph, workspace: Workspace, ends: tuple[str, str]) -> None:
    """Refuse to restore a link that stands: nobody has rebutted it, or it was restored since."""
    from kg.errors import UsageError  # noqa: PLC0415
    from kg.rebuttals import Said, said  # noqa: PLC0415 - slow to import

    rows, told = graph.records("rebuttals", "a", "b"), []
    if rows is not None:
        here = rows.filter(rows.a.isin(ends) & rows.b.isin(ends)).select("decided_at", "action").order_by("decided_at")
        told = [Said(**row) for row in graph.engine.table(here).to_pylist()]
    latest = max([*reversed(said(workspace, *ends)), *reversed(told)], key=lambda event: event.decided_at, default=None)
    if latest is None or latest.action == "restore":
        what = "was never rebutted" if latest is None else f"was restored on {latest.decided_at:%Y-%m-%d} already"
        raise UsageError(f"the link between {ends[0]} and {ends[1]} {what}, so there is nothing to restore (kgfraud links log)")


@links.command("log")
@json_option
@workspace_option
def events(*, as_json: bool, workspace: Path) -> None:
    """List the links that were rebutted and restored, as the last run knows them."""
    from kg.daytime.lookup import last_graph  # noqa: PLC0415 - slow to import

    columns = ("decided_at", "action", "a", "b", "until_on", "user", "reason")
    with last_graph(open_workspace(workspace)) as graph:
        rows = graph.records("rebuttals", "a", "b")
        found = [] if rows is None else graph.engine.table(rows.select(*columns).order_by("decided_at")).to_pylist()
    if as_json:
        print_json(found)
    else:
        print_table(columns, [[row[column] for column in columns] for row in found])


@links.command()
@as_of_option
@json_option
@workspace_option
def hubs(*, as_of: datetime | None, as_json: bool, workspace: Path) -> None:
    """List what made no link since too many share it, and the parties that the bank named as hubs: to be looked through by people."""
    from kg.daytime.lookup import last_graph  # noqa: PLC0415
    from kg.derivations.linked_parties import find_hubs  # noqa: PLC0415 - slow to import
    from kg.derivations.links import evidence_of  # noqa: PLC0415

    with last_graph(open_workspace(workspace), as_of=as_of.date() if as_of else None) as graph:
        found = find_hubs(evidence_of(graph))
    if as_json:
        print_json(found.to_pylist())
    else:
        print_table(found.column_names, [list(row.values()) for row in found.to_pylist()])
