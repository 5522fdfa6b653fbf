"""A workspace: one folder that holds the settings, keys, lake, runs and exports of a bank's graph."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kg.config.load import SETTINGS_FILE, load
from kg.config.models import Settings
from kg.config.template import template
from kg.errors import DependencyError, UsageError


@dataclass(frozen=True)
class Workspace:
    """A workspace's folder and its settings.

    Attributes
    ----------
    root
        The folder, absolute.
    settings
        What its files, the environment and the flags say.
    """

    root: Path
    settings: Settings

    @classmethod
    def open(cls, path: Path | str, *, packs: Path | None = None, flags: Mapping[str, Mapping[str, Any]] | None = None) -> Workspace:
        """Open an existing workspace.

        Parameters
        ----------
        packs
            The folder of the mapping packs. Without it, sources that come from a pack are left out:
            enough for a command that reads no sources.
        flags
            Settings given on the command line, by section and name; they go before all others.

        Raises
        ------
        UsageError
            If there is no workspace at that place, or a setting is missing or wrong.
        """
        root = Path(path).resolve()
        return cls(root, load(root, packs=packs, flags=flags))

    @classmethod
    def create(cls, path: Path | str) -> Workspace:
        """Make a workspace with every setting at its default, and its keys.

        The settings are written last, so a folder left half made by a failure is not a workspace.

        Raises
        ------
        UsageError
            If the folder is a workspace already.
        DependencyError
            If the folder cannot be written.
        """
        from kg.privacy import Keyring  # noqa: PLC0415 - cryptography is slow to import, and only needed here

        root = Path(path).resolve()
        new = cls(root, Settings())
        if new.toml.exists():
            raise UsageError(f"{path} is a workspace already (it holds {SETTINGS_FILE}); choose another folder")
        if new.keys.exists():
            raise UsageError(f"{path} holds keys/ but no {SETTINGS_FILE}; these may be the keys of a workspace: choose another folder")
        try:
            for folder in (new.lake, new.runs, new.export):
                folder.mkdir(parents=True, exist_ok=True)
            Keyring.create(new.keys)
            _write(new.toml, template())
        except OSError as error:
            raise DependencyError(f"a workspace cannot be made in {path}: {error.strerror}") from error
        return new

    @property
    def toml(self) -> Path:
        """The file of the settings."""
        return self.root / SETTINGS_FILE

    @property
    def keys(self) -> Path:
        """The folder of the keys, for the owner alone."""
        return self.root / "keys"

    @property
    def lake(self) -> Path:
        """The folder of the Delta tables."""
        return self.root / "lake"

    @property
    def runs(self) -> Path:
        """The folder of the run records."""
        return self.root / "runs"

    @property
    def export(self) -> Path:
        """The folder of the exports."""
        return self.root / "export"

    @property
    def neo4j(self) -> Path:
        """The folder of the local graph database."""
        return self.root / "neo4j"

    @property
    def models(self) -> Path:
        """The folder of the registered models."""
        return self.root / "models"


def _write(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    draft = path.with_name(f".{path.name}.new")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
