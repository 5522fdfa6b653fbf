"""``kgfraud query``: asking the graph, in Cypher or by the name of a query."""

from __future__ import annotations

import json
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kg.cli.common import json_option, namespace_of, open_workspace, print_csv, print_json, print_table, read_secret, workspace_option
from kg.errors import UsageError

if TYPE_CHECKING:
    from kg.config import Workspace
    from kg.store import Result


@click.command()
@click.argument("cypher", required=False)
@click.option("--name", metavar="NAME", help="Run this query of the library.")
@click.option("--list", "listing", is_flag=True, help="List the library's queries.")
@click.option(
    "-p", "pairs", metavar="NAME=VALUE", multiple=True, help="A parameter: a JSON value or a text; @account:- asks for a clear one."
)
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@json_option
@workspace_option
def query(
    *, cypher: str | None, name: str | None, listing: bool, pairs: tuple[str, ...], as_csv: bool, as_json: bool, workspace: Path
) -> None:
    """Ask the graph in CYPHER, or by --name; the graph is only read.

    A clear identifier stays out of the shell's history and is never sent: -p acc=@account:- (or @account:BANK:-)
    reads it from standard input and puts the graph's id in its place. The kinds are account, person, company, phone,
    email and device.

        kgfraud query --name holdings -p party=company:uscc:91110000600037341L
    """
    if listing:
        _list(as_json)
        return
    if (cypher is None) == (name is None):
        raise UsageError("give either a query in Cypher or --name NAME (kgfraud query --list shows the names)")
    if as_csv and as_json:
        raise UsageError("--csv and --json exclude each other")
    opened = open_workspace(workspace)
    text, params = _asked(opened, cypher, name, pairs)
    result = _ask(opened, text, params)
    _print(result, as_csv, as_json)
    if not result.rows and any("=@" in pair for pair in pairs):
        known = ", ".join(str(params[pair.partition("=")[0]]) for pair in pairs if "=@" in pair)
        click.echo(f"nothing was found; the clear value was read as {known}", err=True)
    for word in result.unknown:
        _tell_unknown(word)
    if result.truncated:
        click.echo(f"there is more: the answer was cut at {len(result.rows)} rows (query.max_rows)", err=True)


def _tell_unknown(word: str) -> None:
    """Say that nothing in the graph has a word of the query, unless the schema has it: then there is only no data yet."""
    from kg.schema import ALL_EDGES, ALL_NODES  # noqa: PLC0415 - not for --help
    from kg.store import columns_of, name_of  # noqa: PLC0415

    types = (*ALL_NODES, *ALL_EDGES)
    known = {"id", "Party", *(name_of(type_) for type_ in types), *(p.name for type_ in types for p in columns_of(type_))}
    if word in known:
        return
    by_lower = {name.lower(): name for name in sorted(known)}
    near = get_close_matches(word.lower(), by_lower, n=1)
    hint = f"; did you mean '{by_lower[near[0]]}'?" if near else ""
    click.echo(f"nothing in the graph is called '{word}'{hint}", err=True)


def _list(as_json: bool) -> None:
    from kg.query import named, names  # noqa: PLC0415 - not for --help

    found = [named(name) for name in names()]
    if as_json:
        print_json(
            {
                "queries": [
                    {"name": q.name, "about": q.about, "parameters": [vars(p) for p in q.parameters], "example": q.example} for q in found
                ]
            }
        )
        return
    for q in found:
        click.echo(f"{q.name}\n    {q.about}\n    {q.example}")


def _asked(workspace: Workspace, cypher: str | None, name: str | None, pairs: tuple[str, ...]) -> tuple[str, dict[str, Any]]:
    """Return the text to run and its parameters."""
    from kg.query import named, read_parameters  # noqa: PLC0415 - not for --help

    chosen = named(name) if name is not None else None
    params = read_parameters(pairs, lambda kind, bank: _clear_id(workspace, kind, bank))
    return (cypher or "", params) if chosen is None else (chosen.text, chosen.filled(params))


def _clear_id(workspace: Workspace, kind: str, bank: str | None) -> str:
    """Read a clear value from standard input and return the graph's id of it."""
    from kg.identifiers import IdentifierError  # noqa: PLC0415 - slow to import
    from kg.ids import graph_id, refuse_unknown  # noqa: PLC0415
    from kg.privacy import Keyring  # noqa: PLC0415

    refuse_unknown(kind)
    clear = read_secret(f"{kind} (not shown)")
    if not clear:
        raise UsageError(f"there is no {kind} on standard input; write it there, for example: … -p name=@{kind}:- < file")
    keyring = Keyring.open(workspace.keys)
    try:
        return graph_id(kind, clear, keyring, namespace_of(workspace.root, kind, bank))
    except IdentifierError as error:
        raise UsageError(f"the value on standard input is no {kind}: it breaks the rule '{error.rule}'; check how it is written") from None


def _ask(workspace: Workspace, text: str, params: dict[str, Any]) -> Result:
    from kg.stores.connect import connected  # noqa: PLC0415 - not for --help

    limits = workspace.settings.query
    with connected(workspace) as store:
        return store.query(text, params, limits.timeout_seconds, limits.max_rows)


def _print(result: Result, as_csv: bool, as_json: bool) -> None:
    if as_json:
        print_json({"columns": result.columns, "rows": result.rows})
        return
    rows = [[_cell(value) for value in row] for row in result.rows]
    if as_csv:
        print_csv(result.columns, rows)
    else:
        print_table(result.columns, rows)


def _cell(value: Any) -> Any:
    """Write what is not one value as JSON."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
