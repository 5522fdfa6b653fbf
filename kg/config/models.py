"""The sections of ``kgfraud.toml`` with their defaults; the template of a new workspace is written from them."""

from __future__ import annotations

import hashlib
import json
import zoneinfo
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, PrivateAttr, StringConstraints

from kg.config.sources import Model, SourceSettings
from kg.errors import did_you_mean

SCHEMES = ("neo4j", "neo4j+s", "neo4j+ssc", "bolt", "bolt+s", "bolt+ssc")


def _zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"'{name}' is not a time zone{did_you_mean(name, sorted(zoneinfo.available_timezones()))}") from None
    return name


def _address(url: str) -> str:
    if not url:
        return url
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise ValueError(f"the address must be one of {', '.join(SCHEMES)} with a host, such as neo4j://db.example:7687")
    if parts.username or parts.password:
        raise ValueError("the address must hold no user or password; set user and password_file")
    return url


Memory = Annotated[str, StringConstraints(pattern=r"^\d+(\.\d+)? ?([KMGT]i?B)$")]
JavaMemory = Annotated[str, StringConstraints(pattern=r"^\d+[kmg]$")]
PageCache = Annotated[str, StringConstraints(pattern=r"^(\d+[kmg]|auto)$")]
Zone = Annotated[str, AfterValidator(_zone)]
Address = Annotated[str, AfterValidator(_address)]


class WorkspaceSettings(Model):
    """Of the workspace as a whole."""

    timezone: Zone = Field(default="Asia/Shanghai", description="time zone in which days and months are counted")


class EngineSettings(Model):
    """The engine that runs tabular work."""

    memory: Memory = Field(default="3GB", description="memory that it may use before it spills to disk")
    threads: int = Field(default=2, ge=1, description="threads that it may use")


class LakeSettings(Model):
    """The tables of the workspace and how long they are kept."""

    keep_runs: int = Field(default=35, ge=1, description="nights kept by 'kgfraud runs prune', beside month ends")


class Neo4jSettings(Model):
    """The graph database."""

    url: Address = Field(default="", description="neo4j://, bolt:// or neo4j+s:// address; empty: the local server of this workspace")
    user: str = Field(default="neo4j", description="user name")
    password_file: str = Field(default="", description="file that holds the password, for a server named by url")
    database: str = Field(default="neo4j", description="name of the database")
    ca_file: str = Field(default="", description="certificates (PEM) to trust beside the system's")
    heap: JavaMemory = Field(default="1g", description="heap of the local server")
    page_cache: PageCache = Field(default="auto", description="page cache of the local server; auto: a quarter of the machine's memory")


class PublishSettings(Model):
    """What goes into the graph database, and how fast."""

    transfer_days: int = Field(default=0, ge=0, description="days of transfers up to the as-of date; 0: all of them")
    batch_rows: int = Field(default=15000, ge=1, le=1_000_000, description="rows for each transaction")
    connections: int = Field(default=2, ge=1, le=64, description="connections used at the same time for nodes")


class QuerySettings(Model):
    """The limits of 'kgfraud query'."""

    timeout_seconds: float = Field(default=15, gt=0, description="longest time for a query, in seconds")
    max_rows: int = Field(default=10000, ge=1, description="most rows that a query may return")


class OwnershipSettings(Model):
    """The law under which control, groups and beneficial owners are found; 'kgfraud ref rulesets' lists the rule sets."""

    groups: str = Field(default="CN-LE-2018", description="rule set of control, groups and limits")
    owners: str = Field(default="CN-UBO-2024", description="rule set of beneficial owners")


class ContagionSettings(Model):
    """What 'kgfraud shock' takes for essential."""

    essential: str = Field(
        default="", description="CSV file of supplier_industry, buyer_industry, kind (0, 1 or 2); empty: inputs of producers to producers"
    )


class LogSettings(Model):
    """The log on standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="debug, info, warning or error")
    format: Literal["text", "json"] = Field(default="text", description="text, or json (one object a line)")


class Settings(Model):
    """All settings of a workspace; mapping packs are expanded into ``sources`` and paths are absolute."""

    workspace: WorkspaceSettings = WorkspaceSettings()
    engine: EngineSettings = EngineSettings()
    lake: LakeSettings = LakeSettings()
    neo4j: Neo4jSettings = Neo4jSettings()
    publish: PublishSettings = PublishSettings()
    query: QuerySettings = QuerySettings()
    ownership: OwnershipSettings = OwnershipSettings()
    contagion: ContagionSettings = ContagionSettings()
    log: LogSettings = LogSettings()
    sources: tuple[SourceSettings, ...] = ()

    _root: Path | None = PrivateAttr(None)

    def source(self, name: str) -> SourceSettings | None:
        """Return the source of that name, or None."""
        return {source.name: source for source in self.sources}.get(name)

    def digest(self) -> str:
        """Return the SHA-256 of all settings; it stays the same when the workspace is moved as a whole.

        >>> Settings().digest() == Settings(engine=EngineSettings(memory="3GB")).digest()
        True
        >>> Settings().digest() == Settings(engine=EngineSettings(memory="4GB")).digest()
        False
        """
        values: object = self.model_dump(mode="json")
        if self._root is not None:
            values = _relative(values, f"{self._root}/")
        text = json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def _relative(value: object, root: str) -> object:
    """Take the workspace's own folder off every path in it."""
    if isinstance(value, dict):
        return {key: _relative(item, root) for key, item in value.items()}
    if isinstance(value, list):
        return [_relative(item, root) for item in value]
    return value.removeprefix(root) if isinstance(value, str) else value
