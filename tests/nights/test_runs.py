"""Gates, quarantine, earlier runs, and the graph between two nights."""

import csv
import fcntl
import json
import signal
import subprocess
import sys
import time

import pytest

from .bank import emptied
from .town import FIRST, SECOND, THIRD, UNKNOWN, firms, holding, known, payment, settle, town_files

# -- gates, quarantine -----------------------------------------------------------------------------------------


def test_what_was_refused_is_listed_shown_exported_and_comes_in_once_the_mapping_is_mended(teller):
    teller.source("transfers", columns={"amount_fen": {"column": "amount_fen", "unit": "元"}})
    teller.deliver("transfers", [payment("1", "ACC0", "ACC1"), payment("2", "ACC0", "ACC1", "sieben"), payment("3", "ACC0", "GONE1")])
    teller.run()
    (teller.root / "landing" / "transfers.csv").unlink()

    listed = teller.json("quarantine", "list")
    assert {(row["source"], row["line"], row["column"], row["rule"]) for row in listed["rows"]} == {
        ("transfers", 3, "amount_fen", "money"),
        ("transfers", 4, "payee", "unknown_end"),
    }
    assert [row["file"] for row in teller.json("quarantine", "show", "transfers")["rows"]] == ["transfers.csv"] * 2
    out = teller.root / "refused.csv"
    assert teller.cli("quarantine", "export", "--output", str(out)).exit_code == 0
    assert out.stat().st_mode & 0o777 == 0o600
    with out.open(encoding="utf-8", newline="") as file:
        assert {row["number"]: row["payee"] for row in csv.DictReader(file)} == {"2": "ACC1", "3": "GONE1"}

    teller.source("transfers", columns={"amount_fen": {"column": "amount_fen", "unit": "元", "values": {"sieben": "7"}}})
    result = teller.cli("quarantine", "replay")
    assert result.exit_code == 0, result.stderr
    assert [row["rule"] for row in teller.refused()] == ["unknown_end"]
    assert teller.one("MATCH ()-[r:TRANSFERRED_TO]->() RETURN sum(r.amount_fen)") == 107_00


# -- runs ------------------------------------------------------------------------------------------------------


def test_a_dry_run_leaves_nothing_behind(registry):
    registry.deliver("companies", firms("A"))
    registry.run(as_of=FIRST)
    before = (registry.tree(), registry.content(), registry.last_transaction())
    registry.deliver("companies", firms("A", "B"))
    outcome = registry.run(as_of=SECOND, dry_run=True)
    assert (outcome.run_id, outcome.results["load"]["inserted"]) == (None, 1)
    assert registry.content() == before[1]
    assert registry.last_transaction() == before[2]
    assert {path for path in registry.tree() if path.startswith(("runs", "export"))} == {
        p for p in before[0] if p.startswith(("runs", "export"))
    }
    assert registry.run(as_of=SECOND).results["load"]["inserted"] == 1
    assert known(registry) == ["A", "B"]


def test_one_stage_alone_is_done_for_the_last_run(registry):
    registry.deliver("companies", firms("A", "B"))
    registry.run(as_of=FIRST)
    emptied(registry.server)
    result = registry.cli("run", "--only", "publish")
    assert result.exit_code == 0, result.stderr
    assert (known(registry), len(registry.runs())) == (["A", "B"], 1)
    wrong = registry.cli("run", "--only", "publsh")
    assert (wrong.exit_code, "did you mean 'publish'?" in wrong.stderr) == (2, True)


def test_two_runs_at_the_same_time_are_refused_and_the_lock_dies_with_its_process(registry):
    registry.deliver("companies", firms("A"))
    hold = "import fcntl, sys, time; f = open(sys.argv[1], 'a+'); fcntl.flock(f, fcntl.LOCK_EX); print('held', flush=True); time.sleep(60)"
    other = subprocess.Popen([sys.executable, "-c", hold, str(registry.root / "runs" / ".lock")], stdout=subprocess.PIPE, text=True)
    with other:
        assert other.stdout.readline() == "held\n"
        refused = registry.cli("run", "--as-of", "2024-03-01")
        other.kill()
    assert (refused.exit_code, "is at work on this workspace" in refused.stderr) == (1, True)
    assert registry.cli("run", "--as-of", "2024-03-01").exit_code == 0
    with (registry.root / "runs" / ".lock").open("a+") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_reading_commands_leave_a_night_that_is_under_way_alone(registry):
    registry.deliver("companies", firms("A"))
    registry.run(as_of=FIRST)
    registry.deliver("companies", firms("A", "B"))
    night = registry.start("run", "--as-of", str(SECOND))
    while not list((registry.root / ".staging").rglob("*.parquet")):
        assert night.poll() is None
        time.sleep(0.001)
    night.send_signal(signal.SIGSTOP)
    for words in (["check"], ["runs", "diff", registry.runs()[0]], ["runs", "replay"], ["quarantine", "list"], ["store", "verify"]):
        said = registry.cli(*words)
        assert said.exit_code == 0, (words, said.stderr)
    night.send_signal(signal.SIGCONT)
    _, stderr = night.communicate(timeout=120)
    assert night.returncode == 0, stderr
    assert known(registry) == ["A", "B"]


