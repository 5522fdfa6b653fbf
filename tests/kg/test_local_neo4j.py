"""The server that the program runs for itself: fetched, started, killed, found again, filled offline."""

from __future__ import annotations

import datetime as dt
import http.server
import os
import stat
import threading
from pathlib import Path

import psutil
import pyarrow as pa
import pytest
from click.testing import CliRunner
from neo4j.exceptions import ClientError

from kg.cli import cli
from kg.config import Workspace
from kg.errors import DependencyError, KgfraudError
from kg.schema import edge, node
from kg.store import Change, Marker, differences, schema_of
from kg.stores.bolt import BoltStore
from kg.stores.connect import local
from kg.stores.local_neo4j import LocalNeo4j
from kg.stores.provision import VERSION, cache_root, pinned, provision
from kg.stores.server import open_driver

COMPANY, LOAN, BORROWED = node("Company"), node("Loan"), edge("BORROWED")
AT = dt.datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=dt.UTC)
ROWS = {
    COMPANY: [
        {"id": "company:b:1", "name": '甲 "x"\n\\ , z', "founded_on": dt.date(1949, 10, 1), "blocked": True, "capital_fen": 2**63 - 1},
        {"id": "company:b:2", "name": "", "status": " padded ", "blocked": False},
        {"id": "company:b:～"},
        {"id": "company:b:𠮷"},
    ],
    LOAN: [{"id": "loan:b:1", "amount_fen": -1}],
    BORROWED: [
        {"id": "b:1", "src": "company:b:1", "dst": "loan:b:1", "at": AT},
        {"id": "b:2", "src": "company:b:𠮷", "dst": "loan:b:1"},
    ],
}


def batch(type_):
    return pa.RecordBatch.from_pylist(ROWS[type_], schema=schema_of(type_))


CHANGES = [Change(type_, upserts=lambda type_=type_: iter([batch(type_)])) for type_ in ROWS]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    made = Workspace.create(tmp_path_factory.mktemp("local") / "bank")
    made.toml.write_text(
        made.toml.read_text("utf-8").replace('heap = "1g"', 'heap = "512m"').replace('page_cache = "auto"', 'page_cache = "64m"'), "utf-8"
    )
    return Workspace.open(made.root)


@pytest.fixture(scope="module")
def server(workspace):
    """A local server whose database was filled offline; the tests stop, kill and start it."""
    found = local(workspace)
    assert (found.heap, found.page_cache) == ("512m", "64m")
    assert found.empty()
    found.import_full(CHANGES, "r1")
    yield found
    found.stop()


def kgfraud(workspace, *arguments):
    return CliRunner().invoke(cli, [*arguments, "--workspace", str(workspace.root)])


def test_a_stopped_server_says_so(workspace, server):
    assert not server.stop()
    assert not server.status().running
    assert kgfraud(workspace, "neo4j", "status").output == "Neo4j does not run (kgfraud neo4j start)\n"
    assert kgfraud(workspace, "neo4j", "stop").output == "Neo4j did not run\n"


def test_what_was_imported_offline_is_exactly_the_rows_and_the_marker(server):
    with BoltStore.connect(server.start()) as store:
        store.prepare()
        assert store.marker() == Marker(holds="r1")
        for type_ in ROWS:
            assert list(differences(type_, [batch(type_)], store.contents(type_))) == []
        assert store.apply(CHANGES, "r2").total == 7
        assert sum(store.counts().values()) == 7


def test_a_database_that_is_not_empty_is_not_imported_into(server):
    with pytest.raises(KgfraudError, match=r"is not empty, and an offline import fills only an empty one"):
        server.import_full(CHANGES, "r3")
    with BoltStore.connect(server.start()) as store:
        assert store.marker().holds != "r3"


def test_starting_a_running_server_returns_the_running_one(workspace, server):
    before = server.start(), server.status().pid
    assert (server.start(), server.status().pid) == before
    told = kgfraud(workspace, "neo4j", "start").output
    assert told == f"Neo4j answers at {before[0].uri}, user neo4j, password in {server.home / 'password'}\n"
    assert before[0].password not in told
    assert kgfraud(workspace, "neo4j", "status").output.startswith(f"Neo4j runs: {before[0].uri}, process {before[1]}, ")
    assert '"running": true' in kgfraud(workspace, "neo4j", "status", "--json").output


def test_it_listens_on_the_loopback_only_and_its_password_is_its_owners(server):
    address = server.start()
    process = psutil.Process(server.status().pid)
    listening = {c.laddr.ip.removeprefix("::ffff:") for c in process.net_connections("tcp") if c.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}
    assert stat.S_IMODE((server.home / "password").stat().st_mode) == 0o600
    assert address.password not in " ".join(process.cmdline())


def test_load_csv_reads_no_file_even_for_one_who_may_write(server):
    (server.home / "import").mkdir(exist_ok=True)
    (server.home / "import" / "x.csv").write_text("1,2\n", "utf-8")
    for url in ("file:///x.csv", "file:///etc/hostname"):
        with (
            open_driver(server.start()) as driver,
            driver.session() as session,
            pytest.raises(ClientError, match=r"allow_csv_import_from_file_urls"),
        ):
            session.run("LOAD CSV FROM $url AS line RETURN line", url=url).consume()


def test_load_csv_asks_no_address_even_for_one_who_may_write(server, mirror):
    with open_driver(server.start()) as driver, driver.session() as session, pytest.raises(ClientError, match=r"blocked"):
        session.run("LOAD CSV FROM $url AS line RETURN line", url=mirror.url).consume()
    assert mirror.asked == []


