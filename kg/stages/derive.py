"""What follows from the declared graph."""

from __future__ import annotations

from kg.code import code_version
from kg.derivation import derive
from kg.derivations import DERIVATIONS
from kg.history import Since
from kg.stage import Night, Result, Stage, tell


def _derive(night: Night) -> Result:
    settings = night.workspace.settings
    made_with = {"timezone": settings.workspace.timezone, **settings.ownership.model_dump()}
    graph = night.graph()
    with night.progress.task("deriving", total=len(DERIVATIONS)) as task:
        written = derive(night.lake, DERIVATIONS, graph, night.moment, _since(night, made_with))
        task.advance(len(DERIVATIONS))
    notes = {"notes": graph.notes} if graph.notes else {}
    return {**tell(written), "made_with": made_with, **notes}


def _since(night: Night, made_with: Result) -> Since | None:
    """Return the last run, if it derived, by the same code and settings: then only what changed has to be made again."""
    last = night.last
    if last is None or last.code != code_version() or last.results.get("derive", {}).get("made_with") != made_with:
        return None
    return Since(last.run_id, last.as_of, last.tables)


STAGE = Stage("derive", _derive)
