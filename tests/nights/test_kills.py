"""The night is killed (``kill -9``) at moments spread over all its stages; the next one ends as if nothing had been.

The same nights are done twice: by a bank that nobody disturbs, whose content after each night is kept, and by one whose every
night is killed at some moment and done again. In between the deliveries change: rows come, go, are renamed and refused.
"""

import os
import random
import signal
import time
from datetime import date, timedelta

import neo4j
import psutil
import pytest

from kg.stores.local_neo4j import LocalNeo4j

from .bank import emptied
from .town import UNKNOWN, settle_village, village_files

pytestmark = pytest.mark.untraced

#: What shows that a stage has begun: files that were not there before, or the store's word.
SIGNS = {
    "start": "runs/*Z",
    "read": ".staging/**/*.parquet",
    "load": "lake/records/*/_delta_log/*.json",
    "resolve": "lake/graph/[A-Z][a-z]*/_delta_log/*.json",
    "derive": "lake/graph/PAID/_delta_log/*.json",
    "flag": "lake/derived/flags/_delta_log/*.json",
    "commit": "runs/*/record.json*",
    "publish": None,
    "export": "runs/*/publish.done",
    "report": "runs/*/export.done",
}


def deliver(bank, night):
    """Lay out the files of a night; from one to the next firms are renamed, one goes and one comes, circles open and close."""
    village, gone = village_files(), f"C{24 - night % 3:02}"
    village["companies"] = [dict(row) for row in village["companies"] if row["企业编号"] != gone]
    for row in village["companies"][night % 4 :: 4]:
        row["企业名称"] += f"({night})"
    village["accounts"] = [row for row in village["accounts"] if row["户主"] != gone]
    village["guarantees"] = village["guarantees"][night % 2 :]
    if night:
        day, dice = date(2024, 6, 26) + timedelta(days=night), random.Random(night)
        known = [row["账号"] for row in village["accounts"]]
        pairs = [dice.sample(known, 2) for _ in range(15)] + [[UNKNOWN, known[0]]]
        village["transfers"] = [
            {"付款账号": a, "收款账号": b, "金额": f"{night}00.{n:02}", "时间": f"{day} 10:{n:02}:00", "用途": "货款"}
            for n, (a, b) in enumerate(pairs)
        ]
    for name, rows in village.items():
        bank.deliver(name, rows)


@pytest.fixture(scope="module")
def prepared(module_bank):
    """A bank before its first night."""
    settle_village(module_bank)
    return module_bank


@pytest.fixture(scope="module")
def undisturbed(prepared):
    """Return what the bank holds after each night, from the first to the last asked for, if nobody disturbs it.

    ``first`` of what is returned is the bank after its first night, for those whose later nights are disturbed.
    """
    twin, found = prepared.copy(prepared.root.parent / "undisturbed"), []

    def until(nights):
        if len(found) <= nights:
            emptied(twin.server)
            if found:
                assert twin.cli("publish", "--repair").exit_code == 0
        for night in range(len(found), nights + 1):
            deliver(twin, night)
            twin.run()
            found.append(twin.content())
            if not night:
                until.first = twin.copy(twin.root.parent / "first")
        return found

    return until


class Watch:
    """Sees a stage begin, by what it leaves on the disk or in the store."""

    def __init__(self, bank, server, stage):
        self.bank, self.stage = bank, stage
        self.driver = neo4j.GraphDatabase.driver(server.uri, auth=(server.user, server.password)) if server else None
        self.before = set(self._files())

    def _files(self):
        pattern = SIGNS[self.stage]
        return [] if pattern is None else self.bank.root.glob(pattern)

    def sees(self):
        if SIGNS[self.stage] is None:
            with self.driver.session() as session:
                return session.run("MATCH (m:KgfraudMarker) WHERE m.filling IS NOT NULL RETURN count(m)").single()[0] > 0
        return any(path not in self.before for path in self._files())

    def kill(self, process, delay):
        """Wait until the stage has begun and some seconds more, then kill the process; say whether it was still at work."""
        while process.poll() is None and not self.sees():
            time.sleep(0.001)
        begun = process.poll() is None
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if self.driver:
            self.driver.close()
        return begun


