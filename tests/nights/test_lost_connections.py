"""The world fails a night: Neo4j goes, its password is another, the disk is full. A sentence, an exit code, and nothing lost."""

import errno
import resource
import select
import shutil
import socket
import subprocess
import threading
from contextlib import contextmanager, suppress

import pytest

from kg.errors import DependencyError
from kg.stores.server import Address

from .bank import ask, emptied
from .town import settle_village, village_files

pytestmark = pytest.mark.untraced


class Cut:
    """A wire to a server that is cut for good once so many bytes have gone through it from the client."""

    def __init__(self, server: Address, after: int) -> None:
        self._to, self._left = ("127.0.0.1", int(server.uri.rpartition(":")[2])), after
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.uri = f"bolt://127.0.0.1:{self._listening.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._listen, daemon=True)]
        self._threads[0].start()

    @property
    def is_cut(self) -> bool:
        return self._left <= 0

    def _listen(self):
        self._listening.settimeout(0.1)
        with self._listening:
            while not self.is_cut:
                with suppress(TimeoutError):
                    client, _ = self._listening.accept()
                    self._threads.append(threading.Thread(target=self._carry, args=(client,), daemon=True))
                    self._threads[-1].start()

    def _carry(self, client):
        with client, socket.create_connection(self._to) as server, suppress(OSError):
            while not self.is_cut:
                for end in select.select([client, server], [], [], 0.1)[0]:
                    data = end.recv(1 << 16)
                    if not data:
                        return
                    if end is client:
                        self._left -= len(data)
                    if self.is_cut:
                        return
                    (server if end is client else client).sendall(data)

    def close(self):
        self._left = 0
        for thread in self._threads:
            thread.join()


@pytest.fixture(scope="module")
def undisturbed(module_bank):
    """A village before its first night, and what an undisturbed night makes of it."""
    settle_village(module_bank)
    twin = module_bank.copy(module_bank.root.parent / "twin")
    twin.run()
    return module_bank, twin.content()


@pytest.fixture
def before(undisturbed, tmp_path):
    """The same village before its first night, with an empty database."""
    emptied(undisturbed[0].server)
    return undisturbed[0].copy(tmp_path / "bank")


def one_sentence(result) -> bool:
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    return len(errors) == 1 and "Traceback" not in result.stderr and "this should not happen" not in result.stderr


@pytest.mark.parametrize("after", [pytest.param(15_000, marks=pytest.mark.soak), 30_000])
def test_a_connection_that_is_lost_while_publishing_costs_time_and_nothing_else(before, undisturbed, after):
    server, wire = before.server, Cut(before.server, after)
    before.point_to(wire.uri, server)
    result = before.cli("run")
    cut = wire.is_cut
    wire.close()
    assert (result.exit_code, cut, one_sentence(result)) == (4, True, True), result.stderr
    assert before.one("MATCH (m:KgfraudMarker) RETURN m.filling") == before.runs()[-1]
    before.point_to(server.uri, server)
    assert before.run().began.startswith("goes on")
    assert before.content() == undisturbed[1]
    assert before.one("MATCH (m:KgfraudMarker) RETURN m.filling") is None


def test_a_server_that_is_not_there_or_refuses_the_password_is_told_by_its_name(before, undisturbed):
    server = before.server
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"bolt://127.0.0.1:{taken.getsockname()[1]}"
    before.point_to(nobody, server)
    absent = before.cli("run")
    assert (absent.exit_code, one_sentence(absent), nobody.removeprefix("bolt://") in absent.stderr) == (4, True, True)
    before.point_to(server.uri, Address(server.uri, server.user, "wrong"))
    refused = before.cli("run", "--only", "publish")
    assert (refused.exit_code, one_sentence(refused), "wrong" in refused.stderr) == (4, True, False)
    before.point_to(server.uri, server)
    assert before.run().began.startswith("goes on")
    assert before.content() == undisturbed[1]


def test_a_night_after_one_that_was_not_published_does_both_or_says_that_its_own_files_were_not_looked_at(before):
    server = before.server
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"bolt://127.0.0.1:{taken.getsockname()[1]}"
    before.point_to(nobody, server)
    assert before.cli("run").exit_code == 4
    (first,) = before.runs()
    before.deliver("guarantees", village_files()["guarantees"][1:])
    for words, waits in (
        (["run"], "tonight's files were not looked at"),
        (["quarantine", "replay"], "the refused rows were not judged anew"),
    ):
        again = before.cli(*words)
        assert (again.exit_code, one_sentence(again), before.runs()) == (4, True, [first])
        assert f"publish, export, report of run {first} must be finished, so {waits}" in again.stderr
    before.point_to(server.uri, server)
    both = before.run()
    assert both.began == f"goes on: first finished publish, export, report of run {first}"
    assert (before.runs(), both.results["load"]["closed"]) == ([first, both.run_id], 1)
    assert all((before.root / "export" / run_id / ".ok").exists() for run_id in before.runs())
    assert before.cli("store", "verify").exit_code == 0


def test_a_server_that_holds_another_workspaces_graph_is_left_alone_until_told_otherwise(before, undisturbed):
    before.run()
    ask(before.server, "MATCH (m:KgfraudMarker) SET m.holds = '20200101T000000Z'")
    before.deliver("guarantees", village_files()["guarantees"][1:])
    result = before.cli("run")
    assert (result.exit_code, one_sentence(result)) == (2, True), result.stderr
    assert "holds run 20200101T000000Z, which this workspace did not make" in result.stderr
    assert before.one("MATCH (m:KgfraudMarker) RETURN m.holds") == "20200101T000000Z"
    assert before.cli("publish", "--repair").exit_code == 0
    assert before.cli("store", "verify").exit_code == 0


def test_a_disk_that_is_full_behind_the_commit_is_told_as_such(before, undisturbed, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("kg.stages.export.export", full)
        with pytest.raises(DependencyError, match=r"the disk is full; run \w+ is committed, and what it left open is finished by the next"):
            before.run()
    assert before.run().began == f"goes on: first finished export, report of run {before.runs()[0]}"
    assert before.content() == undisturbed[1]


@contextmanager
def small_disk(bank, room, tmp_path):
    """Put a workspace on a disk with so little room left; where none may be mounted, bound the size of a file instead.

    Yields the workspace there, options for its process, and what makes room.
    """
    disk = tmp_path / "disk"
    disk.mkdir()
    used = sum(path.stat().st_size // 4096 + 1 for path in bank.root.rglob("*")) * 4096
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={used + room}", "tmpfs", str(disk)], capture_output=True, check=False)
    if mounted.returncode:
        bound = room // 64
        yield bank.copy(disk / "bank"), {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (bound, bound))}, lambda: None
        return
    try:
        yield bank.copy(disk / "bank"), {}, lambda: subprocess.run(["mount", "-o", "remount,size=256m", str(disk)], check=True)
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.parametrize("room", [100_000, pytest.param(250_000, marks=pytest.mark.soak)])
def test_a_full_disk_is_told_and_the_night_is_done_once_there_is_room(before, undisturbed, tmp_path, room):
    with small_disk(before, room, tmp_path) as (bank, options, make_room):
        process = bank.start(**options)
        _, stderr = process.communicate(timeout=120)
        assert process.returncode in (1, 4), stderr
        assert process.returncode == 4 or options, stderr
        assert "Traceback" not in stderr
        assert "this should not happen" not in stderr
        assert stderr.splitlines()[-1].startswith("Error: "), stderr
        make_room()
        bank.run()
        assert bank.content() == undisturbed[1]
        shutil.rmtree(bank.root)
