"""What all tests share: one real Neo4j, the order of the files, and which tests are traced."""

from __future__ import annotations

import fcntl
import gc
import os
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import psutil
import pytest
from coverage import Coverage
from hypothesis import settings

from kg.stores.bolt import BoltStore
from kg.stores.local_neo4j import LocalNeo4j

#: Files that take long, the longest first: one that came last would keep a core waiting. The second compiles no kernel, while the first
#: compiles them all, and finds them ready afterwards; two that ask for the same training (`once`) stand apart.
LONG = (
    *("nights/test_cron.py", "kg/test_local_neo4j.py", "nights/test_kills.py", "nights/test_runs.py", "nights/test_ownership_night.py"),
    *("nights/test_nights.py", "gnn/test_company_training.py", "nights/test_finbench_night.py", "gnn/test_model_commands.py"),
    *(
        "gnn/test_linked_party.py",
        "gnn/test_evidence.py",
        "nights/test_paid.py",
        "nights/test_canaries.py",
        "nights/test_lost_connections.py",
    ),
    *("gnn/test_score_stage.py", "gnn/test_benchmark.py", "gnn/test_company_features.py", "gnn/test_fraud_ring.py"),
    *(
        "nights/test_quarantine_list.py",
        "nights/test_seen.py",
        "nights/test_invoices_night.py",
        "nights/test_replay.py",
        "nights/test_gates.py",
    ),
)

# How long a test takes says nothing here.
settings.register_profile("kgfraud", deadline=None)
settings.load_profile("kgfraud")
# A server of a few minutes is spared the second of Java's two compilers, which pays off after hours.
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")
# A night makes millions of small objects and drops them again: looking for cycles among them every 700 took a tenth of it.
gc.set_threshold(50_000, 20, 20)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take long in front; all tests of a file stay together and in their order."""
    place = {Path(__file__).with_name(folder) / name: rank for rank, (folder, name) in enumerate(each.split("/") for each in LONG)}
    items.sort(key=lambda item: place.get(item.path, len(place)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Stop the measuring of coverage for a test that is marked ``untraced``, and for what it sets up.

    Tracing makes a night take longer by two thirds, since the engine's expressions are Python too. The whole nights that go the same
    ways as others are marked, and property tests are never traced where kernels are compiled.
    """
    found = getattr(item, "obj", None)
    drawn = getattr(found, "is_hypothesis_test", False) and "NUMBA_DISABLE_JIT" not in os.environ
    stopped: list[Coverage] = []
    while (drawn or item.get_closest_marker("untraced")) and (measuring := Coverage.current()):
        measuring.stop()
        stopped.append(measuring)
    try:
        return (yield)
    finally:
        for measuring in reversed(stopped):
            measuring.start()


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], object]], Path]:
    """Makes a folder that is read by tests of several files: the first process that asks fills it, the others wait and find it.

    Nobody writes to such a folder afterwards.
    """
    own = tmp_path_factory.getbasetemp()
    shared = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "once"

    def made(name: str, fill: Callable[[Path], object]) -> Path:
        folder, whole = shared / name, shared / f"{name}.whole"
        shared.mkdir(exist_ok=True)
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not whole.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                fill(folder)
                whole.touch()
        return folder

    return made


@pytest.fixture(scope="session")
def neo4j_local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalNeo4j]:
    """A running local server, with the constraints."""
    local = LocalNeo4j(tmp_path_factory.mktemp("neo4j"), heap="768m", page_cache="128m")
    try:
        with BoltStore.connect(local.start()) as store:
            store.prepare()
        yield local
    finally:
        # An orderly end would write 15 s of what nobody reads.
        pid = local.status().pid
        if pid is not None:
            psutil.Process(pid).kill()
        local.stop()
