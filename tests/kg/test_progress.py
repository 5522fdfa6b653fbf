import io
import threading

import pytest

from kg.progress import Bars, Lines, Silent, progress_for


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Log:
    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, object]]] = []

    def info(self, event: str, **values: object) -> None:
        self.lines.append((event, values))


def test_lines_are_written_now_and_then_and_at_the_end():
    log, times = Log(), iter([0.0, 1.0, 31.0, 32.0, 40.0])
    with Lines(log, every=30, clock=lambda: next(times)).task("reading", total=9) as task:
        for _ in range(3):
            task.advance(3)
    assert log.lines == [("reading", {"done": 6, "total": 9, "seconds": 31.0}), ("reading: done", {"done": 9, "total": 9, "seconds": 40.0})]


def test_work_that_fails_is_not_called_done():
    log = Log()
    with pytest.raises(ValueError, match="no"), Lines(log).task("reading"):
        raise ValueError("no")
    assert log.lines == []


def test_bars_show_what_is_done_and_stay_on_the_screen():
    screen = Terminal()
    bars = Bars(screen)
    with bars.task("reading [crm]", total=3) as task, bars.task("checking") as other:
        task.advance(3)
        other.advance(2)
    with bars.task("writing", total=1):
        pass
    for said in ("reading [crm]", "3/3", "checking", "2/2", "writing", "1/1"):
        assert said in screen.getvalue()


def test_tasks_may_be_advanced_by_several_threads():
    log = Log()
    with Lines(log).task("writing") as task:
        workers = [threading.Thread(target=lambda: [task.advance() for _ in range(1000)]) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert log.lines[-1][1]["done"] == 4000


def test_a_terminal_gets_bars_and_a_log_gets_lines():
    assert isinstance(progress_for(Log(), Terminal()), Bars)
    assert isinstance(progress_for(Log(), io.StringIO()), Lines)
    with Silent().task("counting") as task:
        task.advance()
