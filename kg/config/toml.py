"""TOML with line numbers: the values of a file, and for each setting the line on which it is written.

``tomllib`` gives values without places, so a file is cut into its statements (a header, or a key with
its value) and each is parsed on its own: a statement is as many lines as it takes to be valid.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kg.errors import UsageError

Key = tuple[str | int, ...]


@dataclass(frozen=True)
class TomlFile:
    """A parsed file: its values and the line (from 1) of every table and setting, by path."""

    name: str
    values: dict[str, Any]
    lines: dict[Key, int] = field(repr=False)

    def at(self, *path: str | int) -> str:
        """Return ``<file> line <n>`` of a setting, or of the innermost table around it that is written."""
        for size in range(len(path), 0, -1):
            if path[:size] in self.lines:
                return f"{self.name} line {self.lines[path[:size]]}"
        return self.name


def read_toml(path: Path) -> TomlFile:
    """Read a TOML file.

    Raises
    ------
    UsageError
        If the file cannot be read, is not UTF-8 or is not TOML; the message names the line.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UsageError(f"{path.name} line {line}: the file is not UTF-8; save it as UTF-8") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror})") from None
    return parse_toml(text, path.name)


def parse_toml(text: str, name: str) -> TomlFile:
    """Parse TOML text; ``name`` is what messages call it.

    >>> parse_toml('a = 1\\n[[b]]\\nc = 2\\n', "x.toml").at("b", 0, "c")
    'x.toml line 3'
    """
    text = text.replace("\r\n", "\n")
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(_syntax(str(error), text, name)) from None
    return TomlFile(name, values, _lines(text))


def _syntax(message: str, text: str, name: str) -> str:
    said, _, _ = message.partition(" (at ")
    found = re.search(r"at line (\d+)", message)
    line = int(found[1]) if found else text.rstrip("\n").count("\n") + 1
    written = text.split("\n")[line - 1].strip()
    hint = "; put quotes around a name that is not plain ASCII" if written[:1] > "\x7f" else ""
    return f"{name} line {line}: this is not TOML: {said[:1].lower()}{said[1:]}{hint}"


def _statements(text: str) -> Iterator[tuple[int, dict[str, Any], bool]]:
    """Yield (line, its values, is it a header) of every statement."""
    chunk, start = "", 1
    for number, line in enumerate(text.split("\n"), start=1):
        chunk += line + "\n"
        try:
            values = tomllib.loads(chunk)
        except tomllib.TOMLDecodeError:
            continue
        if values:
            yield start, values, chunk.lstrip().startswith("[")
        chunk, start = "", number + 1


def _lines(text: str) -> dict[Key, int]:
    lines: dict[Key, int] = {}
    table: Key = ()
    count: dict[Key, int] = {}
    for line, values, is_header in _statements(text):
        if is_header:
            table = _header(values, count)
            lines.setdefault(table, line)
        else:
            for path in _paths(values):
                lines.setdefault(table + path, line)
    return lines


def _header(values: dict[str, Any], count: dict[Key, int]) -> Key:
    """Return the path of a table header, with the number of the element inside arrays of tables."""
    path: Key = ()
    value: Any = values
    while value:
        if isinstance(value, list):
            count[path] = count.get(path, -1) + 1
            return (*path, count[path])
        key, value = next(iter(value.items()))
        path = (*path, key)
        if path in count and not isinstance(value, list):
            path = (*path, count[path])
    return path


def _paths(value: object) -> Iterator[Key]:
    """Yield the path of every key in nested tables and lists."""
    items: Iterator[tuple[str | int, Any]]
    if isinstance(value, dict):
        items = iter(value.items())
    elif isinstance(value, list):
        items = iter(enumerate(value))
    else:
        return
    for key, item in items:
        yield (key,)
        for rest in _paths(item):
            yield (key, *rest)
