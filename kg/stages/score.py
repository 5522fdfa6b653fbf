"""Scores of the registered model, where there is one."""

from __future__ import annotations

from kg.stage import Night, Result, Stage


def _score(night: Night) -> Result:
    registered = sorted(p.name for p in night.workspace.models.glob("*/champion.json"))
    return {"model": registered[0] if registered else None, "said": "no model is registered; flags carry no probability"}


STAGE = Stage("score", _score)
