"""What a night makes of the deliveries after the first: closed, replaced, renamed, refused, replayed."""

import csv
import fcntl
import json
import subprocess
import sys
from datetime import date

import pytest

from kg.errors import GateError, KgfraudError

FIRST, SECOND, THIRD = date(2024, 3, 1), date(2024, 3, 2), date(2024, 3, 3)
IDS = "MATCH (n:Company) RETURN n.id AS id ORDER BY id"


def firms(*names, **more):
    return [{"company": name, "name": f"{name} Ltd", **more} for name in names]


def holding(holder, company, share="30%"):
    return {"holder": holder, "company": company, "share_ppm": share}


def payment(number, payer, payee, amount="100", at="2024-02-01 12:00:00"):
    return {"number": number, "payer": payer, "payee": payee, "amount_fen": amount, "at": at}


@pytest.fixture
def registry(bank):
    """A bank that knows companies by their own numbers."""
    bank.source("companies", record_id="company")
    return bank


@pytest.fixture
def owners(registry):
    """A bank that knows who holds which company."""
    registry.source("shareholders", constants={"holder_kind": "company"})
    return registry


@pytest.fixture
def teller(bank):
    """A bank with four accounts and payments that are known by their numbers."""
    bank.source("accounts", record_id="account")
    bank.source("transfers", mode="append", record_id="number")
    bank.deliver("accounts", [{"account": f"ACC{n}"} for n in range(4)])
    return bank


def known(bank):
    return [row["id"].rpartition(":")[2] for row in bank.ask(IDS)]


# -- full, append, upsert --------------------------------------------------------------------------------------


def test_a_full_source_closes_what_disappeared_and_what_comes_back_is_a_new_row(owners):
    owners.deliver("companies", firms("A", "B", "C"))
    owners.deliver("shareholders", [holding("A", "B"), holding("A", "C")])
    first = owners.run(as_of=FIRST)
    assert known(owners) == ["A", "B", "C"]

    owners.deliver("companies", firms("A", "C"))
    owners.deliver("shareholders", [holding("A", "C")])
    second = owners.run(as_of=SECOND)
    (gone,) = [row for row in owners.table("graph/Company") if row["last_run"]]
    assert (gone["id"], gone["valid_to"], gone["first_run"], gone["last_run"]) == ("company:bank:B", SECOND, first.run_id, second.run_id)
    assert [row["valid_to"] for row in owners.table("graph/HOLDS_SHARES") if row["last_run"]] == [SECOND]
    assert (known(owners), owners.one("MATCH ()-[r:HOLDS_SHARES]->() RETURN count(r)")) == (["A", "C"], 1)

    owners.deliver("companies", firms("A", "B", "C"))
    owners.run(as_of=THIRD)
    rows = sorted((row["valid_from"] or date.min, row["valid_to"]) for row in owners.table("records/companies") if row["company"].endswith("B"))
    assert rows == [(date.min, SECOND), (THIRD, None)]
    assert known(owners) == ["A", "B", "C"]


def test_a_full_source_keeps_the_old_word_where_the_new_one_is_refused(registry):
    registry.deliver("companies", firms("A", capital_fen="100") + firms("B", capital_fen="200") + firms("C", capital_fen="300"))
    registry.run(as_of=FIRST)
    registry.deliver("companies", firms("A", capital_fen="one hundred") + firms("B", capital_fen="250"))
    registry.run(as_of=SECOND)
    capital = {row["id"]: row["fen"] for row in registry.ask("MATCH (n:Company) RETURN n.id AS id, n.capital_fen AS fen")}
    assert capital == {"company:bank:A": 100_00, "company:bank:B": 250_00}
    assert [(row["line"], row["column"], row["rule"]) for row in registry.refused()] == [(2, "capital_fen", "money")]
    registry.deliver("companies", firms("A", capital_fen="110") + firms("B", capital_fen="250"))
    registry.run(as_of=THIRD)
    assert registry.refused() == []
    assert registry.one("MATCH (n:Company {id: 'company:bank:A'}) RETURN n.capital_fen") == 110_00


def test_an_appending_source_is_idempotent_by_record_id_and_refuses_a_changed_word(teller):
    teller.deliver("transfers", [payment("1", "ACC0", "ACC1"), payment("2", "ACC1", "ACC2")])
    teller.run()
    teller.deliver("transfers", [payment("2", "ACC1", "ACC2"), payment("3", "ACC2", "ACC3")])
    assert teller.run().sources[-1]["inserted"] == 1
    assert teller.one("MATCH ()-[r:TRANSFERRED_TO]->() RETURN count(r)") == 3
    teller.deliver("transfers", [payment("3", "ACC2", "ACC3", amount="999")])
    teller.run()
    assert {row["rule"] for row in teller.refused()} == {"changed"}
    assert teller.one("MATCH ()-[r:TRANSFERRED_TO]->() RETURN sum(r.amount_fen)") == 300_00


