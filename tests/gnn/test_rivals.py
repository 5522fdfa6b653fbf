"""Networks that are measured beside the trees."""

from __future__ import annotations

import numpy as np
import pytest

from gnn.metrics import auc
from gnn.rivals import RIVALS, against, score


def test_a_network_sees_neighbours_only_where_it_is_one_of_the_graph():
    dice = np.random.default_rng(3)
    values = dice.normal(size=(600, 4))
    label = (values[:, 3] > 1).astype(np.int8)
    found = {model.name: score(model, (values[:400], label[:400]), values[400:], 2, seed=0) for model in RIVALS}
    assert auc(label[400:], found["perceptron_graph"]) > 0.9
    assert auc(label[400:], found["perceptron_own"]) < 0.7
    gain = against(label[400:], found["perceptron_graph"], found["perceptron_own"])
    assert gain["low"] > 0
    assert against(label[400:], found["perceptron_own"], found["perceptron_own"])["value"] == pytest.approx(0)
