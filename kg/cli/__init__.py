"""The command line. ``kgfraud --help`` reads this table alone; a command's module is imported when it is called."""

from __future__ import annotations

import importlib
import traceback
from pathlib import Path
from typing import Any

import click

from kg import __version__
from kg.errors import KgfraudError, UsageError

#: name → what ``--help`` says of it; the command is ``kg.cli.<name>:<name>``.
COMMANDS = {
    "init": "Make a workspace.",
    "check": "Check the sources without writing anything.",
    "run": "Do a night: load, derive, flag, export, publish.",
    "runs": "List, show, compare, prune and replay runs.",
    "quarantine": "See, export and replay the rows that were refused.",
    "publish": "Bring the graph database up to the last run.",
    "store": "Compare the lake with the graph database.",
    "neo4j": "Start, stop and look after the local Neo4j.",
    "query": "Ask the graph in Cypher, or by the name of a query.",
    "owners": "Show who holds, controls and in the end owns a company.",
    "group": "Show the groups of connected clients of a party.",
    "limit": "Show what may still be lent to a party.",
    "links": "Show the evidence between two parties, or rebut a link.",
    "rings": "List the rings of money, or show one.",
    "scheme": "List the schemes that are looked for, or explain a hit.",
    "shock": "Show which borrowers are hurt if a company stops.",
    "goods": "Show who sells what is made from some goods.",
    "ref": "Show sources, schema, rules and settings as they are.",
    "id": "Print the graph's id of a clear value read from standard input.",
    "keys": "Look after the keys of the workspace.",
    "verify": "Check the signature and the files of an export.",
    "report": "Show what a run did.",
    "demo": "Make a demo workspace and fill it.",
    "train": "Train a model on the lake and register it.",
    "models": "List, show, promote and roll back models.",
    "evaluate": "Show what a model is worth.",
    "score": "Score the companies of the last run.",
    "explain": "Say why a company has its score.",
    "benchmark": "Hold the models against a published data set.",
    "city": "Make a workspace of a generated city whose truth is known.",
}

_NO_SPACE = (28, 122)  # ENOSPC, EDQUOT


class LazyGroup(click.Group):
    """A group whose commands stand in a table until one is called."""

    def __init__(self, *args: Any, table: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.commands = {name: click.Command(name, short_help=about) for name, about in table.items()}

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is called, and import it."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, load_command(name) if name else command, rest

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names in the order of the table."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error becomes one sentence on standard error and an exit code."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except KeyboardInterrupt:
            click.echo("\nstopped", err=True)
            ctx.exit(130)
        except Exception as error:
            message, code = said_of(error)
            if ctx.params.get("debug"):
                click.echo(_traceback(error), err=True)
            click.echo(f"Error: {message}", err=True)
            ctx.exit(code)


def load_command(name: str) -> click.Command:
    """Import a command of the table."""
    command: click.Command = getattr(importlib.import_module(f"kg.cli.{name}"), name)
    return command


def said_of(error: Exception) -> tuple[str, int]:
    """Return what is said of an error, and the exit code of the command that ends with it.

    >>> said_of(UsageError("no source named 'x'"))
    ("no source named 'x'", 2)
    >>> said_of(MemoryError())[1]
    4
    """
    if isinstance(error, KgfraudError):
        return str(error), error.exit_code
    if isinstance(error, MemoryError):
        return "there is not enough memory; set a smaller memory in [engine], or free some", 4
    if isinstance(error, OSError) and error.errno in _NO_SPACE:
        return f"the disk is full ({error.filename or 'while writing'}); free some space and run the command again, nothing is lost", 4
    # what it says is for --debug alone: it may quote a row
    frames = traceback.extract_tb(error.__traceback__)
    where = f" in {Path(frames[-1].filename).name} line {frames[-1].lineno}" if frames else ""
    return f"this should not happen: {type(error).__name__}{where}; --debug shows more", 1


def _traceback(error: Exception) -> str:
    from kg.log import scrub  # noqa: PLC0415 - structlog is slow to import

    return scrub("".join(traceback.format_exception(error)))


@click.group(cls=LazyGroup, table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--debug", is_flag=True, envvar="KGFRAUD_DEBUG", help="Show where an error comes from.")
@click.option("--set", "settings", metavar="SECTION.NAME=VALUE", multiple=True, help="Use another value of a setting, this time.")
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context, debug: bool, settings: tuple[str, ...]) -> None:  # noqa: ARG001 - debug is read by the group
    """Find fraud in the graph of a bank's customers."""
    ctx.obj = _flags(settings)


def _flags(settings: tuple[str, ...]) -> dict[str, dict[str, str]]:
    flags: dict[str, dict[str, str]] = {}
    for setting in settings:
        path, equals, value = setting.partition("=")
        section, dot, name = path.strip().partition(".")
        if not (equals and dot and section and name):
            raise UsageError(f"--set {setting}: write a setting as SECTION.NAME=VALUE, such as engine.memory=4GB")
        flags.setdefault(section, {})[name] = value
    if flags:
        from kg.config.load import refuse_flags  # noqa: PLC0415 - slow to import

        refuse_flags(flags)
    return flags


def main() -> None:
    """Run the command line and end the program with its exit code."""
    cli(prog_name="kgfraud")