def test_an_upserting_source_replaces_what_it_names_and_leaves_the_rest(registry):
    registry.source("companies", mode="upsert")
    registry.deliver("companies", firms("A", "B", "C"))
    registry.run(as_of=FIRST)
    registry.deliver("companies", [{"company": "B", "name": "B new"}, {"company": "D", "name": "D Ltd"}])
    registry.run(as_of=SECOND)
    names = {row["id"][-1]: row["name"] for row in registry.ask("MATCH (n:Company) RETURN n.id AS id, n.name AS name")}
    assert names == {"A": "A Ltd", "B": "B new", "C": "C Ltd", "D": "D Ltd"}
    (old,) = [row for row in registry.table("records/companies") if row["last_run"]]
    assert (old["name"], old["valid_to"]) == ("B Ltd", SECOND)


# -- ids -------------------------------------------------------------------------------------------------------


def test_equal_rows_without_a_named_id_all_stay_and_the_same_delivery_changes_nothing(teller):
    del teller.sources["transfers"]["record_id"]
    teller.source("transfers", mode="full")
    three = [payment("", "ACC0", "ACC1")] * 3
    teller.deliver("transfers", three)
    teller.run()
    before = teller.content()
    assert teller.one("MATCH ()-[r:TRANSFERRED_TO]->() RETURN sum(r.amount_fen)") == 300_00
    again = teller.run()
    assert (again.results["load"]["inserted"], again.results["load"]["closed"]) == (0, 0)
    assert teller.content() == before
    teller.deliver("transfers", three[:2])
    assert teller.run().results["load"]["closed"] == 1
    assert teller.one("MATCH ()-[r:TRANSFERRED_TO]->() RETURN count(r)") == 2


def test_only_the_repetition_of_a_named_id_is_refused(registry):
    registry.deliver("companies", [*firms("A", "B"), {"company": "A", "name": "A again"}, {"company": "A", "name": "A Ltd"}])
    registry.run(as_of=FIRST)
    assert [(row["line"], row["column"], row["rule"]) for row in sorted(registry.refused(), key=lambda r: r["line"])] == [
        (4, "record_id", "duplicate"),
        (5, "record_id", "duplicate"),
    ]
    assert registry.one("MATCH (n:Company {id: 'company:bank:A'}) RETURN n.name") == "A Ltd"


def test_a_company_that_gets_its_code_is_known_by_it_and_nothing_is_doubled(owners, numbers):
    code = numbers.uscc(77)
    owners.deliver("companies", [{"company": "A", "name": "A Ltd", "uscc": ""}, {"company": "B", "name": "B Ltd", "uscc": numbers.uscc(5)}])
    owners.deliver("shareholders", [holding("A", "B"), holding("B", "A", "20%")])
    owners.run(as_of=FIRST)
    edges = "MATCH (a)-[r:HOLDS_SHARES]->(b) RETURN a.id AS a, b.id AS b, r.share_ppm AS ppm ORDER BY ppm"
    other = f"company:uscc:{numbers.uscc(5)}"
    assert [tuple(row.values()) for row in owners.ask(edges)] == [(other, "company:bank:A", 200_000), ("company:bank:A", other, 300_000)]

    owners.deliver("companies", [{"company": "A", "name": "A Ltd", "uscc": code}, {"company": "B", "name": "B Ltd", "uscc": numbers.uscc(5)}])
    owners.run(as_of=SECOND)
    new = f"company:uscc:{code}"
    assert [tuple(row.values()) for row in owners.ask(edges)] == [(other, new, 200_000), (new, other, 300_000)]
    assert [row["id"] for row in owners.ask(IDS)] == sorted([new, other])
    assert owners.cli("store", "verify").exit_code == 0


