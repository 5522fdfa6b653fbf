"""How settings come together: a flag goes before the environment, before ``.env``, before TOML, before the default."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import ValidationError

from kg.config.faults import sentences
from kg.config.models import Settings
from kg.config.packs import expand
from kg.config.sources import PackUse, SourceSettings
from kg.config.toml import Key, TomlFile, read_toml
from kg.errors import UsageError, did_you_mean

SETTINGS_FILE = "kgfraud.toml"
PREFIX = "KGFRAUD_"
SECTIONS = tuple(name for name in Settings.model_fields if name != "sources")

#: The file of the links that people rebutted by 'kgfraud links rebut'; it is a source like others.
REBUTTALS = "rebuttals.jsonl"
_REBUTTED: dict[str, Any] = {
    "name": "kgfraud.rebuttals",
    "kind": "rebuttals",
    "path": REBUTTALS,
    "mode": "append",
    "record_id": ("number",),
    "columns": {
        **{end: {"column": end, "by": "graph"} for end in ("a", "b")},
        **{name: name for name in ("action", "reason", "user", "until_on")},
        "decided_at": {"column": "decided_at", "zone": "UTC"},
    },
}

#: Settings that name a file; a relative one is relative to the workspace.
_FILES = (("neo4j", "password_file"), ("neo4j", "ca_file"), ("contagion", "essential"))


@dataclass
class _Draft:
    """Settings on their way: the values so far, and where each of them was written."""

    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    places: dict[Key, str] = field(default_factory=dict)

    def put(self, section: str, name: str, value: Any, place: str) -> None:
        """Set a value; a later one takes the place of an earlier one."""
        self.values.setdefault(section, {})[name] = value
        self.places[section, name] = place


def load(root: Path, *, packs: Path | None = None, flags: Mapping[str, Mapping[str, Any]] | None = None) -> Settings:
    """Return the settings of the workspace at ``root``.

    Parameters
    ----------
    packs
        The folder of the mapping packs; without it sources that come from a pack are left out.
    flags
        Settings given on the command line, by section and name.

    Raises
    ------
    UsageError
        If a setting is missing, wrong or unknown; the message says which, where it is written and
        what the nearest right spelling is.
    """
    path = root / SETTINGS_FILE
    if not path.is_file():
        raise UsageError(
            f"{root} is not a workspace (it holds no {SETTINGS_FILE}); make one with 'kgfraud init', or name one with --workspace"
        )
    toml = read_toml(path)
    draft = _from_toml(toml)
    _from_variables(draft, dotenv_values(root / ".env"), ".env")
    _from_variables(draft, os.environ, "the environment")
    for section, values in (flags or {}).items():
        for name, value in values.items():
            draft.put(section, name, value, _flag(section, name))
    for section, name in _FILES:
        if value := draft.values.get(section, {}).get(name):
            draft.values[section][name] = str(root / str(value))
    settings = _sections(draft, toml)
    settings = settings.model_copy(update={"sources": _sources(toml, root, packs)})
    settings._root = root
    return settings


def refuse_flags(flags: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse settings given on the command line that no workspace could take.

    Raises
    ------
    UsageError
        With a sentence for each, and the nearest right spelling.
    """
    for section, values in flags.items():
        if section not in SECTIONS:
            raise UsageError(f"{_flag(section, next(iter(values)))}: no section [{section}]{did_you_mean(section, SECTIONS)}")
    try:
        Settings.model_validate(flags)
    except ValidationError as error:
        raise UsageError(sentences(error, Settings, lambda path: _flag(*map(str, path[:2])))) from None


def _flag(section: str, name: str) -> str:
    return f"--set {section}.{name}"


