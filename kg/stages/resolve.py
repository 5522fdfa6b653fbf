"""Records to nodes and relationships."""

from __future__ import annotations

from kg.resolve.build import Resolver
from kg.stage import Night, Result, Stage, tell


def _resolve(night: Night) -> Result:
    sources = night.workspace.settings.sources
    stubs = any(source.unknown_end == "stub" for source in sources)
    resolver = Resolver(night.lake, night.moment, [source.name for source in sources], stubs)
    with night.progress.task("resolving entities"):
        written = resolver.resolve(night.changed)
    return tell(written)


STAGE = Stage("resolve", _resolve)
