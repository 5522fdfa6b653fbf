"""``kgfraud init``: a new workspace."""

from __future__ import annotations

from pathlib import Path

import click

from kg.config import Workspace


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
def init(folder: Path) -> None:
    """Make a workspace in DIR: kgfraud.toml with every setting at its default, keys/, lake/, runs/, export/.

    DIR is made where it does not exist. The keys turn personal identifiers into tokens: keep a copy of keys/ in a
    safe place, for without them nothing that is delivered later matches what the workspace holds.
    """
    workspace = make(folder)
    click.echo(f"made the workspace {workspace.root}")
    click.echo(f"next: name the sources in {folder / workspace.toml.name}, then: kgfraud check --workspace {folder}")


def make(folder: Path) -> Workspace:
    """Make a workspace with its settings, its keys and the key that signs exports."""
    from kg.export import SigningKey  # noqa: PLC0415 - Arrow is slow to import

    workspace = Workspace.create(folder)
    SigningKey.create(workspace.keys)
    return workspace
