"""Before a night changes anything: what its gates stop, what it warns of, which day it has, and what it asks for first.

All of that is settled when the files are read, so these nights end with the load and no database is asked.
"""

import json
from datetime import date

import pytest

from kg.errors import GateError

from .town import FIRST, SECOND, firms, holding, payment

pytestmark = pytest.mark.untraced
DATABASE = False


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
    registry.run(only="load", as_of=FIRST)
    before = registry.tree()
    registry.source("companies", gate=gate)
    registry.deliver("companies", rows)
    checked = registry.cli("check")
    result = registry.cli("run", "--only", "load")
    assert (result.exit_code, said in result.stderr, result.stderr.count("Error:")) == (3, True, 1)
    assert (checked.exit_code, said in checked.stderr) == (3, True)
    assert registry.tree() == before


@pytest.mark.parametrize(
    ("gate", "said"),
    [({"min_rows": 3}, "2 new rows, and [sources.gate] min_rows asks for 3"), ({"max_rejects": 0.4}, "1 of 2 new rows refused")],
)
def test_of_an_appending_source_the_gates_judge_what_is_new_however_much_lies_there(teller, gate, said):
    teller.source("transfers", path="landing/day*.csv", gate=gate)
    teller.deliver("day1", [payment(str(n), "ACC0", "ACC1") for n in range(10)])
    teller.run(only="load")
    assert teller.cli("run", "--only", "load").exit_code == 0
    teller.deliver("day2", [payment("a", "ACC0", "ACC1"), payment("b", "ACC0", "NOBODY")])
    stopped = teller.cli("run", "--only", "load")
    assert (stopped.exit_code, said in stopped.stderr) == (3, True)
    teller.deliver("day2", [payment(number, "ACC0", "ACC1") for number in "abc"])
    assert teller.cli("run", "--only", "load").exit_code == 0


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
    (entry,) = registry.run(only="load", as_of=FIRST).sources
    assert entry["warnings"] == ["no rows, only heads; a full delivery is all that there is"]


def test_a_source_that_is_in_the_settings_no_more_is_warned_of(registry):
    registry.deliver("companies", firms("A"))
    registry.run(only="load", as_of=FIRST)
    del registry.sources["companies"]
    registry.source("crm.companies", kind="companies", path="landing/companies.csv", record_id="company")
    (entry,) = registry.run(only="load", as_of=SECOND).sources
    assert [warning.split(";")[0] for warning in entry["warnings"]] == [
        "the source companies of the last run is not in the settings any more"
    ]


def test_what_the_warning_of_a_source_that_is_gone_advises_ends_an_appending_one_too(teller):
    teller.deliver("transfers", [payment("1", "ACC0", "ACC1")])
    teller.run(only="load")
    del teller.sources["transfers"]
    teller.source("accounts")
    (entry,) = teller.run(only="load").sources
    assert 'with mode = "full" and max_drop = 1.0, and deliver heads without rows' in entry["warnings"][0]
    teller.source("transfers", mode="full", record_id="number", gate={"max_drop": 1.0})
    (teller.root / "landing" / "transfers.csv").write_text(",".join(payment("1", "ACC0", "ACC1")) + "\n")
    teller.run(only="load")
    assert teller.current("records/transfers") == []


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
    said = json.dumps([teller.run(only="load", as_of=FIRST).summary(), teller.record(), teller.json("quarantine", "list")], default=str)
    assert ("13912345678" in said, "pay_[phone].csv" in said) == (False, True)


def test_shares_above_the_whole_are_a_warning_and_rounding_is_none(owners):
    owners.deliver("companies", firms("A", "B", "C", "D"))
    owners.deliver("shareholders", [holding(h, "D", s) for h, s in (("A", "60%"), ("B", "50%"))] + [holding("A", "C", "100.00005%")])
    said = owners.json("check", "--as-of", str(FIRST))
    assert (set(said), said["as_of"]) == ({"as_of", "sources", "refused"}, str(FIRST))
    checked = said["sources"]
    assert set(checked[0]) == {"source", "rows", "accepted", "quarantined", "overtaken", "warnings"}
    (warning,) = checked[1]["warnings"]
    assert "company:bank:D" in warning
    assert "company:bank:C" not in warning
    assert owners.runs() == []


