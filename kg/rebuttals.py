"""What people say against links: events in a file of the workspace, which the next night reads as a source.

Knows what an event must say and that none is ever changed; hides how the file is written.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Literal

import pyarrow as pa

from kg.config import Workspace
from kg.config.load import REBUTTALS
from kg.errors import UsageError
from kg.personal import scrub
from kg.run import Runs


@dataclass(frozen=True)
class Event:
    """A link between two parties rebutted (``until_on``: the first day on which it no longer is), or restored.

    Raises
    ------
    UsageError
        If both are the same, or user, reason or (of a rebuttal) the day of expiry is missing or has gone by.

    Examples
    --------
    >>> Event("company:b:1", "company:b:1", "restore", "K7", "mistake")
    Traceback (most recent call last):
    kg.errors.UsageError: a link is between two parties; company:b:1 is named twice
    """

    a: str
    b: str
    action: Literal["rebut", "restore"]
    user: str
    reason: str
    until_on: date | None = None

    def __post_init__(self) -> None:
        if self.a == self.b:
            raise UsageError(f"a link is between two parties; {self.a} is named twice")
        for name in ("user", "reason"):
            if not getattr(self, name).strip():
                raise UsageError(f"{name} is empty; who rebuts or restores a link, and why, is kept for those who ask later")
        if self.action == "rebut" and self.until_on is None:
            raise UsageError("a rebuttal needs the day on which it ends (--until)")


@dataclass(frozen=True)
class Said:
    """That a link was rebutted or restored, and when (UTC)."""

    decided_at: datetime
    action: str


def said(workspace: Workspace, a: str, b: str) -> list[Said]:
    """Return what people said of the link between two parties by the command, the oldest first, be it read by a run or not."""
    path = workspace.root / REBUTTALS
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    events = [event for event in map(json.loads, lines) if {event["a"], event["b"]} == {a, b}]
    return [Said(datetime.fromisoformat(event["decided_at"]), event["action"]) for event in events]


def record(workspace: Workspace, event: Event) -> str:
    """Add an event to the workspace's file and return its number; personal identifiers in user and reason are scrubbed.

    The file is only ever added to, one line at a time, and is on the disk when this returns.

    Raises
    ------
    KgfraudError
        If a run is going on, which may be reading it.
    """
    number = secrets.token_hex(8)
    said = {
        "number": number,
        **asdict(event),
        **dict(zip(("user", "reason"), scrub(pa.array([event.user, event.reason])).to_pylist(), strict=True)),
        "decided_at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"),
    }
    line = json.dumps(said, ensure_ascii=False, default=str) + "\n"
    with Runs(workspace.runs).lock():
        descriptor = os.open(workspace.root / REBUTTALS, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    return number
