"""Whole nights: a small bank's files in, a real Neo4j filled, flags out; and what all of it holds, read without our own code."""

from __future__ import annotations

import csv
import hashlib
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import neo4j
import psutil
import pyarrow as pa
import pytest
import tomlkit
from click.testing import CliRunner, Result
from deltalake import DeltaTable
from stdnum.cn import ric

from kg.cli import cli
from kg.cli.common import packs_folder
from kg.config import Workspace
from kg.pipeline import Outcome, run_pipeline
from kg.stores.bolt import BoltStore
from kg.stores.local_neo4j import LocalNeo4j
from kg.stores.server import Address

Rows = list[dict[str, Any]]
SAMPLES = Path(__file__).parents[2] / "loaders" / "samples"
SHARED = Path(__file__).parents[3] / "shared" / "data"
#: What two equal results may differ in (clock times, runs), and bytes that are sealed with a fresh nonce each time.
_OF_THE_RUN = {"run_id", "first_run", "sealed"}
_ORGANISATION = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"


# -- the server ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def night_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    """A real server for all nights, with the constraints."""
    local = LocalNeo4j(tmp_path_factory.mktemp("nights"), heap="768m", page_cache="128m")
    try:
        address = local.start()
        with BoltStore.connect(address) as store:
            store.prepare()
        yield address
    finally:
        pid = local.status().pid
        if pid is not None:
            psutil.Process(pid).kill()
        local.stop()


def emptied(address: Address) -> Address:
    """Take everything out of the database."""
    ask(address, "MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS")
    return address


def ask(address: Address, cypher: str, **params: Any) -> list[dict[str, Any]]:
    """Run a statement by the plain driver."""
    with neo4j.GraphDatabase.driver(address.uri, auth=(address.user, address.password)) as driver, driver.session() as session:
        return session.run(cypher, params).data()


# -- a bank ----------------------------------------------------------------------------------------------------


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
        """Begin a command (a night, where none is named) in a process of its own."""
        command = [sys.executable, "-m", "kg.cli", *(words or ("run",)), "--workspace", str(self.root)]
        return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)

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
        with neo4j.GraphDatabase.driver(self.server.uri, auth=(self.server.user, self.server.password)) as driver:
            with driver.session() as session:
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
        found = [(sorted(n["labels"]), _plain(n["row"])) for n in nodes] + [(e["type"], e["src"], e["dst"], _plain(e["row"])) for e in edges]
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


@pytest.fixture
def new_bank(tmp_path: Path, night_server: Address) -> Callable[..., Bank]:
    """Makes workspaces; the database of the server by URL is empty before the first of them publishes."""
    emptied(night_server)

    def made(name: str = "bank", *, local: bool = False) -> Bank:
        return Bank.create(tmp_path / name, None if local else night_server)

    return made


@pytest.fixture
def bank(new_bank: Callable[..., Bank]) -> Bank:
    """A workspace without sources."""
    return new_bank()


@pytest.fixture
def town(bank: Bank) -> Bank:
    """A workspace of a small town whose files lie ready."""
    settle(bank)
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


# -- a small town ----------------------------------------------------------------------------------------------

TOWN: dict[str, dict[str, Any]] = {
    "companies": {
        "record_id": "company",
        "columns": {
            "company": "企业编号",
            "uscc": "统一社会信用代码",
            "name": "企业名称",
            "capital_fen": {"column": "注册资本", "unit": "万元"},
            "founded_on": "成立日期",
            "customer_ref": "客户号",
        },
    },
    "persons": {"record_id": "person", "columns": {"person": "人员编号", "cnid": "身份证号", "name": "姓名"}},
    "accounts": {
        "record_id": "account",
        "columns": {"account": "账号", "owner": "户主", "owner_kind": {"column": "户主类型", "values": {"企业": "company", "个人": "person"}}},
    },
    "loans": {
        "record_id": "loan",
        "columns": {"loan": "贷款号", "borrower": {"column": "借款企业", "label": "company"}, "amount_fen": "金额", "at": "时间"},
    },
    "shareholders": {
        "columns": {
            "holder": [{"column": "股东企业", "label": "company"}, {"column": "股东个人", "label": "person"}],
            "company": "企业编号",
            "share_ppm": "持股比例",
        },
    },
    "officers": {"columns": {"person": "人员编号", "company": "企业编号", "position": "职务", "legal_representative": "法定代表人"}},
    "contacts": {"columns": {"party": {"column": "企业编号", "label": "company"}, "address": "地址", "phone": "电话"}},
    "transfers": {
        "mode": "append",
        "columns": {"payer": "付款账号", "payee": "收款账号", "amount_fen": "金额", "at": "时间", "purpose": "用途"},
    },
    "loan_flows": {
        "columns": {"loan": "贷款号", "account": "账号", "amount_fen": "金额", "at": "时间"},
        "constants": {"direction": "paid_out"},
    },
    "guarantees": {
        "columns": {"guarantor": {"column": "担保人", "label": "company"}, "beneficiary": {"column": "被担保人", "label": "company"}, "amount_fen": "金额"}
    },
}


