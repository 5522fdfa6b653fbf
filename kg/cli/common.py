"""What the commands share: their options, opening a workspace, and how results are printed."""

from __future__ import annotations

import csv
import io
import json
import sys
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

import loaders
from kg.config import Workspace
from kg.errors import UsageError

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from kg.progress import Progress

Command = TypeVar("Command", bound=Callable[..., Any])


def workspace_option(command: Command) -> Command:
    """Give a command ``--workspace DIR``, passed as the path ``workspace``."""
    option = click.option(
        "--workspace",
        metavar="DIR",
        default=".",
        envvar="KGFRAUD_WORKSPACE",
        show_default="this folder, or KGFRAUD_WORKSPACE",
        type=click.Path(path_type=Path),
        help="Folder of the workspace.",
    )
    return option(command)


def json_option(command: Command) -> Command:
    """Give a command ``--json``, passed as the flag ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def as_of_option(command: Command) -> Command:
    """Give a command ``--as-of DATE``, passed as the time ``as_of``."""
    about = "Business date; by default the newest that the sources state."
    return click.option("--as-of", "as_of", type=click.DateTime(["%Y-%m-%d"]), help=about)(command)


def packs_folder() -> Path:
    """Return the folder of the mapping packs."""
    return Path(str(loaders.__file__)).parent / "mappings"


def open_workspace(path: Path, *, sources: bool = False) -> Workspace:
    """Open the workspace of a command, with the settings given by ``--set``.

    Parameters
    ----------
    sources
        Whether the command reads sources, so that those of mapping packs must be found.
    """
    context = click.get_current_context(silent=True)
    flags = context.obj if context is not None else None
    return Workspace.open(path, packs=packs_folder() if sources else None, flags=flags)


#: The kinds of sources at whose systems the numbers of a kind are at home.
_HOMES = {
    "account": ("accounts", "transfers"),
    "device": ("devices", "sign_ins"),
    "company": ("companies",),
    "person": ("persons",),
    "loan": ("loans",),
    "court_case": ("court_cases",),
}


def namespace_of(folder: Path, kind: str, named: str | None) -> str:
    """Return the system at which a clear number of a kind is at home: the one named, else the only one that the sources know.

    Raises
    ------
    UsageError
        If the sources know several and none is named.
    """
    if named is not None or kind not in _HOMES:
        return named or "bank"
    settings = open_workspace(folder, sources=True).settings
    for of in _HOMES[kind]:
        known = sorted({source.namespace for source in settings.sources if source.kind == of})
        if len(known) > 1:
            raise UsageError(f"the {kind} may be at home at {', '.join(known)}; name one (--bank NAME, or @{kind}:NAME:- in a query)")
        if known:
            return known[0]
    return "bank"


def reporting(workspace: Workspace) -> tuple[FilteringBoundLogger, Progress]:
    """Return the log and the progress of a command, both on standard error, as the settings have them."""
    from kg.log import capture_libraries, logger  # noqa: PLC0415 - structlog is slow to import
    from kg.progress import Lines, progress_for  # noqa: PLC0415

    settings = workspace.settings.log
    log = logger(settings.level, settings.format)
    capture_libraries(log)
    return log, Lines(log) if settings.format == "json" else progress_for(log)


def print_json(value: Any) -> None:
    """Print a value as JSON; dates are written as ISO 8601."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def print_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]], to: TextIO | None = None) -> None:
    """Print a table as CSV (RFC 4180) with its heads, or write it to a file; a missing value is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(rows)
    click.echo(text.getvalue(), file=to, nl=False)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table with aligned columns for people to read; numbers stand on the right."""
    body = list(rows)
    cells = [[_cell(value) for value in row] for row in body]
    widths = [max(_width(text) for text in column) for column in zip(columns, *cells, strict=True)]
    right = [any(map(_is_number, column)) and all(v is None or _is_number(v) for v in column) for column in zip(*body, strict=True)]
    right = right or [False] * len(columns)
    click.echo(_line(columns, widths, right))
    click.echo(_line(["─" * width for width in widths], widths, right))
    for row in cells:
        click.echo(_line(row, widths, right))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = (
        " " * (width - _width(cell)) + cell if on_right else cell + " " * (width - _width(cell))
        for cell, width, on_right in zip(cells, widths, right, strict=True)
    )
    return "  ".join(padded).rstrip()


def _cell(value: object) -> str:
    """Write a value on one line; a control character of the data does nothing to the terminal."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return plain(str(value))


def plain(text: str) -> str:
    """Return a text of the data on one line, without signs that a terminal would obey.

    >>> plain("a\\x1b[31mb\\u202ec")
    'a [31mb c'
    """
    return "".join(" " if unicodedata.category(char).startswith("C") else char for char in text)


def _width(text: str) -> int:
    """Return the columns that a text takes on a terminal, where a Chinese character takes two.

    >>> _width("企业 A")
    6
    """
    return sum(0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF") for char in text)


def read_secret(prompt: str) -> str:
    """Read a clear value from standard input: hidden on a terminal, else the first line."""
    if sys.stdin.isatty():
        return str(click.prompt(prompt, hide_input=True, err=True)).strip()
    return sys.stdin.readline().strip()
