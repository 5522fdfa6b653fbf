"""Progress of long work: bars on a terminal, plain lines in a log, nothing where nobody looks.

::

    with progress.task("reading crm.companies", total=rows) as task:
        for batch in batches:
            task.advance(batch.num_rows)
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol, TextIO


class Task(Protocol):
    """A piece of work under way."""

    def advance(self, n: int = 1) -> None:
        """Say that ``n`` more units (rows, batches, files) are done."""
        ...


class Progress(Protocol):
    """Where long work says how far it is."""

    def task(self, what: str, total: int | None = None) -> AbstractContextManager[Task]:
        """Open a piece of work of ``total`` units, or of nobody knows how many."""
        ...


class Logs(Protocol):
    """What of a logger is needed here."""

    def info(self, event: str, **values: Any) -> Any:
        """Write a line."""
        ...


class Count:
    """A task that only counts.

    >>> count = Count()
    >>> count.advance(3)
    >>> count.done
    3
    """

    def __init__(self) -> None:
        self.done = 0
        self._lock = threading.Lock()

    def advance(self, n: int = 1) -> None:
        """Count ``n`` more."""
        with self._lock:
            self.done += n


class Silent:
    """Progress that nobody looks at.

    >>> with Silent().task("counting") as task:
    ...     task.advance(3)
    """

    @contextmanager
    def task(self, what: str, total: int | None = None) -> Iterator[Task]:  # noqa: ARG002
        """Open a piece of work."""
        yield Count()


class _Line(Count):
    """A task that writes a line now and then."""

    def __init__(self, write: Callable[[int, float], None], every: float, clock: Callable[[], float]) -> None:
        super().__init__()
        self._write, self._every, self._clock = write, every, clock
        self._start = self._said = clock()

    def advance(self, n: int = 1) -> None:
        super().advance(n)
        now = self._clock()
        if now - self._said >= self._every:
            self._said = now
            self._write(self.done, now - self._start)

    def seconds(self) -> float:
        return self._clock() - self._start


class Lines:
    """Progress as lines of a log: one while work goes on every ``every`` seconds, and one at its end."""

    def __init__(self, log: Logs, every: float = 30.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._log, self._every, self._clock = log, every, clock

    @contextmanager
    def task(self, what: str, total: int | None = None) -> Iterator[Task]:
        """Open a piece of work."""
        of = {} if total is None else {"total": total}
        line = _Line(lambda done, seconds: self._log.info(what, done=done, **of, seconds=round(seconds, 1)), self._every, self._clock)
        yield line
        self._log.info(f"{what}: done", done=line.done, **of, seconds=round(line.seconds(), 1))


class Bars:
    """Progress as bars on a terminal; the bars of finished work stay on the screen."""

    def __init__(self, stream: TextIO | None = None) -> None:
        from rich.console import Console  # noqa: PLC0415 - only for a terminal
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415
        from rich.progress import Progress as RichProgress  # noqa: PLC0415

        self._bars = RichProgress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(file=stream, stderr=stream is None),
        )
        self._open = 0
        self._lock = threading.Lock()

    @contextmanager
    def task(self, what: str, total: int | None = None) -> Iterator[Task]:
        """Open a piece of work."""
        self._enter()
        number = self._bars.add_task(what, total=total)
        try:
            yield _Bar(lambda n: self._bars.advance(number, n))
            done = next(task.completed for task in self._bars.tasks if task.id == number)
            self._bars.update(number, total=total or done, completed=total or done)
        finally:
            self._leave()

    def _enter(self) -> None:
        with self._lock:
            if self._open == 0:
                self._bars.start()
            self._open += 1

    def _leave(self) -> None:
        with self._lock:
            self._open -= 1
            if self._open == 0:
                self._bars.stop()
                for number in self._bars.task_ids:
                    self._bars.remove_task(number)


class _Bar:
    def __init__(self, advance: Callable[[int], None]) -> None:
        self._advance = advance

    def advance(self, n: int = 1) -> None:
        self._advance(n)


def progress_for(log: Logs, stream: TextIO | None = None) -> Progress:
    """Return bars where ``stream`` (standard error) is a terminal, else lines of ``log``."""
    return Bars(stream) if (stream or sys.stderr).isatty() else Lines(log)