def test_shares_that_two_sources_tell_and_those_that_have_ended_are_not_added_up(owners):
    owners.source("shareholders", path="landing/one.csv")
    owners.sources["two"] = owners.sources["shareholders"] | {"name": "two", "path": "landing/two.csv"}
    owners.source("two")
    owners.deliver("companies", firms("A", "B", "D"))
    ended = {**holding("B", "D", "60%"), "valid_to": "2023-01-01"}
    owners.deliver("one", [{**holding("A", "D", "60%"), "valid_to": ""}, ended])
    owners.deliver("two", [holding("A", "D", "60%")])
    assert {warning for source in owners.json("check", "--as-of", str(FIRST))["sources"] for warning in source["warnings"]} == set()
    owners.deliver("two", [holding("A", "D", "60%"), holding("B", "D", "60%")])
    told = {source["source"]: source["warnings"] for source in owners.json("check", "--as-of", str(FIRST))["sources"] if source["warnings"]}
    assert list(told) == ["two"]
    assert "company:bank:D" in told["two"][0]


def test_a_workspace_without_a_date_says_what_to_do_whether_it_is_run_or_checked(registry):
    registry.deliver("companies", firms("A"))
    run, checked = registry.cli("run", "--only", "load"), registry.cli("check")
    assert (run.exit_code, "--as-of YYYY-MM-DD" in run.stderr) == (3, True)
    assert (checked.exit_code, checked.stderr.splitlines()[-1]) == (3, run.stderr.splitlines()[-1])
    given = registry.cli("check", "--as-of", str(FIRST))
    assert (given.exit_code, f"the business date is {FIRST}" in given.stdout) == (0, True)
    registry.run(only="load", as_of=SECOND)
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


def test_the_business_date_is_the_newest_that_the_sources_state_and_never_goes_back(teller):
    teller.deliver("transfers", [payment("1", "ACC0", "ACC1", at="2024-02-29 23:30:00"), payment("2", "ACC0", "ACC1")])
    assert teller.run(only="load").as_of == date(2024, 2, 29)
    teller.deliver("transfers", [payment("3", "ACC0", "ACC1", at="2024-02-10 08:00:00")])
    assert teller.run(only="load").as_of == date(2024, 2, 29)
    with pytest.raises(GateError, match="never goes back"):
        teller.run(only="load", as_of=date(2024, 2, 1))


def test_a_time_that_is_a_day_alone_is_of_that_day_by_the_banks_own_clock(teller):
    """The first of March begins in Shanghai while it is still February in UTC."""
    teller.deliver("transfers", [payment("1", "ACC0", "ACC1", at="2024-03-01 00:00:00")])
    assert "the business date is 2024-03-01" in teller.cli("check").stdout
    assert teller.run(only="load").as_of == date(2024, 3, 1)


def test_a_business_date_after_today_is_refused_since_no_night_could_go_back(registry):
    registry.deliver("companies", firms("A"))
    for command in ("check", "run"):
        refused = registry.cli(command, "--as-of", "2999-01-01")
        assert (refused.exit_code, "--as-of 2999-01-01 lies after today" in refused.stderr) == (3, True)
    assert registry.runs() == []


def test_a_business_date_that_cannot_be_is_refused_before_any_file_is_read(registry):
    registry.deliver("companies", firms("A"))
    registry.run(only="load", as_of=date(2024, 3, 2))
    registry.source("persons", path="landing/nowhere.csv")
    for command in ("check", "run"):
        refused = registry.cli(command, "--as-of", "2024-03-01")
        assert (refused.exit_code, "--as-of 2024-03-01 lies before that of the last run, 2024-03-02" in refused.stderr) == (3, True)


def test_a_table_of_what_is_essential_that_is_not_there_is_told_by_the_check(registry):
    registry.deliver("companies", firms("A", founded_on="2024-01-01"))
    registry.settings["contagion"] = {"essential": "nowhere.csv"}
    registry.source("companies")
    refused = registry.cli("check")
    assert (refused.exit_code, "nowhere.csv" in refused.stderr) == (2, True)
    registry.settings["contagion"] = {}
    registry.source("companies")
    assert registry.cli("check").exit_code == 0


def test_an_upserting_source_without_a_record_id_is_wrong_usage_at_its_line(registry):
    registry.source("companies", mode="upsert", record_id=[])
    refused = registry.cli("check")
    assert (refused.exit_code, "mode is upsert, so rows replace their records, but no record_id says" in refused.stderr) == (2, True)
    assert "kgfraud.toml line " in refused.stderr


def test_a_rule_set_that_there_is_not_is_wrong_usage_before_any_file_is_read(registry):
    registry.settings["ownership"] = {"groups": "CN-LE-2081"}
    registry.source("companies")
    for command in ("check", "run"):
        refused = registry.cli(command)
        assert (refused.exit_code, "did you mean 'CN-LE-2018'?" in refused.stderr) == (2, True)
        assert "kgfraud.toml, [ownership]: no rule set 'CN-LE-2081'" in refused.stderr