def state(bank):
    """Return the runs that were begun and those that were committed."""
    begun = {path.name for path in (bank.root / "runs").glob("*Z")}
    return begun, set(bank.runs())


def follow(bank, plan, references, server, also=lambda: None):
    """Publish what the bank has, then do each night of the plan twice: killed at its moment, then to the end."""
    bank.earlier = set()
    published = bank.cli("publish", "--repair")
    assert published.exit_code == 0, published.stderr
    for night, (stage, delay) in enumerate(plan, 1):
        where = f"night {night}, killed {delay:.3f} s into '{stage}'"
        deliver(bank, night)
        before = bank.runs()[-1]
        watch = Watch(bank, server, stage)
        assert watch.kill(bank.start(), delay), f"{where}: it had ended before"
        also()
        begun, committed = state(bank)
        said = bank.run().began
        if begun - committed:
            assert said.startswith("starts over"), where
        elif committed - {before} - set(bank.earlier) and not (bank.root / "runs" / max(committed) / "report.done").exists():
            assert said.startswith("goes on"), where
        bank.earlier = state(bank)[1]
        assert state(bank)[0] == bank.earlier, where
        yield where, references[night]


def killed(undisturbed, plan, root):
    """Do the plan on a bank whose server is left alone; return the bank."""
    references = undisturbed(len(plan))
    bank = undisturbed.first.copy(root)
    emptied(bank.server)
    for where, reference in follow(bank, plan, references, bank.server):
        assert bank.content() == reference, where
    return bank


def test_a_night_killed_before_or_in_the_publish_ends_like_an_undisturbed_one(undisturbed, tmp_path):
    plan = [("resolve", 0.4), ("publish", 0.05)]
    bank = killed(undisturbed, plan, tmp_path / "killed")
    assert bank.cli("store", "verify").exit_code == 0


def killed_with_its_server(undisturbed, plan, tmp_path):
    """Do the plan on a bank with a local server of its own, which is killed together with the night."""
    references = undisturbed(len(plan))
    bank = undisturbed.first.copy(tmp_path / "local")
    bank.settings["neo4j"] = {"heap": "512m", "page_cache": "64m"}
    bank.source("companies")
    local = LocalNeo4j(bank.root / "neo4j", heap="512m", page_cache="64m")

    def kill_server():
        pid = local.status().pid
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=10)

    try:
        bank.server = local.start()
        for where, reference in follow(bank, plan, references, bank.server, also=kill_server):
            assert not local.status().running, where  # a run leaves the server as it found it
            bank.server = local.start()
            assert bank.content() == reference, where
    finally:
        kill_server()
        local.stop()


def test_a_night_killed_together_with_neo4j_ends_like_an_undisturbed_one(undisturbed, tmp_path):
    killed_with_its_server(undisturbed, [("publish", 0.1)], tmp_path)


@pytest.mark.soak
def test_thirty_nights_killed_over_all_stages_end_like_undisturbed_ones(undisturbed, tmp_path):
    dice = random.Random(30)
    plan = [(stage, dice.random() * 0.8) for stage in [*SIGNS, *SIGNS, *SIGNS]]
    plan = [(stage, delay if stage not in ("publish", "export", "report", "commit") else delay / 20) for stage, delay in plan]
    killed(undisturbed, plan, tmp_path / "killed")


@pytest.mark.soak
def test_five_nights_killed_together_with_neo4j_end_like_undisturbed_ones(undisturbed, tmp_path):
    dice = random.Random(5)
    killed_with_its_server(undisturbed, [("publish", dice.random() * 0.3) for _ in range(5)], tmp_path)
