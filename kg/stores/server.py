"""A Neo4j server as the driver sees it: its address, a driver for it, and what its errors mean to a user.

Hides the exceptions of the driver: whatever goes wrong inside ``explained()`` leaves as an error of
``kg.errors`` with a sentence and the right exit code.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neo4j import Driver, GraphDatabase, TrustCustomCAs
from neo4j._codec.packstream import RUST_AVAILABLE
from neo4j.exceptions import AuthError, DriverError, Neo4jError

from kg.errors import DependencyError, KgfraudError, UsageError

_SCHEMES = ("neo4j", "neo4j+s", "neo4j+ssc", "bolt", "bolt+s", "bolt+ssc")
_RETRY_SECONDS = 15.0

# The driver writes the server's warnings into its log, with the query's text; kg.stores.reading tells what is of use of them.
logging.getLogger("neo4j.notifications").setLevel(logging.ERROR)


@dataclass(frozen=True)
class Address:
    """Where a server answers, and as whom; ``ca_file`` names the authority that signed its certificate, if it is not a public one."""

    uri: str
    user: str
    password: str
    ca_file: Path | None = None

    def __post_init__(self) -> None:
        if self.uri.partition("://")[0] not in _SCHEMES:
            raise UsageError(
                f"'{self.uri}' is not the address of a Neo4j server; it begins with one of {', '.join(_SCHEMES)} and '://' (neo4j.url)"
            )

    def __repr__(self) -> str:
        """Leave the password out: an address may come into a log.

        >>> Address("bolt://127.0.0.1:7687", "neo4j", "secret")
        Address(uri='bolt://127.0.0.1:7687', user='neo4j')
        """
        return f"Address(uri={self.uri!r}, user={self.user!r})"


def open_driver(address: Address) -> Driver:
    """Return a driver; it connects when it is first used."""
    assert_rust_codec()
    uri, options = address.uri, dict[str, Any]()
    if address.ca_file:
        if not address.ca_file.is_file():
            raise UsageError(f"there is no file {address.ca_file}; neo4j.ca_file names the certificate authority of the Neo4j server")
        # The +s schemes trust public authorities only; the driver wants the bare one with an authority of one's own.
        scheme, _, rest = address.uri.partition("://")
        uri = f"{scheme.partition('+')[0]}://{rest}"
        options = {"encrypted": True, "trusted_certificates": TrustCustomCAs(str(address.ca_file))}
    return GraphDatabase.driver(
        uri,
        auth=(address.user, address.password),
        user_agent="kgfraud",
        max_transaction_retry_time=_RETRY_SECONDS,
        connection_timeout=10.0,
        notifications_min_severity="OFF",
        telemetry_disabled=True,
        **options,
    )


def assert_rust_codec() -> None:
    """Make sure that the driver packs its messages by the Rust codec; the Python one is several times slower.

    Raises
    ------
    DependencyError
        If ``neo4j-rust-ext`` is missing or does not fit the driver.
    """
    if not RUST_AVAILABLE:
        raise DependencyError("the Neo4j driver runs without its Rust codec; install neo4j-rust-ext in the driver's version")


def answers(address: Address) -> bool:
    """Say whether a server answers at the address and takes the password.

    Raises
    ------
    DependencyError
        If it answers but refuses the password: waiting would not help.
    """
    with open_driver(address) as driver:
        try:
            driver.verify_connectivity()
        except AuthError:
            with explained(address.uri):
                raise
        except (DriverError, Neo4jError, OSError):
            return False
    return True


@contextmanager
def explained(where: str = "the Neo4j server") -> Iterator[None]:
    """Turn the driver's errors into those that a user can act on."""
    try:
        yield
    except Neo4jError as error:
        raise _of_server(error, where) from error
    except DriverError as error:
        raise DependencyError(
            f"{where} does not answer or the connection was lost ({_first_line(error)}); "
            "what was committed is kept: see that the server runs (a local one: kgfraud neo4j start), then run again"
        ) from error


def _of_server(error: Any, where: str) -> KgfraudError:
    """Return what an error that the server itself reported means."""
    code = error.code or ""
    if ".Security." in code:
        return DependencyError(f"{where} refuses the user or the password ({code}); look at neo4j.user and neo4j.password_file")
    if code.startswith("Neo.ClientError"):
        return KgfraudError(f"{where} refuses a statement: {_first_line(error)}")
    return DependencyError(f"{where} cannot go on ({code}: {_first_line(error)}); look for its disk and memory, then run again")


def _first_line(error: Any) -> str:
    text = (getattr(error, "message", None) or str(error)).strip()
    return text.splitlines()[0][:300].rstrip(": ") if text else type(error).__name__
