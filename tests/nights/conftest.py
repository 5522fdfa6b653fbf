"""Whole nights: a small bank's files in, a real Neo4j filled, flags out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kg.stores.local_neo4j import LocalNeo4j
from kg.stores.server import Address

from .bank import Bank, emptied

SAMPLES = Path(__file__).parents[2] / "loaders" / "samples"
SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="session")
def night_server(neo4j_local: LocalNeo4j) -> Address:
    """The address of a real server for all nights."""
    return neo4j_local.start()


@pytest.fixture
def new_bank(tmp_path: Path, night_server: Address) -> Callable[..., Bank]:
    """Makes workspaces; the database of the server by URL is empty before the first of them publishes."""
    emptied(night_server)

    def made(name: str = "bank", *, local: bool = False) -> Bank:
        return Bank.create(tmp_path / name, None if local else night_server)

    return made


@pytest.fixture
def bank(request: pytest.FixtureRequest, tmp_path: Path) -> Bank:
    """A workspace without sources; in a module with ``DATABASE = False`` nights end with the load, and no server is started for it."""
    if getattr(request.module, "DATABASE", True):
        made: Bank = request.getfixturevalue("new_bank")()
        return made
    return Bank.create(tmp_path / "bank", None)


@pytest.fixture
def registry(bank: Bank) -> Bank:
    """A bank that knows companies by their own numbers."""
    bank.source("companies", record_id="company")
    return bank


@pytest.fixture
def owners(registry: Bank) -> Bank:
    """A bank that knows who holds which company."""
    registry.source("shareholders", constants={"holder_kind": "company"})
    return registry


@pytest.fixture
def teller(bank: Bank) -> Bank:
    """A bank with four accounts and payments that are known by their numbers."""
    bank.source("accounts", record_id="account")
    bank.source("transfers", mode="append", record_id="number")
    bank.deliver("accounts", [{"account": f"ACC{n}"} for n in range(4)])
    return bank


@pytest.fixture(scope="module")
def module_bank(tmp_path_factory: pytest.TempPathFactory, night_server: Address) -> Bank:
    """A workspace without sources, and an empty database, for all tests of a module."""
    return Bank.create(tmp_path_factory.mktemp("module") / "bank", emptied(night_server))


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of the data that come with the program."""
    return SAMPLES


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """Gives data that may not be copied; a test of them is skipped, by name, where they are absent."""

    def found(name: str) -> Path:
        if not (SHARED / name).exists():
            pytest.skip(f"{name} may not be copied and is not there")
        return SHARED / name

    return found
