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
from .town import FIRST, SECOND, THIRD, UNKNOWN, firms, holding, known, payment, town_files

# -- gates, quarantine -----------------------------------------------------------------------------------------


def test_a_gate_stops_the_night_before_anything_is_changed(registry):
    registry.deliver("companies", firms("A", "B", "C"))
    registry.run(as_of=FIRST)
    before = (registry.tree(), registry.last_transaction())
    for gate, rows, said in (
        ({"min_rows": 4}, firms("A", "B", "C"), "3 rows, and [sources.gate] min_rows asks for 4"),
        ({"max_drop": 0.2}, firms("A", "B"), "2 rows after 3 in the last accepted delivery"),
        ({"max_rejects": 0.3}, [*firms("A", "B"), {"company": "", "name": "nobody"}], "1 of 3 rows refused"),
    ):
        registry.source("companies", gate=gate)
        registry.deliver("companies", rows)
        checked = registry.cli("check")
        result = registry.cli("run")
        assert (result.exit_code, said in result.stderr, result.stderr.count("Error:")) == (3, True, 1), gate
        assert (checked.exit_code, said in checked.stderr) == (3, True), gate
        assert (registry.tree(), registry.last_transaction()) == before, gate


@pytest.mark.parametrize(
    ("gate", "said"),
    [({"min_rows": 3}, "2 new rows, and [sources.gate] min_rows asks for 3"), ({"max_rejects": 0.4}, "1 of 2 new rows refused")],
)
def test_of_an_appending_source_the_gates_judge_what_is_new_however_much_lies_there(teller, gate, said):
    teller.source("transfers", path="landing/day*.csv", gate=gate)
    teller.deliver("day1", [payment(str(n), "ACC0", "ACC1") for n in range(10)])
    teller.run()
    assert teller.cli("run").exit_code == 0
    teller.deliver("day2", [payment("a", "ACC0", "ACC1"), payment("b", "ACC0", "NOBODY")])
    stopped = teller.cli("run")
    assert (stopped.exit_code, said in stopped.stderr) == (3, True)
    teller.deliver("day2", [payment(number, "ACC0", "ACC1") for number in "abc"])
    assert teller.cli("run").exit_code == 0


@pytest.mark.parametrize("unknown_end", ["quarantine", "stub"])
def test_accounts_that_two_files_place_at_different_banks_are_warned_of(teller, unknown_end):
    teller.source("transfers", unknown_end=unknown_end)
    teller.deliver("accounts", [{"account": "ACC0", "account_bank": "ICBC"}, {"account": "ACC1", "account_bank": ""}])
    teller.deliver("transfers", [payment("1", "ACC0", "ACC1"), payment("2", "ACC1", "ACC0"), payment("3", "ACC1", "ACC9")])
    warnings = {entry["source"]: entry["warnings"] for entry in teller.json("check", "--as-of", str(FIRST))["sources"]}
    assert warnings["accounts"] == []
    (said,) = warnings["transfers"]
    assert said.startswith("1 accounts are not registered at the bank")


def test_a_full_source_of_heads_alone_is_warned_of_where_nothing_was_there_before(registry):
    (registry.root / "landing" / "companies.csv").write_text("company,name\n")
    (entry,) = registry.run(as_of=FIRST).sources
    assert entry["warnings"] == ["no rows, only heads; a full delivery is all that there is"]


def test_a_source_that_is_in_the_settings_no_more_is_warned_of(registry):
    registry.deliver("companies", firms("A"))
    registry.run(as_of=FIRST)
    del registry.sources["companies"]
    registry.source("crm.companies", kind="companies", path="landing/companies.csv", record_id="company")
    (entry,) = registry.run(as_of=SECOND).sources
    assert [warning.split(";")[0] for warning in entry["warnings"]] == [
        "the source companies of the last run is not in the settings any more"
    ]


def test_a_check_tells_what_would_be_refused_by_column_and_rule(teller):
    teller.deliver("transfers", [payment("1", "ACC0", "ACC1"), payment("2", "ACC0", "ACC1", "sieben"), payment("3", "ACC0", "GONE1")])
    found = teller.json("check")["refused"]
    assert found == [
        {"source": "transfers", "column": "amount_fen", "rule": "money", "rows": 1},
        {"source": "transfers", "column": "payee", "rule": "unknown_end", "rows": 1},
    ]
    assert "unknown_end" in teller.cli("check").stdout


def test_a_file_that_is_called_after_a_person_is_told_of_without_the_number_in_its_name(teller):
    teller.source("transfers", path="landing/pay*.csv")
    teller.deliver("pay_13912345678", [payment("1", "ACC0", "NOBODY")])
    said = json.dumps([teller.run(as_of=FIRST).summary(), teller.record(), teller.json("quarantine", "list")], default=str)
    assert ("13912345678" in said, "pay_[phone].csv" in said) == (False, True)


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


