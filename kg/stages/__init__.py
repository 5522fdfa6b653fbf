"""The stages of the night, in their order; a later capability is one file and one entry here."""

from __future__ import annotations

from kg.stage import Stage
from kg.stages import derive, export, flag, load, publish, report, resolve, score

STAGES: tuple[Stage, ...] = (
    load.STAGE,
    resolve.STAGE,
    derive.STAGE,
    score.STAGE,
    flag.STAGE,
    publish.STAGE,
    export.STAGE,
    report.STAGE,
)
