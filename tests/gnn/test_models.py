"""Models: deterministic by seed, blind to ids and order, and able to learn what there is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gnn.encode import canonical
from gnn.feature import prepare
from gnn.features import FEATURES
from gnn.hetero import wire
from gnn.layers.beta_wavelet import BetaWavelet
from gnn.metrics import auc
from gnn.models import MODELS
from gnn.training import seeded

from .world import shuffled, small_graph


def fitted(graph, model, seed=0):
    inputs = prepare(canonical(graph), FEATURES)
    rows = inputs.graph.labelled("train")
    return inputs, model.fit(inputs, rows, inputs.graph.label[rows], seed)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_a_model_learns_is_deterministic_and_knows_neither_ids_nor_order(model):
    inputs, scorer = fitted(small_graph(), model)
    valid = inputs.graph.labelled("valid")
    score = scorer(inputs)
    assert auc(inputs.graph.label[valid], score[valid]) > 0.65
    assert (scorer(inputs) == score).all()
    again, other = fitted(shuffled(small_graph(), 5), model)
    assert other(again) == pytest.approx(score, abs=1e-9)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_another_seed_gives_another_model(model):
    inputs, scorer = fitted(small_graph(), model)
    _, other = fitted(small_graph(), model, seed=1)
    assert (scorer(inputs) != other(inputs)).any()


@pytest.mark.parametrize("model", [model for model in MODELS if model.sees == "own"], ids=lambda model: model.name)
def test_a_model_without_the_graph_does_not_see_it(model):
    graph = small_graph()
    inputs, scorer = fitted(graph, model)
    assert (scorer(prepare(inputs.graph.only("sells"), FEATURES)) == scorer(inputs)).all()


def test_networks_leave_chance_and_threads_as_they_were():
    torch.manual_seed(3)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    with seeded(1):
        torch.rand(3)
        assert torch.get_num_threads() == 1
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads


def test_edges_run_both_ways_and_nodes_without_attributes_are_marked():
    graph = small_graph()
    wiring = wire(graph, np.ones((240, 2)))
    assert wiring.x.shape == (300, 3)
    assert wiring.x[:240, 2].all()
    assert not wiring.x[240:].any()
    assert len(wiring.edges) == 4
    assert torch.equal(wiring.edges[1], wiring.edges[0].flip(0))


@pytest.mark.parametrize("order", [1, 2, 3])
def test_beta_wavelets_are_polynomials_of_the_normalised_laplacian(order):
    dice = np.random.default_rng(order)
    dense = np.triu(dice.random((8, 8)) < 0.4, 1)
    dense = (dense | dense.T).astype(float)
    dense[7] = dense[:, 7] = 0
    degree = dense.sum(axis=1)
    scale = np.diag(np.where(degree > 0, 1 / np.sqrt(np.maximum(degree, 1)), 0))
    half = (np.eye(8) - scale @ dense @ scale) / 2
    x = dice.normal(size=(8, 2))
    choose = {1: (1, 1), 2: (1, 2, 1), 3: (1, 3, 3, 1)}[order]
    expected = [
        (order + 1) / 2 * times * np.linalg.matrix_power(half, power) @ np.linalg.matrix_power(np.eye(8) - half, order - power) @ x
        for power, times in enumerate(choose)
    ]
    edges = torch.as_tensor(np.stack(np.nonzero(dense)))
    found = BetaWavelet(order)(torch.as_tensor(x), edges)
    np.testing.assert_allclose(found.numpy(), np.column_stack(expected), atol=1e-12)
    # the filters together let everything through
    assert sum(expected) == pytest.approx((order + 1) / 2 * x)


def test_rows_beyond_those_that_were_learnt_from_can_change_without_another_fit():
    inputs, scorer = fitted(small_graph(), MODELS[0])
    moved = inputs.own.copy()
    last = int(inputs.graph.labelled("valid")[0])
    moved[last] = np.nan
    changed = scorer(replace(inputs, own=moved)) != scorer(inputs)
    assert changed.nonzero()[0].tolist() == [last]
