"""``kgfraud scheme``: what the rules found, and what a finding rests on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kg.cli.common import json_option, open_workspace, print_json, print_table, workspace_option
from kg.cli.limit import yuan
from kg.errors import UsageError

if TYPE_CHECKING:
    from kg.graph import Graph

_SHORTEST = 6


@click.group()
def scheme() -> None:
    """List the schemes that rules look for, or explain a hit."""


@scheme.command("list")
@json_option
@workspace_option
def list_(*, as_json: bool, workspace: Path) -> None:
    """List the schemes that rules look for, with how many parties bear a flag of each since the last run."""
    from kg.daytime.lookup import last_graph  # noqa: PLC0415 - slow to import
    from kg.rules import RULES  # noqa: PLC0415

    with last_graph(open_workspace(workspace)) as graph:
        flags = graph.nodes("Flag")
        counts = graph.engine.table(flags.group_by("rule").aggregate(flags=flags.count())).to_pylist()
    told = {row["rule"]: row["flags"] for row in counts}
    rows = [
        {"scheme": r.name, "version": r.version, "reason": r.reason.code, "severity": r.severity, "action": r.action, "about": r.about}
        | {"flags": told.get(r.name, 0)}
        for r in RULES
    ]
    if as_json:
        print_json({"schemes": rows})
    else:
        columns = ("scheme", "flags", "severity", "action", "about")
        print_table(columns, [[row[column] for column in columns] for row in rows])


@scheme.command()
@click.argument("hit")
@json_option
@workspace_option
def explain(*, hit: str, as_json: bool, workspace: Path) -> None:
    """Explain HIT, a flag's id or its first signs: what the rule says, by which parameters, and the evidence row by row."""
    from kg.daytime.lookup import last_graph  # noqa: PLC0415 - slow to import

    with last_graph(open_workspace(workspace)) as graph:
        found = explained(graph, hit)
    if as_json:
        print_json(found)
    else:
        _print(found)


def explained(graph: Graph, hit: str) -> dict[str, Any]:
    """Return a flag with the words and parameters of its rule, and its evidence.

    Raises
    ------
    UsageError
        If no flag or several have an id that begins so.
    """
    from kg.reason import reason  # noqa: PLC0415 - slow to import
    from kg.rule import choose  # noqa: PLC0415
    from kg.rules import RULES  # noqa: PLC0415

    flag = _flag(graph, hit)
    rule, said = choose(RULES, flag["rule"]), reason(flag["reason"])
    changed = flag["rule_version"] != rule.version
    facts = {name: flag[name] for name in ("id", "party", "name", "severity", "action", "amount_fen", "rule", "rule_version")}
    return {
        **facts,
        "as_of": graph.as_of,
        "reason": said.code,
        "zh": said.zh,
        "en": said.en,
        "about": rule.about,
        "note": f"the rule is of version {rule.version} now; what its parameters were in version {flag['rule_version']} is not kept"
        if changed
        else None,
        "parameters": [] if changed else [{"name": p.name, "value": p.value, "unit": p.unit, "why": p.why} for p in rule.describe()],
        "evidence": evidence_of(graph, json.loads(flag["evidence"])),
    }


def _flag(graph: Graph, hit: str) -> dict[str, Any]:
    """Return the one flag whose id begins so, with who bears it."""
    import pyarrow as pa  # noqa: PLC0415 - slow to import

    from kg.daytime.lookup import names_of  # noqa: PLC0415

    flags, borne = graph.nodes("Flag"), graph.edges("FLAGGED")
    found = graph.engine.table(flags.filter(flags.id.startswith(hit)).limit(2)).to_pylist() if len(hit) >= _SHORTEST else []
    if len(found) != 1:
        what = "several flags have ids that begin" if found else "there is no flag whose id begins"
        raise UsageError(f"{what} with '{hit}'; give {_SHORTEST} signs or more of an id that kgfraud query --name flags shows")
    (flag,) = found
    parties = graph.engine.table(borne.filter(borne.dst == flag["id"]).select("src"))["src"].to_pylist()
    names = names_of(graph, pa.array(parties, pa.string()))
    return {**flag, "party": parties[0] if parties else None, "name": names.get(parties[0]) if parties else None}


def evidence_of(graph: Graph, ids: list[str]) -> list[dict[str, Any]]:
    """Return what stands behind ids of evidence, in their order: ``id, what, src, dst, amount_fen, at``, null where it has none.

    ``what`` is the type of a relationship, or the kind of a record; null where the lake no longer holds the row.
    """
    import pyarrow as pa  # noqa: PLC0415 - slow to import

    from kg import schema  # noqa: PLC0415
    from loaders.sources import KINDS  # noqa: PLC0415

    asked = graph.engine.arrow(pa.table({"id": pa.array(ids, pa.string())}))
    found: dict[str, dict[str, Any]] = {}
    for type_ in schema.ALL_EDGES:
        if graph.knows(type_.type):
            rows = graph.edges(type_.type).semi_join(asked, "id")
            shown = [column for column in ("id", "src", "dst", "amount_fen", "at") if column in rows.columns]
            found |= {row["id"]: {"what": type_.type, **row} for row in graph.engine.table(rows.select(*shown)).to_pylist()}
    for kind in KINDS:
        rows = graph.records(kind.name)
        if rows is not None and len(found) < len(set(ids)):
            rows = rows.mutate(id=rows.source + "/" + rows.record_id).semi_join(asked, "id").select("id")
            found = {row["id"]: {"what": kind.name, **row} for row in graph.engine.table(rows).to_pylist()} | found
    none = dict.fromkeys(("what", "src", "dst", "amount_fen", "at"))
    return [{"id": id_, **none, **found.get(id_, {})} for id_ in ids]


def _print(found: dict[str, Any]) -> None:
    click.echo(f"{found['id']}  {found['rule']} {found['rule_version']}, severity {found['severity']}, to {found['action']}")
    click.echo(f"{found['name'] or ''} {found['party'] or ''}".strip())
    click.echo(f"{found['zh']}\n{found['en']}")
    if found["amount_fen"] is not None:
        click.echo(f"at stake: {yuan(found['amount_fen'])} yuan")
    click.echo(f"\n{found['about']}\n")
    if found["note"]:
        click.echo(found["note"])
    else:
        print_table(("parameter", "value", "unit", "why"), [(p["name"], str(p["value"]), p["unit"], p["why"]) for p in found["parameters"]])
    click.echo("\nevidence")
    print_table(
        ("what", "from", "to", "yuan", "at", "id"),
        [
            (
                row["what"] or "gone",
                row["src"],
                row["dst"],
                None if row["amount_fen"] is None else yuan(row["amount_fen"]),
                _time(row["at"]),
                row["id"],
            )
            for row in found["evidence"]
        ],
    )


def _time(at: Any) -> str | None:
    return None if at is None else f"{at:%Y-%m-%d %H:%M}"
