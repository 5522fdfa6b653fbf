"""The stage of the night that scores: what it says where it cannot, and that flags bear the probability."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys

import ibis
import pyarrow as pa
import pytest

from gnn.challenge import register
from gnn.explain import explain
from gnn.network import Network
from gnn.reasons import SCORE_REASONS
from gnn.registry import Registry
from gnn.shelf import Shelf
from gnn.snapshot import snapshot
from gnn.train import train
from kg import report
from kg.config import Workspace
from kg.history import VERSION_SCHEMA, current
from kg.lake import Lake
from kg.privacy import Keyring
from kg.progress import Silent
from kg.rules import RULES
from kg.run import Runs
from kg.stage import Night
from kg.stages import flag, score
from kg.stages.score import families

from .conftest import FEW, TASK
from .lakes import put

RUN = {"run_id": "run-1", "as_of": "2024-09-16", "code": "c", "tables": {}}


@pytest.fixture(scope="module", autouse=True)
def few_features():
    """Features of half of the families, of two rules alone and of nothing derived, which is quicker."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(score, "RULES", RULES[:2])
        patch.setattr("gnn.company.DERIVED", ())
        patch.setattr("gnn.company.FAMILIES", FEW)
        yield


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    return Shelf(tmp_path_factory.mktemp("shelf"))


@pytest.fixture(scope="module")
def learnt(archive, shelf):
    return train(archive, TASK, families(), Silent(), shelf=shelf)


@pytest.fixture(scope="module")
def network(archive, shelf, learnt):
    """A network that learnt from the same rows."""
    return train(archive, TASK, families(), Silent(), network=True, shelf=shelf)


def night(archive, root):
    """Open a night over a copy of the city's lake, in a workspace of its own."""
    workspace = Workspace.create(root / "workspace")
    shutil.copytree(archive.lake.root, workspace.lake, dirs_exist_ok=True)
    lake = Lake(workspace.lake, archive.lake.engine, archive.lake.versions)
    keyring = Keyring.open(workspace.keys)
    return Night(workspace, Runs(workspace.runs), lake, keyring, Silent(), "r2", None, None, root / "staging", as_of=archive.as_of)


@pytest.fixture
def tonight(archive, tmp_path):
    return night(archive, tmp_path)


@pytest.fixture
def champion(tonight, learnt):
    """A model that serves, whatever it is worth."""
    registry = Registry(tonight.workspace.models, TASK.name)
    version = register(registry, learnt, RUN)
    registry._serve(version, [])
    return version


@pytest.fixture
def serving(tonight, champion, network):
    """A network that passed the gate against trees, whatever it is worth, and serves in their place."""
    registry = Registry(tonight.workspace.models, TASK.name)
    version = register(registry, network, RUN)
    path = registry.folder / version / "metrics.json"
    metrics = json.loads(path.read_text(encoding="utf-8"))
    assert metrics["gate"]["champion"] == champion
    metrics["gate"]["ap_gain"]["low"], mine = 0.01, metrics["models"]["perceptron_graph"]
    mine["tied_fraction"], mine["brier_skill"]["value"] = 0.0, 0.1
    path.write_text(json.dumps(metrics), encoding="utf-8")
    registry.promote(version)
    return version


def edited(tonight, version, **about):
    """Change what ``model.json`` of a model says; None takes it out."""
    path = tonight.workspace.models / TASK.name / version / "model.json"
    told = {**json.loads(path.read_text(encoding="utf-8")), **about}
    path.write_text(json.dumps({name: each for name, each in told.items() if each is not None}), encoding="utf-8")


def kept(tonight):
    lake = tonight.lake
    return lake.engine.table(current(lake.view(score.SCORES_TABLE))).to_pylist() if lake.has(score.SCORES_TABLE) else []


def test_without_a_model_the_night_says_so_and_makes_no_table(tonight):
    assert score.STAGE.run(tonight) == {"model": None, "said": "no model is registered; flags carry no probability"}
    assert not tonight.lake.has(score.SCORES_TABLE)


