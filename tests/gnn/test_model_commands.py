"""The commands about models, on a small city that went through the stages of a night."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
import tomlkit
from click.testing import CliRunner

from gnn.registry import Registry
from gnn.shelf import Shelf
from kg.cli import cli
from kg.rules import RULES

from .conftest import FEW

HEAVY = {"ibis", "duckdb", "pyarrow", "numpy", "lightgbm", "sklearn", "torch", "scipy"}
#: The sources that are read: what the others tell, features do without.
READ = {"companies", "persons", "accounts", "shareholders", "transfers", "loans", "loan_flows", "guarantees", "cases"}


def kgfraud(*words):
    result = CliRunner().invoke(cli, [str(word) for word in words], prog_name="kgfraud")
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize("command", ["train", "models", "evaluate", "score", "explain"])
def test_help_imports_no_model_library(command):
    code = (
        "import sys; from kg.cli import cli; cli(['--help'], standalone_mode=False); "
        f"cli([{command!r}, '--help'], standalone_mode=False); "
        f"assert not {HEAVY!r} & set(sys.modules), {HEAVY!r} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """A workspace of a small city, loaded and resolved; its outcome is known soon, so that there is something to learn from."""
    root = tmp_path_factory.mktemp("town") / "city"
    made = kgfraud("city", root, "--companies", 200, "--days", 345, "--seed", 4, "--prevalence", 0.2)
    assert made[0] == 0, made[2]
    settings = tomlkit.parse((root / "kgfraud.toml").read_text(encoding="utf-8"))
    settings["sources"] = [source for source in settings["sources"] if source["kind"] in READ]
    (root / "kgfraud.toml").write_text(tomlkit.dumps(settings), encoding="utf-8")
    for stage in ("load", "resolve"):
        code, _, stderr = kgfraud("run", "--only", stage, "--workspace", root)
        assert code == 0, stderr
    return root


@pytest.fixture
def quick(town, monkeypatch):
    """Fewer features and cases, reasons that are tried once, and snapshots of the past that outlive a training."""
    monkeypatch.setenv("KGFRAUD_WORKSPACE", str(town))
    monkeypatch.setattr("kg.stages.score.RULES", RULES[:2])
    monkeypatch.setattr("gnn.company.DERIVED", ())
    monkeypatch.setattr("gnn.company.FAMILIES", FEW)
    monkeypatch.setattr("gnn.evidence.REASONS", 2)
    monkeypatch.setattr("gnn.train.LEAST", {"train": 1, "valid": 3, "test": 1})
    monkeypatch.setattr("gnn.shelf.Shelf", lambda _: Shelf(town.parent / "shelf"))


@pytest.mark.untraced
def test_a_model_is_trained_shown_promoted_and_scores_the_night_and_by_day(town, quick):
    code, stdout, stderr = kgfraud("train", "company_fraud", "--horizon", 90, "--step", 60, "--json")
    assert code == 0, stderr
    version = json.loads(stdout)["version"]
    listed = json.loads(kgfraud("models", "list", "--json")[1])
    assert (listed["champion"], [model["version"] for model in listed["models"]]) == (None, [version])
    assert f"# company_fraud {version}" in kgfraud("models", "show", version)[1]
    code, stdout, stderr = kgfraud("score")
    assert (code, stdout) == (1, "")
    assert "no model of company_fraud serves; kgfraud train company_fraud, then kgfraud models promote" in stderr
    # whatever so small a city's model is worth
    Registry(town / "models", "company_fraud")._serve(version, [])
    for stage in ("score", "flag"):
        code, stdout, stderr = kgfraud("run", "--only", stage)
        assert code == 0, stderr
    records = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((town / "runs").glob("*/record.json"))]
    assert [record["models"] for record in records[-2:]] == [{"company_fraud": version}, {}]
    found = json.loads(kgfraud("score", "--top", 5, "--json")[1])
    assert found["model"] == version
    assert [row["score"] for row in found["scores"]] == sorted((row["score"] for row in found["scores"]), reverse=True)
    known = [row["probability"] for row in found["scores"] if row["probability"]]
    guilty, fewer = (
        [row["probability"] for row in json.loads(kgfraud("score", "--top", 5, *words, "--json")[1])["scores"] if row["probability"]]
        for words in (("--found", 0.5), ("--base-rate", 0.0001))
    )
    assert guilty == [min(1.0, 2 * each) for each in known]
    assert all(less < each for less, each in zip(fewer, known, strict=True))
    company = found["scores"][0]["company"]
    told = json.loads(kgfraud("explain", company, "--json")[1])
    assert told["probability"] == found["scores"][0]["probability"]
    first = told["reasons"][0]
    said = kgfraud("explain", company, "--lang", "zh")[1]
    assert first["code"] in said
    assert first["zh"] in said
    assert first["features"][0]["en"][:30] in kgfraud("explain", company)[1]
    code, stdout, stderr = kgfraud("evaluate", "company_fraud", "--evidence", 1, "--json")
    assert code == 0, stderr
    measured = json.loads(stdout)
    assert measured["evidence"]["companies"] == 1
    assert measured["model"] == version
    assert measured["prevalence"] == measured["guilty"] / measured["rows"]


@pytest.mark.untraced
def test_a_network_is_trained_where_it_is_asked_for_and_tells_why(town, quick):
    code, stdout, stderr = kgfraud("train", "company_fraud", "--horizon", 90, "--step", 60, "--model", "perceptron")
    assert code == 0, stderr
    assert "Asked for: perceptron_graph. The network against boosted_" in stdout
    version = re.search(r"^registered (\S+);", stdout, re.MULTILINE)[1]
    listed = {model["version"]: model["model"] for model in json.loads(kgfraud("models", "list", "--json")[1])["models"]}
    assert listed[version] == "perceptron_graph"
    told = json.loads(kgfraud("models", "show", version, "--json")[1])
    assert (told["kind"], len(told["columns"])) == ("network", told["n_columns"])
    first = json.loads(kgfraud("score", "--model", version, "--top", 1, "--json")[1])["scores"][0]
    why = json.loads(kgfraud("explain", first["company"], "--model", version, "--json")[1])
    assert (why["model"], why["score"]) == (version, first["score"])
    assert why["base"] + sum(family["adds"] for family in why["families"]) == pytest.approx(why["score"], abs=0.01)
    measured = json.loads(kgfraud("evaluate", "company_fraud", "--model", version, "--json")[1])
    assert measured["ap"] == told["metrics"]["models"]["perceptron_graph"]["ap"]


@pytest.mark.soak
def test_pairs_are_trained_and_scored_by_the_same_commands(town, monkeypatch):
    task = "linked_party"
    monkeypatch.setenv("KGFRAUD_WORKSPACE", str(town))
    monkeypatch.setattr("gnn.train.LEAST", {"train": 2, "valid": 3, "test": 1})
    code, stdout, stderr = kgfraud("train", task, "--horizon", 60, "--step", 100, "--json")
    assert code == 0, stderr
    trained = json.loads(stdout)
    version, many = trained["version"], trained["metrics"]["units"]
    assert trained["metrics"]["leaks"] == []
    assert [model["version"] for model in json.loads(kgfraud("models", "list", "--task", task, "--json")[1])["models"]] == [version]
    assert f"{many} on days" in kgfraud("models", "show", version, "--task", task)[1]
    found = json.loads(kgfraud("score", "--task", task, "--model", version, "--top", 3, "--json")[1])
    assert len(found["scores"]) == 3 <= found[many]
    unit = found["scores"][0][many.removesuffix("s")]
    told = json.loads(kgfraud("explain", unit, "--task", task, "--model", version, "--json")[1])
    assert told["probability"] == found["scores"][0]["probability"]
    measured = json.loads(kgfraud("evaluate", task, "--model", version, "--json")[1])
    assert measured["rows"] == trained["metrics"]["rows"]["test"]["rows"]


@pytest.mark.untraced
def test_rings_are_not_judged_where_too_few_of_them_are_known(town, monkeypatch):
    monkeypatch.setenv("KGFRAUD_WORKSPACE", str(town))
    code, _, stderr = kgfraud("train", "fraud_ring", "--horizon", 60, "--step", 400)
    assert code == 3
    assert re.search(r"the period 'train' has \d+ of \d+ rings to whom 'fraud_ring' happened within 60 days; each class needs 10", stderr)
    assert "no model of fraud_ring is registered" in kgfraud("models", "list", "--task", "fraud_ring")[1]


def test_a_task_that_is_not_known_and_a_workspace_without_a_run_are_refused_with_a_sentence(tmp_path):
    assert kgfraud("init", tmp_path / "w")[0] == 0
    code, _, stderr = kgfraud("train", "company_frod", "--workspace", tmp_path / "w")
    assert code == 2
    assert "no task named 'company_frod'; did you mean 'company_fraud'?" in stderr
    code, _, stderr = kgfraud("train", "company_fraud", "--workspace", tmp_path / "w")
    assert code == 1
    assert "no run was committed yet; run kgfraud run first" in stderr
    assert "no model of company_fraud is registered" in kgfraud("models", "list", "--workspace", tmp_path / "w")[1]
    code, _, stderr = kgfraud("models", "rollback", "--workspace", tmp_path / "w")
    assert code == 2
    assert "served before" in stderr
