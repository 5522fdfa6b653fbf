"""An iterator run ahead in a thread of its own, so that its next item is made while the last one is used."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator
from typing import TypeVar

T = TypeVar("T")

#: How often a producer looks whether anybody still wants its items, in seconds.
_LOOK = 0.2


class _Failed:
    def __init__(self, error: BaseException) -> None:
        self.error = error


_END = object()


def ahead(items: Iterator[T], depth: int = 1) -> Generator[T]:
    """Yield the items, up to ``depth`` of them made beforehand; what goes wrong in making them is raised here.

    The thread ends with the iterator: at its end, at an error, or when the generator is closed.

    >>> list(ahead(iter("abc")))
    ['a', 'b', 'c']
    """
    ready: queue.Queue[object] = queue.Queue(depth)
    left = threading.Event()

    def put(item: object) -> None:
        while not left.is_set():
            try:
                ready.put(item, timeout=_LOOK)
            except queue.Full:
                continue
            return

    def make() -> None:
        try:
            for item in items:
                put(item)
                if left.is_set():
                    return
            put(_END)
        except BaseException as error:  # raised again where the items are used
            put(_Failed(error))

    thread = threading.Thread(target=make, name="ahead", daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not _END:
            if isinstance(item, _Failed):
                raise item.error
            yield item  # type: ignore[misc]
    finally:
        left.set()
        thread.join()
