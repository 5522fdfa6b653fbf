"""``kgfraud city``: a generated city of which the truth is known."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from kg.cli.common import open_workspace, reporting
from kg.errors import UsageError

_MAKE = "make"
_MOST_GUILTY, _MOST_DIRT = 0.2, 0.5


class _Context(click.Context):
    """The context of a command that is called without its name."""

    @property
    def command_path(self) -> str:
        """What a person wrote to call it."""
        return self.parent.command_path if self.parent else ""


class _Unnamed(click.Command):
    context_class = _Context


class _City(click.Group):
    """A group that makes a city where its first word is none of its commands."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the name of the command that makes a city before its words."""
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = [_MAKE, *args]
        return super().parse_args(ctx, args)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write both ways to call it."""
        formatter.write_usage(ctx.command_path, "[OPTIONS] DIR")
        formatter.write_usage(ctx.command_path, "describe [OPTIONS] DIR", prefix="       ")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options of making a city, then the commands."""
        self.commands[_MAKE].format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


@click.group(cls=_City)
def city() -> None:
    """Make a workspace in DIR whose landing folder holds a generated city: every kind of source, and the truth beside it.

    The same numbers give the same files. truth/ is for judging what a run finds; no run reads it.
    """


@city.command(_MAKE, cls=_Unnamed, hidden=True)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--companies", type=int, default=2_000, show_default=True, help="How many companies live in it.")
@click.option("--days", type=int, default=180, show_default=True, help="Over how many days.")
@click.option("--seed", type=int, default=1, show_default=True, help="Which of all such cities.")
@click.option("--format", "form", type=click.Choice(["csv", "parquet"]), default="csv", show_default=True, help="Format of its files.")
@click.option("--dirt", metavar="RATE", type=float, default=0.0, show_default=True, help="Fraction of rows that are spoilt.")
@click.option(
    "--prevalence",
    metavar="FRACTION",
    type=float,
    default=0.015,
    show_default=True,
    help="Fraction of companies with a part in a scheme; each scheme stands at least twice.",
)
def make_city(folder: Path, *, companies: int, days: int, seed: int, form: str, dirt: float, prevalence: float) -> None:
    """Make a workspace in DIR whose landing folder holds a generated city: every kind of source, and the truth beside it.

    The same numbers give the same files. truth/ is for judging what a run finds; no run reads it.
    """
    from kg.cli.init import make  # noqa: PLC0415 - slow to import
    from loaders.city import Params, beyond_defaults, build, sources, write  # noqa: PLC0415

    shares: Any = {"dirt_ppm": _ppm("dirt rate", dirt, _MOST_DIRT), "prevalence_ppm": _ppm("prevalence", prevalence, _MOST_GUILTY)}
    params, start = Params(companies=companies, days=days, seed=seed, **shares), time.monotonic()
    workspace = make(folder)
    _, progress = reporting(open_workspace(folder))
    built = build(params, progress)
    rows = write(built, folder, form, progress)
    with workspace.toml.open("a", encoding="utf-8") as file:
        file.write(sources(built, form))
    for kind, count in rows.items():
        click.echo(f"{kind:<14}{count:>12,}")
    missed, schemes = beyond_defaults(built)
    click.echo(f"{schemes} schemes, {missed} of them with a parameter beyond what the rules catch by default")
    click.echo(
        f"made a city of {companies:,} companies over {days} days in {time.monotonic() - start:.0f} s (digest {params.digest()[:12]})"
    )
    click.echo(f"next: kgfraud check --workspace {folder}, then: kgfraud run --workspace {folder}")


def _ppm(what: str, fraction: float, most: float) -> int:
    """Return a fraction in parts per million; ``nan`` is none either."""
    if not 0 <= fraction <= most:
        raise UsageError(f"the {what} must be a fraction between 0 and {most}, not {fraction}")
    return round(fraction * 1_000_000)


@city.command("describe")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="File of the page.  [default: DIR/city.html]")
def describe_city(folder: Path, *, output: Path | None) -> None:
    """Write a page about the city in DIR: sizes and rhythm, what was planted, how hard and how real it is.

    The page shows what truth/ says, so it is not for the analysts who are tested on the city.
    """
    from loaders.city.describe import describe  # noqa: PLC0415 - slow to import

    _, progress = reporting(open_workspace(folder))
    target = output or folder / "city.html"
    if not target.parent.is_dir():
        raise UsageError(f"{target} cannot be written, there is no folder {target.parent}; name another file with --output")
    size = describe(folder, target, progress)
    click.echo(f"wrote {target} ({size:,} bytes); it opens in any browser and needs no network")
