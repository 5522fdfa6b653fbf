"""``kgfraud id``: from a clear value to the id by which the graph knows it."""

from __future__ import annotations

from pathlib import Path

import click

from kg.cli.common import json_option, namespace_of, open_workspace, print_json, read_secret, workspace_option
from kg.errors import UsageError


@click.command()
@click.argument("kind")
@click.option("--bank", metavar="NAME", help="Bank or system that the number belongs to; by default the one that the sources name.")
@json_option
@workspace_option
def id(kind: str, bank: str | None, workspace: Path, as_json: bool) -> None:
    """Print the graph's id of a value of KIND, read from standard input.

    The value is read in the clear and only its token leaves the command. At a terminal it is asked for and not
    shown; from a program it is the first line:

        kgfraud id account --bank ICBC < number.txt
    """
    from kg.identifiers import IdentifierError  # noqa: PLC0415 - slow to import
    from kg.ids import graph_id, refuse_unknown  # noqa: PLC0415
    from kg.privacy import Keyring  # noqa: PLC0415

    opened = open_workspace(workspace)
    refuse_unknown(kind)
    clear = read_secret(f"{kind} (not shown)")
    if not clear:
        raise UsageError(f"there is no value on standard input; write the {kind} there, for example: kgfraud id {kind} < file")
    try:
        found = graph_id(kind, clear, Keyring.open(opened.keys), namespace_of(workspace, kind, bank))
    except IdentifierError as error:
        raise UsageError(f"the value on standard input is no {kind}: it breaks the rule '{error.rule}'; check how it is written") from None
    if as_json:
        print_json({"kind": kind, "id": found})
    else:
        click.echo(found)
