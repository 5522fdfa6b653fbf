"""Items that are made ahead come in their order, and what goes wrong in making them is told to who uses them."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from loaders.ahead import ahead


def running() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "ahead"]


def test_items_come_in_their_order_and_none_is_lost():
    assert list(ahead(ahead(iter(range(1000))))) == list(range(1000))


def test_the_next_item_is_made_while_the_last_one_is_used():
    made = threading.Semaphore(0)

    def items() -> Iterator[int]:
        for number in range(3):
            made.release()
            yield number

    stream = ahead(items())
    assert next(stream) == 0
    # nobody has asked for the second one
    assert made.acquire(timeout=5)
    assert made.acquire(timeout=5)
    stream.close()


def test_no_more_is_made_ahead_than_was_asked_for():
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(1000):
            made.append(number)
            yield number

    stream = ahead(items(), depth=2)
    next(stream)
    stream.close()
    # one used, two ready, one in the hands of the thread
    assert len(made) <= 4


def test_an_error_is_raised_after_the_items_before_it():
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("the second is missing")

    stream = ahead(items())
    assert next(stream) == 1
    with pytest.raises(ValueError, match="the second is missing"):
        next(stream)
    assert not running()


def test_the_thread_ends_when_nobody_wants_the_rest():
    stream = ahead(iter(range(1000)))
    next(stream)
    stream.close()
    assert not running()


def test_the_thread_ends_with_the_last_item():
    assert sum(1 for _ in ahead(iter("abc"))) == 3
    assert not running()
