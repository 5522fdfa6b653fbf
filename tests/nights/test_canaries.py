"""Canaries: fifty clear identifiers in every personal column, and a search of every byte that a night leaves behind."""

import csv
import json
import random
import re
from functools import cache
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from loaders.sources import KINDS

from .town import cnid

pytestmark = pytest.mark.untraced

MANY = 50
#: How many characters every spelling of a canary has at least.
END = 8
WIDE = str.maketrans({chr(n): chr(n + 0xFEE0) for n in range(0x21, 0x7F)})
FORMS = {
    "cnid": lambda n: cnid(n, region="999999"),
    "phone": lambda n: f"1390{n:07}",
    "email": lambda n: f"canary{n:05}@birds.example.cn",
    "account": lambda n: f"62258800{n:011}",
    "device": lambda n: f"DEV-{n:05}-CANARY",
}
#: Columns of a source's own numbers and words, in which an identifier has no business.
OWN = ("code", "company", "person", "loan", "court_case")
PLAIN = {
    "money": "12.50",
    "share": "0.1",
    "integer": "1",
    "date": "2024-01-02",
    "timestamp": "2024-01-02 03:04:05",
    "flag": "true",
    "uscc": "",
}


class Flock:
    """All canaries of a night, each used once, by what they are and where they were planted."""

    def __init__(self):
        self.next = iter(random.Random(3).sample(range(100_000), 20_000))
        self.clear: dict[str, set[str]] = {name: set() for name in FORMS}
        self.sealed: set[str] = set()

    def new(self, form):
        canary = FORMS[form](next(self.next))
        self.clear[form].add(canary)
        return canary

    def all(self):
        return set().union(*self.clear.values())