def _from_toml(toml: TomlFile) -> _Draft:
    draft = _Draft()
    for section, values in toml.values.items():
        if section == "sources":
            continue
        if section not in SECTIONS:
            raise UsageError(f"{toml.at(section)}: no section [{section}]{did_you_mean(section, [*SECTIONS, 'sources'])}")
        if not isinstance(values, dict):
            raise UsageError(f"{toml.at(section)}: [{section}] must be a table of settings")
        for name, value in values.items():
            draft.put(section, name, value, toml.at(section, name))
    return draft


def _from_variables(draft: _Draft, variables: Mapping[str, str | None], where: str) -> None:
    """Take ``KGFRAUD_<SECTION>__<NAME>``; variables without the double underscore are no settings."""
    for variable, value in sorted(variables.items()):
        section, cut, name = variable.upper().removeprefix(PREFIX).lower().partition("__")
        if not variable.upper().startswith(PREFIX) or not cut or value is None:
            continue
        if section not in SECTIONS:
            near = did_you_mean(section, SECTIONS).replace("'", "")
            raise UsageError(f"{variable} in {where}: no section [{section}]{near} (sources are set in {SETTINGS_FILE} alone)")
        draft.put(section, name, value, f"{variable} in {where}")


def _sections(draft: _Draft, toml: TomlFile) -> Settings:
    try:
        return Settings.model_validate(draft.values)
    except ValidationError as error:
        raise UsageError(sentences(error, Settings, lambda path: draft.places.get(path[:2], toml.at(*path)))) from None


def _sources(toml: TomlFile, root: Path, packs: Path | None) -> tuple[SourceSettings, ...]:
    entries = toml.values.get("sources", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise UsageError(f"{toml.at('sources')}: sources are written as [[sources]], in double brackets, once for each source")
    found: list[SourceSettings] = []
    for number, entry in enumerate(entries):
        if "mapping" not in entry:
            found.append(read_source(entry, ("sources", number), toml, root))
        elif packs is not None:
            found.extend(_pack(entry, number, toml, root, packs))
        else:
            _use(entry, number, toml)
    if (root / REBUTTALS).exists():
        found.append(SourceSettings(**_REBUTTED).model_copy(update={"path": str(root / REBUTTALS)}))
    _refuse_repeated(found)
    return tuple(found)


def _use(entry: dict[str, Any], number: int, toml: TomlFile) -> PackUse:
    try:
        return PackUse.model_validate(entry)
    except ValidationError as error:
        raise UsageError(sentences(error, PackUse, lambda path: toml.at("sources", number, *path), "[[sources]] with a mapping")) from None


def _pack(entry: dict[str, Any], number: int, toml: TomlFile, root: Path, packs: Path) -> list[SourceSettings]:
    use = _use(entry, number, toml)
    file = packs / f"{use.mapping}.toml"
    if not file.is_file():
        near = did_you_mean(use.mapping, sorted(path.stem for path in packs.glob("*.toml")))
        raise UsageError(f"{toml.at('sources', number, 'mapping')}: no mapping pack named '{use.mapping}'{near}")
    pack = read_toml(file)
    entries = expand(use, pack, root, toml.at("sources", number, "path"))
    return [read_source(values, ("sources", place), pack, root) for place, values in entries]


def read_source(entry: dict[str, Any], key: Key, toml: TomlFile, root: Path) -> SourceSettings:
    """Return one ``[[sources]]`` table as settings, with its path made absolute and its places remembered."""
    try:
        source = SourceSettings.model_validate(entry)
    except ValidationError as error:
        raise UsageError(sentences(error, SourceSettings, lambda path: toml.at(*key, *path), "[[sources]]")) from None
    source = source.model_copy(update={"path": str(root / source.path)})
    source._root = root
    source._places = {path[len(key) :]: toml.at(*path) for path in toml.lines if path[: len(key)] == key}
    return source


def _refuse_repeated(sources: list[SourceSettings]) -> None:
    first: dict[str, SourceSettings] = {}
    for source in sources:
        other = first.setdefault(source.name, source)
        if other is not source:
            raise UsageError(f"{source.at('name')}: source '{source.name}' is named already at {other.at('name')}; names must differ")