def test_a_company_is_found_by_its_number_its_code_and_its_name(owners, numbers):
    owners.source("by_code", kind="shareholders", path="landing/by_code.csv", constants={"holder_kind": "company"})
    owners.source("by_code", columns={"company": {"column": "code", "by": "uscc"}})
    owners.source("by_name", kind="shareholders", path="landing/by_name.csv", constants={"holder_kind": "company"})
    owners.source("by_name", columns={"company": {"column": "title", "by": "name"}})
    owners.deliver("companies", [{"company": "A", "name": "甲公司", "uscc": numbers.uscc(1)}, {"company": "B", "name": "乙公司", "uscc": ""}])
    owners.deliver("shareholders", [holding("B", "A")])
    owners.deliver("by_code", [{"holder": "B", "code": numbers.uscc(1), "share_ppm": "0.1"}])
    owners.deliver("by_name", [{"holder": "B", "title": "甲公司", "share_ppm": "0.2"}, {"holder": "B", "title": "丙公司", "share_ppm": "0.2"}])
    owners.run(as_of=FIRST)
    ends = owners.ask("MATCH (a)-[r:HOLDS_SHARES]->(b) RETURN a.id AS a, b.id AS b, r.share_ppm AS ppm ORDER BY ppm")
    assert [tuple(row.values()) for row in ends] == [
        ("company:bank:B", f"company:uscc:{numbers.uscc(1)}", ppm) for ppm in (100_000, 200_000, 300_000)
    ]
    assert [(row["source"], row["line"], row["rule"]) for row in owners.refused()] == [("by_name", 3, "unknown_end")]


def test_two_sources_speak_of_one_company_and_the_first_named_is_trusted_more(registry, numbers):
    registry.source("tax.companies", kind="companies", path="landing/tax.csv", record_id="uscc")
    code = numbers.uscc(8)
    registry.deliver("companies", [{"company": "A", "name": "A of the bank", "uscc": code, "industry": ""}])
    registry.deliver("tax", [{"uscc": code, "name": "A of the tax office", "industry": "C26"}])
    registry.run(as_of=FIRST)
    found = "MATCH (n:Company) RETURN n.id AS id, n.name AS name, n.industry AS industry"
    assert registry.ask(found) == [{"id": f"company:uscc:{code}", "name": "A of the bank", "industry": "C26"}]
    registry.deliver("companies", firms("B"))
    registry.run(as_of=SECOND)
    assert {"id": f"company:uscc:{code}", "name": "A of the tax office", "industry": "C26"} in registry.ask(found)
    assert registry.one("MATCH (n:Company) RETURN count(n)") == 2


def test_an_unknown_end_may_be_a_stub_until_somebody_registers_it(teller):
    teller.source("transfers", unknown_end="stub")
    teller.deliver("transfers", [payment("1", "ACC0", "FOREIGN1"), payment("2", "FOREIGN2", "ACC1")])
    teller.run()
    stubs = "MATCH (n:Account {stub: true}) RETURN count(n)"
    assert (teller.one(stubs), teller.refused()) == (2, [])
    teller.deliver("accounts", [{"account": name} for name in ("ACC0", "ACC1", "FOREIGN1")])
    teller.run()
    assert (teller.one(stubs), teller.one("MATCH (n:Account) RETURN count(n)")) == (1, 4)
    assert teller.one("MATCH ()-[r:TRANSFERRED_TO]->() RETURN count(r)") == 2
    assert teller.cli("store", "verify").exit_code == 0


# -- days ------------------------------------------------------------------------------------------------------


def test_a_relationship_is_in_neo4j_from_its_first_day_to_its_last_though_nothing_is_delivered_anew(owners):
    owners.source("accounts", record_id="account")
    owners.source("transfers", mode="append", record_id="number")
    owners.deliver("companies", firms("A", "B", valid_from="2024-03-02", valid_to="2024-03-03"))
    owners.deliver("shareholders", [{**holding("A", "B"), "valid_from": "2024-03-02", "valid_to": "2024-03-03"}])
    owners.deliver("accounts", [{"account": "ACC0"}, {"account": "ACC1"}])
    # the third of March begins in Shanghai while it is still the second in UTC
    owners.deliver("transfers", [payment("1", "ACC0", "ACC1", at="2024-03-02 23:59:59"), payment("2", "ACC0", "ACC1", at="2024-03-03 00:00:00")])
    seen = []
    for day in (FIRST, SECOND, THIRD):
        owners.run(as_of=day)
        held, paid = (owners.one(f"MATCH ()-[r:{type_}]->() RETURN count(r)") for type_ in ("HOLDS_SHARES", "TRANSFERRED_TO"))
        seen.append((known(owners), held, paid))
        assert owners.cli("store", "verify").exit_code == 0
    assert seen == [(["A", "B"], 0, 0), (["A", "B"], 1, 1), (["A", "B"], 0, 2)]