def test_the_shell_talks_to_it(server, capfd):
    assert server.shell(["--format", "plain", "MATCH (c:Company) RETURN count(c) AS companies;"]) == 0
    assert capfd.readouterr().out.split() == ["companies", "4"]


def test_a_server_whose_pid_file_is_lost_is_found_again(server):
    server.start()
    before = server.status()
    (server.home / "server.pid").unlink()
    assert server.status().pid == before.pid
    (server.home / "server.pid").write_text(str(os.getpid()), "ascii")  # alive, but not ours
    assert server.status().pid == before.pid


def test_a_killed_server_comes_back_with_what_was_committed(server):
    with BoltStore.connect(server.start()) as store:
        store.set_marker(Marker(holds="r1", filling="r9"))
        psutil.Process(server.status().pid).kill()
        with pytest.raises(DependencyError, match=r"what was committed is kept"):
            [store.marker() for _ in range(3)]
    assert not server.status().running
    with BoltStore.connect(server.start()) as store:
        assert store.marker() == Marker(holds="r1", filling="r9")


def test_an_import_that_was_cut_off_is_thrown_away(server):
    server.stop()
    (server.home / "importing").touch()
    assert server.empty()
    with BoltStore.connect(server.start()) as store:
        assert store.is_empty()
        assert store.marker() == Marker()
    assert server.stop()


def test_a_server_that_cannot_start_says_why(server):
    server.stop()
    with pytest.raises(DependencyError, match=r"Neo4j did not start: .*; its log is "):
        LocalNeo4j(server.home, heap="1k", page_cache="64m").start()


def test_rows_that_the_importer_refuses_leave_an_empty_database_and_a_sentence(workspace):
    broken = LocalNeo4j(workspace.root / "other", "512m", "64m")
    dangling = [change for change in CHANGES if change.type is not LOAN]
    with pytest.raises(KgfraudError, match=r"neo4j-admin database import failed"):
        broken.import_full(dangling, "r1")
    assert broken.empty()


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DependencyError, match=r"cannot write in .*file/neo4j"):
        LocalNeo4j(tmp_path / "file" / "neo4j").start()


def test_nothing_is_imported_before_a_run_was_committed(workspace):
    done = kgfraud(workspace, "neo4j", "import")
    assert done.exit_code == 1
    assert "no run was committed yet" in done.output


def test_a_workspace_with_a_server_by_url_has_no_local_one(tmp_path):
    made = Workspace.create(tmp_path / "bank")
    done = CliRunner().invoke(cli, ["--set", "neo4j.url=bolt://graph.bank:7687", "neo4j", "status", "--workspace", str(made.root)])
    assert done.exit_code == 2
    assert "this workspace uses the Neo4j at bolt://graph.bank:7687" in done.output


# -- fetching ------------------------------------------------------------------------------------------


class Mirror(http.server.BaseHTTPRequestHandler):
    """A Maven repository of the jars at hand; one of them may be wrong."""

    folder: Path
    wrong: str = ""
    url: str = ""
    asked: list[str]

    def do_GET(self):
        self.asked.append(self.path)
        file = self.folder / self.path.rpartition("/")[2]
        if not file.is_file():
            self.send_error(404)
            return
        body = b"not a jar" if file.name == self.wrong else file.read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """A mirror as a bank names one, in jgo's own settings."""

    class Here(Mirror):
        folder = provision()
        asked = []  # noqa: RUF012 - of this test's class alone

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Here) as serving:
        (tmp_path / "jgo.conf").write_text(f"[repositories]\ncentral = http://127.0.0.1:{serving.server_port}\n", "utf-8")
        monkeypatch.setenv("JGO_CONFIG_FILE", str(tmp_path / "jgo.conf"))
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        Here.url = f"http://127.0.0.1:{serving.server_port}/x.csv"
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield Here
        serving.shutdown()
        thread.join()


def test_neo4j_is_fetched_from_a_mirror_and_a_half_fetched_one_is_gone_over(mirror, tmp_path):
    first = pinned()[0]
    broken = tmp_path / "cache" / "maven" / first.path
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"cut o")
    home = provision(tmp_path / "cache")
    assert {file.name for file in home.iterdir()} == {jar.name for jar in pinned()}
    assert sorted(file.name for file in home.parent.iterdir()) == [f"neo4j-{VERSION}", "provision.lock"]
    assert provision(tmp_path / "cache") == home


def test_a_jar_that_is_not_the_pinned_one_is_refused(mirror, tmp_path):
    mirror.wrong = f"neo4j-kernel-{VERSION}.jar"
    with pytest.raises(DependencyError, match=rf"neo4j-kernel-{VERSION}.jar as downloaded is not the file that is pinned"):
        provision(tmp_path / "cache")
    assert not (tmp_path / "cache" / f"neo4j-{VERSION}").exists()


def test_a_jar_that_cannot_be_had_is_named_with_what_to_do(mirror, tmp_path):
    mirror.folder = tmp_path / "nothing"
    with pytest.raises(DependencyError, match=r"\.jar cannot be downloaded .* or use a Neo4j server of your own"):
        provision(tmp_path / "cache")


def test_the_cache_is_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("KGFRAUD_CACHE", str(tmp_path))
    assert cache_root() == tmp_path
    monkeypatch.delenv("KGFRAUD_CACHE")
    assert cache_root() == Path.home() / ".cache" / "kgfraud"


def test_a_cache_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DependencyError, match=r"cannot fetch Neo4j into .*file/cache"):
        provision(tmp_path / "file" / "cache")
