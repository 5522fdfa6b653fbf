"""The night as cron calls it, and the demo as a newcomer does."""

import json
import re

import pytest
from click.testing import CliRunner

from kg.cli import cli
from kg.cli.nightly import nightly
from loaders.city.schemes import SCHEMES


def as_cron(bank, *words):
    return CliRunner().invoke(nightly, ["--workspace", str(bank.root), *words])


def test_cron_gets_one_line_of_results_a_log_and_metrics(bank, tmp_path):
    bank.source("companies", record_id="company")
    bank.deliver("companies", [{"company": "1", "name": "A", "valid_from": "2024-03-01"}, {"company": "", "name": "B", "valid_from": ""}])
    done = as_cron(bank, "--metrics", str(tmp_path / "kgfraud.prom"))
    assert done.exit_code == 0
    (line,) = done.stdout.splitlines()
    result = json.loads(line)
    assert (result["run_id"], result["as_of"], result["exit_code"]) == (bank.runs()[-1], "2024-03-01", 0)
    assert all(json.loads(entry)["level"] for entry in done.stderr.splitlines())
    metrics = (tmp_path / "kgfraud.prom").read_text(encoding="utf-8")
    assert "kgfraud_last_run_exit_code 0" in metrics
    assert 'kgfraud_rows{source="companies",what="quarantined"} 1' in metrics
    assert re.search(r'^kgfraud_stage_seconds\{stage="publish"\} [0-9.]+$', metrics, re.MULTILINE)


def test_cron_is_told_by_the_exit_code_when_a_gate_stops_the_night(bank, tmp_path):
    bank.source("companies", record_id="company", gate={"min_rows": 10})
    bank.deliver("companies", [{"company": "1", "name": "A", "valid_from": "2024-03-01"}])
    done = as_cron(bank, "--metrics", str(tmp_path / "kgfraud.prom"))
    result = json.loads(done.stdout)
    assert (done.exit_code, result["exit_code"], result["run_id"]) == (3, 3, None)
    assert "min_rows asks for 10" in result["error"]
    assert "kgfraud_last_run_exit_code 3" in (tmp_path / "kgfraud.prom").read_text(encoding="utf-8")
    assert bank.runs() == []


def test_metrics_that_cannot_be_written_are_told_in_the_line_and_hide_no_exit_code(tmp_path):
    (tmp_path / "file").touch()
    done = CliRunner().invoke(nightly, ["--workspace", str(tmp_path), "--metrics", str(tmp_path / "file" / "kgfraud.prom")])
    result = json.loads(done.stdout)
    assert (done.exit_code, result["exit_code"], "is not a workspace" in result["error"]) == (2, 2, True)
    assert "kgfraud.prom (File exists); name another file with --metrics" in result["metrics_error"]


def the_rings_and_the_schemes_are_told(asked):
    """Ask for the rings of a city, one of them in each form, and for what a flag of its members rests on."""
    every = json.loads(asked("rings", "list", "--json").stdout)["rings"]
    assert every
    assert every[0]["id"] in asked("rings", "list").stdout
    ring = json.loads(asked("rings", "show", every[0]["id"], "--json").stdout)
    party, moved = ring["members"][0]["party"], ring["transfers"]
    assert [ring["first_at"], ring["last_at"]] == [moved[0]["at"], moved[-1]["at"]]
    said = asked("rings", "show", every[0]["id"]).stdout
    assert (party in said, said.count("→")) == (True, len(moved))
    assert asked("rings", "show", every[0]["id"], "--svg").stdout.startswith("<svg")
    assert every[0]["id"] in asked("rings", "list", "--party", party).stdout
    wrong = asked("rings", "show", every[0]["id"][:-1] + "x")
    assert (wrong.exit_code, every[0]["id"] in wrong.stderr) == (2, True)
    schemes = {row["scheme"]: row["flags"] for row in json.loads(asked("scheme", "list", "--json").stdout)["schemes"]}
    assert schemes["payment_ring"] > 0
    question = "MATCH (f:Flag {rule: 'payment_ring'}) RETURN f.id AS id ORDER BY id LIMIT 1"
    ((flag,),) = json.loads(asked("query", question, "--json").stdout)["rows"]
    told = json.loads(asked("scheme", "explain", flag[:12], "--json").stdout)
    assert (told["id"], told["reason"]) == (flag, "MONEY_GOES_ROUND")
    assert {row["what"] for row in told["evidence"]} == {"TRANSFERRED_TO"}
    assert told["zh"] in asked("scheme", "explain", flag).stdout
    assert asked("scheme", "explain", flag[:3]).exit_code == 2


@pytest.mark.untraced
@pytest.mark.parametrize("words", [("--companies", "500"), pytest.param((), marks=pytest.mark.soak)], ids=["small", "as it is called"])
def test_the_demo_ends_with_a_filled_neo4j_flags_and_questions_that_have_answers(tmp_path, words):
    runner, folder = CliRunner(), tmp_path / "demo"
    try:
        done = runner.invoke(cli, ["demo", str(folder), *words], prog_name="kgfraud")
        assert done.exit_code == 0, done.stderr
        delivered = json.loads(runner.invoke(cli, ["report", "--json", "--workspace", str(folder)]).stdout)["sources"]
        assert sum(entry["rows"] for entry in delivered if entry["source"].startswith("finbench.")) == 132_058
        assert sum(entry["quarantined"] for entry in delivered if entry["source"].startswith("city.")) == 0
        planted = {
            kind: (int(stands), int(hit)) for kind, stands, hit in re.findall(r"(\w+) +(\d+) +\d+ +(\d+)  (?:yes|not yet)", done.stdout)
        }
        assert all(planted[scheme.name][0] >= 2 for scheme in SCHEMES)
        assert planted["guarantee_circle"][1] > 0
        assert re.search(r"Neo4j answers at bolt://127\.0\.0\.1:\d+", done.stdout)
        questions = re.findall(r'kgfraud query --workspace \S+ "(.+)"', done.stdout)
        assert len(questions) == 3
        for cypher in questions:
            answer = runner.invoke(cli, ["query", cypher, "--json", "--workspace", str(folder)])
            assert json.loads(answer.stdout)["rows"], cypher
        the_rings_and_the_schemes_are_told(lambda *words: runner.invoke(cli, [*words, "--workspace", str(folder)], prog_name="kgfraud"))
        (export,) = (folder / "export").iterdir()
        assert runner.invoke(cli, ["verify", str(export), "--workspace", str(folder)]).exit_code == 0
    finally:
        runner.invoke(cli, ["neo4j", "stop", "--workspace", str(folder)])


def test_a_workspace_of_one_s_own_is_not_taken_for_a_demo(bank):
    done = CliRunner().invoke(cli, ["demo", str(bank.root)], prog_name="kgfraud")
    assert done.exit_code == 2
    assert "not a demo" in done.stderr