def settle(bank: Bank) -> None:
    """Give a bank the sources and the files of the town."""
    for name, settings in TOWN.items():
        bank.source(name, **settings)
    for name, rows in town_files().items():
        bank.deliver(name, rows)


def town_files() -> dict[str, Rows]:
    """Return the town: 24 companies, 12 persons, a loan whose money returns, a circle of guarantees, three bad rows."""
    first = datetime(2024, 6, 1, 9, 0, 0)
    dice = random.Random(7)
    firms, people = [f"C{n:02}" for n in range(1, 25)], [f"P{n:02}" for n in range(1, 13)]
    accounts = {owner: f"62220200{n:011}" for n, owner in enumerate([*firms, *people])}

    def paid(payer: str, payee: str, yuan: str, hours: float, use: str = "货款") -> dict[str, str]:
        at = f"{first + timedelta(hours=hours):%Y-%m-%d %H:%M:%S}"
        return {"付款账号": accounts[payer], "收款账号": accounts[payee], "金额": yuan, "时间": at, "用途": use}

    everyday = [paid(*dice.sample(firms + people, 2), f"{dice.randint(1, 5_000_000) / 100:,.2f}", dice.randint(0, 600)) for _ in range(120)]
    round_trip = [paid("C01", "C05", "950,000", 48), paid("C05", "C09", "９４０，０００.００", 96), paid("C09", "C02", "93万元", 168)]
    bad = [paid("C03", "C04", "12,5O", 5), {**paid("C03", "C04", "5", 5), "收款账号": "6222029999999999999"}]
    twins = [paid("C06", "C07", "88.80", 30)] * 2
    return {
        "companies": [
            {
                "企业编号": firm,
                "统一社会信用代码": uscc(n) if n != 20 else uscc(n)[:-1] + "?",
                "企业名称": f"第{n}贸易有限公司",
                "注册资本": f"{n * 100:,}.5",
                "成立日期": f"2010-01-{n:02}",
                "客户号": f"K{n:04}",
            }
            for n, firm in enumerate(firms, 1)
        ],
        "persons": [{"人员编号": p, "身份证号": cnid(n), "姓名": f"张{n}"} for n, p in enumerate(people, 1)],
        "accounts": [{"账号": a, "户主": o, "户主类型": "企业" if o in firms else "个人"} for o, a in accounts.items() if o != "C20"],
        "loans": [
            {"贷款号": f"L{n}", "借款企业": firm, "金额": "100万元", "时间": f"2024-05-{n + 10} 10:00:00"} for n, firm in enumerate(firms[:6], 1)
        ],
        "shareholders": [
            {"股东企业": "C01", "股东个人": "", "企业编号": "C02", "持股比例": "60%"},
            *({"股东企业": "", "股东个人": people[n % 12], "企业编号": firm, "持股比例": "40%"} for n, firm in enumerate(firms) if firm != "C20"),
        ],
        "officers": [
            {"人员编号": people[(n * 5) % 12], "企业编号": firm, "职务": "董事长", "法定代表人": "是"} for n, firm in enumerate(firms) if firm != "C20"
        ],
        "contacts": [{"企业编号": firm, "地址": f"人民路{n % 5}号", "电话": f"1391234{n:04}"} for n, firm in enumerate(firms) if firm != "C20"],
        "transfers": [t for t in everyday + round_trip + bad + twins if accounts["C20"] not in t.values()],
        "loan_flows": [
            {"贷款号": f"L{n}", "账号": accounts[firm], "金额": "1,000,000.00", "时间": f"2024-06-{n:02} 09:00:00"} for n, firm in enumerate(firms[:6], 1)
        ],
        "guarantees": [
            {"担保人": a, "被担保人": b, "金额": "50万元"}
            for a, b in (("C10", "C11"), ("C11", "C12"), ("C12", "C10"), ("C13", "C14"), ("C14", "C15"))
        ],
    }


def uscc(number: int) -> str:
    """Return a valid unified social credit code (GB 32100, with the organisation code of GB 11714 in it)."""
    body = f"{number:08}"
    rest = -sum(_ORGANISATION.index(c) * w for c, w in zip(body, (3, 7, 9, 10, 5, 8, 4, 2), strict=True)) % 11
    code = f"91110000{body}{'X' if rest == 10 else rest}"
    return code + _USCC[-sum(_USCC.index(c) * 3**place % 31 for place, c in enumerate(code)) % 31]


def cnid(number: int, region: str = "110105") -> str:
    """Return a valid identity card number (GB 11643)."""
    born = date(1960, 1, 1) + timedelta(days=number // 1000 + 37 * (number % 400))
    body = f"{region}{born:%Y%m%d}{number % 1000:03}"
    return body + ric.calc_check_digit(body + "0")


@pytest.fixture(scope="session")
def numbers() -> Any:
    """Makes valid numbers: ``numbers.uscc(n)``, ``numbers.cnid(n)``; ``numbers.town()`` gives the town's files."""

    class Numbers:
        uscc = staticmethod(uscc)
        cnid = staticmethod(cnid)
        town = staticmethod(town_files)
        settle = staticmethod(settle)
        emptied = staticmethod(emptied)
        now = staticmethod(lambda: datetime.now(UTC))

    return Numbers
