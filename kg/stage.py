"""What a stage of the night is, and what the stages share.

A stage says what it did as plain values; it knows the workspace, the lake and the moment, and what
the stages before it found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from kg.config import Workspace
from kg.errors import KgfraudError, UsageError
from kg.graph import Graph
from kg.history import Moment, Written
from kg.lake import Lake
from kg.privacy import Keyring
from kg.progress import Progress
from kg.ruleset import Chosen
from kg.rulesets import choose
from kg.run import RunRecord, Runs

Result = dict[str, Any]


@dataclass
class Night:
    """A run under way.

    Attributes
    ----------
    asked_as_of
        The business date that the user asked for, or None for the newest that the sources state.
    last
        The record of the last committed run, or None before the first.
    staging
        A folder for this run alone, removed at its end.
    replaying
        None in an ordinary night; in a replay of refused rows the sources replayed, all if empty.
    changed
        The kinds whose records this run changed.
    idle
        Whether a replay found nothing that is good now, so that there is no run to commit.
    sources
        What came in, one entry for each source (see `RunRecord`).
    """

    workspace: Workspace
    runs: Runs
    lake: Lake
    keyring: Keyring
    progress: Progress
    run_id: str
    asked_as_of: date | None
    last: RunRecord | None
    staging: Path
    as_of: date | None = None
    replaying: Sequence[str] | None = None
    changed: set[str] = field(default_factory=set)
    idle: bool = False
    sources: list[Result] = field(default_factory=list)
    results: dict[str, Result] = field(default_factory=dict)

    @property
    def moment(self) -> Moment:
        """The business date and the run, known once the sources were read."""
        if self.as_of is None:
            raise KgfraudError("the business date is not known before the sources are read")
        return Moment(self.as_of, self.run_id)

    def law(self) -> Chosen:
        """Return the rule sets of the settings.

        Raises
        ------
        UsageError
            If there is none of a name.
        """
        asked = self.workspace.settings.ownership
        try:
            return choose(asked.groups, asked.owners)
        except UsageError as error:
            raise UsageError(f"{self.workspace.toml.name}, [ownership]: {error}") from None

    def graph(self) -> Graph:
        """Return the graph as it is now, seen under the rule sets of the settings."""
        return Graph(self.lake, self.moment.as_of, self.workspace.settings.workspace.timezone, self.law())


@dataclass(frozen=True)
class Stage:
    """A step of the night; one ``after`` the commit is finished by the next run where this one dies."""

    name: str
    run: Callable[[Night], Result]
    after: bool = False


def tell(written: dict[str, Written]) -> Result:
    """Return what was written, by table, without the tables in which nothing changed."""
    return {name: {"inserted": w.inserted, "closed": w.closed} for name, w in written.items() if w}
