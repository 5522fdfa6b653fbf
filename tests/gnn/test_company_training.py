"""Models of a lake's past: periods, determinism, planted leaks, the registry and its gate."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from gnn.challenge import register
from gnn.companies import COMPANIES
from gnn.company import FAMILIES
from gnn.company.registration import FAMILY as REGISTRATION
from gnn.evaluate import evaluate
from gnn.family import Column, Family
from gnn.past import Archive
from gnn.periods import labels, periods
from gnn.registry import Registry, refusals
from gnn.shelf import Shelf
from gnn.snapshot import snapshot
from gnn.train import train
from gnn.untold import Untold
from gnn.walk import Day, origins, walk
from kg import history
from kg.errors import GateError, KgfraudError, UsageError, VerificationError
from kg.progress import Silent

from .conftest import TASK

NONE = np.empty(0, np.int64)
RUN = {"run_id": "run-1", "as_of": "2024-09-16", "code": "c", "tables": {"graph/Company": 1}}


@pytest.fixture
def registry(tmp_path):
    return Registry(tmp_path, TASK.name)


@pytest.fixture
def version(registry, trained):
    return register(registry, trained, RUN)


def passing(registry, version, **gate):
    """Let a model pass the gate, whatever it is worth."""
    path = registry.folder / version / "metrics.json"
    metrics = json.loads(path.read_text(encoding="utf-8"))
    metrics["gate"] |= {"ap_gain": {"value": 0.1, "low": 0.05, "high": 0.2}, **gate}
    for of in metrics["models"].values():
        of["brier_skill"]["value"], of["tied_fraction"], of["auc"]["low"] = 0.1, 0.0, 0.6
    path.write_text(json.dumps(metrics), encoding="utf-8")


# Periods and labels


@pytest.mark.parametrize(("days", "horizon", "step"), [(600, 180, 60), (1095, 180, 60), (1095, 90, 30), (260, 60, 30)])
def test_the_outcome_of_each_period_is_known_before_the_next_begins(days, horizon, step):
    first = date(2024, 1, 1)
    last, ahead = first + timedelta(days=days), timedelta(days=horizon)
    found = periods(first, last, horizon, step)
    assert max(found.train) + ahead <= min(found.valid)
    assert max(found.valid) + ahead <= found.test
    assert found.test + ahead == last
    assert min(found.train) >= first + timedelta(days=60)
    assert list(found.train) == sorted(found.train)


def test_too_short_a_past_is_refused_with_what_it_would_take():
    with pytest.raises(GateError, match="tells of 599 days, and a horizon of 180 days needs 600"):
        periods(date(2024, 1, 1), date(2024, 1, 1) + timedelta(days=599), 180, 60)


def test_a_label_looks_ahead_by_the_horizon_and_who_was_known_is_left_out():
    known = {"a": date(2024, 1, 10), "b": date(2024, 1, 11), "c": date(2024, 2, 9), "d": date(2024, 2, 10), "x": date(2024, 1, 20)}
    assert labels(pa.array(list("abcde")), known, date(2024, 1, 10), 30).tolist() == [-1, 1, 1, 0, 0]


# Training


def test_neighbours_count_only_where_both_periods_show_that_they_help(trained):
    told = trained.metrics["graph_against_own"]
    assert told["helps"] is (told["valid"]["low"] > 0 and told["test"]["low"] > 0)
    assert trained.metrics["chosen"] == ("boosted_graph" if told["valid"]["low"] > 0 else "boosted_own")


@pytest.mark.untraced
def test_training_again_gives_the_same_model_and_the_same_figures(archive, trained):
    again = train(archive, TASK, FAMILIES, Silent())
    assert again.challenger.weights.kept() == trained.challenger.weights.kept()
    assert again.metrics == trained.metrics
    assert trained.metrics["leaks"] == []
    rows = trained.metrics["rows"]
    assert all(0 < of["guilty"] < of["rows"] for of in rows.values())


def test_cases_of_deeds_done_later_or_before_the_lake_teach_nothing(archive):
    day, first = date(2024, 6, 1), date(2024, 1, 20)
    seen = snapshot(archive.on(day), (REGISTRATION,))
    rows = archive.lake.engine.table(archive.lake.view("records/cases")).sort_by("known_on").to_pylist()
    known, deeds = {}, {}
    for row in rows:
        if known.setdefault(row["entity"], row["known_on"]) == row["known_on"]:
            deeds.setdefault(row["entity"], row["happened_on"])
    label = labels(seen.ids, known, day, 200)
    found = Untold.of(archive.today(), TASK, first).left_out(seen, label)
    expected = [
        -1 if old == 1 and not first <= deeds[company] <= day else old
        for company, old in zip(seen.ids.to_pylist(), label.tolist(), strict=True)
    ]
    assert found.tolist() == expected
    assert 0 < (found == 1).sum() < (label == 1).sum()


@pytest.mark.untraced
def test_where_too_few_cases_would_be_left_all_of_them_teach(archive, monkeypatch):
    trained = {}
    for least in (1, 10):
        monkeypatch.setattr("gnn.train.LEAST", {"train": least, "valid": 3, "test": 1})
        monkeypatch.setattr("gnn.train.ENOUGH", 2 * least)
        trained[least] = train(archive, TASK, (REGISTRATION,), Silent()).metrics["rows"]["train"]
    assert trained[1]["guilty"] < trained[10]["guilty"]


def test_without_cases_or_with_too_few_of_them_nothing_is_learnt(archive):
    lake = archive.lake.without(["records/cases"])
    with pytest.raises(GateError, match="deliver the kind cases"):
        train(replace(archive, lake=lake), TASK, (REGISTRATION,), Silent())
    with pytest.raises(GateError, match="each class needs"):
        train(archive, replace(TASK, horizon=20), (REGISTRATION,), Silent())


# Planted leaks


def cases(graph):
    rows = graph._lake.view("records/cases")
    return rows.filter(rows.entity.startswith("company:")).group_by(id=rows.entity).aggregate(known_on=rows.known_on.min())


def copy_of_the_label(graph):
    rows = cases(graph)
    last = graph.as_of + timedelta(days=TASK.horizon)
    return rows.filter(rows.known_on > graph.as_of, rows.known_on <= last).select("id", planted=rows.known_on.notnull().cast("int64"))


def number_of_the_company(graph):
    rows = graph.nodes("Company")
    return rows.select("id", planted=rows.id.re_extract(r"(\d+)$", 1).cast("int64") * 7919 % 1_000_003)


def money_to_come(graph):
    owners, moved = graph.edges("OWNS_ACCOUNT").select(id="src", src="dst"), graph._lake.view("graph/TRANSFERRED_TO").select("src", "at")
    rows = moved.filter(moved["at"] >= history.day_end(graph.as_of, graph.zone)).join(owners, "src")
    return rows.group_by("id").aggregate(planted=rows.count())


PLANTED = [
    (copy_of_the_label, "copies the label: alone it ranks with an AUC of 1.000"),
    (number_of_the_company, "names the company"),
    (money_to_come, "knows the future: without what happened after 2024-"),
]


@pytest.mark.parametrize(("make", "said"), PLANTED, ids=lambda value: getattr(value, "__name__", ""))
@pytest.mark.untraced
def test_a_planted_leak_keeps_a_model_from_serving_and_is_named(archive, registry, make, said):
    planted = Family("stray", "植入", "a leak", (Column("planted", "what must not be there", "植入", "1"),), make)
    trained = train(archive, TASK, (REGISTRATION, planted), Silent())
    assert any(leak["column"] == "stray.planted" and said in leak["said"] for leak in trained.metrics["leaks"])
    assert {leak["column"] for leak in trained.metrics["leaks"]} == {"stray.planted"}
    version = register(registry, trained, RUN)
    passing(registry, version)
    with pytest.raises(GateError, match=f"the feature stray.planted .*{said}"):
        registry.promote(version)
    assert registry.champion() is None


# The registry


def test_a_model_that_was_kept_scores_as_it_did(archive, registry, version, trained):
    seen = snapshot(archive.on(archive.as_of), FAMILIES)
    score, probability = registry.load(version).score(seen)
    width = len(trained.challenger.columns)
    assert np.array_equal(score, trained.challenger.weights.score(seen.values[:, :width]))
    assert np.allclose(probability, trained.challenger.curve(score), atol=5e-5)
    files = {path.name for path in (registry.folder / version).iterdir()}
    assert files == {"weights.txt", "model.json", "metrics.json", "card.md", "card.json"}
    card = (registry.folder / version / "card.md").read_text(encoding="utf-8")
    assert version in card
    assert "shown to help" in card
    assert ("not shown to help" in card) is not trained.metrics["graph_against_own"]["helps"]


def test_the_same_training_is_the_same_version(registry, version, trained):
    assert register(registry, trained, RUN) == version
    assert registry.versions() == [version]


def test_features_of_another_schema_are_refused(archive, registry, version):
    fewer = snapshot(archive.on(archive.as_of), FAMILIES[1:])
    with pytest.raises(VerificationError, match="learnt on features of the schema"):
        registry.load(version).score(fewer)


def test_weights_that_were_changed_and_files_that_are_torn_are_refused(registry, version):
    weights = registry.folder / version / "weights.txt"
    weights.write_text(weights.read_text().replace("leaf_value=", "leaf_value=9", 1))
    with pytest.raises(VerificationError, match="are not those that were registered"):
        registry.load(version)
    (registry.folder / version / "model.json").write_text("{")
    with pytest.raises(VerificationError, match="cannot be read"):
        registry.load(version)
    with pytest.raises(UsageError, match="no model '2024-01-01-000000000000'"):
        registry.load("2024-01-01-000000000000")


def test_an_empty_graph_and_scores_that_are_no_numbers_are_refused(archive, registry, version):
    seen = snapshot(archive.on(archive.as_of), FAMILIES)
    nobody = replace(seen, ids=seen.ids[:0], values=seen.values[:0])
    model = registry.load(version)
    with pytest.raises(GateError, match="holds no company"):
        model.score(nobody)
    with pytest.raises(GateError, match="no numbers"):
        replace(model, curve=lambda score: np.full(len(score), np.nan)).score(seen)


def test_who_is_promoted_serves_and_who_served_before_comes_back(registry, version, trained):
    with pytest.raises(KgfraudError, match="no model of company_fraud serves"):
        registry.serving()
    passing(registry, version)
    registry.promote(version)
    assert registry.serving().version == version
    second = register(registry, trained, {**RUN, "run_id": "run-2"})
    gate = registry.load(second).metrics["gate"]
    assert (gate["champion"], gate["ap_gain"]["value"]) == (version, 0.0)
    with pytest.raises(GateError, match=f"not shown to be better than the champion {version}"):
        registry.promote(second)
    passing(registry, second)
    registry.promote(second)
    assert (registry.champion(), registry.rollback(), registry.champion()) == (second, version, version)
    with pytest.raises(UsageError, match="served before"):
        registry.rollback()


def test_a_model_held_against_another_champion_than_todays_does_not_serve(registry, version):
    passing(registry, version)
    assert refusals(registry.load(version), None) == []
    assert (
        "it was held against no champion, and 2024-01-01-000000000000 serves now"
        in refusals(registry.load(version), "2024-01-01-000000000000")[0]
    )


def test_ties_and_probabilities_worse_than_the_base_rate_are_reasons_not_to_serve(registry, version):
    passing(registry, version)
    model = registry.load(version)
    mine = model.metrics["models"][model.metrics["chosen"]]
    mine["tied_fraction"], mine["brier_skill"]["value"] = 0.002, -0.01
    assert [said.split("(")[0].strip() for said in refusals(model, None)] == [
        "0.20% of its scores are tied, 0.1 % may be",
        "its probabilities are worse than the base rate",
    ]


def test_a_ranking_no_better_than_chance_does_not_serve_whatever_its_gain_in_precision(registry, version):
    passing(registry, version)
    model = registry.load(version)
    model.metrics["models"][model.metrics["chosen"]]["auc"]["low"] = 0.5
    assert [said.split(":")[0] for said in refusals(model, None)] == ["it is not shown to rank better than chance"]
    model.metrics["gate"]["champion"] = "2024-01-01-000000000000"
    assert refusals(model, "2024-01-01-000000000000") == []


def test_a_model_is_measured_only_on_days_after_all_it_learnt_from(archive, registry, version, trained):
    model = registry.load(version)
    found = evaluate(archive, TASK, FAMILIES, model)
    chosen = trained.metrics["models"][trained.metrics["chosen"]]
    assert {name: found[name] for name in ("capture", "money")} == {name: trained.metrics["further"][name] for name in ("capture", "money")}
    assert (found["day"], found["ap"], found["auc"]) == (trained.periods.test, chosen["ap"], chosen["auc"])
    with pytest.raises(GateError, match="learnt from cases up to"):
        evaluate(Archive(archive.lake, archive.as_of - timedelta(days=30), archive.zone), TASK, FAMILIES, model)


# What it is worth beyond its ranking


def test_further_measures_are_told_of_the_rows_that_were_held_out(trained):
    found, held = trained.metrics["further"], trained.held
    assert sum(each["rows"] for name, each in found["segments"].items() if name.startswith("age")) <= len(held.label)
    assert found["capture"][-1]["part"] == 0.5
    assert found["money"][-1]["first"] == len(held.label)
    assert found["money"][-1]["part"] in (0.0, 1.0)
    assert found["unseen_groups"]["groups"] > 10
    assert found["prior"]["observed"] == held.label.mean()
    assert found["unlabelled"]["given"] is False
    assert 0 <= found["outside"]["part"] < 0.3
    assert found["lawsuits"]["alone_auc"]["low"] <= 0.75


def test_days_that_are_judged_lie_a_horizon_apart_and_have_a_day_to_learn_from(trained):
    plan = trained.periods
    found = origins((*plan.train, *plan.valid, plan.test), TASK.horizon)
    assert found[0] == plan.test
    assert all((later - early).days >= TASK.horizon for later, early in pairwise(found))
    assert (found[-1] - min(plan.train)).days >= TASK.horizon
    assert set(trained.metrics["walk"]["days"]) <= {str(day) for day in found}


def test_walking_judges_each_day_by_trees_that_saw_only_what_was_known_before():
    dice = np.random.default_rng(5)

    def day(seed, sign):
        label = (np.arange(400) < 20).astype(np.int8)
        return Day(np.column_stack([dice.normal(size=400), sign * label + dice.normal(scale=0.1, size=400)]), label)

    # what tells the guilty turns round before the last day; who had seen that day would rank it right
    days = {date(2024, 1, 1): day(0, 1), date(2024, 3, 1): day(1, 1), date(2024, 5, 1): day(2, -1)}
    found = walk(days, {"one": np.array([0]), "both": np.array([0, 1])}, 60, 0, first=NONE)
    assert found["days"] == {"2024-05-01": 20, "2024-03-01": 20}
    assert found["ap"]["both"]["value"] == pytest.approx((1 + 0.03) / 2, abs=0.05)
    assert found["gain"]["low"] > 0
    assert walk({date(2024, 1, 1): days[date(2024, 1, 1)]}, {"one": np.array([0])}, 60, 0, first=NONE) == {"days": {}}


def test_the_card_tells_of_segments_money_and_cases_never_found(registry, version):
    card = (registry.folder / version / "card.md").read_text(encoding="utf-8")
    for said in (
        "| age: up to 3 years |",
        "of what these owe:",
        "part of the guilty that is found:",
        "models that saw no company of the same",
    ):
        assert said in card


def test_a_training_that_was_broken_off_goes_on_where_it_was(archive, tmp_path):
    shelf, day = Shelf(tmp_path), archive.as_of - timedelta(days=90)
    first = shelf.seen(archive, day, (REGISTRATION,), COMPANIES.look, "train")
    again = shelf.seen(archive, day, (REGISTRATION,), COMPANIES.look, "train")
    assert len(list(tmp_path.iterdir())) == 1
    assert again.ids.equals(first.ids)
    assert np.array_equal(again.values, first.values, equal_nan=True)
    assert (again.columns, again.n_own, again.day) == (first.columns, first.n_own, first.day)
    shelf.seen(archive, day - timedelta(days=1), (REGISTRATION,), COMPANIES.look, "train")
    shelf.seen(archive, day, FAMILIES[:2], COMPANIES.look, "train")
    assert len(list(tmp_path.iterdir())) == 3
