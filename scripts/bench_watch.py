"""What the benchmark watches: time, CPU and memory of a process and its children, and the pace of writing."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psutil  # type: ignore[import-untyped, unused-ignore]

_EVERY = 0.2


@dataclass(frozen=True)
class Usage:
    """What a process and its children took, as samples of (time, bytes, CPU seconds since its start)."""

    samples: Sequence[tuple[float, int, float]]

    def peak(self, begin: float, end: float) -> int:
        """Return the most memory between two moments."""
        return max((memory for at, memory, _ in self.samples if begin <= at <= end), default=0)

    def cpu(self, begin: float, end: float) -> float:
        """Return the CPU seconds between two moments."""
        seconds = [cpu for at, _, cpu in self.samples if begin - _EVERY <= at <= end + _EVERY]
        return seconds[-1] - seconds[0] if seconds else 0.0


def watched(work: Callable[..., Any], *arguments: Any) -> tuple[Any, Usage]:
    """Run a function in a fresh process, so that its memory is its own, and watch it."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        process = psutil.Process(pool.submit(os.getpid).result())
        future, samples = pool.submit(work, *arguments), []
        while not future.done():
            samples.append(_sample(process))
            wait([future], _EVERY)
        samples.append(_sample(process))
        return future.result(), Usage(samples)


def _sample(process: psutil.Process) -> tuple[float, int, float]:
    memory, cpu = process.memory_info().rss, sum(process.cpu_times()[:4])
    for child in process.children(recursive=True):
        try:
            cpu += sum(child.cpu_times()[:4])
            memory += 0 if child.name() == "java" else child.memory_info().rss
        except psutil.Error:
            continue
    return time.time(), memory, cpu


class Phases:
    """Progress that notes when each piece of work began and ended, and says so on standard error."""

    def __init__(self) -> None:
        self.noted: list[tuple[str, float, float]] = []

    @contextmanager
    def task(self, what: str, total: int | None = None) -> Iterator[Phases]:  # noqa: ARG002
        """Open a piece of work."""
        begin = time.time()
        yield self
        self.noted.append((what, begin, time.time()))
        print(f"  {what}: {time.time() - begin:.1f} s", file=sys.stderr, flush=True)

    def advance(self, n: int = 1) -> None:
        """Take no notice of the units."""


class Pace:
    """Rows written over time; the first quarter of them is what a server that was just started takes to get warm."""

    def __init__(self) -> None:
        self.noted = [(time.monotonic(), 0)]

    def __call__(self, _: str, rows: int) -> None:
        """Note a batch."""
        self.noted.append((time.monotonic(), self.noted[-1][1] + rows))

    def speeds(self) -> tuple[float, float]:
        """Return the rows a second from the start, and once warm."""
        end, total = self.noted[-1]
        warm, before = next((at, rows) for at, rows in self.noted if rows >= total / 4)
        return total / (end - self.noted[0][0]), (total - before) / (end - warm)
