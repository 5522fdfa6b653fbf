"""Networks that can serve: what is kept of them, what each column adds to a score, and what of a file is refused."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from safetensors.numpy import load, save

from gnn import network as module
from gnn.card import chosen_said
from gnn.metrics import auc
from gnn.network import Network
from gnn.trees import Trees
from kg.errors import DependencyError, VerificationError

FORMAT = {"kgfraud": "perceptrons on quantiles, 1"}
#: Columns: the label's, noise, a column of which a missing value tells the label too, one that never changes, one that nobody has.
TELLS, NOISE, GAPS, STILL, NOBODY = range(5)


def rows(seed, count=600):
    dice = np.random.default_rng(seed)
    values = dice.normal(size=(count, 5))
    values[:, TELLS] = np.exp(values[:, TELLS])
    missing = dice.random(count) < 0.2
    values[missing, GAPS], values[:, STILL], values[:, NOBODY] = np.nan, 7.0, np.nan
    return values, ((values[:, TELLS] > 1.8) | (missing & (values[:, TELLS] > 0.8))).astype(np.int8)


@pytest.fixture(scope="module")
def fitted():
    return Network.fit(*rows(1), 0)


@pytest.fixture(scope="module")
def later():
    return rows(2, 200)


def numpy_odds(network, values):
    """The log-odds by numpy alone, from what is kept: an oracle that knows neither torch nor the code."""
    tensors = load(network.kept())
    found = []
    for n in range(3):
        of = {name.removeprefix(f"{n}."): each.astype(float) for name, each in tensors.items() if name.startswith(f"{n}.")}
        x = values
        for linear, norm in ((1, 2), (5, 6)):
            x = x @ of[f"{linear}.weight"].T + of[f"{linear}.bias"]
            x = (x - x.mean(axis=1, keepdims=True)) / np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)
            x = np.maximum(0, x * of[f"{norm}.weight"] + of[f"{norm}.bias"])
        found.append((x @ of["9.weight"].T + of["9.bias"])[:, 0])
    return np.mean(found, axis=0)


def test_the_same_seed_is_the_same_network_and_another_seed_another(fitted):
    assert Network.fit(*rows(1), 0).kept() == fitted.kept()
    assert Network.fit(*rows(1), 1).kept() != fitted.kept()


def test_a_network_that_was_kept_is_the_same_when_it_is_read(fitted, later):
    read = Network.read(fitted.kept())
    assert read.kept() == fitted.kept()
    assert np.array_equal(read.score(later[0]), fitted.score(later[0]))
    assert np.array_equal(read.contributions(later[0]), fitted.contributions(later[0]))
    assert (read.n_columns, read.used().tolist()) == (5, fitted.used().tolist())


def test_scores_are_those_that_the_kept_tensors_come_to(fitted, later):
    expected = numpy_odds(fitted, fitted.quantiles.normal(later[0]).astype(float))
    assert fitted.score(later[0]) == pytest.approx(expected, abs=1e-8)
    assert auc(later[1], fitted.score(later[0])) > 0.95


def test_a_row_has_the_same_score_whoever_is_scored_with_it(fitted, later, monkeypatch):
    whole = fitted.score(later[0])
    assert np.array_equal(np.concatenate([fitted.score(each[None]) for each in later[0][:50]]), whole[:50])
    monkeypatch.setattr(module, "_BLOCK", 7)
    assert np.array_equal(fitted.score(later[0]), whole)
    assert fitted.score(later[0][:0]).shape == (0,)
    assert fitted.contributions(later[0][:0]).shape == (0, 6)


def test_contributions_sum_to_the_score_and_point_to_the_column_that_makes_the_label(fitted, later):
    values, score = later[0], fitted.score(later[0])
    found = fitted.contributions(values)
    assert found.sum(axis=1) == pytest.approx(score, abs=1e-9)
    assert len(np.unique(found[:, -1])) == 1
    size = np.abs(found[:, :-1]).mean(axis=0)
    assert size[NOISE] < 0.2 * size[TELLS]
    assert np.corrcoef(found[:, TELLS], np.log(values[:, TELLS]))[0, 1] > 0.9
    assert found[values[:, TELLS] > 3, TELLS].min() > 0 > found[values[:, TELLS] < 0.5, TELLS].max()
    missing = np.isnan(values[:, GAPS])
    assert found[missing, GAPS].mean() > found[~missing, GAPS].mean() + 0.3


def test_what_the_sum_of_gradients_lacks_of_the_score_is_small(fitted, later):
    lacks = fitted.score(later[0]) - fitted.contributions(later[0])[:, -1] - fitted.gradients(later[0]).sum(axis=1)
    assert 0 < np.abs(lacks).max() < 0.02


def test_gradients_are_those_of_finite_differences_along_the_way(fitted, later):
    values, steps, step = later[0][:6], 80, 1e-4
    inputs, middle = fitted.quantiles.normal(values).astype(float), fitted.middle.astype(float)
    expected = np.zeros(inputs.shape)
    for root in (np.arange(steps) + 0.5) / steps:
        at = middle + root**2 * (inputs - middle)
        for place, aside in enumerate(np.eye(inputs.shape[1]) * step):
            expected[:, place] += root / steps * (numpy_odds(fitted, at + aside) - numpy_odds(fitted, at - aside)) / step
    expected *= inputs - middle
    # the mark of a missing value stands behind the columns and belongs to one of them
    expected[:, GAPS] += expected[:, 5]
    assert fitted.gradients(values) == pytest.approx(expected[:, :5], abs=0.02)


def test_a_column_that_never_changed_while_it_was_learnt_says_nothing_whatever_it_becomes(fitted, later):
    assert fitted.used().tolist() == [TELLS, NOISE, GAPS]
    moved = later[0].copy()
    moved[:, STILL], moved[:, NOBODY] = 99.0, 1.0
    assert np.array_equal(fitted.score(moved), fitted.score(later[0]))
    assert not fitted.contributions(moved)[:, [STILL, NOBODY]].any()


def test_of_the_more_frequent_class_no_more_rows_are_learnt_from_than_say_more(monkeypatch):
    monkeypatch.setattr(module, "_MANY", 100)
    values, label = rows(1)
    found = Network.fit(values, label, 0)
    assert len(found.quantiles.known[TELLS]) == label.sum() + 100
    assert Network.fit(values, 1 - label, 0).quantiles.known[TELLS].tolist() == found.quantiles.known[TELLS].tolist()


def changed(name, make):
    """Return the bytes of a network of which one tensor is another."""
    return lambda kept: save({key: make(each) if key == name else each for key, each in load(kept).items()}, metadata=FORMAT)


def nothing(each):
    found = each.copy()
    found.flat[0] = np.nan
    return found


@pytest.mark.parametrize(
    ("tear", "said"),
    [
        (lambda kept: kept[: len(kept) // 2], "cannot be read as a network in safetensors"),
        (lambda kept: kept[:4], "cannot be read as a network in safetensors"),
        (lambda _: b"tree\nversion=v4\n", "cannot be read as a network in safetensors"),
        (lambda _: save({"x": np.zeros(2)}), "does not say that it is one of this version"),
        (lambda kept: save(load(kept), metadata={"kgfraud": "perceptrons on quantiles, 2"}), "not say that it is one of this version"),
        (lambda _: save({"x": np.zeros(2)}, metadata=FORMAT), "KeyError 'quantiles.values'"),
        (changed("0.5.bias", nothing), "0.5.bias has weights that are no numbers"),
        (changed("middle", nothing), "middle has weights that are no numbers"),
        (
            changed("2.1.weight", lambda each: each[:, :-1].copy()),
            r"2.1.weight is float32 of shape \(128, 5\), not float32 of shape \(128, 6\)",
        ),
        (changed("2.1.weight", lambda each: each.astype(float)), "2.1.weight is float64"),
        (changed("quantiles.values", nothing), "its table of quantiles is not whole"),
        (changed("quantiles.values", lambda each: each[::-1].copy()), "its table of quantiles does not ascend"),
        (changed("quantiles.times", lambda each: -each), "its table of quantiles is not whole"),
        (changed("quantiles.many", lambda each: each + 1), "its table of quantiles is not whole"),
        (changed("quantiles.lacks", lambda each: ~each), "middle is float32 of shape"),
        (lambda kept: save({**load(kept), "3.1.weight": np.zeros(2)}, metadata=FORMAT), "weights of no perceptron: 3.1.weight"),
    ],
)
def test_files_that_are_torn_foreign_or_of_another_shape_are_refused_with_a_sentence(fitted, tear, said):
    with pytest.raises(VerificationError, match=said):
        Network.read(tear(fitted.kept()))


def test_without_torch_it_is_said_which_package_is_missing(fitted, monkeypatch):
    monkeypatch.delitem(sys.modules, "gnn.perceptrons")
    monkeypatch.delattr("gnn.perceptrons", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(DependencyError, match="the package torch is missing"):
        Network.read(fitted.kept())


def test_trees_of_no_trees_are_refused_with_a_sentence():
    for torn in (b"\xff\xfe", b"tree", b""):
        with pytest.raises(VerificationError, match="cannot be read as LightGBM's text"):
            Trees.read(torn)


@pytest.mark.parametrize(
    ("valid", "test", "said"),
    [
        ((0.01, 0.2), (0.02, 0.3), "The network against boosted_own: shown to be better (gain in AP"),
        ((0.01, 0.2), (-0.01, 0.3), "The network against boosted_own: not shown to be better (gain in AP"),
        ((-0.1, 0.2), (-0.2, -0.1), "The network against boosted_own: not shown to be better (gain in AP"),
        ((-0.2, -0.1), (-0.3, -0.1), "The network against boosted_own: shown to be worse (gain in AP"),
    ],
)
def test_no_sentence_claims_for_a_network_what_both_periods_do_not_show(valid, test, said):
    gain = {name: {"value": sum(ends) / 2, "low": ends[0], "high": ends[1]} for name, ends in (("valid", valid), ("test", test))}
    told = {"trees": "boosted_own", **gain, "helps": min(valid[0], test[0]) > 0}
    assert said in chosen_said({"chosen": "perceptron_graph", "network_against_trees": told})
