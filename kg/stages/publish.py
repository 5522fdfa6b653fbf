"""The graph store brought to the run."""

from __future__ import annotations

from kg.publishing import Held, Publication
from kg.stage import Night, Result, Stage
from kg.stores import opened


def _publish(night: Night) -> Result:
    settings = night.workspace.settings
    publication = Publication(night.lake, night.moment.as_of, settings.publish.transfer_days)
    with opened(night.workspace) as store:
        return dict(bring(night, publication, store))


STAGE = Stage("publish", _publish, after=True)
