"""``kgfraud rings``: among whom money goes round."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kg.cli.common import json_option, open_workspace, print_json, print_table, workspace_option
from kg.cli.limit import yuan
from kg.errors import UsageError, did_you_mean_one_of

if TYPE_CHECKING:
    from kg.graph import Graph

_FACTS = ("id", "members", "support", "first_at", "last_at", "amount_fen", "event", "earlier")
_BAR = 24


@click.group()
def rings() -> None:
    """List the rings of money of the last run, or show one of them."""


@rings.command("list")
@click.option("--party", help="Rings of this party alone: its id, social credit code, customer number or whole name.")
@json_option
@workspace_option
def list_(*, party: str | None, as_json: bool, workspace: Path) -> None:
    """List the rings of the last run, those with most money first."""
    from kg.daytime.lookup import find_party, last_graph  # noqa: PLC0415 - slow to import

    with last_graph(open_workspace(workspace)) as graph:
        found = rings_of(graph, find_party(graph, party) if party else None)
    if as_json:
        print_json({"rings": found})
        return
    if not found:
        click.echo("money goes round nowhere")
        return
    columns = ("ring", "members", "cycles", "first", "last", "yuan", "event")
    print_table(
        columns,
        [
            (row["id"], row["members"], row["support"], _day(row["first_at"]), _day(row["last_at"]), yuan(row["amount_fen"]), row["event"])
            for row in found
        ],
    )


@rings.command()
@click.argument("ring")
@click.option("--svg", is_flag=True, help="Print the ring as a picture (SVG).")
@json_option
@workspace_option
def show(*, ring: str, svg: bool, as_json: bool, workspace: Path) -> None:
    """Show the members of RING, what each got, and its payments on a line of time.

    kgfraud rings show ring:0123… --svg > ring.svg
    """
    from kg.daytime.lookup import last_graph  # noqa: PLC0415 - slow to import

    if svg and as_json:
        raise UsageError("--svg and --json exclude one another")
    with last_graph(open_workspace(workspace)) as graph:
        found = ring_of(graph, ring)
    if as_json:
        print_json(found)
    elif svg:
        from kg.cli.ring_drawing import draw_ring  # noqa: PLC0415 - not needed otherwise

        click.echo(draw_ring(found["members"], found["transfers"]))
    else:
        _print(found)


def rings_of(graph: Graph, party: str | None) -> list[dict[str, Any]]:
    """Return the rings of a party, or all: the properties of `Ring`, those with most money first."""
    import ibis  # noqa: PLC0415 - slow to import

    rows = graph.nodes("Ring")
    if party is not None:
        inside = graph.edges("IN_RING")
        rows = rows.semi_join(inside.filter(inside.src == party).select(id="dst"), "id")
    told = graph.engine.table(rows.select(*_FACTS).order_by(ibis.desc("amount_fen"), "id")).to_pylist()
    return [{**row, "earlier": json.loads(row["earlier"] or "[]")} for row in told]


def ring_of(graph: Graph, ring: str) -> dict[str, Any]:
    """Return a ring with its members (``party, name, role, amount_fen, because``) and transfers; the first signs of its id will do.

    Raises
    ------
    UsageError
        If no ring or several have an id that begins so.
    """
    import pyarrow as pa  # noqa: PLC0415 - slow to import

    from kg.daytime.lookup import names_of  # noqa: PLC0415

    every = rings_of(graph, None)
    alike = [row for row in every if row["id"].startswith(ring)] if len(ring) > len("ring:") else []
    facts = alike[0] if len(alike) == 1 else None
    if facts is None:
        what = f"several rings have ids that begin with '{ring}'" if alike else f"there is no ring '{ring}'"
        raise UsageError(f"{what}{did_you_mean_one_of(ring, [row['id'] for row in every])}")
    inside = graph.edges("IN_RING")
    rows = graph.engine.table(inside.filter(inside.dst == facts["id"]).order_by("role", "src")).to_pylist()
    ids = sorted({id_ for row in rows for id_ in json.loads(row["evidence"])})
    transfers = _transfers(graph, ids)
    parties = [row["src"] for row in rows]
    names = names_of(graph, pa.array([*parties, *(move[end] for move in transfers for end in ("payer", "payee"))], pa.string()))
    members = [
        {"party": row["src"], "name": names.get(row["src"]), **{name: row[name] for name in ("role", "amount_fen", "because")}}
        for row in rows
    ]
    return {**facts, "as_of": graph.as_of, "members": members, "transfers": transfers}


def _transfers(graph: Graph, ids: list[str]) -> list[dict[str, Any]]:
    """Return transfers between parties, or accounts that nobody or several own, in the order of their times."""
    import pyarrow as pa  # noqa: PLC0415 - slow to import

    from kg.payments.transfers import to_owners  # noqa: PLC0415

    asked = graph.engine.arrow(pa.table({"id": pa.array(ids, pa.string())}))
    rows = graph.engine.table(graph.edges("TRANSFERRED_TO").semi_join(asked, "id").select("id", "src", "dst", "amount_fen", "at"))
    ends = graph.engine.arrow(pa.table({"dst": pa.concat_arrays([rows[end].combine_chunks() for end in ("src", "dst")])}))
    owners = graph.engine.table(graph.edges("OWNS_ACCOUNT").semi_join(ends, "dst").select("src", "dst"))
    named = to_owners(rows, owners).rename_columns({"src": "payer", "dst": "payee"})
    moves: list[dict[str, Any]] = named.sort_by([("at", "ascending"), ("id", "ascending")]).to_pylist()
    return moves


def _day(at: Any) -> str:
    return f"{at:%Y-%m-%d}"


def _print(found: dict[str, Any]) -> None:
    click.echo(f"{found['id']}  as of {found['as_of']}: {found['support']} cycles")
    click.echo(f"{_day(found['first_at'])} to {_day(found['last_at'])}, {yuan(found['amount_fen'])} yuan got in all, {found['event']}\n")
    print_table(
        ("party", "name", "role", "got (yuan)", "because"),
        [(row["party"], row["name"], row["role"], yuan(row["amount_fen"]), row["because"]) for row in found["members"]],
    )
    names = {row["party"]: row["name"] or row["party"] for row in found["members"]}
    most = max((move["amount_fen"] for move in found["transfers"]), default=1)
    click.echo("\nin the order of time (UTC), the longer the bar the larger the sum")
    for move in found["transfers"]:
        bar = "█" * max(1, move["amount_fen"] * _BAR // most)
        ends = f"{names.get(move['payer'], move['payer'])} → {names.get(move['payee'], move['payee'])}"
        click.echo(f"{move['at']:%Y-%m-%d %H:%M}  {bar:<{_BAR}}  {yuan(move['amount_fen']):>18}  {ends}")
