"""``kgfraud owners``: who holds, controls and in the end owns a company."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kg.cli.common import as_of_option, json_option, open_workspace, print_json, print_table, workspace_option
from kg.errors import UsageError

if TYPE_CHECKING:
    from kg.graph import Graph
    from kg.ownership.penetration import Branch


@click.command()
@click.argument("company")
@click.option("--rules", metavar="ID", help="Rule set of control, in the place of ownership.groups.")
@click.option("--owner-rules", metavar="ID", help="Rule set of beneficial owners, in the place of ownership.owners.")
@click.option("--tree", is_flag=True, help="Print the penetration tree alone.")
@click.option("--svg", is_flag=True, help="Print the penetration tree as a picture (SVG).")
@click.option("--depth", default=10, show_default=True, type=click.IntRange(1, 50), help="Levels that the tree shows.")
@as_of_option
@json_option
@workspace_option
def owners(
    *,
    company: str,
    rules: str | None,
    owner_rules: str | None,
    tree: bool,
    svg: bool,
    depth: int,
    as_of: datetime | None,
    as_json: bool,
    workspace: Path,
) -> None:
    """Show who holds COMPANY, through whom, who controls it and who owns it in the end.

    COMPANY is its id, its social credit code, its customer number or its whole name.

        kgfraud owners 91110000600037341L --as-of 2026-06-30
    """
    if sum((tree, svg, as_json)) > 1:
        raise UsageError("--tree, --svg and --json exclude one another")
    from kg.daytime.lookup import last_graph  # noqa: PLC0415 - slow to import

    day = as_of.date() if as_of else None
    with last_graph(open_workspace(workspace), as_of=day, rules=rules, owners=owner_rules) as graph:
        found = _found(graph, company, depth)
    if as_json:
        print_json(_plain(found))
    elif svg:
        from kg.cli.drawing import draw  # noqa: PLC0415

        click.echo(draw(found["up"], found["down"], lambda branch: _label(found, branch)))
    else:
        _print(found, tree)


def _found(graph: Graph, text: str, depth: int) -> dict[str, Any]:
    """Return all that is told of a company."""
    import pyarrow as pa  # noqa: PLC0415 - slow to import

    from kg.daytime.lookup import find_party, names_of  # noqa: PLC0415
    from kg.ownership.penetration import grow, net  # noqa: PLC0415

    company = find_party(graph, text, ("Company",))
    up, down = net(graph, company, "up"), net(graph, company, "down", depth + 1)
    told = _judged(graph, company)
    ids = [column for table in (up, down) for column in (table["holder"].combine_chunks(), table["held"].combine_chunks())]
    others = [row[key] for key, part in (("person", "beneficial_owners"), ("owner", "ultimate_owners")) for row in told[part]]
    people = [pa.array(others, pa.string()), pa.array([company])]
    return {
        "company": company,
        "as_of": graph.as_of,
        "up": grow(up, company, "up", depth),
        "down": grow(down, company, "down", depth),
        **told,
        "names": names_of(graph, pa.concat_arrays([*ids, *people])),
    }


def _judged(graph: Graph, company: str) -> dict[str, Any]:
    """Return controllers, beneficial owners and ultimate shares: they follow from what is behind the company alone.

    Shares in the end are of those who are behind nominees, as control and beneficial ownership are.
    """
    import pyarrow.compute as pc  # noqa: PLC0415 - slow to import

    from kg.derivations.beneficial_owners import register_owners  # noqa: PLC0415
    from kg.derivations.control import register_control  # noqa: PLC0415
    from kg.derivations.ownership import OwnerIndex  # noqa: PLC0415
    from kg.ownership.nominees import nominated  # noqa: PLC0415
    from kg.ownership.penetration import behind  # noqa: PLC0415

    of = behind(graph, company)
    control = register_control(of, graph.chosen.groups)
    beneficial = register_owners(of, graph.chosen.owners)
    held = nominated(of.holdings, of.nominations)
    shares = OwnerIndex(held, parties=of.parties).owners_of(company).to_pylist() if held.num_rows else []
    return {
        "rules": {"control": _rules(graph.chosen.groups), "beneficial_owners": _rules(graph.chosen.owners)},
        "controllers": control.filter(pc.equal(control["controlled"], company)).drop_columns(["controlled"]).to_pylist(),
        "beneficial_owners": beneficial.filter(pc.equal(beneficial["company"], company)).drop_columns(["company"]).to_pylist(),
        "ultimate_owners": [{"owner": row["owner"], "share_ppm": round(row["share"] * 1_000_000)} for row in shares],
    }


def _rules(rules: Any) -> dict[str, Any]:
    return {"id": rules.id, "version": rules.version, "verified": rules.verified}


def _plain(found: dict[str, Any]) -> dict[str, Any]:
    return {**found, "up": _as_json(found["up"], found["names"])["branches"], "down": _as_json(found["down"], found["names"])["branches"]}


def _as_json(branch: Branch, names: dict[str, str]) -> dict[str, Any]:
    return {
        "party": branch.party,
        "name": names.get(branch.party),
        "share_ppm": branch.share_ppm,
        "evidence": branch.evidence,
        "seen": branch.seen,
        "more": branch.more,
        "branches": [_as_json(each, names) for each in branch.branches],
    }


def _label(found: dict[str, Any], branch: Branch) -> str:
    """Return how a party stands in the tree."""
    name = found["names"].get(branch.party)
    share = "share unknown" if branch.share_ppm is None else percent(branch.share_ppm)
    marks = [word for word, there in (("shown above", branch.seen), ("and more", branch.more)) if there]
    words = [share, name or "", branch.party, *(f"({mark})" for mark in marks)]
    return "  ".join(word for word in words if word)


def percent(ppm: int | None) -> str:
    """Return ppm as people write them, exactly.

    >>> percent(500_000), percent(132_651), percent(None)
    ('50 %', '13.2651 %', '?')
    """
    return "?" if ppm is None else f"{ppm / 10_000:.4f}".rstrip("0").rstrip(".") + " %"


def _print(found: dict[str, Any], tree: bool) -> None:
    from kg.ownership.penetration import as_lines  # noqa: PLC0415 - slow to import

    click.echo(f"{found['names'].get(found['company'], '')}  {found['company']}  as of {found['as_of']}".strip())
    for title, side in (("held by", "up"), ("holds", "down")):
        if found[side].branches:
            click.echo(f"\n{title}")
            for line in as_lines(found[side], lambda branch: _label(found, branch)):
                click.echo(line)
    if not found["up"].branches:
        click.echo("\nno source states who holds it")
    if not tree:
        _print_judged(found)


def _print_judged(found: dict[str, Any]) -> None:
    names = found["names"]

    from kg.derivations.control import JOINT  # noqa: PLC0415 - slow to import

    def named(ids: str) -> str:
        return " + ".join(f"{names.get(id_, '')} {id_}".strip() for id_ in ids.split(JOINT))

    by, of = (found["rules"][key] for key in ("control", "beneficial_owners"))
    click.echo(f"\ncontrol under {_titled(by)}")
    rows = [(named(row["controller"]), percent(row["votes_ppm"]), "" if row["certain"] else "possible") for row in found["controllers"]]
    print_table(("controller", "votes", ""), rows) if rows else click.echo("nobody controls it")
    click.echo(f"\nbeneficial owners under {_titled(of)}")
    owned = [
        (named(row["person"]), row["test"], _range(row["low_ppm"], row["high_ppm"]), "" if row["certain"] else "possible")
        for row in found["beneficial_owners"]
    ]
    print_table(("person", "by", "between", ""), owned) if owned else click.echo("none is known")
    if found["ultimate_owners"]:
        click.echo("\nshares in the end, through all chains")
        shares = sorted(found["ultimate_owners"], key=lambda row: -row["share_ppm"])
        print_table(("owner", "share"), [(named(row["owner"]), percent(row["share_ppm"])) for row in shares])


def _titled(rules: dict[str, Any]) -> str:
    return f"{rules['id']} ({rules['version']}{'' if rules['verified'] else ', not verified'})"


def _range(low: int | None, high: int | None) -> str:
    return "" if low is None else percent(low) if low == high else f"{percent(low)} and {percent(high)}"
