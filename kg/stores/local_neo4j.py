"""A real Neo4j Community server that the program runs for itself, on the loopback only.

Knows how its folder is laid out, how the server is started, found again and stopped; hides the
process, the lock and the password. All lies in one folder (``<workspace>/neo4j``)::

    conf/neo4j.conf   written at every start; the Bolt port stands in it
    data/ logs/       Neo4j's own
    password          of the user neo4j, mode 0600
    server.pid        of the last server started; checked against its command line
    lock              held while a server is started or stopped
    importing         there while an offline import is under way; a database it left is thrown away

The server is detached: it outlives the command that started it, and a ``kill -9`` of it leaves
nothing that the next start does not mend (Neo4j recovers from its transaction log).
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from kg.errors import DependencyError, KgfraudError
from kg.store import Change, Progress
from kg.stores.bolt import BoltStore
from kg.stores.offline_import import import_full
from kg.stores.provision import java, provision
from kg.stores.server import Address, answers

USER = "neo4j"
_ENTRY = "org.neo4j.server.CommunityEntryPoint"
#: What ``neo4j-admin`` itself starts, in a second Java.
_ADMIN = "org.neo4j.cli.AdminTool"
_SHELL = "org.neo4j.shell.Main"
_OPENS = tuple(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in ("java.nio", "java.io", "sun.nio.ch", "java.util.concurrent"))
#: A batch's transaction lives for a second and dies as a whole: half of the heap for the young, all of it touched beforehand.
_COLLECTOR = ("-XX:+UseParallelGC", "-XX:NewRatio=1", "-XX:+AlwaysPreTouch", "-XX:+UseTransparentHugePages")
_SECONDS = 120.0  # in which a server comes up, or goes

_CONF = """\
server.default_listen_address=127.0.0.1
server.bolt.listen_address=127.0.0.1:{port}
server.bolt.advertised_address=127.0.0.1:{port}
server.http.enabled=false
server.https.enabled=false
server.memory.heap.initial_size={heap}
server.memory.heap.max_size={heap}
server.memory.pagecache.size={page_cache}
db.tx_log.rotation.retention_policy=2 files
dbms.usage_report.enabled=false
dbms.security.auth_enabled=true
dbms.security.allow_csv_import_from_file_urls=false
internal.dbms.cypher_ip_blocklist=0.0.0.0/0,::/0
internal.dbms.bolt.netty_server_shutdown_quiet_period=0
"""


@dataclass(frozen=True)
class Status:
    """Whether the server runs, where it answers and what it takes."""

    running: bool
    uri: str | None = None
    pid: int | None = None
    memory_bytes: int | None = None


@dataclass(frozen=True)
class LocalNeo4j:
    """The server of one folder.

    Parameters
    ----------
    home
        Its folder; made on the first start.
    heap, page_cache
        Sizes as Neo4j takes them, such as ``"1g"`` or ``"512m"``.
    """

    home: Path
    heap: str = "1g"
    page_cache: str = "1g"

    def __post_init__(self) -> None:
        object.__setattr__(self, "home", self.home.resolve())  # the server is known again by it

    def start(self) -> Address:
        """Start the server, wait until Bolt answers and return its address; return that of a running one.

        Raises
        ------
        DependencyError
            If Neo4j cannot be provisioned, or does not come up.
        """
        jars = provision()
        with self._alone():
            if self._process() is None:
                self._discard_half_import()
                self._set_password()
                self._launch(jars)
            address = self._address()
            self._await(address)
        return address

    def stop(self) -> bool:
        """Stop the server and wait until it is gone; return whether there was one."""
        if not self.home.is_dir():
            return False
        with self._alone():
            return self._stop()

    def status(self) -> Status:
        """Say whether the server runs, without starting anything."""
        process = self._process()
        if process is None:
            return Status(running=False)
        try:
            memory = process.memory_info().rss
        except psutil.Error:
            return Status(running=False)
        return Status(True, self._uri(), process.pid, memory)

    def empty(self) -> bool:
        """Say whether the database holds no node at all; a stopped server that was used before is started for it."""
        if self._process() is None and (not self._store.exists() or self._importing.exists()):
            return True
        with BoltStore.connect(self.start()) as store:
            return store.is_empty()

    def import_full(self, changes: Sequence[Change], run_id: str, progress: Progress | None = None) -> None:
        """Fill the empty database by Neo4j's offline importer; the marker then says ``holds = run_id``.

        The server is stopped for it and left stopped.

        Raises
        ------
        KgfraudError
            If the database is not empty, or the importer refuses the data.
        """
        if not self.empty():
            raise KgfraudError(
                f"the database in {self.home} is not empty, and an offline import fills only an empty one (see kgfraud publish)"
            )
        with self._alone():
            self._stop()
            self._set_password()
            self._write_conf(self._port())
            self._importing.touch()
            self._drop_store()
            import_full(self.admin, self.home / "import", changes, run_id, progress)
            self._importing.unlink()

    def admin(self, *arguments: str) -> None:
        """Run ``neo4j-admin`` on this folder while the server is down.

        Raises
        ------
        KgfraudError
            With the command's words, if it fails.
        """
        options = ("-XX:+UseParallelGC", f"-Xmx{self.heap}", "-Dfile.encoding=UTF-8")
        command = [str(java()), *options, *_OPENS, "-cp", f"{provision()}/*", _ADMIN, *arguments]
        done = subprocess.run(command, env=self._environment(), cwd=self.home, capture_output=True, text=True, check=False)
        if done.returncode:
            words = [line for line in (done.stderr + done.stdout).splitlines() if line.strip() and not line.lstrip().startswith("at ")]
            raise KgfraudError(f"neo4j-admin {' '.join(arguments[:2])} failed: {' / '.join(words[:4])}")

    def shell(self, arguments: Sequence[str] = ()) -> int:
        """Run ``cypher-shell`` on the running server, in this terminal; return its exit code."""
        address = self.start()
        # The password goes by the environment: an argument can be read by every user of the machine.
        environment = {**os.environ, "NEO4J_USERNAME": address.user, "NEO4J_PASSWORD": address.password, "NEO4J_URI": address.uri}
        return subprocess.run([str(java()), "-cp", f"{provision()}/*", _SHELL, *arguments], env=environment, check=False).returncode

    @property
    def _conf(self) -> Path:
        return self.home / "conf" / "neo4j.conf"

    @property
    def _store(self) -> Path:
        return self.home / "data" / "databases" / "neo4j"

    @property
    def _importing(self) -> Path:
        return self.home / "importing"

    def _drop_store(self) -> None:
        shutil.rmtree(self._store, ignore_errors=True)
        shutil.rmtree(self.home / "data" / "transactions" / "neo4j", ignore_errors=True)

    def _discard_half_import(self) -> None:
        if self._importing.exists():
            self._drop_store()
            self._importing.unlink()

    def _set_password(self) -> None:
        """Generate the password and hand it to Neo4j, before its first start only."""
        file = self.home / "password"
        if (self.home / "data" / "databases" / "system").exists() and file.exists():
            return
        if not file.exists():
            # Hexadecimal: the command would take a leading dash for an option.
            _write_private(file, secrets.token_hex(20) + "\n")
        self._write_conf(self._port())
        (self.home / "data" / "dbms" / "auth.ini").unlink(missing_ok=True)
        # By a file, as arguments can be read by every user of the machine.
        self.admin("dbms", "set-initial-password", f"@{file}")

    def _write_conf(self, port: int) -> None:
        self._conf.parent.mkdir(parents=True, exist_ok=True)
        self._conf.write_text(_CONF.format(port=port, heap=self.heap, page_cache=self.page_cache), "utf-8")

    def _port(self) -> int:
        """Return the port of the last start if it is still free, else another free one."""
        last = self._last_port()
        return last if last and _is_free(last) else _free_port()

    def _last_port(self) -> int | None:
        if not self._conf.exists():
            return None
        line = next(line for line in self._conf.read_text("utf-8").splitlines() if line.startswith("server.bolt.listen_address="))
        return int(line.rpartition(":")[2])

    def _uri(self) -> str:
        return f"bolt://127.0.0.1:{self._last_port()}"

    def _address(self) -> Address:
        return Address(self._uri(), USER, (self.home / "password").read_text("utf-8").strip())

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "NEO4J_HOME": str(self.home), "NEO4J_CONF": str(self._conf.parent)}

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the folder's lock, which dies with its process."""
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            lock = (self.home / "lock").open("w")
        except OSError as error:
            raise DependencyError(f"cannot write in {self.home} ({error.strerror}), where the local Neo4j lies") from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    # -- the process ------------------------------------------------------------------------------

    def _launch(self, jars: Path) -> None:
        self._write_conf(self._port())
        for folder in ("logs", "run", "import"):
            (self.home / folder).mkdir(exist_ok=True)
        command = [
            *(str(java()), "-server", *_COLLECTOR, "-XX:+ExitOnOutOfMemoryError", f"-Xms{self.heap}", f"-Xmx{self.heap}"),
            *("-Dfile.encoding=UTF-8", "-Dlog4j2.disable.jmx=true", *_OPENS, "-cp", f"{jars}/*"),
            *(_ENTRY, f"--home-dir={self.home}", f"--config-dir={self._conf.parent}", "--console-mode"),
        ]
        # A shell in between makes the server nobody's child, so that it is never a zombie of ours.
        script = '"$@" >>"$CONSOLE" 2>&1 </dev/null & echo $!'
        environment = {**self._environment(), "CONSOLE": str(self.home / "logs" / "console.log")}
        started = subprocess.run(
            ["/bin/sh", "-c", script, "sh", *command],
            env=environment,
            cwd=self.home,
            start_new_session=True,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        (self.home / "server.pid").write_text(started.stdout.strip(), "ascii")

    def _process(self) -> psutil.Process | None:
        """Return the running server of this folder: that of the pid file if it is one, else any that there is."""
        try:
            named = psutil.Process(int((self.home / "server.pid").read_text("ascii")))
            if self._is_ours(named):
                return named
        except (OSError, ValueError, psutil.Error):
            pass
        # The command that started it may have been killed before it wrote the pid.
        return next((process for process in psutil.process_iter() if self._is_ours(process)), None) if self._conf.exists() else None

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            line = process.cmdline()
            return _ENTRY in line and f"--home-dir={self.home}" in line and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False

    def _await(self, address: Address) -> None:
        """Wait until the server answers over Bolt."""
        end, log = time.monotonic() + _SECONDS, self.home / "logs" / "console.log"
        while not answers(address):
            if self._process() is None:
                raise DependencyError(f"Neo4j did not start: {_last_words(log)}; its log is {log}")
            if time.monotonic() > end:
                raise DependencyError(f"Neo4j did not answer at {address.uri} within {_SECONDS:.0f} s; its log is {log}")
            time.sleep(0.1)

    def _stop(self) -> bool:
        process = self._process()
        if process is None:
            return False
        try:
            process.terminate()
            process.wait(_SECONDS)
        except psutil.TimeoutExpired:
            process.kill()  # Neo4j recovers at the next start
            process.wait(_SECONDS)
        except psutil.NoSuchProcess:
            pass
        (self.home / "server.pid").unlink(missing_ok=True)
        return True


def _last_words(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").splitlines() if log.exists() else []
    told = [line for line in lines if " ERROR " in line or line.startswith(("Error", "OpenJDK", "Exception", "Caused"))]
    return (told or lines or ["it said nothing"])[-1].strip()[:300]


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, all of it or none."""
    work = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(work, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    work.replace(path)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # What lingers of a server that just went does not make a port taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
