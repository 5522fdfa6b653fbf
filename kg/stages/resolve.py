"""Records to nodes and relationships."""

from __future__ import annotations

from kg.code import code_version
from kg.resolve.build import Resolver
from kg.stage import Night, Result, Stage, tell


def _resolve(night: Night) -> Result:
    sources = night.workspace.settings.sources
    stubs = any(source.unknown_end == "stub" for source in sources)
    resolver = Resolver(night.lake, night.moment, [source.name for source in sources], stubs)
    with night.progress.task("resolving entities"):
        written = resolver.resolve(night.changed, whole=_is_behind(night))
    return tell(written)


def _is_behind(night: Night) -> bool:
    """Say whether the last run left something to resolve (a run of one stage alone), or was made by other code."""
    last = night.last
    return last is not None and ("resolve" not in last.results or last.code != code_version())


STAGE = Stage("resolve", _resolve)
