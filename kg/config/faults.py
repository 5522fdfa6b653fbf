"""What is wrong with the settings, in sentences: where it is written, what it says, what it should say."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from kg.config.toml import Key
from kg.errors import did_you_mean

#: Pydantic's names of faults that the patterns of the settings raise, and what they ask for.
_ASKS = {
    "memory": "a size such as 3GB or 512MB",
    "heap": "a size such as 512m or 1g",
    "page_cache": "a size such as 512m or 1g, or auto",
    "name": "letters, digits, _ and -, in parts joined by dots, such as crm.companies",
}

#: Characters shown of a wrong value.
_SHOWN = 60


def sentences(error: ValidationError, model: type[BaseModel], place: Callable[[Key], str], table: str = "") -> str:
    """Return one sentence for each fault of ``error``, joined by line ends.

    Parameters
    ----------
    model
        The model that refused the values.
    place
        Says where the setting of a path is written.
    table
        What the outermost table is called; empty where the path begins with the section's name.
    """
    said = [_sentence(fault, model, place, table) for fault in error.errors(include_url=False)]
    return "\n".join(dict.fromkeys(said))


def _sentence(fault: ErrorDetails, model: type[BaseModel], place: Callable[[Key], str], table: str) -> str:
    path: Key = fault["loc"]
    name = next((str(part) for part in reversed(path) if isinstance(part, str)), "")
    inside = _table(path[:-1] if isinstance(path[-1], str) else path[:-2], table)
    if fault["type"] == "extra_forbidden":
        return f"{place(path)}: no setting '{name}' in {inside}{did_you_mean(name, _known(model, path[:-1]))}"
    if fault["type"] == "missing":
        return f"{place(path)}: {inside} needs the setting '{name}'"
    return f"{place(path)}: {name} = {_shown(fault['input'])} in {inside} is wrong: {_reason(fault, model, path)}"


def _table(path: Key, table: str) -> str:
    """Say in which table a setting stands: ``[engine]``, ``[[sources]]``, ``amount of [sources.columns]``."""
    names = [part for part in path if isinstance(part, str)]
    if not table:
        return f"[{'.'.join(names)}]"
    if not names:
        return table
    return " of ".join([*reversed(names[1:]), f"[sources.{names[0]}]"])


def _shown(value: object) -> str:
    """Show a wrong value as TOML would, an address without what it may hold of a password."""
    if isinstance(value, str):
        scheme, cut, rest = value.partition("://")
        shown = value if len(value) <= _SHOWN else f"{value[:_SHOWN]}…"
        return f'"{scheme}{cut}…"' if cut and "@" in rest else f'"{shown}"'
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (int, float)) else "…"


def _reason(fault: ErrorDetails, model: type[BaseModel], path: Key) -> str:
    if fault["type"] == "string_pattern_mismatch":
        return f"it must be {_ASKS.get(str(path[-1]), 'of another form')}"
    if fault["type"] in ("model_type", "dict_type"):
        return "it must be a head of the file or a table, such as {column = …}" if "columns" in path else "it must be a table of settings"
    if fault["type"] == "literal_error":
        words = _words(_annotation(model, path))
        return f"it must be {_either(words)}{did_you_mean(str(fault['input']), words)}"
    said = fault["msg"].removeprefix("Value error, ").replace("Input should be", "it must be")
    return said[:1].lower() + said[1:]


def _either(words: list[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def _known(model: type[BaseModel], path: Key) -> Iterable[str]:
    """Return the names that the table at ``path`` may hold."""
    found = _model(_annotation(model, path)) if path else model
    return found.model_fields if found else ()


def _annotation(model: type[BaseModel], path: Key) -> Any:
    """Return the declared type of a setting; numbers and keys of open tables along the way are stepped over."""
    annotation: Any = model
    for part in path:
        owner = _model(annotation)
        if owner is not None and part in owner.model_fields:
            annotation = owner.model_fields[str(part)].annotation
    return annotation


def _model(annotation: Any) -> type[BaseModel] | None:
    """Return the model that an annotation is or holds."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model(part) for part in get_args(annotation) if get_origin(annotation) is not Literal)
    return next((model for model in found if model), None)


def _words(annotation: Any) -> list[str]:
    """Return the words that a closed list allows."""
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    parts = get_args(annotation)[:1] if get_origin(annotation) is Annotated else get_args(annotation)
    if get_origin(annotation) in (Union, UnionType, Annotated):
        return [word for part in parts for word in _words(part)]
    return []