def cell(column, n, flock):
    """Return a good value of a column: a canary, often in full width, where it is personal, a sentence full of them in free text."""
    if column.type in FORMS:
        canary = flock.new(column.type)
        return canary.translate(WIDE) if n % 2 else canary
    if column.type == "text" or (column.type == "name" and n % 2):
        said = [flock.new(form) for form in ("cnid", "phone", "email", "account")]
        return f"联系{said[1]}，邮箱{said[2]}，身份证{said[0]}，卡号 {said[3]}。"
    if column.type == "person" and n % 3 == 0:
        return flock.new("cnid")  # a source's own number of a person may be an identity card's
    if column.name.endswith("_bank"):
        return ""
    if column.values:
        return column.values[0]
    if column.name == "customer_ref" and n % 7 == 5:
        return f"K-{flock.new('cnid')}-1"
    if n % 7 == 3 and column.type in OWN:
        return flock.new("cnid" if column.name == "customer_ref" else ("phone", "email", "cnid")[n // 7 % 3])
    return PLAIN.get(column.type, f"{column.name}{n}" if column.type in ("party", "person") else f"{column.type[0].upper()}{n}")


def planted(kind, flock):
    """Return the rows of a kind: fifty good ones, and for each column that can be wrong some with a canary in it."""
    good = [{c.name: cell(c, n, flock) for c in kind.columns if c.name != "valid_to"} for n in range(MANY)]
    bad = []
    for column in kind.own:
        if column.type in ("money", "date", "timestamp", "share", "integer", "flag"):
            # a phone alone may well be an amount, so there it is no fault
            for form in ("account", "cnid", "email", *(() if column.type == "money" else ("phone",))):
                canary = flock.new(form)
                bad += [{**good_row(kind, flock), column.name: spelled} for spelled in {canary, canary.translate(WIDE), spaced(canary)}]
                flock.sealed.add(canary)
        elif column.required and column.type in FORMS:
            bad.append({**good_row(kind, flock), column.name: ""})
            flock.sealed.update(value for value in bad[-1].values() if value in flock.all())
    return good + bad


def good_row(kind, flock):
    return {c.name: cell(c, 0, flock) for c in kind.columns if c.name != "valid_to"}


def spaced(canary):
    """Return a number as people write it, in groups of four."""
    return " ".join(re.findall(".{1,4}", canary)) if canary.isdigit() else canary


@pytest.fixture(scope="module")
def flock():
    return Flock()


@pytest.fixture(scope="module")
def night(module_bank, flock):
    """A night over all kinds, in a process of its own whose log is kept."""
    for kind in KINDS:
        serial = {"record_id": "流水号"} if kind.name == "transfers" else {}
        module_bank.source(kind.name, unknown_end="stub", mode="append", **serial)
        rows = planted(kind, flock)
        module_bank.deliver(kind.name, [{**row, "流水号": flock.new("phone")} for row in rows] if serial else rows)
    process = module_bank.start("run", "--json")
    module_bank.out, module_bank.err = process.communicate(timeout=300)
    assert process.returncode == 0, module_bank.err
    return module_bank


@cache
def spellings(canary):
    return {canary, canary.lower(), canary.translate(WIDE), spaced(canary), canary.replace("-", "")}


def singing(text: str, flock) -> list[str]:
    """Return the canaries in a text; a spelling is looked for where its last ``END`` characters stand, so that thousands cost little."""
    ends = {text[at : at + END] for at in range(len(text) - END + 1)}
    return sorted(canary for canary in flock.all() if any(spelled[-END:] in ends and spelled in text for spelled in spellings(canary)))


def left_behind(bank):
    """Yield every file that the night left, as it is and with its columns unpacked; the deliveries and settings were there before."""
    before = {"landing", "keys", "kgfraud.toml", "neo4j.password"}
    for path in sorted(p for p in bank.root.rglob("*") if p.is_file() and p.relative_to(bank.root).parts[0] not in before):
        yield path, path.read_bytes().decode("utf-8", "replace")
        if path.suffix == ".parquet":
            yield path, json.dumps(pq.read_table(path).to_pylist(), ensure_ascii=False, default=repr)


def test_the_canaries_were_all_read(night, flock):
    assert all(len(canaries) >= MANY for canaries in flock.clear.values())
    assert min(len(spelled) for canary in flock.all() for spelled in spellings(canary)) >= END
    canary = max(flock.all())
    assert singing(f"so {canary.translate(WIDE)} sings", flock) == [canary]
    told = {entry["source"]: entry for entry in json.loads(night.out)["sources"]}
    assert all(told[kind.name]["accepted"] >= MANY for kind in KINDS), {name: entry["accepted"] for name, entry in told.items()}
    assert sum(entry["quarantined"] for entry in told.values()) >= MANY


def test_no_file_that_the_night_left_holds_a_canary(night, flock):
    assert {str(path.relative_to(night.root)): birds[:3] for path, text in left_behind(night) if (birds := singing(text, flock))} == {}


def test_no_canary_is_in_what_the_night_said(night, flock):
    assert singing(night.out, flock) == []
    assert singing(night.err, flock) == []


def test_no_canary_is_in_neo4j(night, flock):
    said = night.ask("MATCH (n) RETURN labels(n) AS labels, properties(n) AS row")
    said += night.ask("MATCH ()-[r]->() RETURN type(r) AS type, properties(r) AS row")
    assert len(said) > 10 * MANY
    assert singing(json.dumps(said, ensure_ascii=False, default=str), flock) == []


def test_no_command_that_shows_the_quarantine_shows_a_canary(night, flock):
    said = night.cli("quarantine", "list").output + night.cli("quarantine", "list", "--json").output
    said += "".join(night.cli("quarantine", "show", kind.name).output for kind in KINDS)
    assert "transfers" in said
    assert singing(said, flock) == []


def test_the_refused_rows_are_given_back_in_clear_to_who_asks_for_them(night, flock):
    out = Path(night.root / "clear.csv")
    exported = night.cli("quarantine", "export", "--output", str(out))
    assert exported.exit_code == 0, exported.stderr
    try:
        with out.open(encoding="utf-8", newline="") as file:
            text = "\n".join(value for row in csv.DictReader(file) for value in row.values() if value)
    finally:
        out.unlink()
    lost = [canary for canary in flock.sealed if not any(spelled in text for spelled in spellings(canary))]
    assert lost == []


@pytest.mark.parametrize("form", FORMS)
def test_a_clear_value_leads_to_its_node(night, flock, form):
    label = {"cnid": "Person", "phone": "Contact", "email": "Contact", "account": "Account", "device": "Device"}[form]
    column = {"cnid": "cnid", "phone": "phone", "email": "email", "account": "account", "device": "device"}[form]
    kind = {"cnid": "persons", "phone": "contacts", "email": "contacts", "account": "accounts", "device": "devices"}[form]
    with (night.root / "landing" / f"{kind}.csv").open(encoding="utf-8", newline="") as file:
        clear = [row[column] for row in csv.DictReader(file)][:4]
    for value in clear:
        id_ = night.cli("id", form, stdin=f"{value}\n").stdout.strip()
        assert night.one(f"MATCH (n:{label} {{id: $id}}) RETURN count(n)", id=id_) == 1
    asked = night.cli("query", f"MATCH (n:{label} {{id: $x}}) RETURN n.id AS id", "-p", f"x=@{form}:-", "--json", stdin=f"{clear[0]}\n")
    if form != "cnid":
        assert len(json.loads(asked.stdout)["rows"]) == 1


def test_what_is_staged_while_the_night_reads_holds_no_canary(night, flock):
    process = night.start()
    staging, seen = night.root / ".staging", {}
    while process.poll() is None and len(seen) < 12:
        for path in staging.rglob("*.parquet"):
            seen[path.name] = path
    process.kill()
    process.communicate()
    assert seen
    for path in staging.rglob("*"):
        if path.is_file():
            assert singing(path.read_bytes().decode("utf-8", "replace"), flock) == [], path.name
