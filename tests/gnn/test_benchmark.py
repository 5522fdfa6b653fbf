"""From a data set's files to scores and tables; what must not be used is not, and what cannot be used is refused in a sentence."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner
from pyarrow import parquet

from gnn.benchmark import Variant, refuse, run
from gnn.benchmarks import BENCHMARKS, smesd
from gnn.encode import canonical
from gnn.feature import Inputs, prepare
from gnn.features import FEATURES
from gnn.metrics import auc
from gnn.models import boosted, forest
from kg.cli import cli
from kg.errors import GateError
from kg.progress import Silent

from .world import shuffled, small_graph

QUICK = (boosted.OWN, boosted.GRAPH, forest.EXTRA_OWN)
QUICKEST = (forest.EXTRA_OWN, forest.EXTRA_GRAPH)


@pytest.fixture(scope="module")
def outcome():
    graph = small_graph()
    return run((Variant("", graph), Variant("again", graph)), QUICK, Silent(), seeds=2, draws=40)


@pytest.fixture(scope="module")
def scores():
    return run((Variant("", small_graph()),), QUICKEST, Silent(), seeds=1, draws=5).scores


def test_every_row_is_scored_once_without_ties_by_a_probability_that_rises_with_the_score(outcome):
    table = outcome.scores.to_pydict()
    assert sorted(table["id"]) == list(range(240))
    score, probability = np.array(table["score"]), np.array(table["probability"])
    assert len(np.unique(score)) == len(score)
    assert outcome.metrics["tied_fraction"] == 0
    assert (np.diff(probability[np.argsort(score)]) >= 0).all()
    assert 0 < probability.min() <= probability.max() < 1


def test_the_tables_tell_of_every_model_relation_variant_and_segment(outcome):
    metrics = outcome.metrics
    assert list(metrics["models"]) == ["boosted_own", "boosted_graph", "extra_own", "blend_own", "blend"]
    assert list(metrics["relations"]) == ["holds", "sells"]
    assert set(metrics["variants"]["again"]) == {"boosted_own", "boosted_graph"}
    for table in metrics["models"].values():
        for part in ("cv", "valid"):
            for of in (table[part], table[part]["old"]):
                assert of["auc"]["low"] <= of["auc"]["value"] <= of["auc"]["high"]
        assert len(table["valid"]["auc_by_seed"]) == 2
    # the same files again are worth the same
    assert metrics["variants"]["again"]["boosted_own"] == metrics["models"]["boosted_own"]
    assert sum(metrics["weights"].values()) == pytest.approx(1, abs=1e-3)
    json.dumps(metrics)


def test_the_graph_is_said_to_help_and_used_only_where_the_interval_of_the_gain_lies_above_nought(outcome):
    for of in outcome.metrics["graph_against_none"].values():
        assert of["helps"] == (of["cv"]["ap"]["low"] > 0)
    helps = outcome.metrics["graph_against_none"]["blend"]["helps"]
    assert outcome.metrics["chosen"] == ("blend" if helps else "blend_own")


def test_ids_alone_and_permuted_labels_tell_nothing(outcome):
    probes = outcome.metrics["probes"]
    assert probes["id_alone"]["low"] < 0.5 < probes["id_alone"]["high"]
    assert probes["permuted_labels"]["mean"] == pytest.approx(0.5, abs=0.12)


@pytest.mark.untraced
def test_shuffled_rows_and_renamed_ids_change_no_score(scores):
    graph = small_graph()
    moved = shuffled(graph, 3)
    other = run((Variant("", moved),), QUICKEST, Silent(), seeds=1, draws=5).scores
    one, two = (dict(zip(each["id"].to_pylist(), each["score"].to_pylist(), strict=True)) for each in (scores, other))
    # rows are the same ones where their figures are
    name = {tuple(np.nan_to_num(row, nan=-1)): id_ for row, id_ in zip(moved.values, moved.ids.tolist(), strict=True)}
    pairs = [(one[id_], two[name[tuple(np.nan_to_num(row, nan=-1))]]) for row, id_ in zip(graph.values, graph.ids.tolist(), strict=True)]
    assert [a for a, _ in pairs] == pytest.approx([b for _, b in pairs], abs=1e-9)


@pytest.mark.untraced
def test_no_label_of_a_test_row_is_read(scores):
    graph = small_graph()
    told = replace(graph, label=np.where(graph.split == "test", 1, graph.label).astype(np.int8))
    assert run((Variant("", told),), QUICKEST, Silent(), seeds=1, draws=5).scores.equals(scores)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda graph: replace(graph, relations=()), "the graph has no edges"),
        (lambda graph: replace(graph, label=np.minimum(graph.label, 0)), "split 'train' have the label 0; models need both classes"),
        (lambda graph: replace(graph, label=np.full_like(graph.label, -1)), "no row of split 'train' has a label"),
        (lambda graph: replace(graph, split=np.where(graph.split == "test", "later", graph.split)), "such as 'later'"),
    ],
)
def test_what_no_model_can_learn_from_is_refused(change, said):
    with pytest.raises(GateError, match=said):
        refuse(change(small_graph()))


def companies(folder: Path, **changed) -> None:
    """Write a small data set in the form of FDCompCN."""
    dice = np.random.default_rng(4)
    n = 90
    split = np.array(["train", "train", "valid"])[np.arange(n) % 3]
    columns = {"company_id": np.arange(n), **{f"f{number:02}": dice.random(n) for number in range(57)}, "split": split}
    columns["fraud"] = (columns["f00"] > 0.6).astype(float)
    columns |= changed
    parquet.write_table(pa.table({name: value for name, value in columns.items() if value is not None}), folder / "companies.parquet")
    edges = {"src": dice.integers(0, n, 50), "dst": dice.integers(0, n, 50), "relation": ["invests_in"] * 50}
    parquet.write_table(pa.table(edges), folder / "edges.parquet")


def refused(folder: Path, *more: str):
    return CliRunner().invoke(cli, ["benchmark", "fdcompcn", "--data", str(folder), "--out", str(folder / "out"), *more])


@pytest.mark.parametrize(
    ("changed", "code", "said"),
    [
        ({"f07": None}, 3, "has no column 'f07'"),
        ({"fraud": None}, 3, "has no column 'fraud'"),
        ({"fraud": np.r_[np.nan, np.ones(89)]}, 3, "1 training or validation rows have no fraud; each needs 0 or 1"),
        ({"fraud": np.r_[7.0, np.ones(89)]}, 3, "fraud must be 0 or 1, row 0 has 7"),
        ({"fraud": np.zeros(90)}, 3, "models need both classes"),
        ({"f07": np.full(90, np.inf)}, 3, "column f07 holds an infinite number in row 0"),
        ({"f07": ["much"] * 90}, 3, "column f07 is of type string, not of numbers"),
        ({"company_id": np.zeros(90, np.int64)}, 3, "an id stands in two rows"),
        ({"company_id": np.arange(90) + 60}, 3, "which the table of companies lacks"),
    ],
)
def test_files_that_cannot_be_used_are_refused_in_a_sentence(tmp_path, changed, code, said):
    companies(tmp_path, **changed)
    done = refused(tmp_path)
    assert (done.exit_code, said in done.stderr) == (code, True), done.stderr
    assert not (tmp_path / "out").exists()


def test_a_missing_file_an_unreadable_one_and_an_unknown_benchmark_are_refused(tmp_path):
    assert "companies.parquet is not there; --data names the folder" in refused(tmp_path).stderr
    (tmp_path / "companies.parquet").write_text("no table")
    assert "is no Parquet file that can be read" in refused(tmp_path).stderr
    done = CliRunner().invoke(cli, ["benchmark", "fdcompcm", "--data", str(tmp_path), "--out", str(tmp_path)])
    assert (done.exit_code, "did you mean 'fdcompcn'?" in done.stderr) == (2, True)


def test_a_graph_without_edges_is_refused_by_the_command(tmp_path):
    companies(tmp_path)
    nothing = pa.table({"src": pa.array([], pa.int64()), "dst": pa.array([], pa.int64()), "relation": pa.array([], pa.string())})
    parquet.write_table(nothing, tmp_path / "edges.parquet")
    done = refused(tmp_path)
    assert (done.exit_code, "the graph has no edges" in done.stderr) == (3, True)


def test_the_command_writes_scores_and_tables_and_says_what_helps(tmp_path, monkeypatch):
    companies(tmp_path)
    monkeypatch.setattr("gnn.models.MODELS", QUICK)
    done = refused(tmp_path, "--seeds", "1")
    assert done.exit_code == 0, done.stderr
    assert parquet.read_table(tmp_path / "out" / "scores.parquet").column_names == ["id", "split", "score", "probability"]
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["benchmark"] == "fdcompcn"
    assert "not shown to help" in done.stdout
    said = refused(tmp_path, "--seeds", "1", "--json")
    assert json.loads(said.stdout)["models"]


def firms(folder: Path) -> None:
    """Write a small data set in the form of SMEsD, whose firm 5 stands in train and in test, and firm 6 in train and in valid."""
    for place, name in enumerate(("train", "valid", "test")):
        ids = np.array([10 * place + each for each in range(5)] + {"train": [5, 6], "valid": [6], "test": [5]}[name])
        n = len(ids)
        own = {
            "registered_capital_10k_cny": np.full(n, 100.0),
            "paid_in_capital_10k_cny": np.full(n, 50.0),
            "age_months": np.arange(n) + 9.0,
        }
        told = {} if name == "test" else {"bankrupt": np.arange(n) % 2, "crawl_seed": np.arange(n) == 1}
        parquet.write_table(pa.table({"company_id": ids, **own, **told}), folder / f"{name}_companies.parquet")
        edges = {"src": [ids[0], 900], "dst": [900, ids[1]], "relation": ["supervised", "supervise"], "weight": [1.0, 1.0]}
        parquet.write_table(pa.table(edges), folder / f"{name}_edges.parquet")
        suits = {"company": ids[:3], "cause": [0, 1, 0], "court": [0, 0, 0], "result": [3, 0, 3], "months": [0, 20, 30]}
        parquet.write_table(pa.table(suits), folder / f"{name}_lawsuits.parquet")
        members = {"kind": ["area", "area", "industry"], "edge": ["a", "nan", "b"], "company": ids[:3]}
        parquet.write_table(pa.table(members), folder / f"{name}_hyperedges.parquet")


def test_a_firm_of_two_splits_counts_as_labelled_in_the_later_one_alone(tmp_path):
    firms(tmp_path)
    graph = smesd.load(tmp_path)[0].graph
    told = {(id_, split): label for id_, split, label in zip(graph.ids.tolist(), graph.split.tolist(), graph.label.tolist(), strict=True)}
    assert (told[5, "train"], told[5, "test"]) == (-1, -1)
    assert (told[6, "train"], told[6, "valid"]) == (-1, 1)
    assert all(label >= 0 for (id_, split), label in told.items() if split != "test" and id_ not in {5, 6})
    assert not any("crawl" in name or "bankrupt" in name for name in graph.columns)


def test_lawsuits_after_the_label_date_are_left_out_but_in_the_variant_that_is_for_comparison(tmp_path):
    firms(tmp_path)
    plain, late = (each.graph for each in smesd.load(tmp_path))
    column = plain.columns.index("lawsuits")
    assert plain.values[:3, column].tolist() == [0, 1, 1]
    assert late.values[:3, late.columns.index("lawsuits")].tolist() == [1, 1, 1]


def test_an_area_that_is_not_known_is_no_area_and_a_common_one_is_told_from_a_rare_one(tmp_path):
    firms(tmp_path)
    members = {"kind": ["area"] * 5, "edge": ["a", "a", "b", "nan", None], "company": [0, 1, 2, 3, 4]}
    parquet.write_table(pa.table(members), tmp_path / "train_hyperedges.parquet")
    graph = smesd.load(tmp_path)[0].graph
    belongs, common = (graph.values[:5, graph.columns.index(name)] for name in ("area", "area.common"))
    assert belongs.tolist() == [1, 1, 1, 0, 0]
    assert common == pytest.approx([2 / 7, 2 / 7, 1 / 7, np.nan, np.nan], nan_ok=True)


def test_splits_are_graphs_apart_and_the_other_direction_is_not_counted_again(tmp_path):
    firms(tmp_path)
    graph = smesd.load(tmp_path)[0].graph
    (supervise,) = graph.relations
    # one edge for each split, each from a person of its own
    assert len(set(supervise.source.tolist())) == 3
    assert supervise.source.min() == len(graph.ids)
    assert graph.n_nodes == len(graph.ids) + 3
    assert graph.split[supervise.target].tolist() == ["train", "valid", "test"]


def test_an_unknown_relation_is_refused_with_the_nearest_known(tmp_path):
    firms(tmp_path)
    edges = pa.table({"src": [0], "dst": [1], "relation": ["supervize"], "weight": [1.0]})
    parquet.write_table(edges, tmp_path / "valid_edges.parquet")
    with pytest.raises(GateError, match=r"valid_edges\.parquet: no relation is called 'supervize'; did you mean 'supervise'"):
        smesd.load(tmp_path)


def published(name: str) -> Path:
    """Return the folder of a published data set, or skip the test."""
    folder = Path(__file__).parents[3] / "shared" / "data" / name
    if not folder.exists():
        pytest.skip(f"{name} may not be copied and is not at hand in ../shared/data")
    return folder


@pytest.mark.parametrize("benchmark", BENCHMARKS, ids=lambda each: each.name)
def test_shuffled_rows_and_renamed_ids_of_the_published_data_sets_come_to_the_same_tables(benchmark, tmp_path):
    folder, dice = published(benchmark.name), np.random.default_rng(5)
    name = dice.permutation(100_000)
    for file in folder.glob("*.parquet"):
        table = parquet.read_table(file)
        for column in {"company_id", "company", "src", "dst"}.intersection(table.column_names):
            table = table.set_column(table.column_names.index(column), column, pa.array(name[table[column].to_numpy()]))
        parquet.write_table(table.take(pa.array(dice.permutation(table.num_rows))), tmp_path / file.name)
    one, other = (canonical(benchmark.load(each)[0].graph) for each in (folder, tmp_path))
    assert (one.label == other.label).all()
    assert np.array_equal(prepare(one, FEATURES).around, prepare(other, FEATURES).around, equal_nan=True)


@pytest.mark.parametrize("benchmark", BENCHMARKS, ids=lambda each: each.name)
def test_the_published_data_sets_beat_chance_with_boosted_trees(benchmark):
    folder = published(benchmark.name)
    graph = canonical(benchmark.load(folder)[0].graph)
    refuse(graph)
    inputs = Inputs(graph, graph.values, graph.values, graph.columns)
    train, valid = graph.labelled("train"), graph.labelled("valid")
    score = boosted.OWN.fit(inputs, train, graph.label[train], 0)(inputs)
    assert auc(graph.label[valid], score[valid]) > 0.75


def test_help_of_the_command_imports_nothing_that_models_need():
    code = "import sys\nfrom kg.cli import cli\ncli(['benchmark', '--help'], standalone_mode=False)\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = set(done.stdout.splitlines()[-1].split())
    assert "kg.cli.benchmark" in imported
    assert not imported & {"torch", "torch_geometric", "lightgbm", "sklearn", "pandas"}


def test_the_command_says_which_package_is_missing(tmp_path, monkeypatch):
    import builtins  # noqa: PLC0415

    real = builtins.__import__

    def lacking(name, *rest, **more):
        if name == "gnn.benchmarks":
            raise ModuleNotFoundError("no", name="lightgbm")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", lacking)
    done = refused(tmp_path)
    assert (done.exit_code, done.stderr.strip()) == (4, "Error: the package lightgbm is missing; install kgfraud[models]")
