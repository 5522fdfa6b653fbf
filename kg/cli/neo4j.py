"""``kgfraud neo4j``: the local graph database."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kg.cli.common import json_option, open_workspace, print_json, reporting, workspace_option
from kg.errors import UsageError

if TYPE_CHECKING:
    from kg.config import Workspace
    from kg.stores.local_neo4j import LocalNeo4j


@click.group()
def neo4j() -> None:
    """Start, stop and look after the local Neo4j."""


@neo4j.command()
@json_option
@workspace_option
def start(workspace: Path, as_json: bool) -> None:
    """Start the local Neo4j and wait until it answers; one that runs is left running.

    The first time on a machine, Neo4j itself is fetched (130 MB) into KGFRAUD_CACHE or ~/.cache/kgfraud.
    """
    local = _local(workspace)
    address = local.start()
    password = local.home / "password"
    if as_json:
        print_json({"uri": address.uri, "user": address.user, "password_file": str(password)})
    else:
        click.echo(f"Neo4j answers at {address.uri}, user {address.user}, password in {password}")


@neo4j.command()
@workspace_option
def stop(workspace: Path) -> None:
    """Stop the local Neo4j and wait until it is gone."""
    click.echo("Neo4j is stopped" if _local(workspace).stop() else "Neo4j did not run")


@neo4j.command()
@json_option
@workspace_option
def status(workspace: Path, as_json: bool) -> None:
    """Say whether the local Neo4j runs, and where it answers."""
    found = _local(workspace).status()
    if as_json:
        print_json(asdict(found))
    elif found.running:
        click.echo(f"Neo4j runs: {found.uri}, process {found.pid}, {(found.memory_bytes or 0) / 2**20:.0f} MiB of memory")
    else:
        click.echo("Neo4j does not run (kgfraud neo4j start)")


@neo4j.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@workspace_option
@click.pass_context
def shell(ctx: click.Context, workspace: Path, arguments: tuple[str, ...]) -> None:
    """Open cypher-shell on the local Neo4j, in which one can also write. ARGUMENTS go to it."""
    ctx.exit(_local(workspace).shell(arguments))


@neo4j.command("import")
@workspace_option
def import_(workspace: Path) -> None:
    """Fill the empty local Neo4j with the last run, by Neo4j's offline importer.

    That is several times faster than 'kgfraud publish', and works on an empty database only.
    """
    from kg.daytime.publisher import import_last  # noqa: PLC0415 - not for --help

    here = open_workspace(workspace)
    _server(here)
    _, progress = reporting(here)
    done = import_last(here, progress)
    click.echo(f"the graph holds run {done['run_id']}: {done['written']} rows")


def _local(workspace: Path) -> LocalNeo4j:
    return _server(open_workspace(workspace))


def _server(workspace: Workspace) -> LocalNeo4j:
    from kg.stores.connect import local  # noqa: PLC0415 - not for --help

    server = local(workspace)
    if server is None:
        url = workspace.settings.neo4j.url
        raise UsageError(f"this workspace uses the Neo4j at {url} (neo4j.url), which is looked after where it runs; it has no local one")
    return server
