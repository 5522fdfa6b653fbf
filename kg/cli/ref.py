"""``kgfraud ref``: the live reference, read from what the program itself uses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from kg import schema as vocabulary
from kg.cli.common import json_option, print_json, print_table
from kg.config import Gate, PackUse, Pick, Settings, SourceSettings
from kg.errors import UsageError, did_you_mean
from kg.ruleset import Threshold
from loaders.source import Kind
from loaders.sources import KINDS
from loaders.sources import kind as kind_named

if TYPE_CHECKING:
    from kg.rule import Rule

#: Tables of a source, beside the sections of the settings.
_SOURCE_TABLES: dict[str, type[BaseModel]] = {
    "sources": SourceSettings,
    "sources.columns": Pick,
    "sources.gate": Gate,
    "sources (mapping)": PackUse,
}


@click.group()
def ref() -> None:
    """Show sources, queries, schema, rules and settings as they are."""


@ref.command()
@click.argument("kind", required=False)
@json_option
def sources(kind: str | None, as_json: bool) -> None:
    """List the kinds of sources, or the columns that KIND asks for."""
    if kind is None:
        _print([{"kind": k.name, "about": k.about} for k in KINDS], as_json)
        return
    found = kind_named(kind)
    columns = [
        {"name": c.name, "type": c.type, "unit": c.unit, "required": c.required, "personal": c.personal, "about": c.about}
        for c in found.columns
    ]
    if as_json:
        print_json({"kind": found.name, "columns": columns})
        return
    click.echo(f"{found.name}: {found.about}\n")
    _print(columns, as_json)
    for line in _needs(found):
        click.echo(line)


def _needs(kind: Kind) -> Iterator[str]:
    """Say what a kind asks for beyond single columns."""
    for group in kind.one_of:
        yield f"\nat least one of {', '.join(group)} must be filled"
    for first, second in kind.needs:
        yield f"\nwhere {first} is filled, {second} must be filled too"
    for first, second in kind.at_most:
        yield f"\n{first} must not be more than {second}"
    for first, second in kind.differ:
        yield f"\n{first} and {second} must be two different parties"
    for column in kind.columns:
        if column.least is not None:
            yield f"\n{column.name} must not be below {column.least}"
        if column.values:
            yield f"\n{column.name} is one of {', '.join(column.values)}"


@ref.command()
@click.argument("name", metavar="[LABEL|TYPE]", required=False)
@json_option
def schema(name: str | None, as_json: bool) -> None:
    """List the labels and relationship types of the graph, or the properties of one."""
    types = [*map(_node, vocabulary.ALL_NODES), *_further_labels(), *map(_edge, vocabulary.ALL_EDGES)]
    if name is None:
        _print([{key: value for key, value in type_.items() if key != "properties"} for type_ in types], as_json)
        return
    known = {str(type_["name"]): type_ for type_ in types}
    if name not in known:
        raise UsageError(f"no label or relationship type named '{name}'{did_you_mean(name, known)} (kgfraud ref schema lists them)")
    if as_json:
        print_json(known[name])
        return
    click.echo(f"{name} {known[name]['ends'] or ''}: {known[name]['about']}\n".replace(" :", ":"))
    _print(known[name]["properties"], as_json)


def _further_labels() -> Iterator[dict[str, Any]]:
    """Yield the labels that nodes bear beside that of their type, and those that no type has."""
    from kg.stores.cypher import LABELS  # noqa: PLC0415 - only for this command

    nodes = vocabulary.ALL_NODES
    also = {label: [node.label for node in nodes if label in node.also] for node in nodes for label in node.also}
    for label, about in [*((label, f"every {' and every '.join(own)}") for label, own in also.items()), *LABELS.items()]:
        id_ = _properties((vocabulary.Property("id", "string", "the key"),))[:1]
        yield {"name": label, "is": "label", "ends": None, "derived": True, "about": about, "properties": id_}


def _node(node: vocabulary.NodeType) -> dict[str, Any]:
    properties = _properties((vocabulary.Property("id", "string", f"{node.prefix}:…, the key"), *node.properties))
    return {"name": node.label, "is": "label", "ends": None, "derived": node.derived, "about": node.about, "properties": properties}


def _edge(edge: vocabulary.EdgeType) -> dict[str, Any]:
    properties = _properties((vocabulary.Property("id", "string", "the key"), *edge.properties))
    ends = f"{' or '.join(edge.source)} → {' or '.join(edge.target)}"
    return {"name": edge.type, "is": "relationship", "ends": ends, "derived": edge.derived, "about": edge.about, "properties": properties}


def _properties(own: tuple[vocabulary.Property, ...]) -> list[dict[str, Any]]:
    rows = (*own, *vocabulary.COMMON)
    return [{"name": p.name, "type": p.type, "unit": p.unit, "personal": p.personal, "about": p.about} for p in rows]


@ref.command()
@click.argument("name", metavar="[SECTION[.NAME]]", required=False)
@json_option
def settings(name: str | None, as_json: bool) -> None:
    """List the settings of kgfraud.toml with their defaults, or those of one section, or one."""
    rows = [_setting(table, key, field) for table, model in _tables() for key, field in model.model_fields.items()]
    _print(_named(name, rows) if name else rows, as_json)


def _named(name: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of a section or setting; a setting may be named without its section."""
    called = [{row["section"], row["name"], f"{row['section']}.{row['name']}"} for row in rows]
    if found := [row for row, names in zip(rows, called, strict=True) if name in names]:
        return found
    known = sorted(set().union(*called))
    raise UsageError(f"no setting or section named '{name}'{did_you_mean(name, known)} (kgfraud ref settings lists them)")


