"""``kgfraud keys``: the keys of the workspace."""

from __future__ import annotations

from pathlib import Path

import click

from kg.cli.common import open_workspace, workspace_option


@click.group()
def keys() -> None:
    """Look after the keys of the workspace."""


@keys.command()
@workspace_option
def rotate(workspace: Path) -> None:
    """Wrap the keys anew: a new wrapping key takes the place of the old one.

    Tokens and ids stay as they are, for the key that makes them is the same; only what guards it is new.
    """
    from kg.privacy import Keyring  # noqa: PLC0415 - slow to import

    opened = open_workspace(workspace)
    Keyring.open(opened.keys).rotate()
    click.echo(f"the keys in {opened.keys} are wrapped by a new key; replace the safe copy of that folder")