def test_only_the_transfers_of_the_last_days_are_published_where_a_bound_is_set(teller):
    teller.settings["publish"] = {"transfer_days": 10}
    days = ("2024-02-01", "2024-02-20", "2024-02-25")
    teller.deliver("transfers", [payment(str(n), "ACC0", "ACC1", at=f"{day} 12:00:00") for n, day in enumerate(days)])
    teller.source("transfers")
    there = "MATCH ()-[r:TRANSFERRED_TO]->() RETURN r.record_id AS id ORDER BY id"
    teller.run()
    assert len(teller.ask(there)) == 2
    teller.run(as_of=date(2024, 3, 4))
    assert len(teller.ask(there)) == 1
    teller.settings["publish"] = {"transfer_days": 0}
    teller.source("transfers")
    teller.run()
    assert len(teller.ask(there)) == len(teller.current("graph/TRANSFERRED_TO")) == 3


def test_the_business_date_is_the_newest_that_the_sources_state_and_never_goes_back(teller):
    teller.deliver("transfers", [payment("1", "ACC0", "ACC1", at="2024-02-29 23:30:00"), payment("2", "ACC0", "ACC1")])
    assert teller.run().as_of == date(2024, 2, 29)
    teller.deliver("transfers", [payment("3", "ACC0", "ACC1", at="2024-02-10 08:00:00")])
    assert teller.run().as_of == date(2024, 2, 29)
    with pytest.raises(GateError, match="never goes back"):
        teller.run(as_of=date(2024, 2, 1))


# -- gates, quarantine -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gate", "rows", "said"),
    [
        ({"min_rows": 4}, firms("A", "B", "C"), "3 rows, and [sources.gate] min_rows asks for 4"),
        ({"max_drop": 0.2}, firms("A", "B"), "2 rows after 3 in the last accepted delivery"),
        ({"max_rejects": 0.3}, [*firms("A", "B"), {"company": "", "name": "nobody"}], "1 of 3 rows refused"),
    ],
)
def test_a_gate_stops_the_night_before_anything_is_changed(registry, gate, rows, said):
    registry.deliver("companies", firms("A", "B", "C"))
    registry.run(as_of=FIRST)
    before = (registry.tree(), registry.last_transaction())
    registry.source("companies", gate=gate)
    registry.deliver("companies", rows)
    checked = registry.cli("check")
    result = registry.cli("run")
    assert (result.exit_code, said in result.stderr, result.stderr.count("Error:")) == (3, True, 1)
    assert (checked.exit_code, said in checked.stderr) == (3, True)
    assert (registry.tree(), registry.last_transaction()) == before


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
    checked = owners.json("check")["sources"]
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
    assert {path for path in registry.tree() if path.startswith(("runs", "export"))} == {p for p in before[0] if p.startswith(("runs", "export"))}
    assert registry.run(as_of=SECOND).results["load"]["inserted"] == 1
    assert known(registry) == ["A", "B"]


def test_one_stage_alone_is_done_for_the_last_run(registry, numbers):
    registry.deliver("companies", firms("A", "B"))
    registry.run(as_of=FIRST)
    numbers.emptied(registry.server)
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

    assert town.cli("runs", "prune", "--keep", "1").exit_code == 0
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
    assert [(row["source"], row["line"], row["rule"]) for row in sorted(town.refused(), key=lambda row: (row["source"], row["line"]))][0] == (
        "companies",
        21,
        "uscc",
    )


# -- what analysts put in --------------------------------------------------------------------------------------


def test_what_analysts_put_in_the_graph_is_never_touched(owners):
    owners.deliver("companies", firms("A", "B", "C"))
    owners.deliver("shareholders", [holding("A", "B"), holding("A", "C")])
    owners.run(as_of=FIRST)
    owners.ask("MATCH (a:Company {id: 'company:bank:A'}), (b:Company {id: 'company:bank:B'}) SET b:Watched, b.note = 'ask Li', a.seen = 3")
    owners.ask("MATCH (b:Watched), (c:Company {id: 'company:bank:C'}) CREATE (b)-[:KNOWS {since: 2020}]->(c), (:Memo {text: 'mine'})-[:ON]->(b)")

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


def test_a_workspace_without_sources_or_a_date_says_what_to_do(bank, registry):
    registry.deliver("companies", firms("A"))
    with pytest.raises(GateError, match="--as-of YYYY-MM-DD"):
        registry.run()
    bank.sources.clear()
    bank._write()
    with pytest.raises(KgfraudError, match=r"names no \[\[sources\]\]"):
        bank.run()