@pytest.fixture(scope="module")
def first_night(module_bank):
    """A small town after its first night, and the relationships that Neo4j held then."""
    settle(module_bank)
    outcome = module_bank.run()
    return module_bank, outcome, {row["id"] for row in module_bank.ask("MATCH ()-[r]->() RETURN r.id AS id")}


def test_earlier_runs_are_listed_compared_made_again_and_pruned(first_night, tmp_path):
    before, first, _ = first_night
    emptied(before.server)
    town = before.copy(tmp_path / "town")
    town.deliver("guarantees", [{"担保人": "C10", "被担保人": "C11", "金额": "50万元"}])
    second = town.run()
    assert {flag["reason"] for flag in town.flags()} == {"LOAN_MONEY_RETURNED"}

    listed = town.json("runs", "list")["runs"]
    assert [run["run_id"] for run in listed] == [first.run_id, second.run_id]
    shown = town.json("runs", "show", first.run_id)
    assert (shown["as_of"], shown["results"]["flag"]["flags"]) == ("2024-06-26", 5)
    changed = {row["table"]: (row["new"], row["ended"]) for row in town.json("runs", "diff", first.run_id)["tables"]}
    assert changed["records/guarantees"] == changed["graph/GUARANTEES"] == (0, 4)
    assert changed["derived/flags"] == changed["graph/FLAGGED"] == (0, 3)
    assert "records/transfers" not in changed

    made = town.json("runs", "replay", first.run_id)
    assert (made["differences"], made["same_code"]) == ([], True)
    (town.root / "export" / first.run_id / "flags.csv").write_bytes(b"other")
    broken = town.cli("runs", "replay", first.run_id)
    assert (broken.exit_code, f"export/{first.run_id}/flags.csv" in broken.stdout) == (5, True)

    pruned = town.json("runs", "prune", "--keep", "1")
    assert (set(pruned), pruned["pruned"]) == ({"pruned", "files_removed"}, [first.run_id])
    gone = town.cli("runs", "replay", first.run_id)
    assert (gone.exit_code, "was pruned" in gone.stderr) == (1, True)
    made = town.json("runs", "replay", second.run_id)
    assert (made["differences"], made["same_code"]) == ([], True)
    assert town.cli("store", "verify").exit_code == 0
    assert town.run().results["load"]["inserted"] == 0


def test_the_planted_schemes_are_flagged_signed_and_handed_over(first_night):
    town, outcome, published = first_night
    flags = {(flag["customer_ref"], flag["reason"]) for flag in town.flags()}
    assert flags == {
        *((customer, "LOAN_MONEY_RETURNED") for customer in ("K0001", "K0002")),
        *((customer, "GUARANTEE_CIRCLE") for customer in ("K0010", "K0011", "K0012")),
    }
    (amount,) = {flag["amount_fen"] for flag in town.flags() if flag["reason"] == "LOAN_MONEY_RETURNED"}
    assert amount == 930_000_00
    folder = town.root / "export" / outcome.run_id
    assert town.cli("verify", str(folder)).exit_code == 0
    evidence = json.loads((folder / "flags.jsonl").read_text(encoding="utf-8").splitlines()[0])["evidence"]
    assert set(evidence) <= published
    assert {(row["source"], row["line"], row["rule"]) for row in town.refused()} == {
        ("companies", 21, "uscc"),
        *(("transfers", line, rule) for line, rule in refused_transfers(town_files()["transfers"])),
    }


def refused_transfers(rows):
    """Yield the lines of the two transfers that are wrong in themselves or name an account that nobody knows."""
    for line, row in enumerate(rows, 2):
        if row["金额"] == "12,5O":
            yield line, "money"
        if row["收款账号"] == UNKNOWN:
            yield line, "unknown_end"


