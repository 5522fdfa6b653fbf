"""``kgfraud city``: a generated city of which the truth is known."""

from __future__ import annotations

import time
from pathlib import Path

import click

from kg.cli.common import open_workspace, reporting


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--companies", type=int, default=2_000, show_default=True, help="How many companies live in it.")
@click.option("--days", type=int, default=180, show_default=True, help="Over how many days.")
@click.option("--seed", type=int, default=1, show_default=True, help="Which of all such cities.")
@click.option("--format", "form", type=click.Choice(["csv", "parquet"]), default="csv", show_default=True, help="Format of its files.")
@click.option("--dirt", metavar="RATE", type=float, default=0.0, show_default=True, help="Fraction of rows that are spoilt.")
def city(folder: Path, *, companies: int, days: int, seed: int, form: str, dirt: float) -> None:
    """Make a workspace in DIR whose landing folder holds a generated city: every kind of source, and the truth beside it.

    The same numbers give the same files. truth/ is for judging what a run finds; no run reads it.
    """
    from kg.cli.init import make  # noqa: PLC0415 - slow to import
    from loaders.city import Params, beyond_defaults, build, sources, write  # noqa: PLC0415

    params, start = Params(companies=companies, days=days, seed=seed, dirt_ppm=round(dirt * 1_000_000)), time.monotonic()
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