def test_shares_above_the_whole_are_a_warning_and_rounding_is_none(owners):
    owners.deliver("companies", firms("A", "B", "C", "D"))
    owners.deliver("shareholders", [holding(h, "D", s) for h, s in (("A", "60%"), ("B", "50%"))] + [holding("A", "C", "100.00005%")])
    said = owners.json("check", "--as-of", str(FIRST))
    assert (set(said), said["as_of"]) == ({"as_of", "sources", "refused"}, str(FIRST))
    checked = said["sources"]
    assert set(checked[0]) == {"source", "rows", "accepted", "quarantined", "warnings"}
    (warning,) = checked[1]["warnings"]
    assert "company:bank:D" in warning
    assert "company:bank:C" not in warning
    assert owners.runs() == []


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


def test_earlier_runs_are_listed_compared_made_again_and_pruned(town):
    first = town.run()
    town.deliver("guarantees", [{"担保人": "C10", "被担保人": "C11", "金额": "50万元"}])
    second = town.run()
    assert {flag["reason"] for flag in town.flags()} == {"LOAN_MONEY_RETURNED"}

    listed = town.json("runs", "list")["runs"]
    assert [run["run_id"] for run in listed] == [first.run_id, second.run_id]
    shown = town.json("runs", "show", first.run_id)
    assert (shown["as_of"], shown["results"]["flag"]["flags"]) == ("2024-06-25", 5)
    changed = {row["table"]: (row["new"], row["ended"]) for row in town.json("runs", "diff", first.run_id)["tables"]}
    assert changed["records/guarantees"] == changed["graph/GUARANTEES"] == (0, 4)
    assert changed["derived/flags"] == changed["graph/FLAGGED"] == (0, 3)
    assert "records/transfers" not in changed

    for run_id in (first.run_id, second.run_id):
        made = town.json("runs", "replay", run_id)
        assert (made["differences"], made["same_code"]) == ([], True)
    (town.root / "export" / first.run_id / "flags.csv").write_bytes(b"other")
    broken = town.cli("runs", "replay", first.run_id)
    assert (broken.exit_code, f"export/{first.run_id}/flags.csv" in broken.stdout) == (5, True)

    pruned = town.json("runs", "prune", "--keep", "1")
    assert (set(pruned), pruned["pruned"]) == ({"pruned", "files_removed"}, [first.run_id])
    gone = town.cli("runs", "replay", first.run_id)
    assert (gone.exit_code, "was pruned" in gone.stderr) == (1, True)
    assert town.json("runs", "replay", second.run_id)["differences"] == []
    assert town.cli("store", "verify").exit_code == 0
    assert town.run().results["load"]["inserted"] == 0


def test_the_planted_schemes_are_flagged_signed_and_handed_over(town):
    outcome = town.run()
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
    assert town.one("MATCH ()-[r]->() WHERE r.id IN $ids RETURN count(r)", ids=evidence) == len(evidence)
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


def test_a_workspace_without_a_date_says_what_to_do_whether_it_is_run_or_checked(registry):
    registry.deliver("companies", firms("A"))
    run, checked = registry.cli("run"), registry.cli("check")
    assert (run.exit_code, "--as-of YYYY-MM-DD" in run.stderr) == (3, True)
    assert (checked.exit_code, checked.stderr.splitlines()[-1]) == (3, run.stderr.splitlines()[-1])
    given = registry.cli("check", "--as-of", str(FIRST))
    assert (given.exit_code, f"the business date is {FIRST}" in given.stdout) == (0, True)
    registry.run(as_of=SECOND)
    assert registry.cli("check").exit_code == 0
    earlier = registry.cli("check", "--as-of", str(FIRST))
    assert (earlier.exit_code, "a night never goes back" in earlier.stderr) == (3, True)


def test_a_workspace_without_sources_is_wrong_usage_whether_it_is_run_or_checked(bank):
    for words in (["run"], ["check"], ["run", "--dry-run"]):
        said = bank.cli(*words)
        assert (said.exit_code, "kgfraud.toml names no [[sources]]" in said.stderr) == (2, True)
    assert bank.runs() == []


def test_a_setting_that_no_row_could_meet_is_wrong_usage_before_any_file_is_read(registry):
    registry.source("accounts", record_id="account", constants={"owner_kind": "compny"})
    for words in (["run"], ["check"]):
        said = registry.cli(*words)
        assert said.exit_code == 2, said.stderr
        assert "source accounts: 'owner_kind' cannot be \"compny\"; did you mean 'company'?" in said.stderr
        assert "kgfraud.toml line " in said.stderr


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
