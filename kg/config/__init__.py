"""The workspace and its settings: what ``kgfraud.toml``, ``.env``, the environment and flags say.

::

    from kg.config import Workspace

    workspace = Workspace.open(Path("."), packs=Path("loaders/mappings"))
    workspace.settings.engine.memory, workspace.lake, workspace.settings.sources
"""

from __future__ import annotations

from kg.config.load import load
from kg.config.models import (
    EngineSettings,
    LakeSettings,
    LogSettings,
    Neo4jSettings,
    PublishSettings,
    QuerySettings,
    Settings,
    WorkspaceSettings,
)
from kg.config.sources import Gate, PackUse, Pick, SourceSettings
from kg.config.workspace import Workspace

__all__ = [
    "EngineSettings",
    "Gate",
    "LakeSettings",
    "LogSettings",
    "Neo4jSettings",
    "PackUse",
    "Pick",
    "PublishSettings",
    "QuerySettings",
    "Settings",
    "SourceSettings",
    "Workspace",
    "WorkspaceSettings",
    "load",
]
