"""What follows from the declared graph."""

from __future__ import annotations

from kg.code import code_version
from kg.derivation import derive
from kg.derivations import DERIVATIONS
from kg.history import Since
from kg.stage import Night, Result, Stage, tell


def _derive(night: Night) -> Result:
    zone = night.workspace.settings.workspace.timezone
    with night.progress.task("deriving", total=len(DERIVATIONS)) as task:
        written = derive(night.lake, DERIVATIONS, night.moment, zone, _since(night, zone))
        task.advance(len(DERIVATIONS))
    return {**tell(written), "made_with": {"timezone": zone}}


def _since(night: Night, zone: str) -> Since | None:
    """Return the last run, if it derived, by the same code and in the same zone: then only what changed has to be made again."""
    last = night.last
    if last is None or last.code != code_version() or last.results.get("derive", {}).get("made_with") != {"timezone": zone}:
        return None
    return Since(last.run_id, last.as_of)


STAGE = Stage("derive", _derive)