def test_the_champion_scores_every_customer_and_flags_bear_the_probability(tonight, champion):
    result = score.STAGE.run(tonight)
    rows = kept(tonight)
    assert result["said"].startswith(f"{len(rows)} companies scored by company_fraud {champion}")
    assert result[score.SCORES_TABLE] == {"inserted": len(rows), "closed": 0}
    assert {(row["model"], row["as_of"]) for row in rows} == {(champion, tonight.as_of)}
    assert all((row["probability"] is None) == (row["outside"] is not None) for row in rows)
    assert result["outside"] == sum(row["outside"] is not None for row in rows) < len(rows) / 4
    assert all(0 < row["probability"] < 1 for row in rows if row["outside"] is None)
    first = max(rows, key=lambda row: row["probability"] or 0)
    assert 0 < len(first["reasons"]) <= 4
    assert {code for row in rows for code in row["reasons"] or ()} <= {reason.code for reason in SCORE_REASONS}
    flag.STAGE.run(tonight)
    told = flag.told(tonight.lake, tonight).to_pylist()
    by_company = {row["company"]: row["probability"] for row in rows}
    assert {f["probability"] for f in told if f["entity_id"] in by_company} - {None}
    assert all(f["probability"] == by_company.get(f["entity_id"]) for f in told)
    # the same night again writes nothing
    assert score.SCORES_TABLE not in score.STAGE.run(tonight)


def test_who_is_unlike_all_that_the_model_learnt_from_has_no_probability_and_the_night_says_so(tonight, champion):
    folder = tonight.workspace.models / TASK.name / champion
    about = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    about["learnt"]["range"] |= {"limit": 0, "high": [0.0 for _ in about["learnt"]["range"]["high"]]}
    (folder / "model.json").write_text(json.dumps(about), encoding="utf-8")
    result, rows = score.STAGE.run(tonight), kept(tonight)
    assert f"; {len(rows)} are unlike all that it learnt from, and their flags carry no probability" in result["said"]
    assert all(row["probability"] is None and "registration.age_days" in row["outside"] for row in rows)
    flag.STAGE.run(tonight)
    assert {f["probability"] for f in flag.told(tonight.lake, tonight).to_pylist()} == {None}


def test_drift_since_training_is_noted_in_the_report_of_the_night(tonight, champion):
    assert score.STAGE.run(tonight)["drift"]["score"] >= 0
    folder = tonight.workspace.models / TASK.name / champion
    about = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    about["learnt"]["shares"]["score"] = {"edges": [-99.0], "parts": [1.0, 0.0, 0.0]}
    (folder / "model.json").write_text(json.dumps(about), encoding="utf-8")
    result = score.STAGE.run(tonight)
    assert result["notes"][0].startswith("scores have moved since training (PSI ")
    told = report.text({"run_id": "r2", "as_of": None, "began": "began", "sources": [], "results": {"score": result}, "seconds": {}})
    assert "    note: scores have moved since training (PSI " in told


def test_a_table_of_scores_from_before_some_columns_is_taken_up(tonight, champion):
    old = ibis.schema({"company": "string", "model": "string", "probability": "float64", "as_of": "date", "id": "string"})
    rows = tonight.lake.engine.arrow(pa.table({"company": ["company:gone"], "model": ["m"], "probability": [0.5]}))
    rows = rows.mutate(id=rows.company, as_of=ibis.literal(tonight.as_of), digest=ibis.literal("d"))
    put(tonight.lake, score.SCORES_TABLE, rows, ibis.schema({**old, **VERSION_SCHEMA}))
    score.STAGE.run(tonight)
    assert {row["model"] for row in kept(tonight)} == {champion}


def test_a_model_that_remembers_nothing_of_its_rows_scores_all_the_same(tonight, champion):
    folder = tonight.workspace.models / TASK.name / champion
    about = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    del about["learnt"]
    (folder / "model.json").write_text(json.dumps(about), encoding="utf-8")
    result = score.STAGE.run(tonight)
    assert (result["outside"], result["notes"]) == (0, [])