# -- what analysts put in --------------------------------------------------------------------------------------


def test_what_analysts_put_in_the_graph_is_never_touched(owners):
    owners.deliver("companies", firms("A", "B", "C"))
    owners.deliver("shareholders", [holding("A", "B"), holding("A", "C")])
    owners.run(as_of=FIRST)
    owners.ask("MATCH (a:Company {id: 'company:bank:A'}), (b:Company {id: 'company:bank:B'}) SET b:Watched, b.note = 'ask Li', a.seen = 3")
    owners.ask(
        "MATCH (b:Watched), (c:Company {id: 'company:bank:C'}) CREATE (b)-[:KNOWS {since: 2020}]->(c), (:Memo {text: 'mine'})-[:ON]->(b)"
    )

    owners.deliver("companies", [{"company": "A", "name": "A renamed"}, {"company": "C", "name": "C Ltd"}])
    owners.deliver("shareholders", [holding("A", "C")])
    owners.run(as_of=SECOND)
    assert owners.one("MATCH (a:Company {id: 'company:bank:A'}) RETURN [a.name, a.seen]") == ["A renamed", 3]
    theirs = "MATCH (m:Memo)-[:ON]->(b:Watched)-[k:KNOWS]->(c:Company) RETURN [m.text, b.note, k.since, c.id]"
    assert owners.one(theirs) == ["mine", "ask Li", 2020, "company:bank:C"]
    assert known(owners) == ["A", "C"]
    assert owners.cli("store", "verify").exit_code == 0

    owners.deliver("companies", firms("A", "B", "C"))
    owners.run(as_of=THIRD)
    assert (known(owners), owners.one(theirs)[:3]) == (["A", "B", "C"], ["mine", "ask Li", 2020])
    assert owners.one("MATCH (b:Company:Watched) RETURN b.name") == "B Ltd"


def test_what_is_wrong_in_neo4j_is_named_and_mended(owners):
    owners.deliver("companies", firms("A", "B", "C"))
    owners.deliver("shareholders", [holding("A", "B"), holding("A", "C")])
    owners.run(as_of=FIRST)
    owners.ask("MATCH (a:Company {id: 'company:bank:A'}) SET a.name = 'forged' CREATE (:Company:Party {id: 'company:bank:Z'})")
    owners.ask("MATCH ()-[r:HOLDS_SHARES]->(:Company {id: 'company:bank:C'}) DELETE r")
    found = owners.cli("store", "verify")
    assert (found.exit_code, "different: Company company:bank:A name" in found.stdout) == (5, True)
    assert ("surplus: Company company:bank:Z" in found.stdout, "missing: HOLDS_SHARES shareholders/" in found.stdout) == (True, True)
    mended = owners.cli("publish", "--repair")
    assert mended.exit_code == 0, mended.stderr
    assert owners.cli("store", "verify").exit_code == 0
    assert known(owners) == ["A", "B", "C"]


def test_a_replay_in_which_nothing_is_good_changes_nothing_and_commits_no_run(teller):
    teller.deliver("transfers", [payment("1", "ACC0", "ACC1"), payment("2", "ACC0", "ACC1", "sieben")])
    teller.run()
    before = (teller.tree(), teller.last_transaction())
    said = teller.json("quarantine", "replay")
    assert (said["run_id"], said["results"]["load"]) == (None, {"judged": 1, "brought_in": 0, "released": 0, "superseded": 0})
    assert (teller.tree(), teller.last_transaction()) == before

    teller.source("transfers", columns={"amount_fen": {"column": "amount_fen", "values": {"sieben": "7"}}})
    assert teller.json("quarantine", "replay")["results"]["load"]["released"] == 1
    assert len(teller.runs()) == 2
    before = teller.tree()
    again = teller.cli("quarantine", "replay")
    assert (again.exit_code, "nothing that was refused is good now" in again.stdout) == (0, True)
    assert teller.tree() == before


def test_a_replay_where_nothing_was_ever_refused_is_no_error(registry):
    early = registry.cli("quarantine", "replay")
    assert (early.exit_code, "no run was committed yet" in early.stderr) == (1, True)
    registry.deliver("companies", firms("A"))
    registry.run(as_of=FIRST)
    assert registry.json("quarantine", "replay")["run_id"] is None
    assert len(registry.runs()) == 1
