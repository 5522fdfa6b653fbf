"""What follows from the declared graph."""

from __future__ import annotations

from kg.derivation import derive
from kg.derivations import DERIVATIONS
from kg.stage import Night, Result, Stage, tell


def _derive(night: Night) -> Result:
    with night.progress.task("deriving", total=len(DERIVATIONS)) as task:
        written = derive(night.lake, DERIVATIONS, night.moment, night.workspace.settings.workspace.timezone)
        task.advance(len(DERIVATIONS))
    return tell(written)


STAGE = Stage("derive", _derive)