def test_where_the_champion_cannot_score_the_night_goes_on_and_old_scores_are_gone(tonight, champion):
    score.STAGE.run(tonight)
    folder = tonight.workspace.models / TASK.name / champion
    about = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    (folder / "model.json").write_text(json.dumps({**about, "schema": "0000"}), encoding="utf-8")
    result = score.STAGE.run(tonight)
    assert result["said"].startswith(
        f"no scores tonight, flags carry no probability: model {champion} learnt on features of the schema 0000"
    )
    assert kept(tonight) == []
    flag.STAGE.run(tonight)
    assert {f["probability"] for f in flag.told(tonight.lake, tonight).to_pylist()} == {None}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("champion.json", "{", "champion.json of company_fraud cannot be read; promote a model anew"),
        ("champion.json", '{"model": "2024-01-01-000000000000", "before": []}', "no model '2024-01-01-000000000000' of company_fraud"),
        ("{champion}/weights.txt", "tree", "are not those that were registered; roll back, or train again"),
        ("{champion}/model.json", '{"curve": {"name": "beta", "a": 1, "b": 1, "c": 0}, "learnt": {}}', "cannot be read (KeyError)"),
        ("{champion}/model.json", "[]", "cannot be read (TypeError); roll back, or train again"),
    ],
)
def test_files_that_are_torn_cost_the_scores_and_not_the_night(tonight, champion, name, text, said):
    (tonight.workspace.models / TASK.name / name.format(champion=champion)).write_text(text, encoding="utf-8")
    result = score.STAGE.run(tonight)
    assert result["model"] is None
    assert said in result["said"]


def test_an_empty_graph_costs_the_scores_and_not_the_night(tonight, champion):
    tonight.lake = tonight.lake.without(tonight.lake.versions)
    assert score.STAGE.run(tonight)["said"].endswith("the graph holds no company; there is nobody to score")


def test_where_the_extra_is_not_installed_the_night_says_which_package_is_missing(tonight, champion, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] in ("gnn", "lightgbm")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    said = score.STAGE.run(tonight)["said"]
    assert said == "no scores tonight, flags carry no probability: the package lightgbm is missing; install kgfraud[models]"


# A network in the place of trees


def test_a_network_serves_the_night_with_probabilities_and_reasons(tonight, serving, champion):
    result = score.STAGE.run(tonight)
    rows = kept(tonight)
    assert result["said"].startswith(f"{len(rows)} companies scored by company_fraud {serving}")
    assert {row["model"] for row in rows} == {serving}
    assert result["outside"] == sum(row["outside"] is not None for row in rows) < len(rows) / 4
    assert all(0 < row["probability"] < 1 for row in rows if row["outside"] is None)
    assert all(0 < len(row["reasons"]) <= 4 for row in rows)
    assert {code for row in rows for code in row["reasons"]} <= {reason.code for reason in SCORE_REASONS}
    flag.STAGE.run(tonight)
    by_company = {row["company"]: row["probability"] for row in rows}
    told = [f for f in flag.told(tonight.lake, tonight).to_pylist() if f["entity_id"] in by_company]
    assert {f["probability"] for f in told} - {None}
    assert all(f["probability"] == by_company[f["entity_id"]] for f in told)
    # the same night again writes nothing, and the trees come back
    assert score.SCORES_TABLE not in score.STAGE.run(tonight)
    assert Registry(tonight.workspace.models, TASK.name).rollback() == champion
    assert score.STAGE.run(tonight)["model"] == champion