def _tables() -> Iterator[tuple[str, type[BaseModel]]]:
    for name, default in Settings():
        if isinstance(default, BaseModel):
            yield name, type(default)
    yield from _SOURCE_TABLES.items()


def _setting(section: str, name: str, field: FieldInfo) -> dict[str, Any]:
    default = None if field.is_required() else field.get_default(call_default_factory=True)
    shown = None if isinstance(default, BaseModel) else default
    return {"section": section, "name": name, "required": field.is_required(), "default": shown, "about": field.description}


@ref.command()
@click.argument("name", required=False)
@json_option
def rules(name: str | None, as_json: bool) -> None:
    """List the risk rules, or the parameters of rule NAME."""
    from kg.rule import choose  # noqa: PLC0415 - the rules bring compiled kernels with them
    from kg.rules import RULES  # noqa: PLC0415

    if name is None:
        shown = ({"name": r.name, "version": r.version, **_judgement(r), "about": r.about} for r in RULES)
        _print(list(shown), as_json)
        return
    rule = choose(RULES, name)
    parameters = [{"name": p.name, "value": p.value, "unit": p.unit, "why": p.why} for p in rule.describe()]
    if as_json:
        reads = {need.name: list(need.columns) for need in rule.requires}
        print_json(
            {"name": rule.name, "version": rule.version, **_judgement(rule), "about": rule.about, "reads": reads, "parameters": parameters}
        )
        return
    click.echo(f"{rule.name} {rule.version}: {rule.about}\nreason {rule.reason.code}: {rule.reason.en}\n")
    _print(parameters, as_json)


def _judgement(rule: Rule[Any]) -> dict[str, str]:
    return {"reason": rule.reason.code, "severity": rule.severity, "action": rule.action}


@ref.command()
@json_option
def derivations(as_json: bool) -> None:
    """List what is derived from the declared rows, and from what."""
    from kg.derivations import DERIVATIONS  # noqa: PLC0415 - slow to import

    _print([{"name": d.name, "produces": d.produces, "requires": list(d.requires)} for d in DERIVATIONS], as_json)


@ref.command()
@json_option
def queries(as_json: bool) -> None:
    """List the library of named queries: what each answers, its parameters, an example."""
    from kg.query import named, names  # noqa: PLC0415 - only for this command

    found = [named(name) for name in names()]
    _print([{"name": q.name, "about": q.about, "parameters": [p.name for p in q.parameters], "example": q.example} for q in found], as_json)


@ref.command()
@json_option
def reasons(as_json: bool) -> None:
    """List the reasons for which a party may be flagged, then those for which a score may be high."""
    from gnn.reasons import SCORE_REASONS  # noqa: PLC0415 - only for this command
    from kg.reason import REASONS  # noqa: PLC0415

    known = [(r, "flag") for r in REASONS] + [(r, "score") for r in SCORE_REASONS]
    _print([{"code": r.code, "of": of, "en": r.en, "zh": r.zh} for r, of in known], as_json)


@ref.command()
@click.argument("name", metavar="[ID]", required=False)
@json_option
def rulesets(name: str | None, as_json: bool) -> None:
    """List the rule sets of ownership law, or all that rule set ID says."""
    from kg.rulesets import RULESETS, get  # noqa: PLC0415 - only for this command

    if name is None:
        words = ("id", "control", "standing", "verified", "title", "source")
        _print(
            [{word: str(r.control) if word == "control" else getattr(r, word) for word in words} for r in RULESETS],
            as_json,
        )
        return
    rules = get(name)
    said = {field.name: getattr(rules, field.name) for field in fields(rules)} | {"verified": rules.verified}
    if as_json:
        print_json({**said, **{key: str(value) for key, value in said.items() if isinstance(value, Threshold)}})
        return
    print_table(("parameter", "value"), [(key, _value(value)) for key, value in said.items()])
    if not rules.verified:
        parts = ", ".join(rules.unverified) or "all of it"
        click.echo(f"\nnot verified ({parts}): check it against the text before it is used in earnest")


def _value(value: Any) -> str:
    return "; ".join(map(str, value)) if isinstance(value, tuple) else "-" if value is None else str(value)


def _print(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json(rows)
    else:
        columns = list(rows[0])
        print_table(columns, [[_plain(row[column]) for column in columns] for row in rows])


def _plain(value: Any) -> Any:
    """Write a list on one line."""
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else (value or None if isinstance(value, dict) else value)
