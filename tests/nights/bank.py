"""A bank in a test: its workspace, its landing folder, and what a night left in it, read without our own code."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import neo4j
import pyarrow as pa
import tomlkit
from click.testing import CliRunner, Result
from deltalake import DeltaTable

from kg.cli import cli
from kg.cli.common import packs_folder
from kg.config import Workspace
from kg.pipeline import Outcome, run_pipeline
from kg.stores.server import Address

Rows = list[dict[str, Any]]
#: What two equal results may differ in (clock times, runs), and bytes that are sealed with a fresh nonce each time.
_OF_THE_RUN = {"run_id", "first_run", "sealed"}


def emptied(address: Address) -> Address:
    """Take everything out of the database."""
    ask(address, "MATCH ()-[r]->() CALL (r) { DELETE r } IN TRANSACTIONS OF 20000 ROWS")
    ask(address, "MATCH (n) CALL (n) { DELETE n } IN TRANSACTIONS OF 20000 ROWS")
    return address


def ask(address: Address, cypher: str, **params: Any) -> list[dict[str, Any]]:
    """Run a statement by the plain driver."""
    with neo4j.GraphDatabase.driver(address.uri, auth=(address.user, address.password)) as driver, driver.session() as session:
        return session.run(cypher, params).data()


class Bank:
    """A workspace with its landing folder, and what a night left in it."""

    def __init__(self, root: Path, server: Address | None) -> None:
        self.root = root
        self.server = server
        self.settings: dict[str, dict[str, Any]] = {"engine": {"memory": "1GB"}, "neo4j": {"heap": "512m", "page_cache": "64m"}}
        self.sources: dict[str, dict[str, Any]] = {}
        self.asked: list[Address] = []

    @classmethod
    def create(cls, root: Path, server: Address | None) -> Bank:
        """Make a new workspace that publishes to a server by URL, or to its own local one."""
        made = CliRunner().invoke(cli, ["init", str(root)])
        assert made.exit_code == 0, made.stderr
        bank = cls(root, server)
        (root / "landing").mkdir()
        if server is not None:
            bank.point_to(server.uri, server)
        return bank

    def point_to(self, uri: str, server: Address) -> None:
        """Name a server by its URL."""
        secret = self.root / "neo4j.password"
        secret.write_text(server.password)
        secret.chmod(0o600)
        self.settings["neo4j"] = {"url": uri, "password_file": secret.name}
        self._write()

    def source(self, name: str, **settings: Any) -> None:
        """Add a source, or change some of its settings; one that says nothing of its path reads ``landing/<name>.csv``."""
        pack = "mapping" in settings
        given = {} if pack else {"name": name, "kind": name, "path": f"landing/{name}.csv"}
        self.sources[name] = {**given, **self.sources.get(name, {}), **settings}
        self._write()

    def _write(self) -> None:
        document = {**self.settings, "sources": list(self.sources.values())}
        (self.root / "kgfraud.toml").write_text(tomlkit.dumps(document), encoding="utf-8")

    def deliver(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write the file of a source."""
        heads = list(dict.fromkeys(head for row in rows for head in row))
        with (self.root / "landing" / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, heads)
            writer.writeheader()
            writer.writerows(rows)

    def run(self, **options: Any) -> Outcome:
        """Do a night in this process."""
        return run_pipeline(Workspace.open(self.root, packs=packs_folder()), **options)

    def cli(self, *words: str, stdin: str = "") -> Result:
        """Call a command in this process."""
        return CliRunner().invoke(cli, [*words, "--workspace", str(self.root)], input=stdin, prog_name="kgfraud")

    def json(self, *words: str) -> Any:
        """Call a command that must end well and return the JSON that it prints."""
        result = self.cli(*words, "--json")
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    def start(self, *words: str, **options: Any) -> subprocess.Popen[str]:
        """Begin a command (a night, where none is named) in a process of its own, whose coverage nobody measures."""
        command = [sys.executable, "-m", "kg.cli", *(words or ("run",)), "--workspace", str(self.root)]
        env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_PROCESS")}
        return subprocess.Popen(command, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)

    def copy(self, root: Path, server: Address | None = None) -> Bank:
        """Return a second workspace with the same keys, files, lake and runs."""
        shutil.copytree(self.root, root, symlinks=True)
        twin = Bank(root, server or self.server)
        twin.settings, twin.sources = dict(self.settings), {name: dict(values) for name, values in self.sources.items()}
        if server is not None:
            twin.point_to(server.uri, server)
        return twin

    # -- what is there -------------------------------------------------------------------------------------

    def runs(self) -> list[str]:
        """Return the committed runs."""
        return sorted(path.parent.name for path in (self.root / "runs").glob("*/record.json"))

    def record(self, run_id: str | None = None) -> dict[str, Any]:
        """Return the record of a run, the last one by default."""
        return json.loads((self.root / "runs" / (run_id or self.runs()[-1]) / "record.json").read_text(encoding="utf-8"))

    def arrow(self, name: str) -> pa.Table:
        """Return all rows of a table of the lake, at the version of the last run."""
        return DeltaTable(self.root / "lake" / name, version=self.record()["tables"][name]).to_pyarrow_table()

    def table(self, name: str) -> Rows:
        """Return all rows of a table of the lake as Python values; none where there is no such table."""
        return self.arrow(name).to_pylist() if name in self.record()["tables"] else []

    def current(self, name: str) -> Rows:
        """Return the current rows of a table of the lake."""
        return [row for row in self.table(name) if row["last_run"] is None]

    def refused(self, source: str | None = None) -> Rows:
        """Return what lies in quarantine."""
        return [row for row in self.current("quarantine") if source in (None, row["source"])]

    def ask(self, cypher: str, **params: Any) -> list[dict[str, Any]]:
        """Ask the server by the plain driver."""
        assert self.server is not None
        return ask(self.server, cypher, **params)

    def one(self, cypher: str, **params: Any) -> Any:
        """Return the one value that a question has for an answer."""
        (row,) = self.ask(cypher, **params)
        (value,) = row.values()
        return value

    def last_transaction(self) -> frozenset[str]:
        """Return the bookmark of the server's last committed transaction: it stays the same for as long as nothing is written."""
        assert self.server is not None
        login = (self.server.user, self.server.password)
        with neo4j.GraphDatabase.driver(self.server.uri, auth=login) as driver, driver.session() as session:
            session.run("RETURN 1").consume()
            return session.last_bookmarks().raw_values

    def tree(self) -> dict[str, str]:
        """Return the SHA-256 of every file of lake, runs and export, the lock left out."""
        files = (path for name in ("lake", "runs", "export") for path in (self.root / name).rglob("*") if path.is_file())
        kept = (path for path in files if path.name != ".lock")
        return {str(path.relative_to(self.root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in kept}

    def flags(self) -> Rows:
        """Return the flags exported by the last run."""
        text = (self.root / "export" / self.runs()[-1] / "flags.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def content(self) -> dict[str, Any]:
        """Return what equal results have in common: lake, graph and export without runs and clock times."""
        return {"lake": self.lake_content(), "graph": self.graph_content(), "export": self.export_content()}

    def lake_content(self) -> dict[str, list[str]]:
        """Return the sorted rows of every table; of ``last_run`` counts only whether the row has ended."""
        return {name: sorted(repr(_plain(row)) for row in self.table(name)) for name in self.record()["tables"]}

    def graph_content(self) -> list[str]:
        """Return all nodes and relationships, with their labels, ends and properties."""
        nodes = self.ask("MATCH (n) WHERE NOT n:KgfraudMarker RETURN labels(n) AS labels, properties(n) AS row")
        edges = self.ask("MATCH (a)-[r]->(b) RETURN type(r) AS type, a.id AS src, b.id AS dst, properties(r) AS row")
        found = [(sorted(n["labels"]), _plain(n["row"])) for n in nodes] + [
            (e["type"], e["src"], e["dst"], _plain(e["row"])) for e in edges
        ]
        return sorted(map(repr, found))

    def export_content(self) -> dict[str, Any]:
        """Return the flags as they were exported, and what the manifest counts."""
        folder = self.root / "export" / self.runs()[-1]
        assert (folder / ".ok").exists()
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        with (folder / "flags.csv").open(encoding="utf-8-sig", newline="") as file:
            table = [{k: v for k, v in row.items() if k != "run_id"} for row in csv.DictReader(file)]
        return {"flags": [_plain(flag) for flag in self.flags()], "csv": table, "reasons": manifest["reasons"], "rows": manifest["rows"]}


def _plain(row: Mapping[str, Any]) -> list[tuple[str, Any]]:
    kept = {key: value for key, value in row.items() if key not in _OF_THE_RUN}
    if "last_run" in kept:
        kept["last_run"] = kept["last_run"] is not None
    return sorted((key, repr(value)) for key, value in kept.items())