def test_a_network_that_was_registered_scores_as_it_did_and_its_features_sum_to_the_score(tonight, serving, network, monkeypatch):
    monkeypatch.setattr("gnn.evidence.REASONS", 1)
    model = Registry(tonight.workspace.models, TASK.name).load(serving)
    by = score.explainer(tonight, model)
    seen = snapshot(by.archive.on(tonight.as_of), by.families)
    assert isinstance(model.weights, Network)
    assert (model.score(seen)[0] == network.challenger.weights.score(seen.values)).all()
    first = seen.ids[int(model.score(seen)[0].argmax())].as_py()
    told = explain(by, seen, first, len(seen.columns))
    assert told["base"] + sum(each["adds"] for each in told["features"]) == pytest.approx(told["score"], abs=0.01)
    assert told["reasons"][0]["adds"] > 0
    assert told["reasons"][0]["features"][0]["feature"] in model.about["columns"]
    # evidence is named only where the score falls without it
    assert all(each["falls"] > 0 for each in told["reasons"] if each["evidence"])


def test_a_card_says_what_a_network_is_and_is_worth_beside_the_trees(tonight, serving, network):
    card = (tonight.workspace.models / TASK.name / serving / "card.md").read_text(encoding="utf-8")
    assert "weights: averaged perceptrons on quantiles; reasons by integrated gradients" in card
    assert all(f"| {name} |" in card for name in ("boosted_own", "boosted_graph", "perceptron_graph"))
    gain = network.metrics["network_against_trees"]
    assert ("shown to be better" in card and "not shown to be better" not in card) is gain["helps"]
    assert gain["helps"] is (min(gain[period]["low"] for period in ("valid", "test")) > 0)


def test_what_a_network_is_trained_beside_is_what_it_would_be_without_it(learnt, network):
    models = dict(network.metrics["models"])
    del models["perceptron_graph"]
    assert models == learnt.metrics["models"]
    assert network.metrics["graph_against_own"] == learnt.metrics["graph_against_own"]
    assert (network.metrics["chosen"], network.metrics["network_against_trees"]["trees"]) == ("perceptron_graph", learnt.metrics["chosen"])


def test_a_network_of_other_features_costs_the_scores_and_not_the_night(tonight, serving, monkeypatch):
    monkeypatch.setattr("gnn.company.FAMILIES", FEW[1:])
    assert f"model {serving} learnt on features of the schema" in score.STAGE.run(tonight)["said"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "forest"}, "weights of the kind 'forest' are not known, only trees, network; roll back, or train again"),
        ({"kind": "trees"}, "cannot be read (FileNotFoundError); roll back, or train again"),
        ({"kind": []}, "cannot be read (TypeError); roll back, or train again"),
        ({"weights_sha256": "0"}, "are not those that were registered; roll back, or train again"),
    ],
)
def test_a_network_that_cannot_be_read_costs_the_scores_and_not_the_night(tonight, serving, change, said):
    edited(tonight, serving, **change)
    result = score.STAGE.run(tonight)
    assert result["model"] is None
    assert said in result["said"]


def test_torn_weights_of_a_network_cost_the_scores_and_not_the_night(tonight, serving):
    path = tonight.workspace.models / TASK.name / serving / "weights.safetensors"
    torn = path.read_bytes()[:-8]
    path.write_bytes(torn)
    assert "are not those that were registered; roll back, or train again" in score.STAGE.run(tonight)["said"]
    edited(tonight, serving, weights_sha256=hashlib.sha256(torn).hexdigest())
    assert "cannot be read as a network in safetensors" in score.STAGE.run(tonight)["said"]


def test_without_torch_a_network_costs_the_scores_and_not_the_night(tonight, serving, monkeypatch):
    monkeypatch.delitem(sys.modules, "gnn.perceptrons")
    monkeypatch.delattr("gnn.perceptrons")
    monkeypatch.setitem(sys.modules, "torch", None)
    said = score.STAGE.run(tonight)["said"]
    assert said == "no scores tonight, flags carry no probability: the package torch is missing; install kgfraud[models]"


def test_a_model_of_before_there_were_kinds_is_one_of_trees(tonight, champion):
    edited(tonight, champion, kind=None)
    assert score.STAGE.run(tonight)["model"] == champion
